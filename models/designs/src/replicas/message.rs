//! What the gateway, the primary and its replicas say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::Value;
use wrack_sim::{Request, Wire};

/// Every message of the design.
pub type Message = Wire<Peer>;

/// A message between nodes of the design. Positions count writes from 1, in the primary's order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Gateway to primary: commit this, or read it.
    Ask {
        /// What the client wants.
        request: Arc<Request>,
        /// The boot of the gateway that asks.
        boot: u64,
        /// The position that a read must have at least.
        at_least: u64,
    },
    /// Primary or replica to gateway.
    Answer {
        /// What was asked.
        request: Arc<Request>,
        /// The boot of the gateway that asked.
        boot: u64,
        /// What the client is told.
        value: Value,
        /// The position of the write, or as of which the read was served.
        position: u64,
    },
    /// Replica to gateway: it has not got as far as the read must be.
    Behind {
        /// What was asked.
        request: Arc<Request>,
        /// The boot of the gateway that asked.
        boot: u64,
    },
    /// Primary to replica: all writes behind a position.
    Replicate {
        /// The position.
        after: u64,
        /// The writes.
        writes: Vec<Arc<Request>>,
    },
    /// Replica to primary: what comes after this position?
    Pull {
        /// The position.
        after: u64,
    },
}

impl Peer {
    /// The kind of message, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Replicate { .. } => "replication",
            _ => "",
        }
    }
}
