//! Lost invalidation: a cache is not told that what it holds is old.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;
use wrack_sim::network::{LinkAction, Messages};

use crate::links::{DIRECTION, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

const KIND: &str = "invalidation";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "lost-invalidation",
    code: "X16",
    doc: "\
Of the messages that tell a cache that something has changed, each is lost with the probability \
`share`, or is late by `delay` if the fault has one. The cache goes on serving what it holds, and \
nobody notices: neither the writer, whose commit is done, nor the reader, who gets an answer.

It can happen to designs that invalidate by messages: those with messages of the kind \
`invalidation`. By default it happens on every link; `target`, `towards` and `direction` pick some.

Healing lets all further invalidations through; what is lost stays lost.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(10_000),
            "Share of invalidations that it happens to.",
        ),
        ParameterInfo::optional(
            "delay",
            ParameterKind::Delay,
            "How much later such an invalidation comes; it never does if absent.",
        ),
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "invalidations lost or late",
    lasts: Lasting::For,
    needs: Needs::Messages(KIND),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let per_million = settings.per_million("share").expect("`share` has a default");
    let share = percent(per_million);
    let (what, action) = match settings.delay("delay") {
        Some(delay) => (
            format!("{share} of invalidations {delay} late"),
            LinkAction::Delay { delay, per_million },
        ),
        None => (format!("{share} of invalidations lost"), LinkAction::Lose { per_million }),
    };
    Box::new(OnLinks::new(settings, action, what).only(Messages::Kind(KIND.into())))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;
    use wrack_history::setting::Delay;
    use wrack_sim::MessageClass;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn invalidations_are_lost_or_late_and_nothing_else_is() {
        let all = fault("lost-invalidation").at(0).with("share", Setting::PerMillion(1_000_000));
        let lost = run(std::slice::from_ref(&all));
        let invalidation = MessageClass::Peer("invalidation");
        let classes = lost.heard_between(0, 1_000, |heard| heard.class);
        assert!(!classes.contains(&invalidation) && classes.contains(&MessageClass::Request));
        assert!(lost.faults[0].effect > 0);
        let late = run(&[all.with("delay", Setting::Delay(Delay::constant(40 * MS)))]);
        let late_ones = late.heard.iter().filter(|heard| heard.took_ns() >= 40 * MS);
        assert!(late_ones.clone().all(|heard| heard.class == invalidation));
        assert!(late_ones.count() > 0);
        assert_eq!(late.faults[0].unit, "invalidations lost or late");
        assert_eq!(late.faults[0].detail, "100% of invalidations 40ms late on every link");
    }
}
