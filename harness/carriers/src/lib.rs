//! Carriers: the same nodes and clients on other people's simulators.
//!
//! A [`Node`](wrack_sim::Node) cannot tell who carries it. Here that is put to the test: one
//! [driver](mod@driver) boots a node and carries out its effects on whatever moves messages and
//! time, and records the same history and facts as our own engine does. If a verdict changes with
//! the carrier, one of them is wrong.
//!
//! ```text
//!   Node ◀─ callbacks, effects ─▶ driver ◀─ Carrier ─▶ turmoil UDP
//!                                   │                  madsim Endpoint    (--cfg madsim)
//!                                   ▼
//!                              one Recorder: history, facts, trace hash
//! ```
//! What this first version leaves out: crashes, pauses, traps at failpoints, and faults other than
//! cut links. Links are as the carrier makes them: datagrams may overtake each other, and every
//! latency lies between the bounds of the latency between nodes, clients' links included.
//!
//! A run keeps to itself: one fresh thread, a fixed epoch, every draw from its seed.

mod alarms;
pub mod config;
pub mod driver;
mod effects;
mod journal;
#[cfg(madsim)]
pub mod madsim;
pub mod stage;
mod thread;
pub mod turmoil;

pub use config::{Boot, CarrierConfig};
pub use driver::Carrier;
pub use stage::{Act, Stage};
