//! Operations gathered into bins of time, so that a plot's size does not grow with the run.

use hdrhistogram::Histogram;
use wrack_history::{Moment, Operation, Outcome};

use super::round_step;
use super::time::TimeAxis;

const BINS_MAX: u64 = 120;
const BINS_MIN: u64 = 12;
/// Fewer operations in a bin than this say little about quantiles.
const OPERATIONS_PER_BIN: u64 = 20;

/// Equal slices of time, from 0 to the end of the run.
pub(crate) struct Bins {
    /// Length of each.
    pub(crate) width_ns: u64,
    /// What happened in each, in order.
    pub(crate) bins: Vec<Bin>,
    /// Latency of all operations that ended `ok`.
    pub(crate) overall: Option<Quantiles>,
}

/// What was invoked in one slice of time, by how it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bin {
    pub(crate) ok: u64,
    pub(crate) fail: u64,
    pub(crate) info: u64,
    /// Latency of those that ended `ok`.
    pub(crate) latency: Option<Quantiles>,
}

/// Latency in nanoseconds, to three significant digits; the maximum is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantiles {
    pub(crate) p50: u64,
    pub(crate) p95: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

impl Bins {
    /// Gathers the operations by the time of their invocation.
    pub(crate) fn gather(axis: &TimeAxis, operations: &[Operation]) -> Self {
        let wanted = (operations.len() as u64 / OPERATIONS_PER_BIN).clamp(BINS_MIN, BINS_MAX);
        Self::within(axis, round_step(axis.end_ns, wanted), operations)
    }

    /// The same in bins of this width, above 0; operations after the end of the axis are left out.
    pub(crate) fn within(axis: &TimeAxis, width_ns: u64, operations: &[Operation]) -> Self {
        let count = axis.end_ns / width_ns + 1;
        let mut bins = vec![Bin::default(); count as usize];
        let mut latencies: Vec<Vec<u64>> = vec![Vec::new(); count as usize];
        for operation in operations {
            let index = (operation.invoke.ns / width_ns) as usize;
            let Some(bin) = bins.get_mut(index) else { continue };
            match operation.outcome {
                Outcome::Ok => bin.ok += 1,
                Outcome::Fail => bin.fail += 1,
                Outcome::Info => bin.info += 1,
            }
            latencies[index].extend(latency(operation));
        }
        let overall = summarise(&mut bins, &latencies);
        // The last bin is empty when the end is a multiple of the width.
        if axis.end_ns.is_multiple_of(width_ns) && bins.last().is_some_and(|bin| bin.total() == 0) {
            bins.pop();
        }
        Self { width_ns, bins, overall }
    }

    /// Bins with the time at which they begin.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Bin)> {
        let starts = (0..).map(|index: u64| index * self.width_ns);
        starts.zip(&self.bins)
    }
}

impl Bin {
    /// Operations in all.
    pub(crate) fn total(&self) -> u64 {
        self.ok + self.fail + self.info
    }
}

fn latency(operation: &Operation) -> Option<u64> {
    let known = operation.outcome == Outcome::Ok && operation.complete != Moment::NEVER;
    known.then(|| operation.complete.ns.saturating_sub(operation.invoke.ns))
}

/// Fills in the quantiles of each bin, and merges the histograms into those of all.
fn summarise(bins: &mut [Bin], latencies: &[Vec<u64>]) -> Option<Quantiles> {
    let mut all = histogram(&[]);
    let mut max = 0;
    for (bin, latencies) in bins.iter_mut().zip(latencies) {
        let of_bin = histogram(latencies);
        let bin_max = latencies.iter().copied().max().unwrap_or(0);
        bin.latency = quantiles(&of_bin, bin_max);
        all.add(&of_bin).expect("a histogram that resizes takes every other");
        max = max.max(bin_max);
    }
    quantiles(&all, max)
}

/// A histogram to three significant digits that grows with what it is given.
pub(crate) fn histogram(latencies: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three significant digits are allowed");
    for latency in latencies {
        // `saturating_record` would clamp to the first range instead of growing.
        histogram.record(*latency).expect("a histogram that resizes takes every latency");
    }
    histogram
}

/// Quantiles, none above the exact maximum; `None` of nothing.
pub(crate) fn quantiles(histogram: &Histogram<u64>, max: u64) -> Option<Quantiles> {
    let at = |quantile| histogram.value_at_quantile(quantile).min(max);
    (!histogram.is_empty()).then(|| Quantiles { p50: at(0.5), p95: at(0.95), p99: at(0.99), max })
}

#[cfg(test)]
mod tests {
    use super::{Bins, Quantiles, histogram, quantiles};
    use crate::plot::time::TimeAxis;
    use wrack_history::Run;

    #[test]
    fn quantiles_are_those_of_the_latencies_and_never_above_the_maximum() {
        let latencies: Vec<u64> = (1..=100).map(|ms| ms * 1_000).collect();
        let found = quantiles(&histogram(&latencies), 100_000).unwrap();
        let near = |found: u64, exact: u64| found.abs_diff(exact) * 1_000 <= exact;
        assert!(near(found.p50, 50_000) && near(found.p95, 95_000) && near(found.p99, 99_000));
        assert_eq!(found.max, 100_000);
        let one = quantiles(&histogram(&[1_234_567]), 1_234_567).unwrap();
        assert_eq!(
            one,
            Quantiles { p50: 1_234_567, p95: 1_234_567, p99: 1_234_567, max: 1_234_567 }
        );
        assert_eq!(quantiles(&histogram(&[]), 0), None);
    }

    #[test]
    fn a_run_without_operations_has_empty_bins() {
        let bins = Bins::gather(&TimeAxis::of(&Run::default()), &[]);
        assert!(bins.bins.iter().all(|bin| bin.total() == 0));
        assert_eq!(bins.overall, None);
    }
}
