//! What clients and servers say to each other, the same for every design.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};

use crate::disk::{self, DiskError};
use crate::node::{NodeId, Tag};

/// A message of a design: from a client, to a client, or between its nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Wire<P> {
    /// A client asks.
    Request(Arc<Request>),
    /// A server answers.
    Response(Response),
    /// Between nodes.
    Peer(P),
}

/// One attempt at an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The harness's name for the operation: to be handed back in facts, never looked into.
    pub tag: Tag,
    /// Who asks, and where the answer goes.
    pub client: NodeId,
    /// Comes back in the response, so that the client knows which operation is answered.
    pub number: u64,
    /// What the design may recognise a retry by; absent if the client gives nothing.
    pub idempotency: Option<Idempotency>,
    /// The object.
    pub key: SmolStr,
    /// What to do.
    pub function: SmolStr,
    /// With what.
    pub argument: Value,
}

/// Room for most requests.
const ENCODED_BYTES: usize = 64;

impl Request {
    /// As bytes, for a design that stores or forwards what it was asked.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENCODED_BYTES);
        disk::encode(self, &mut bytes);
        bytes
    }

    /// From the bytes that [`Request::encode`] gave.
    ///
    /// Errors: these are other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DiskError> {
        postcard::from_bytes(bytes).map_err(|_| DiskError::Corrupt)
    }
}

/// What a design may recognise a retry by: the same for every attempt at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Idempotency {
    /// The client's session, which outlives its processes.
    pub session: u64,
    /// Rises from operation to operation of the session.
    pub sequence: u64,
}

/// The answer to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Response {
    /// The request's number.
    pub number: u64,
    /// The answer.
    pub reply: Reply,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done: a refused cas is done with `false`.
    Ok(Value),
    /// Certainly not done, and trying again is useless.
    Fail(SmolStr),
    /// Certainly not done here: try that node, or another one.
    Redirect(Option<NodeId>),
    /// It may or may not be done.
    Unknown(SmolStr),
}
