//! A lying disk: syncs come back without having done anything.

use wrack_history::Settings;
use wrack_history::catalogue::{FaultInfo, Lasting, Needs};
use wrack_sim::world::DiskTrouble;

use crate::disks::{OnDisks, SHARE, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "lying-disk",
    code: "X13",
    doc: "\
A disk lies: a sync comes back as if all were well, but nothing has become durable. It is what a \
drive with a volatile write cache does, or a container whose volume was mounted without barriers.

The node notices nothing. What it wrote is there, until it crashes: then everything since the last \
honest sync is gone, although the node was told otherwise. So this fault alone does no harm; lay a \
`crash` on it.

No design can survive a lying disk on too many nodes; one that replicates may survive it on one. \
`share` is the share of syncs that lie.

Healing makes further syncs honest, and the next honest one also makes durable what those before \
it only pretended to.",
    parameters: &[TARGET, SHARE],
    effect: "syncs that lied",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let what = "syncs do nothing at".into();
    Box::new(OnDisks::new(settings, DiskTrouble::Lying, what))
}

#[cfg(test)]
mod tests {
    use crate::testbed::{MS, fault, run};

    #[test]
    fn what_was_synced_meanwhile_is_gone_after_a_crash() {
        let lies = fault("lying-disk").id(0).at(200).lasts(300).on("n2");
        let crash = fault("crash").id(1).at(400).lasts(50).on("n2");
        let result = run(&[lies, crash]);
        let ok = result.syncs_between(1, 210, 400, |sync| sync.ok);
        assert!(ok.len() > 10 && ok.iter().all(|ok| *ok));
        assert!(result.faults[1].effect >= ok.len() as u64);
        assert!(result.faults[0].effect >= ok.len() as u64);
        let honest = result.engine_disk_durable(1);
        assert!(honest >= result.syncs_between(1, 510, 900, |sync| sync.ok).len());
        assert_eq!(result.faults[0].healed_ns, Some(500 * MS));
    }
}
