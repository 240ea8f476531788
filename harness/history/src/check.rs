//! A check: what was found out about a history that somebody else recorded.

use crate::import::Assumption;
use crate::run::Run;

/// A history that was read from a file, and judged.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The file, as it was named.
    pub path: String,
    /// What was decided because the file does not say it.
    pub assumed: Vec<Assumption>,
    /// The history with its judgements and verdict; what only a run of ours has is left empty.
    pub run: Run,
}
