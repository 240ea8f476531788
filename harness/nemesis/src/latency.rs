//! Latency: messages are late.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::setting::percent;
use wrack_sim::network::LinkAction;

use crate::links::{self, DIRECTION, MESSAGES, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "latency",
    code: "X02",
    doc: "\
Messages take longer than they do without faults. Each message on the links in question is later \
by `delay`, which is drawn anew for it: constant, uniform, exponential or log-normal. A `share` \
below 100% makes spikes: most messages are on time, and a few are very late.

Links stay first in, first out: a late message also holds up those behind it. Use `reorder` for \
messages that overtake each other.

By default every link is slow. `target` names nodes or clients whose links are; with `towards` \
only the links between the two are, and `direction` makes one way slow and leaves the other: the \
grey failure in which a node answers everybody but one.

Healing sends new messages at the usual speed; what is under way stays late.",
    parameters: &[
        ParameterInfo::new(
            "delay",
            ParameterKind::Delay,
            DefaultSetting::Delay(50 * MILLISECOND, 150 * MILLISECOND),
            "How much later a message arrives.",
        ),
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(1_000_000),
            "Share of messages that are late.",
        ),
        MESSAGES,
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "messages delayed",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let delay = settings.delay("delay").expect("`delay` has a default");
    let share = settings.per_million("share").expect("`share` has a default");
    let what = format!("{delay} more for {} of {}", percent(share), links::noun(settings));
    let action = LinkAction::Delay { delay, per_million: share };
    Box::new(OnLinks::new(settings, action, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::setting::Delay;
    use wrack_history::{Setting, Target};

    use crate::testbed::{MS, fault, run};

    #[test]
    fn messages_are_late_until_it_is_healed() {
        let delay = Setting::Delay(Delay::constant(40 * MS));
        let result = run(&[fault("latency").at(200).lasts(200).with("delay", delay)]);
        let took = |from, to| result.heard_between(from, to, |heard| heard.took_ns() / MS);
        assert!(took(20, 200).iter().all(|ms| *ms < 5));
        assert!(took(250, 400).iter().all(|ms| *ms >= 41));
        assert!(took(450, 700).iter().all(|ms| *ms < 5));
        let late = result.heard.iter().filter(|heard| heard.took_ns() >= 41 * MS);
        assert_eq!(result.faults[0].effect, late.count() as u64);
        assert_eq!(result.faults[0].unit, "messages delayed");
        assert_eq!(result.faults[0].detail, "40ms more for 100% of messages on every link");
    }

    #[test]
    fn a_spike_hits_its_share_of_messages_one_way_of_one_link() {
        let target = |name: &str| Setting::Target(Target::Node(name.into()));
        let slow = fault("latency").at(0).with("target", target("n1"));
        let slow = slow.with("towards", target("n2"));
        let slow = slow.with("direction", Setting::Choice("out".into()));
        let result = run(&[slow.with("share", Setting::PerMillion(300_000))]);
        let spiked = result.heard.iter().filter(|heard| heard.took_ns() > 50 * MS);
        let spiked = spiked.map(|heard| (heard.from.0, heard.to.0)).collect::<Vec<_>>();
        assert!(!spiked.is_empty() && spiked.iter().all(|link| *link == (0, 1)));
        let share = result.faults[0].effect * 100 / result.sent(0, 1) as u64;
        assert!((15..=45).contains(&share), "{share}");
    }
}
