//! What is known of a history by the way in which it was made.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Whether a generated history is linearizable, and how it was made so. It stands in the first line
/// of a history file; no checker reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The sequential model of its objects, by name.
    pub model: SmolStr,
    /// Whether there is a legal order.
    pub linearizable: bool,
    /// The one thing that was made wrong; nothing in a linearizable history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<Mutation>,
}

/// A result that was replaced so that no order explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// Its kind: `stale-read`, `never-written`, …
    pub kind: SmolStr,
    /// The ids of the operations that were touched.
    pub operations: Vec<u64>,
    /// Why no order explains it.
    pub reason: String,
}
