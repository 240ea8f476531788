//! What replicas tell each other, and keep on their disks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::SmolStr;
use wrack_sim::{Idempotency, Tag};

use super::object::{Object, Operation};
use super::types::{Stamp, VersionVector};

/// Between replicas.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// All that the sender has, by name.
    Digest(Arc<VersionVector>),
    /// Updates that the receiver may lack.
    Shipment(Arc<Shipment>),
}

/// Updates in an order in which each comes after those that its origin had. Also a record of the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Shipment {
    /// The updates.
    pub updates: Vec<Arc<Update>>,
    /// States of objects that hold all of the updates which carry nothing themselves.
    pub states: Vec<(SmolStr, Object)>,
}

/// An update: what a replica accepted from a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Update {
    /// Its name among all updates of all keys, and its origin's time.
    pub stamp: Stamp,
    /// What its origin had before.
    pub past: VersionVector,
    /// The object.
    pub key: SmolStr,
    /// The harness's name of the operation.
    pub tag: Tag,
    /// What a retry is recognised by.
    pub identity: Option<Idempotency>,
    /// What it does to its object.
    pub change: Change,
}

/// What an update does to its object, in one of three forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// An operation, to be applied once.
    Operation(Operation),
    /// A small state, to be merged.
    Delta(Object),
    /// It is in the state of the object that comes along.
    InState,
}

/// In which form updates travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As operations.
    Operations,
    /// As deltas.
    Deltas,
    /// As whole states.
    States,
}
