//! Certificates: an order that shows that a history of transactions keeps a level.
//!
//! Whoever wants to believe a `valid` without believing the checker reads the order and the history, and
//! follows it: that is short work, and `wrack verify-certificate` does it with code of its own.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The format that this version writes.
pub const FORMAT: &str = "wrack-certificate-1";

/// Orders for some levels of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`FORMAT`].
    pub format: SmolStr,
    /// The model that the history is of.
    pub model: SmolStr,
    /// One order each.
    pub orders: Vec<Order>,
}

/// An order of commits, and the levels that it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Names of the levels.
    pub levels: Vec<SmolStr>,
    /// Ids of the transactions that took effect, in order of their commits: all that are ok, and those
    /// in doubt that somebody saw.
    pub commits: Vec<u64>,
    /// For each of them how many commits its snapshot holds; absent where each is as it were alone, with
    /// a snapshot of all commits before its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<u64>,
}
