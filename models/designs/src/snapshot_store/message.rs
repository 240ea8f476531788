//! What the gateways and the store say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::Value;
use wrack_sim::{Reply, Request, Wire};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// One try of a transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// What the client asked.
    pub request: Arc<Request>,
    /// How many tries met a newer version before.
    pub conflicts: u32,
}

/// A transaction that was carried out on a snapshot, and wants to last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Commit {
    /// The try.
    pub attempt: Arc<Attempt>,
    /// The snapshot that it read, by the number of the last commit in it.
    pub snapshot: u64,
    /// Objects that it has read.
    pub reads: Vec<Value>,
    /// Objects that it leaves behind, and what they hold.
    pub writes: Vec<(Value, Value)>,
    /// What the client is answered: the micro-operations with what the reads found.
    pub answer: Value,
}

/// A message between nodes. A gateway keeps nothing: an answer carries what it answers, and asking again
/// is harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Gateway to store: which is the last commit?
    Begin(Arc<Attempt>),
    /// Store to gateway: this.
    Began(Arc<Attempt>, u64),
    /// Gateway to store: what did the objects of the transaction hold after this commit?
    Read(Arc<Attempt>, u64),
    /// Store to gateway: this, of those that held anything.
    Found(Arc<Attempt>, u64, Vec<(Value, Value)>),
    /// Gateway to store: make it last.
    Commit(Arc<Commit>),
    /// Store to gateway: somebody else has committed what it should have read.
    Conflict(Arc<Attempt>),
    /// Store to gateway: it is done. The reply is that of the first time.
    Done(Arc<Request>, Reply),
}
