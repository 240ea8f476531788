//! Checkers: one guarantee a file.
//!
//! A checker sees a recorded history and recorded facts, never the simulator: it judges a run of
//! ours and a history that somebody else recorded alike.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::run::Phases;
use wrack_history::{FactRecord, History, Judgement, Settings, SmolStr};

/// What checkers judge by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What clients saw.
    pub history: &'a History,
    /// What nodes noted, in order. Facts of the kinds that only [`Invariant`]s read (`appended`,
    /// `committed`, `applied`) may have been left out.
    pub facts: &'a [FactRecord],
    /// Names of nodes, then of clients, by index; empty for a history recorded elsewhere.
    pub nodes: &'a [SmolStr],
    /// Where the phases end.
    pub phases: Phases,
    /// The sequential model that the workload is judged by, by name.
    pub model: &'a str,
    /// Bounds every search: configurations per key.
    pub states_max: u64,
}

/// A promise about the inside of a design, judged fact by fact as a run goes on.
pub trait Invariant {
    /// Takes the next fact.
    fn observe(&mut self, record: &FactRecord);
    /// Judges what it has seen.
    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement;
}

/// How a guarantee is judged.
#[derive(Clone, Copy)]
pub enum Judge {
    /// From the whole evidence, after the run.
    Evidence(fn(&Evidence<'_>, &Settings) -> Judgement),
    /// Fact by fact.
    Facts(fn() -> Box<dyn Invariant>),
}

/// A guarantee, and who judges it.
pub struct Guarantee {
    /// What it is called and what it means.
    pub info: &'static GuaranteeInfo,
    /// Who judges it.
    pub judge: Judge,
}
