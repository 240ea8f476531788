//! What the services and the store say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_sim::{Reply, Request, Wire};

use crate::command::{Applied, Cell};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// What a key holds, and how often it has changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Versioned {
    /// 0 before the first change.
    pub version: u64,
    /// What it holds.
    pub cell: Cell,
}

/// A value that a service has computed, and what it was computed from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write {
    /// What the client asked.
    pub request: Arc<Request>,
    /// The version that was read.
    pub base: u64,
    /// Whether the store shall refuse it if the key holds another version by now.
    pub conditional: bool,
    /// What the key shall hold.
    pub cell: Cell,
    /// What the command came to, in the eyes of the service.
    pub applied: Applied,
    /// How many tries of this request met a newer version before.
    pub conflicts: u32,
}

/// A message between nodes. A service keeps nothing: an answer carries what it answers, and asking
/// again is harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Service to store: what does the key hold?
    Get(Arc<Request>),
    /// Store to service: this.
    Got(Arc<Request>, Versioned),
    /// Service to store: make it hold this.
    Put(Arc<Write>),
    /// Service to store: does it still hold what this was computed from (variant
    /// `check_then_write`)?
    Check(Arc<Write>),
    /// Store to service: it does.
    Unchanged(Arc<Write>),
    /// Store to service: it holds something newer, so nothing was done.
    Conflict(Arc<Write>, Versioned),
    /// Store to service: it is done. The reply is that of the first time.
    Stored(Arc<Request>, Reply),
}
