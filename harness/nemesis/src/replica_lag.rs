//! Replica lag: what was written arrives late where it is read.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::setting::percent;
use wrack_sim::network::{LinkAction, Messages};

use crate::links::{DIRECTION, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

const KIND: &str = "replication";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "replica-lag",
    code: "X18",
    doc: "\
Replicas fall behind their primary: each message that carries changes to a replica is later by \
`delay`, as it is when the primary is loaded, a replica is busy with a report, or a region is far \
away. Links stay first in, first out, so a replica is behind but never confused. Reads and writes \
themselves are as fast as ever, which is why nobody notices.

It can happen to designs that replicate by messages: those with messages of the kind \
`replication`. By default it happens on every link; `target`, `towards` and `direction` pick some.

Healing sends new changes at the usual speed; what is under way stays late.",
    parameters: &[
        ParameterInfo::new(
            "delay",
            ParameterKind::Delay,
            DefaultSetting::Delay(20 * MILLISECOND, 200 * MILLISECOND),
            "How much later a change arrives.",
        ),
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(1_000_000),
            "Share of changes that are late.",
        ),
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "changes delayed",
    lasts: Lasting::For,
    needs: Needs::Messages(KIND),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let delay = settings.delay("delay").expect("`delay` has a default");
    let per_million = settings.per_million("share").expect("`share` has a default");
    let what = format!("{delay} more for {} of changes", percent(per_million));
    let action = LinkAction::Delay { delay, per_million };
    Box::new(OnLinks::new(settings, action, what).only(Messages::Kind(KIND.into())))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;
    use wrack_history::setting::Delay;
    use wrack_sim::MessageClass;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn changes_are_late_and_nothing_else_is() {
        let delay = Setting::Delay(Delay::constant(40 * MS));
        let result = run(&[fault("replica-lag").at(0).with("delay", delay)]);
        let late = result.heard.iter().filter(|heard| heard.took_ns() >= 40 * MS);
        assert!(late.clone().all(|heard| heard.class == MessageClass::Peer("replication")));
        assert_eq!(result.faults[0].effect, late.count() as u64);
        assert_eq!(result.faults[0].unit, "changes delayed");
    }
}
