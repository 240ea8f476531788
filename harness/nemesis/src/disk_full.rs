//! A full disk: what does not fit is gone.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_sim::world::DiskTrouble;

use crate::disks::{OnDisks, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "disk-full",
    code: "X13",
    doc: "\
A disk is full, or nearly so: `spare` bytes fit beyond what it holds at the moment of the fault. \
What does not fit is not written, and the next sync comes back with the error that the disk is \
full.

A node can read, and can still serve whatever needs no write. One that has applied a change in \
memory before it learned that the change did not fit serves what will not survive a restart.

Healing gives the disk room without end; what did not fit stays gone.",
    parameters: &[
        TARGET,
        ParameterInfo::new(
            "spare",
            ParameterKind::Integer { min: 0, max: 1 << 40 },
            DefaultSetting::Integer(0),
            "How many bytes still fit.",
        )
        .drawn_from(0, 65_536),
    ],
    effect: "syncs failed",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let spare_bytes = settings.integer("spare").expect("`spare` has a default") as usize;
    let what = format!("{spare_bytes} bytes fit at");
    Box::new(OnDisks::new(settings, DiskTrouble::Full { spare_bytes }, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn nothing_fits_until_it_is_healed() {
        let full = fault("disk-full").at(200).lasts(300).on("n2");
        let result = run(&[full.with("spare", Setting::Integer(20))]);
        let ok = |from, to| result.syncs_between(1, from, to, |sync| sync.ok);
        assert!(ok(0, 200).iter().all(|ok| *ok));
        // A record of this design takes from five to seven bytes.
        assert!((2..=4).contains(&ok(200, 500).iter().filter(|ok| **ok).count()));
        assert!(ok(505, 900).iter().all(|ok| *ok) && ok(505, 900).len() > 20);
        // Syncs that were under way when one failed right before the heal failed with it.
        let failed = result.syncs.iter().filter(|sync| !sync.ok).count() as u64;
        assert!((failed - 5..=failed).contains(&result.faults[0].effect));
        assert_eq!(result.faults[0].detail, "20 bytes fit at n2");
    }
}
