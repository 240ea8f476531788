//! Reference designs: one a file, with its broken variants inside.
//!
//! A variant is a real incident, told as one small named branch of the reference. Designs see
//! neither faults nor checkers.

mod authority;
#[cfg(test)]
mod bench;
pub mod cache;
pub mod command;
pub mod crdt;
pub mod crdts_library;
pub mod last_writer_wins;
pub mod optimistic_lock;
pub mod outbox;
pub mod payments;
pub mod projection;
pub mod quorum;
pub mod raft;
#[cfg(not(all(target_os = "macos", target_arch = "aarch64")))]
pub mod raft_tikv;
pub mod replicas;
pub mod sessions;
pub mod single_writer;
pub mod snapshot_store;
pub mod two_phase_commit;
pub mod yrs_library;

#[cfg(test)]
mod rehearsal;

/// Hands every reference design to the registry, in order of their names.
pub fn register(registry: &mut impl wrack_sim::Registry) {
    registry.add::<cache::Cache>();
    registry.add::<crdt::Crdt>();
    registry.add::<crdts_library::CrdtsLibrary>();
    registry.add::<last_writer_wins::LastWriterWins>();
    registry.add::<optimistic_lock::OptimisticLock>();
    registry.add::<outbox::Outbox>();
    registry.add::<payments::Payments>();
    registry.add::<projection::Projection>();
    registry.add::<quorum::Quorum>();
    registry.add::<raft::RaftDesign>();
    #[cfg(not(all(target_os = "macos", target_arch = "aarch64")))]
    registry.add::<raft_tikv::RaftTikv>();
    registry.add::<replicas::Replicas>();
    registry.add::<single_writer::SingleWriter>();
    registry.add::<snapshot_store::SnapshotStore>();
    registry.add::<two_phase_commit::TwoPhaseCommit>();
    registry.add::<yrs_library::YrsLibrary>();
}
