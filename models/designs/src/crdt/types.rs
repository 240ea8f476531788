//! Conflict-free replicated data types, as plain library code: no node, clock or disk.
//!
//! Every type comes in the three forms of the literature, and a trait, [`Replicated`], says how they
//! hang together:
//!
//! ```text
//! command ── prepare ──▶ operation ── apply ──▶ state        op-based: each once, in causal order
//!                            │                    ▲
//!                            └── delta ──▶ delta ─┤ merge     delta: any order, as often as you like
//!                                          state ─┘ merge     state-based: likewise, and more to send
//! ```
//! The laws, which the module `laws` tests with random executions of every type: merge is associative,
//! commutative and idempotent; applying an operation is merging its delta; and whoever was delivered the
//! same operations, in whatever order and form, is in the same state.
//!
//! Sources: Shapiro, Preguiça, Baquero and Zawirski: A Comprehensive Study of Convergent and Commutative
//! Replicated Data Types, 2011; Almeida, Shoker and Baquero: Delta State Replicated Data Types, 2018;
//! Baquero, Almeida and Shoker: Making Operation-Based CRDTs Operation-Based, 2014.

pub mod cart;
pub mod causality;
pub mod dotted;
pub mod g_counter;
pub mod hybrid_clock;
#[cfg(test)]
pub(crate) mod laws;
pub mod lww_map;
pub mod lww_register;
pub mod mv_register;
pub mod or_set;
pub mod pn_counter;
pub mod rga;
pub mod words;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use wrack_history::Value;

pub use cart::Cart;
pub use causality::{Context, Dot, ReplicaId, VersionVector};
pub use g_counter::GCounter;
pub use hybrid_clock::{HybridClock, Timestamp};
pub use lww_map::LwwMap;
pub use lww_register::LwwRegister;
pub use mv_register::MvRegister;
pub use or_set::OrSet;
pub use pn_counter::PnCounter;
pub use rga::Rga;
pub use words::Words;

/// A replicated data type in its three forms.
///
/// Shape: a value is one replica's state of one object. The default is the object that nobody has
/// changed yet, and the neutral element of [`Replicated::merge`].
pub trait Replicated: Clone + Default + PartialEq + Debug {
    /// What a client asks for.
    type Command;
    /// What travels: a command, made independent of the state it meets.
    type Operation: Clone;

    /// Prepares a command at the replica that takes it. Nothing is changed.
    fn prepare(&self, command: &Self::Command, stamp: &Stamp) -> Self::Operation;

    /// Applies an operation: each exactly once, and after those that its origin had applied.
    fn apply(&mut self, operation: &Self::Operation);

    /// The operation as a small state. Only for the state in which it was prepared.
    fn delta(&self, operation: &Self::Operation) -> Self;

    /// Takes in another state: the least state that holds both.
    fn merge(&mut self, other: &Self);

    /// What a client sees.
    fn read(&self) -> Value;
}

/// What makes an operation different from every other: its name, and the time at its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its name.
    pub dot: Dot,
    /// When it was prepared, as its origin's clock has it.
    pub time: Timestamp,
}
