//! What the nodes say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_sim::{Idempotency, NodeId, Reply, Request, Wire};

use super::state::State;
use crate::command::{Applied, Cell};

/// Everything that travels in this design.
pub type Message = Wire<Peer>;

/// A client's command, under the name by which the store recognises it when it comes again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// The client's own key; or, if it gave none, the owner's name and the command's place in its
    /// log.
    pub identity: Idempotency,
    /// What the client asked.
    pub request: Arc<Request>,
}

/// A message between nodes. Every one may be lost, doubled or late: an answer names what it
/// answers, and asking again is harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Owner to lease: let me own, or go on owning. One bid is one try at ownership.
    Acquire {
        /// A random name of the try.
        bid: u64,
        /// When it was sent, on the sender's clock: it comes back in the grant.
        sent_ns: u64,
    },
    /// Lease to owner: you own, for the length of a lease from `sent_ns` on.
    Granted {
        /// The bid that won.
        bid: u64,
        /// When it was asked for.
        sent_ns: u64,
        /// Higher than that of any other bid before.
        epoch: u64,
    },
    /// Lease to owner: somebody else owns.
    Refused {
        /// Who.
        holder: NodeId,
    },
    /// Owner to store: refuse every lower epoch from now on, and tell me all you have.
    Load {
        /// The owner's epoch.
        epoch: u64,
    },
    /// Store to owner: all I have.
    Loaded {
        /// The epoch that asked.
        epoch: u64,
        /// What lower epochs left behind.
        state: Arc<State>,
    },
    /// Owner to store: carry these out, in this order.
    Write {
        /// The owner's epoch.
        epoch: u64,
        /// The number of the first one within the epoch, from 1.
        first: u64,
        /// The commands.
        commands: Arc<[Command]>,
    },
    /// Store to owner: everything up to here is durable.
    Accepted {
        /// The epoch that wrote.
        epoch: u64,
        /// The number of the last accepted command within it.
        serial: u64,
    },
    /// Owner to store: am I still the one?
    Confirm {
        /// The owner's epoch.
        epoch: u64,
        /// Which question it is.
        round: u64,
    },
    /// Store to owner: you still were when this question came.
    Confirmed {
        /// The epoch that asked.
        epoch: u64,
        /// Which question it was.
        round: u64,
    },
    /// Store to owner: a higher epoch has been here.
    Fenced {
        /// The epoch that is over.
        epoch: u64,
    },
    /// A blind writer to the store: what does the key hold?
    Get(Arc<Request>),
    /// Store to a blind writer: this.
    Got(Arc<Request>, Cell),
    /// A blind writer to the store: make it hold this, whatever it holds by now.
    Put(Arc<Overwrite>),
    /// Store to a blind writer: it does. The reply is that of the first time.
    Stored(Arc<Request>, Reply),
}

/// A write that says what to hold, not what to do: it cannot know what it overwrites.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Overwrite {
    /// What the client asked.
    pub request: Arc<Request>,
    /// What the key shall hold.
    pub cell: Cell,
    /// What the command came to, in the eyes of its writer.
    pub applied: Applied,
}
