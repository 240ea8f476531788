//! What the nodes say to each other.

use serde::{Deserialize, Serialize};
use wrack_history::SmolStr;
use wrack_sim::{Tag, Wire};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// A charge: who pays how much.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// The service's number for it: no other charge ever has it. It is the key by which the gateway
    /// and the ledger recognise it.
    pub number: u64,
    /// Who pays.
    pub customer: SmolStr,
    /// How much.
    pub amount: i64,
    /// The harness's name of the operation behind it, carried along and never looked into.
    pub tag: Tag,
}

/// A message between nodes. Every one may be lost, doubled or late, and asking again is harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Service to gateway: take the money, if you have not done so.
    Capture(Charge),
    /// Gateway to service: it is taken.
    Captured {
        /// The number of the charge.
        number: u64,
    },
    /// Gateway to service: too many requests; nothing was done.
    Throttled {
        /// The number of the charge.
        number: u64,
    },
    /// Service to ledger: enter it, if you have not done so.
    Post(Charge),
    /// Ledger to service: it is entered.
    Posted {
        /// The number of the charge.
        number: u64,
    },
}

impl Peer {
    /// The kind of message, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Capture(_) | Self::Captured { .. } | Self::Throttled { .. } => "capture",
            Self::Post(_) | Self::Posted { .. } => "post",
        }
    }
}
