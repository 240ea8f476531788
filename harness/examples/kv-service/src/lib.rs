//! A durable service of sets: a store, and fronts that speak HTTP.
//!
//! ```text
//!   PUT /cart/7 ─▶ front ── ADD cart 7 … ─▶ store ── append, fsync ─▶ kv.log
//!   GET /cart   ─▶ front ── GET cart ─────▶ store
//! ```
//! Elements expire. How long they live is the front's to say, and what time it is, the store's: see
//! [`Expiry`] for the way not to do it.
//!
//! Nothing here knows of Wrack but for where sockets and files come from: `wrack_io`, which is tokio
//! in every build but that of the tests.

pub mod front;
pub mod store;

use std::time::Duration;

/// How long an element lives.
pub const LIVES: Duration = Duration::from_secs(20);

/// How fronts tell the store when an element expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// For how long it lives: the store counts it on its own monotonic clock.
    Relative,
    /// Until when it lives, by the front's wall clock, which the store holds against its own: the bug.
    Absolute,
}
