//! A check: what was found out about a history that somebody else recorded.

use serde::Serialize;
use smol_str::SmolStr;

use crate::run::Run;
use crate::value::Value;

/// A history that was read from a file, and judged.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The file, as it was named.
    pub path: String,
    /// The model that it was judged by.
    pub model: String,
    /// What was decided because the file does not say it.
    pub assumed: Vec<Assumption>,
    /// The history with its judgements and verdict; what only a run of ours has is left empty.
    pub run: Run,
}

/// Something that a file does not say, and that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// What it is about: `format`, `model`, `initial`, `failed_cas`, `nil_reads`, `keys` …
    pub name: SmolStr,
    /// What was assumed.
    pub value: Value,
    /// The same as a sentence.
    pub words: String,
}
