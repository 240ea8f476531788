//! Replicated data types.

pub mod types;
