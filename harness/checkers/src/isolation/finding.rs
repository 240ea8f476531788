//! What is wrong with a history, and which levels that breaks.

use wrack_history::SmolStr;

use super::graph::Kind;
use super::level::Level;

/// Which levels a finding breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// Every level.
    Everything,
    /// Every level at which only what is committed is read: all but read uncommitted.
    Committed,
    /// This level and the stronger ones.
    From(Level),
}

impl Breaks {
    /// Whether it breaks this level.
    pub fn includes(self, level: Level) -> bool {
        level.implied().contains(&self.weakest())
    }

    /// The weakest level that it breaks.
    pub fn weakest(self) -> Level {
        match self {
            Self::Everything => Level::ReadUncommitted,
            Self::Committed => Level::ReadCommitted,
            Self::From(level) => level,
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is called: `G1a`, `G-single-process` …
    pub kind: SmolStr,
    pub breaks: Breaks,
    /// Places of the operations that show it.
    pub operations: Vec<u32>,
    /// The key it is about, if it is about one.
    pub key: Option<SmolStr>,
    /// Why, in a sentence or two.
    pub words: String,
    /// The steps of a cycle of transactions.
    pub steps: Vec<Step>,
}

/// One step of a cycle: this transaction comes before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub from: u32,
    pub to: u32,
    pub kind: Kind,
    /// The key that it is about, where it is about one.
    pub key: Option<u32>,
    /// The transaction that saw what a forced step follows from.
    pub reader: Option<u32>,
}
