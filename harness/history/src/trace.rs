//! The trace: what the simulator did, event by event.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::NodeIndex;

/// What happened in one step of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TraceKind {
    /// A message left `node` for `peer`.
    Send,
    /// A message from `peer` reached `node`.
    Deliver,
    /// A message from `node` to `peer` was lost.
    Drop,
    /// A timer of `node` fired.
    Timer,
    /// A sync of `node` came back.
    Synced,
    /// `node` booted.
    Boot,
    /// `node` crashed.
    Crash,
    /// `node` was paused.
    Pause,
    /// `node` went on.
    Resume,
    /// A client invoked an operation.
    Invoke,
    /// A client completed an operation.
    Complete,
    /// `node` noted a fact.
    Note,
    /// The nemesis acted.
    Nemesis,
    /// Something was asked of `node` from outside.
    Control,
}

/// One event of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Virtual nanoseconds since the run began.
    pub ns: u64,
    /// What identifies its content: a message's number, a timer's, a fact's digest.
    pub detail: u64,
    /// What happened.
    pub kind: TraceKind,
    /// To whom.
    pub node: NodeIndex,
    /// The other side, or `node` again.
    pub peer: NodeIndex,
}

/// Everything the engine did, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The events.
    pub events: Vec<TraceEvent>,
    /// For each event its content in words, if it was asked for; else empty.
    pub texts: Vec<SmolStr>,
}
