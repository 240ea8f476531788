//! Disk loss: a node crashes, and comes back with an empty disk.

use wrack_history::catalogue::{FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind};
use wrack_history::{Settings, Target};
use wrack_sim::world::TailChance;

use crate::crash::Down;
use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "disk-loss",
    code: "X08",
    doc: "\
A node crashes, and its disk is replaced while it is down: it boots as if it had never been there, \
with its name and with nothing on its disk. So an ephemeral volume behaves when its pod is moved, and \
an operator who wipes a data directory so that the node \"resynchronises\".

It is worse than a crash, because the node has promised things that it no longer knows of: a vote, an \
acknowledged record, the highest token. A design that replicates survives it only if the node comes \
back under a new identity, or learns what it was before it promises anything again. Most designs do \
not: then a scenario that loses a disk must say `beyond_model = true`.

`for` is the downtime. Healing boots the node; what was on the disk stays lost.",
    parameters: &[ParameterInfo::required(
        "target",
        ParameterKind::Target,
        "Who loses the disk.",
    )],
    effect: "records, cells and messages lost",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let target = settings.target("target").expect("`target` is required");
    Box::new(DiskLoss { target, down: Down::default() })
}

struct DiskLoss {
    target: Target,
    down: Down,
}

impl FaultBehaviour for DiskLoss {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let nodes = stage.resolve_servers(&self.target)?;
        let injected = self.down.crash(nodes, TailChance::default(), stage);
        for node in &injected.nodes {
            stage.world.replace_disk(stage.handle, *node);
        }
        Ok(injected)
    }

    fn stays(&self, stage: &Stage<'_>) -> bool {
        self.down.stays(stage)
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        self.down.boot(stage);
    }
}

#[cfg(test)]
mod tests {
    use crate::testbed::{Outcome, fault, run};

    /// Durable records of n2 in the end, after this at 400 ms.
    fn after(kind: &str) -> (usize, Outcome) {
        let result = run(&[fault(kind).at(400).lasts(100).on("n2")]);
        (result.engine_disk_durable(1), result)
    }

    #[test]
    fn what_was_on_the_disk_is_gone_and_what_comes_later_is_not() {
        let (crashed, _) = after("crash");
        let (lost, result) = after("disk-loss");
        let before = result.syncs_between(1, 0, 390, |sync| sync.ok).len();
        assert!(before > 10 && lost + before <= crashed, "{lost} {before} {crashed}");
        assert!(lost >= result.syncs_between(1, 510, 900, |sync| sync.ok).len());
        assert_eq!(result.times_of("crashed"), [400]);
        assert_eq!(result.times_of("booted").last(), Some(&500));
        assert!(result.faults[0].effect >= before as u64);
        assert_eq!(result.faults[0].detail, "n2");
    }
}
