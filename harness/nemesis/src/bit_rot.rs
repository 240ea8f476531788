//! Bit rot: a record on a disk reads corrupt.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::{Settings, SmolStr, Target};
use wrack_sim::disk::Damage;

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

const FLIPPED: &str = "flipped";
const TORN: &str = "torn";
const MISDIRECTED: &str = "misdirected";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "bit-rot",
    code: "X14",
    doc: "\
Some records on a disk are no longer what was written, and nobody is told. By `damage`, a bit of each \
is `flipped`: a worn cell of flash, a cosmic ray. Or it is `torn`: the device said that it had written \
it all, and wrote the beginning. Or a write was `misdirected`: a controller put another record in its \
place, whole and with its checksum.

Whoever reads it finds it corrupt, for a record's checksum covers its place, too; and a node reads its \
log when it boots: so this fault alone does no harm; lay a `crash` on it. A log ends for its reader where \
the first record cannot be read, even if good records stand behind it: a node that takes that for the \
torn end of a crash, and cuts its log there, throws away what was acknowledged. Named cells do not rot.

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
        ParameterInfo::new(
            "damage",
            ParameterKind::Choice(&[FLIPPED, TORN, MISDIRECTED]),
            DefaultSetting::Choice(FLIPPED),
            "What is wrong with them.",
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
        damage: settings.choice("damage").expect("`damage` has a default"),
    })
}

struct BitRot {
    target: Target,
    records: u64,
    damage: SmolStr,
}

impl BitRot {
    /// What a drawn number makes of one record of so many.
    fn damage(&self, drawn: u64, records: u64) -> Damage {
        match self.damage.as_str() {
            TORN => Damage::Torn(drawn),
            MISDIRECTED => Damage::Overwritten { by: (drawn % records) as usize },
            _ => Damage::Flipped(drawn),
        }
    }
}

impl FaultBehaviour for BitRot {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let nodes = stage.resolve_servers(&self.target)?;
        for node in &nodes {
            let records = stage.world.records(*node) as u64;
            for _ in 0..self.records.min(records) {
                let (record, drawn) = (stage.stream.below(records), stage.stream.word());
                let damage = self.damage(drawn, records);
                stage.world.damage_record(stage.handle, *node, record as usize, damage);
            }
        }
        let plural = if self.records == 1 { "" } else { "s" };
        let (records, damage) = (self.records, &self.damage);
        let detail = format!("{records} record{plural} of {}, {damage}", stage.name(&nodes));
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
        assert_eq!(result.faults[0].detail, "3 records of n2, flipped");
        assert_eq!(result.faults[0].nodes, ["n2"]);
    }

    #[test]
    fn a_record_can_be_torn_and_another_written_in_its_place() {
        for damage in ["torn", "misdirected"] {
            let rot = fault("bit-rot").at(500).on("n2").with("records", Setting::Integer(3));
            let result = run(&[rot.with("damage", Setting::Choice(damage.into()))]);
            assert_eq!(result.faults[0].effect, 3);
            assert_eq!(result.faults[0].detail, format!("3 records of n2, {damage}"));
        }
    }

    #[test]
    fn an_empty_disk_does_not_rot() {
        let result = run(&[fault("bit-rot").at(0).on("n2")]);
        assert_eq!(result.faults[0].effect, 0);
    }
}
