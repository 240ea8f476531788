//! Bit rot: a record on a disk reads corrupt.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::{Settings, Target};

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "bit-rot",
    code: "X14",
    doc: "\
A bit flips in some records on a disk: a worn cell of flash, a cosmic ray, a controller that wrote to \
the wrong place. Nobody is told. The record is there, its length is right, and its checksum is not.

Whoever reads it finds it corrupt, and a node reads its log when it boots: so this fault alone does no \
harm; lay a `crash` on it. A log ends for its reader where the first record cannot be read, even if \
good records stand behind it: a node that takes that for the torn end of a crash, and cuts its log \
there, throws away what was acknowledged. Named cells do not rot.

`records` are drawn from all that are on the disk at that moment, the same one twice if it so \
happens. There is nothing to heal.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Whose disk."),
        ParameterInfo::new(
            "records",
            ParameterKind::Integer { min: 1, max: 1_000_000 },
            DefaultSetting::Integer(1),
            "How many records rot.",
        ),
    ],
    effect: "records corrupted",
    lasts: Lasting::Instant,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(BitRot {
        target: settings.target("target").expect("`target` is required"),
        records: settings.integer("records").expect("`records` has a default") as u64,
    })
}

struct BitRot {
    target: Target,
    records: u64,
}

impl FaultBehaviour for BitRot {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let nodes = stage.resolve_servers(&self.target)?;
        for node in &nodes {
            let records = stage.world.records(*node) as u64;
            for _ in 0..self.records.min(records) {
                let (record, bit) = (stage.stream.below(records), stage.stream.word());
                stage.world.rot(stage.handle, *node, record as usize, bit);
            }
        }
        let plural = if self.records == 1 { "" } else { "s" };
        let detail = format!("{} record{plural} of {}", self.records, stage.name(&nodes));
        Ok(Injected { detail, nodes })
    }

    fn heal(&mut self, _: &mut Stage<'_>) {}
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn so_many_records_rot_and_no_others() {
        let rot = fault("bit-rot").at(500).on("n2").with("records", Setting::Integer(3));
        let result = run(&[rot]);
        assert_eq!(result.faults[0].effect, 3);
        assert_eq!(result.faults[0].unit, "records corrupted");
        assert_eq!(result.faults[0].detail, "3 records of n2");
        assert_eq!(result.faults[0].nodes, ["n2"]);
    }

    #[test]
    fn an_empty_disk_does_not_rot() {
        let result = run(&[fault("bit-rot").at(0).on("n2")]);
        assert_eq!(result.faults[0].effect, 0);
    }
}
