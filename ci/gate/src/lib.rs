//! Decides whether what scenarios showed may pass.
//!
//! [`decide`] is a pure function of a policy, a baseline, what was observed, and the day: it runs
//! nothing, reads no clock and writes no file. It refuses to retry: what happened once has happened.
//! What nobody knows (too few seeds, a group that is gone, nothing at all) is never a pass.

mod baseline;
mod decide;
mod observed;

pub use baseline::{Baseline, BaselineError, BaselineGroup};
pub use decide::{Known, decide};
pub use observed::{METRICS, Observed, Seen, Tally};
