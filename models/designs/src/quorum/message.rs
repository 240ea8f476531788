//! What the nodes of a quorum say to each other.

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::{NodeId, Tag, Wire};

/// Every message of the design.
pub type Message = Wire<Peer>;

/// The place of a write in the order of all writes of its key.
///
/// Shape: ordered by time, then by node; no two writes of a key have one stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// One more than the greatest that a majority knew.
    pub time: u64,
    /// Who stamped it.
    pub node: NodeId,
}

impl Stamp {
    /// As one number in the same order.
    pub fn position(self) -> u64 {
        self.time << 16 | u64::from(self.node.0)
    }
}

/// What a node holds under a key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cell {
    /// When it was written; zero if never.
    pub stamp: Stamp,
    /// The value.
    pub value: Value,
    /// The write, for the harness.
    pub tag: Option<Tag>,
}

/// A message between nodes. The number of an operation is its coordinator's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// What do you hold?
    Ask {
        /// The operation.
        number: u64,
        /// The key.
        key: SmolStr,
    },
    /// This.
    Held {
        /// The operation.
        number: u64,
        /// What the node holds.
        cell: Cell,
    },
    /// Hold this, unless what you hold is newer.
    Store {
        /// The operation.
        number: u64,
        /// The key.
        key: SmolStr,
        /// What to hold.
        cell: Cell,
    },
    /// It is durable, or something newer is.
    Stored {
        /// The operation.
        number: u64,
    },
}
