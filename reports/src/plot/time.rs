//! The time axis that all charts of a page share.

use wrack_history::duration::in_largest_unit;
use wrack_history::run::Phases;
use wrack_history::{Moment, Run};

use super::round_step;

/// Width of every chart, in units of its drawing.
pub(crate) const WIDTH: u32 = 1_040;
/// Space for labels at the left.
pub(crate) const LEFT: u32 = 84;
/// Space at the right.
pub(crate) const RIGHT: u32 = 18;

/// From 0 to the end of the run, and where its phases end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAxis {
    /// The end, in virtual nanoseconds; at least 1.
    pub(crate) end_ns: u64,
    phases: Phases,
}

impl TimeAxis {
    /// The axis that shows everything in this run.
    pub(crate) fn of(run: &Run) -> Self {
        let operations = run.history.operations.iter().map(|operation| match operation.complete {
            Moment::NEVER => operation.invoke.ns,
            complete => complete.ns,
        });
        let faults = run.faults.iter().filter_map(|fault| fault.healed_ns.or(fault.injected_ns));
        let facts = run.facts.iter().map(|record| record.ns);
        let last = operations.chain(faults).chain(facts).max().unwrap_or(0);
        Self { end_ns: last.max(run.phases.end_ns).max(1), phases: run.phases }
    }

    /// The quiet period, if the run had phases.
    pub(crate) fn quiet(&self) -> Option<(u64, u64)> {
        let Phases { heal_ns, quiet_end_ns, .. } = self.phases;
        (heal_ns > 0 && quiet_end_ns > heal_ns).then_some((heal_ns, quiet_end_ns))
    }

    /// The phases with their names, from start to end.
    pub(crate) fn phases(&self) -> Vec<(&'static str, u64, u64)> {
        let Phases { heal_ns, quiet_end_ns, .. } = self.phases;
        let quiet_end_ns = quiet_end_ns.max(heal_ns);
        if heal_ns == 0 {
            return Vec::new();
        }
        let spans = [
            ("faults", 0, heal_ns),
            ("quiet", heal_ns, quiet_end_ns),
            ("final reads", quiet_end_ns, self.end_ns),
        ];
        spans.into_iter().filter(|(_, from, to)| from < to).collect()
    }

    /// Where a time stands on a drawing.
    pub(crate) fn x(&self, ns: u64) -> f64 {
        let share = ns.min(self.end_ns) as f64 / self.end_ns as f64;
        f64::from(LEFT) + share * f64::from(WIDTH - LEFT - RIGHT)
    }

    /// A span made wide enough to be seen.
    pub(crate) fn visible(&self, from_ns: u64, to_ns: u64) -> (u64, u64) {
        let least = self.end_ns / 400 + 1;
        let from_ns = from_ns.min(self.end_ns.saturating_sub(least));
        (from_ns, to_ns.max(from_ns + least).min(self.end_ns.max(least)))
    }

    /// Round times to label.
    pub(crate) fn ticks(&self) -> Vec<u64> {
        let step = round_step(self.end_ns, 12);
        (0..=self.end_ns / step).map(|index| index * step).collect()
    }
}

/// A round time, without needless decimals: `10 s`, `250 ms`.
pub(crate) fn tick_label(ns: u64) -> String {
    let (number, unit) = in_largest_unit(ns);
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::{TimeAxis, tick_label};
    use wrack_history::Run;

    #[test]
    fn an_empty_run_has_an_axis() {
        let axis = TimeAxis::of(&Run::default());
        assert_eq!((axis.end_ns, axis.phases().len()), (1, 0));
        let (from, to) = axis.visible(0, 0);
        assert!(from < to);
    }

    #[test]
    fn a_tick_is_written_without_needless_decimals() {
        let texts = [0, 250_000_000, 2_500_000_000, 60_000_000_000].map(tick_label);
        assert_eq!(texts, ["0 s", "250 ms", "2.5 s", "60 s"]);
    }
}
