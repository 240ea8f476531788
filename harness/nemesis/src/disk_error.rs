//! A failing disk: syncs return an error.

use wrack_history::Settings;
use wrack_history::catalogue::{FaultInfo, Lasting, Needs};
use wrack_history::setting::percent;
use wrack_sim::world::DiskTrouble;

use crate::disks::{OnDisks, SHARE, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "disk-error",
    code: "X13",
    doc: "\
A disk fails: a sync comes back with an input/output error, with the probability `share`. \
Everything that was not durable is gone with it, and every sync still under way fails too: that is \
what file systems do, because pages that could not be written are marked clean.

A node must not simply sync again: the second sync succeeds, and says nothing about what the first \
one lost. The honest answer is to stop, or to write everything again (Rebello et al., \"Can \
Applications Recover from fsync Failures?\", 2020).

Healing lets further syncs succeed; what is lost stays lost.",
    parameters: &[TARGET, SHARE],
    effect: "syncs failed",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = settings.per_million("share").expect("`share` has a default");
    let what = format!("{} of syncs fail at", percent(share));
    Box::new(OnDisks::new(settings, DiskTrouble::Error, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn its_share_of_syncs_fails_until_it_is_healed() {
        let failing = fault("disk-error").at(200).lasts(600).on("n2");
        let result = run(&[failing.with("share", Setting::PerMillion(500_000))]);
        let ok = |from, to| result.syncs_between(1, from, to, |sync| sync.ok);
        assert!(ok(0, 200).iter().all(|ok| *ok) && ok(803, 1_000).iter().all(|ok| *ok));
        let (all, failed) = (ok(200, 803), ok(200, 803).iter().filter(|ok| !**ok).count());
        assert!((all.len() / 4..all.len() * 4 / 5).contains(&failed), "{failed}");
        // One error takes the syncs under way with it, and is counted once.
        assert!(result.faults[0].effect > 0 && result.faults[0].effect <= failed as u64);
        assert_eq!(result.faults[0].detail, "50% of syncs fail at n2");
    }
}
