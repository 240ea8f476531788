//! Certificates: orders that show that a history of transactions keeps a level, or is linearizable.
//!
//! Whoever wants to believe a `valid` without believing the checker reads the order and the history, and
//! follows it: that is short work, and `wrack verify-certificate` does it with code of its own.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The format that this version writes.
pub const FORMAT: &str = "wrack-certificate-1";

/// Orders for some levels of one history, or for each of its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`FORMAT`].
    pub format: SmolStr,
    /// The model that the history is of.
    pub model: SmolStr,
    /// One order each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Order>,
    /// One for each object, which show together that the history is linearizable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linearizations: Vec<Linearization>,
}

/// An order of the operations of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linearization {
    /// The object; empty if the history has one alone.
    pub key: SmolStr,
    /// Ids of the operations that took effect, in an order that one client at a time could have seen:
    /// all that are ok, and some of those in doubt.
    pub operations: Vec<u64>,
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
