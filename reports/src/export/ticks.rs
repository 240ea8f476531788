//! The moments at which metrics are sampled, as a scraper would have done.

use wrack_history::Run;
use wrack_history::duration::SECOND;

/// At most so many moments.
const TICKS_MAX: u64 = 600;
/// At most about so many samples over all series.
const SAMPLES_MAX: u64 = 200_000;

/// Moments at a fixed distance from the beginning to the end of a run, both included.
pub(crate) struct Ticks {
    step_ns: u64,
    end_ns: u64,
}

impl Ticks {
    /// Of a run with about so many series: a second apart, or more where that would be too many.
    pub fn of(run: &Run, series: u64) -> Self {
        let completed = run.history.operations.iter().map(|one| one.complete.ns);
        let last = completed.filter(|ns| *ns < u64::MAX).max().unwrap_or(0);
        let end_ns = run.phases.end_ns.max(last);
        let most = (SAMPLES_MAX / series.max(1)).clamp(2, TICKS_MAX);
        Self { step_ns: end_ns.div_ceil(most).max(SECOND), end_ns }
    }

    /// The end of the run.
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.end_ns.div_ceil(self.step_ns) as usize + 1
    }

    /// Every moment, with its place.
    pub fn moments(&self) -> impl Iterator<Item = (usize, u64)> {
        let (step_ns, end_ns) = (self.step_ns, self.end_ns);
        (0..self.count()).map(move |tick| (tick, (tick as u64 * step_ns).min(end_ns)))
    }

    /// The first moment at which something that happened then has happened.
    pub fn after(&self, ns: u64) -> usize {
        (ns.min(self.end_ns).div_ceil(self.step_ns) as usize).min(self.count() - 1)
    }

    /// How much has happened at each moment, of what happened at these times.
    pub fn cumulate(&self, times: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut counts = vec![0; self.count()];
        times.for_each(|ns| counts[self.after(ns)] += 1);
        for tick in 1..counts.len() {
            counts[tick] += counts[tick - 1];
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Run;
    use wrack_history::duration::SECOND;
    use wrack_history::run::Phases;

    use super::Ticks;

    fn ticks(end_ns: u64, series: u64) -> Ticks {
        let phases = Phases { end_ns, ..Phases::default() };
        Ticks::of(&Run { phases, ..Run::default() }, series)
    }

    #[test]
    fn moments_reach_from_the_beginning_to_the_end() {
        let moments: Vec<u64> = ticks(2 * SECOND + 5, 1).moments().map(|(_, ns)| ns).collect();
        assert_eq!(moments, [0, SECOND, 2 * SECOND, 2 * SECOND + 5]);
        assert_eq!(ticks(0, 1).moments().count(), 1);
    }

    #[test]
    fn what_happened_counts_from_the_next_moment_on() {
        let counts = ticks(3 * SECOND, 1).cumulate([0, 1, SECOND, 9 * SECOND].into_iter());
        assert_eq!(counts, [1, 3, 3, 4]);
    }

    #[test]
    fn there_are_never_too_many() {
        assert!(ticks(100_000 * SECOND, 1).count() <= 601);
        assert!(ticks(100_000 * SECOND, 20_000).count() <= 12);
    }
}
