//! A slow disk: syncs take long.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::MILLISECOND;
use wrack_sim::world::DiskTrouble;

use crate::disks::{OnDisks, SHARE, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "slow-disk",
    code: "X13",
    doc: "\
A disk is slow: each sync takes longer by `delay`, which is drawn anew for it. A `share` below \
100% makes only some of them slow, as a device does that collects its garbage now and then. Syncs \
come back in the order in which they were asked for, so a slow one holds up those behind it.

A node that waits for its sync before it answers becomes slow; a node that answers first looks \
fast, and a crash in that longer moment shows what it has promised too early.

Healing makes new syncs as fast as before; those under way stay slow.",
    parameters: &[
        TARGET,
        ParameterInfo::new(
            "delay",
            ParameterKind::Delay,
            DefaultSetting::Delay(50 * MILLISECOND, 200 * MILLISECOND),
            "How much longer a sync takes.",
        ),
        SHARE,
    ],
    effect: "syncs slowed",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let delay = settings.delay("delay").expect("`delay` has a default");
    let what = format!("syncs {delay} slower at");
    Box::new(OnDisks::new(settings, DiskTrouble::Slow(delay), what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;
    use wrack_history::setting::Delay;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn syncs_take_longer_until_it_is_healed() {
        let slow = fault("slow-disk").at(200).lasts(200).on("n2");
        let result = run(&[slow.with("delay", Setting::Delay(Delay::constant(30 * MS)))]);
        let took = |node, from, to| result.syncs_between(node, from, to, |sync| sync.took_ns / MS);
        assert!(took(1, 0, 200).iter().all(|ms| *ms < 2));
        assert!(took(1, 240, 400).iter().all(|ms| *ms >= 31));
        assert!(took(1, 450, 900).iter().all(|ms| *ms < 2));
        assert!(took(0, 0, 900).iter().all(|ms| *ms < 2));
        let slow = result.syncs.iter().filter(|sync| sync.took_ns >= 31 * MS);
        assert_eq!(result.faults[0].effect, slow.count() as u64);
        assert_eq!(result.faults[0].detail, "syncs 30ms slower at n2");
    }
}
