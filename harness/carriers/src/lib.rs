//! Carriers: the same nodes and clients on turmoil, on madsim and on real sockets.
//!
//! A [`Node`](wrack_sim::Node) cannot tell who carries it. Here that is put to the test: what
//! happens to a member is done by the simulator's own code ([`Carried`](wrack_sim::Carried)), and
//! what time it is, whose turn it is and how bytes travel comes from somebody else. If a verdict
//! changes with the carrier, one of them is wrong.
//!
//! ```text
//!   Node ◀─ callbacks, effects ─▶ Carried: disks, clocks, links, faults, one Recorder
//!                                    ▲
//!                                   Hub ◀─ a pump per member ─▶ Carrier: turmoil UDP
//!                                                                        madsim Endpoint (--cfg madsim)
//!                                                                        UDP and TCP on loopback
//! ```
//! A run keeps to itself: one fresh thread, a fixed epoch, every draw from its seed. On real sockets
//! time is real, so nothing there is the same twice.
//!
//! Leaks of determinism, and what keeps them out: see [`thread`] and `harness/ENGINES.md`.

pub mod engines;
pub mod hub;
#[cfg(madsim)]
pub mod madsim;
pub mod pump;
pub mod sockets;
pub mod thread;
pub mod tick;
pub mod turmoil;

#[cfg(test)]
mod tests;

pub use hub::{Cargo, Delivered};
pub use pump::Carrier;
