//! A check: what was found out about a history that somebody else recorded.

use crate::certificate::{Linearization, Order};
use crate::import::Assumption;
use crate::run::Run;

/// A history that was read from a file, and judged.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The file, as it was named.
    pub path: String,
    /// What was decided because the file does not say it.
    pub assumed: Vec<Assumption>,
    /// For a history of transactions: isolation levels by name, from weak to strong, and whether they
    /// hold; `None` where that cannot be known.
    pub levels: Vec<(&'static str, Option<bool>)>,
    /// Orders that show the levels that hold.
    pub orders: Vec<Order>,
    /// Orders of each object of a linearizable history, if they were asked for.
    pub linearizations: Vec<Linearization>,
    /// Objects that no such order was found for, and why.
    pub uncertified: Vec<String>,
    /// The history with its judgements and verdict; what only a run of ours has is left empty.
    pub run: Run,
}
