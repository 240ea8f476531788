//! What the nodes say to each other.

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::{Tag, Wire};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// What happened to an order, for whoever must act on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The row of the outbox: no other event ever has it.
    pub row: u64,
    /// Whose order it is.
    pub key: SmolStr,
    /// The order.
    pub order: Value,
    /// When the order was placed, on the wall clock of its service: for people and dashboards.
    /// Nothing is ever decided by it.
    pub placed_ns: u64,
    /// The harness's name of the operation behind it, carried along and never looked into.
    pub tag: Tag,
}

/// A message between nodes. Every one may be lost, doubled or late.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Relay to order service: give me some rows that nobody works on.
    Claim {
        /// A random name of the question.
        number: u64,
    },
    /// Order service to relay: these are yours for the length of a lease.
    Claimed {
        /// Which question it answers.
        number: u64,
        /// In the order of their rows; none if there is nothing to do.
        events: Vec<Event>,
    },
    /// Relay to order service: these rows are done with.
    Mark {
        /// Rows of the outbox.
        rows: Vec<u64>,
    },
    /// To the broker: keep these, and deliver them until they are acknowledged.
    Publish {
        /// A random name of the message.
        number: u64,
        /// What to deliver.
        events: Vec<Event>,
    },
    /// Broker to relay: they are durable.
    Published {
        /// Which message it answers.
        number: u64,
    },
    /// Broker to consumer.
    Deliver {
        /// The event's place in the broker's log.
        offset: u64,
        /// The event.
        event: Event,
    },
    /// Consumer to broker: these are durable here.
    Acknowledge {
        /// Places in the broker's log.
        offsets: Vec<u64>,
    },
}

impl Peer {
    /// The kind of message, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Claim { .. } | Self::Claimed { .. } => "claim",
            Self::Mark { .. } => "mark",
            Self::Publish { .. } | Self::Published { .. } => "publish",
            Self::Deliver { .. } | Self::Acknowledge { .. } => "delivery",
        }
    }
}
