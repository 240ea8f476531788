//! What the owner, the bus and the projections say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::{Request, Tag, Wire};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// One change of the base, as the owner tells of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its place among all changes, from 1, without gaps.
    pub sequence: u64,
    /// What changed.
    pub key: SmolStr,
    /// What it is worth now: an event carries the state, so that whoever applies it needs nothing
    /// else.
    pub value: Value,
    /// Whose request it was.
    pub tag: Tag,
    /// When it was written down, on the owner's wall clock: for people and dashboards.
    pub wall_ns: u64,
}

/// A message between nodes. Every one may be lost, doubled or late.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Projection to owner: a client wants this done. The owner answers the client.
    Command(Arc<Request>),
    /// Owner to bus: this has changed.
    Publish(Event),
    /// Bus to projection: the same.
    Event(Event),
    /// Projection to owner: I have everything up to here. What am I missing?
    Compare {
        /// The last event that it has applied.
        applied: u64,
    },
    /// Owner to projection: this, in order.
    Missing {
        /// The last event that there is.
        head: u64,
        /// The next ones; of many the first.
        events: Arc<[Event]>,
    },
}

impl Peer {
    /// What kind of message it is, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Publish(_) => "publish",
            Self::Event(_) => "event",
            Self::Compare { .. } | Self::Missing { .. } => "resync",
        }
    }
}
