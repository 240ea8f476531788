//! Reads and validates scenario files.
//!
//! It knows no design, workload or fault by itself: what a file may name is a
//! [`Catalogue`](wrack_history::Catalogue) that the caller fills.

pub mod scenario;

pub use scenario::{
    Bound, Environment, Expectation, Follow, KeyDistribution, Minimum, Objective, Pace,
    PhaseLengths, Promise, RetryKey, RetryPolicy, Scenario, Workload,
};
