//! The nemesis: who injects which fault into whom, and when.
//!
//! One file here is one fault: what `wrack explain` prints about it, its parameters, and what
//! injecting and healing it do to a [`World`](wrack_sim::World). The [`Nemesis`] carries out a
//! schedule of them. It knows no design and no checker; where a fault is *done* is `wrack-sim`.
//!
//! # Adding a fault
//! Write a file with an `ENTRY` in it, and add its two alphabetical lines below.

mod bit_rot;
mod bus_outage;
mod clock_step;
mod crash;
mod disk_error;
mod disk_full;
mod disk_loss;
mod downstream_failure;
mod drift;
mod duplicate;
mod eviction;
mod external_api;
mod failpoint;
mod grey_link;
mod latency;
mod load_surge;
mod loss;
mod lost_invalidation;
mod lying_disk;
mod partition;
mod pause;
mod relay_down;
mod relay_scale;
mod reorder;
mod replica_lag;
mod slow_disk;
mod ttl_change;

mod controls;
mod disks;
mod links;
mod schedule;
mod stage;
#[cfg(test)]
mod testbed;

use wrack_history::Settings;
use wrack_history::catalogue::FaultInfo;

pub mod swarm;

pub use schedule::Nemesis;
pub use stage::{Injected, Nobody, Stage};

/// Every fault, sorted by name.
pub const ALL: &[FaultEntry] = &[
    bit_rot::ENTRY,
    bus_outage::ENTRY,
    clock_step::ENTRY,
    crash::ENTRY,
    disk_error::ENTRY,
    disk_full::ENTRY,
    disk_loss::ENTRY,
    downstream_failure::ENTRY,
    drift::ENTRY,
    duplicate::ENTRY,
    eviction::ENTRY,
    external_api::ENTRY,
    failpoint::ENTRY,
    grey_link::ENTRY,
    latency::ENTRY,
    load_surge::ENTRY,
    loss::ENTRY,
    lost_invalidation::ENTRY,
    lying_disk::ENTRY,
    partition::ENTRY,
    pause::ENTRY,
    relay_down::ENTRY,
    relay_scale::ENTRY,
    reorder::ENTRY,
    replica_lag::ENTRY,
    slow_disk::ENTRY,
    ttl_change::ENTRY,
];

/// A fault of the catalogue: how it describes itself, and how it is made.
#[derive(Clone, Copy)]
pub struct FaultEntry {
    /// What a scenario file may say of it, and what `wrack explain` prints.
    pub info: &'static FaultInfo,
    /// Makes one occurrence of it out of its parameters, all of them filled in.
    pub build: fn(&Settings) -> Box<dyn FaultBehaviour>,
}

/// The fault of this name.
pub fn find(name: &str) -> Option<&'static FaultEntry> {
    ALL.iter().find(|entry| entry.info.name == name)
}

/// What one occurrence of a fault does to the world: always the pair inject and heal.
pub trait FaultBehaviour {
    /// Finds out whom it is for, and does it to them.
    ///
    /// Errors: nobody is there yet whom it could be for. Then nothing was done, and it is tried
    /// again, with the same draws, when that may have changed.
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody>;

    /// How long from one [`FaultBehaviour::turn`] to the next, in nanoseconds; the first comes so
    /// long after the injection. Never by default.
    fn period_ns(&self) -> Option<u64> {
        None
    }

    /// A period is over: a link flaps, a clock steps to and fro.
    fn turn(&mut self, stage: &mut Stage<'_>) {
        let _ = stage;
    }

    /// Whether it stays as it is even when everything is healed, as the crash of nodes does that
    /// are to stay down.
    fn stays(&self, stage: &Stage<'_>) -> bool {
        let _ = stage;
        false
    }

    /// Undoes it.
    fn heal(&mut self, stage: &mut Stage<'_>);
}

#[cfg(test)]
mod tests {
    use super::{ALL, find};

    #[test]
    fn every_fault_is_described_and_found_by_its_name() {
        assert!(ALL.is_sorted_by_key(|entry| entry.info.name));
        for entry in ALL {
            let info = entry.info;
            assert!(find(info.name).is_some_and(|found| found.info.name == info.name));
            assert!(info.code.starts_with('X') && !info.effect.is_empty());
            assert!(info.doc.len() > 200, "{} has a page of doc", info.name);
            assert!(info.parameters.iter().all(|p| p.doc.ends_with('.')));
        }
    }
}
