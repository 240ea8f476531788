//! What many seeds showed together, as a page draws it.

use std::collections::BTreeMap;
use std::ops::Range;

use wrack_history::SmolStr;

/// A sweep: scenarios and variants over many seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// The seeds that were to be run.
    pub seeds: Range<u64>,
    /// Every scenario and variant, in the order of the sweep.
    pub groups: Vec<SweepGroup>,
    /// Every kind of failure with the seeds that show it.
    pub clusters: Vec<SweepCluster>,
}

/// One scenario with one variant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepGroup {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// `valid`, or the code of the anomaly that is expected.
    pub expected: String,
    /// Whether all of it is as expected.
    pub as_expected: bool,
    /// Seeds that were run.
    pub seeds: u64,
    /// Those of them that are as they should be.
    pub found: u64,
    /// Seeds that are not as expected, rising.
    pub failures: Vec<u64>,
    /// Seeds that say nothing, rising.
    pub unknown: Vec<u64>,
    /// Where nothing failed: the share of seeds that could still fail, in millionths, at 95 % confidence.
    pub at_most_per_million: Option<u64>,
    /// Situations and cells of a swarm, and in how many seeds each was reached.
    pub coverage: BTreeMap<SmolStr, u64>,
    /// What had to be reached and was not.
    pub missing: Vec<String>,
}

/// One kind of failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepCluster {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// The anomaly's code.
    pub code: SmolStr,
    /// The functions of the operations that show it.
    pub shape: SmolStr,
    /// Whether the scenario expects it.
    pub expected: bool,
    /// The seeds, rising.
    pub seeds: Vec<u64>,
    /// Where the first of them is kept, relative to the sweep.
    pub example: String,
}
