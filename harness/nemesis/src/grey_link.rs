//! A grey link: a node is slow and lossy towards one other, and everybody else sees it well.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::setting::percent;
use wrack_sim::network::LinkAction;

use crate::links::{self, DIRECTION, MESSAGES, OnLinks};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "grey-link",
    code: "X44",
    doc: "\
What `target` and `towards` say to each other is late by `delay`, and some of it is lost: a cable \
with a bad contact, a full buffer in one switch, a noisy neighbour on one host. It is neither up nor \
down. Everybody else sees both of them well, so that health checks are green, and those two disagree \
with the rest about who is there.

`share` is the share of messages that are lost, `delay` what the others are late by; each of them may \
be 0. Both parts draw apart. `messages` and `direction` pick some messages. It is a `latency` and a \
`loss` of the same link in one.

Healing makes the link good again for all further messages.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Who is at the one end."),
        ParameterInfo::required("towards", ParameterKind::Target, "Who is at the other end."),
        ParameterInfo::new(
            "delay",
            ParameterKind::Delay,
            DefaultSetting::Delay(50 * MILLISECOND, 500 * MILLISECOND),
            "How much later messages arrive.",
        ),
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(200_000),
            "Share of messages that get lost.",
        ),
        MESSAGES,
        DIRECTION,
    ],
    effect: "messages delayed or dropped",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let delay = settings.delay("delay").expect("`delay` has a default");
    let share = settings.per_million("share").expect("`share` has a default");
    let noun = links::noun(settings);
    let what = format!("{delay} more for {noun}, {} of them lost", percent(share));
    let late = LinkAction::Delay { delay, per_million: 1_000_000 };
    let lost = LinkAction::Lose { per_million: share };
    Box::new(OnLinks::new(settings, late, what).and(lost))
}

#[cfg(test)]
mod tests {
    use wrack_history::setting::Delay;
    use wrack_history::{Setting, Target};

    use crate::testbed::{MS, fault, run};

    #[test]
    fn one_link_is_late_and_lossy_and_the_others_are_well() {
        let grey = fault("grey-link").at(200).lasts(400).on("n1");
        let grey = grey.with("towards", Setting::Target(Target::Node("n2".into())));
        let grey = grey.with("delay", Setting::Delay(Delay::constant(40 * MS)));
        let result = run(&[grey.with("share", Setting::PerMillion(500_000))]);
        let is_grey = |from: u16, to: u16| [(0, 1), (1, 0)].contains(&(from, to));
        let late = result.heard.iter().filter(|heard| heard.took_ns() >= 40 * MS);
        assert!(late.clone().count() > 5);
        assert!(late.clone().all(|heard| is_grey(heard.from.0, heard.to.0)));
        let after = result.heard_between(700, 900, |heard| heard.took_ns());
        assert!(after.iter().all(|took| *took < 40 * MS));
        let heard = |from, to| {
            result.heard.iter().filter(|heard| (heard.from.0, heard.to.0) == (from, to)).count()
        };
        let lost = |from, to| result.sent(from, to) - heard(from, to);
        assert!(lost(0, 1) > 5 && lost(1, 0) > 5);
        assert!(lost(0, 2) < 3 && lost(2, 1) < 3);
        assert_eq!(
            result.faults[0].detail,
            "40ms more for messages, 50% of them lost on links between n1 and n2",
        );
        assert_eq!(result.faults[0].unit, "messages delayed or dropped");
    }
}
