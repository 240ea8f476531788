//! Scenario + seed → run, judged and compared with what the scenario expects.
//!
//! Everything here is a pure function of scenario, variant, seed and version; the one module that
//! works in parallel is [`parallel`].

pub mod catalogue;
pub mod certificate;
pub mod check;
pub mod determinism;
pub mod difference;
mod early;
pub mod execute;
pub mod gameday;
pub mod group;
pub mod guide;
pub mod judge;
pub mod metrics;
pub mod parallel;
pub mod picture;
pub mod regression;
pub mod replay;
pub mod resolve;
#[cfg(feature = "service")]
pub mod service;
pub mod shrink;
pub mod story;
pub mod swarm;
pub mod sweep;
pub mod undirected;
pub mod vacuity;

pub use catalogue::{Catalogue, Own};
pub use check::{Asked, Question, asked, check, verify_model};
pub use execute::{Execution, TraceLevel};
pub use group::{Group, GroupSummary, Outcome, Standing};
pub use judge::{STATES_MAX, run, run_observed, run_until_found};
pub use wrack_carriers::engines;
pub use wrack_checkers::{is_transactional, level_names};
