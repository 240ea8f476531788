//! Less time: shorter waits between one thing and the next, and rounder times.

use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{ScheduledFault, When};
use wrack_scenario::Scenario;

use super::Shrinker;
use crate::resolve;

/// A wait is made as short as one of these.
const WAITS_NS: &[u64] = &[
    MILLISECOND,
    10 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    200 * MILLISECOND,
    500 * MILLISECOND,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
];

/// Waits shorter than this are left alone.
const SHORT_NS: u64 = 100 * MILLISECOND;

/// Times are rounded to one of these.
const UNITS_NS: &[u64] = &[SECOND, 100 * MILLISECOND, 10 * MILLISECOND, MILLISECOND];

impl Shrinker<'_> {
    /// Ends earlier, and waits less.
    pub(super) fn less_time(&mut self) {
        self.end_earlier();
        let shorter = |wait_ns: &u64| self.with_waits(*wait_ns);
        let candidates: Vec<Scenario> = WAITS_NS.iter().filter_map(shorter).collect();
        self.first(candidates);
        // The longest first; whatever is cut out of the run makes every further try faster.
        let mut gaps = self.gaps();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.1 - gap.0));
        let mut place = 0;
        while place < gaps.len() && !self.is_over() {
            let gap = gaps[place];
            let length_ns = gap.1 - gap.0;
            let waits = WAITS_NS.iter().copied().chain([length_ns / 2]);
            let waits = waits.filter(|wait_ns| *wait_ns <= length_ns / 10 * 8);
            let mut cuts: Vec<u64> = waits.map(|wait_ns| length_ns - wait_ns).collect();
            cuts.sort_by_key(|cut_ns| std::cmp::Reverse(*cut_ns));
            let candidates: Vec<Scenario> =
                cuts.iter().map(|cut_ns| self.moved(gap.1, *cut_ns)).collect();
            if let Some(winner) = self.first(candidates) {
                let cut_ns = cuts[winner];
                for other in &mut gaps {
                    if other.0 >= gap.1 {
                        (other.0, other.1) = (other.0 - cut_ns, other.1 - cut_ns);
                    }
                }
            }
            place += 1;
        }
        self.end_earlier();
    }

    /// Phases no longer than they must be.
    fn end_earlier(&mut self) {
        let last_ns = self.happenings().into_iter().max().unwrap_or(0);
        let started = self.best.faults.iter().filter_map(|fault| resolve::of(fault, &self.run));
        let started = started.filter_map(|fault| fault.injected_ns).max().unwrap_or(0);
        let now = self.best.phases;
        let mut candidates = Vec::new();
        for after_ns in [MILLISECOND, 100 * MILLISECOND, SECOND, 5 * SECOND] {
            for faults_ns in [started, last_ns] {
                let faults_ns = round_up(faults_ns + 1).min(now.faults_ns);
                let mut candidate = self.best.clone();
                candidate.phases.faults_ns = faults_ns;
                candidate.phases.quiet_ns = now.faults_ns + now.quiet_ns - faults_ns;
                self.end_at(&mut candidate, round_up(faults_ns.max(last_ns) + after_ns));
                let shorter = lasts_ns(&candidate) < lasts_ns(&self.best);
                let healed = candidate.phases.faults_ns < now.faults_ns;
                if shorter || (healed && lasts_ns(&candidate) == lasts_ns(&self.best)) {
                    candidates.push(candidate);
                }
            }
        }
        self.first(candidates);
    }

    /// The best, with no wait longer than this.
    fn with_waits(&self, wait_ns: u64) -> Option<Scenario> {
        let mut candidate = self.best.clone();
        let mut changed = false;
        // From the last to the first, so that what is still to be moved stands where it stood.
        for (from_ns, to_ns) in self.gaps().into_iter().rev() {
            if to_ns - from_ns > wait_ns {
                self.move_back(&mut candidate, to_ns, to_ns - from_ns - wait_ns);
                changed = true;
            }
        }
        changed.then_some(candidate)
    }

    /// The best with everything from `from_ns` on earlier by `by_ns`.
    fn moved(&self, from_ns: u64, by_ns: u64) -> Scenario {
        let mut candidate = self.best.clone();
        self.move_back(&mut candidate, from_ns, by_ns);
        candidate
    }

    fn move_back(&self, scenario: &mut Scenario, from_ns: u64, by_ns: u64) {
        for operation in scenario.operations.iter_mut().flatten() {
            if operation.at_ns >= from_ns {
                operation.at_ns -= by_ns;
            }
        }
        for fault in &mut scenario.faults {
            self.move_fault(fault, from_ns, by_ns);
        }
        let phases = &mut scenario.phases;
        match phases.faults_ns >= from_ns {
            true => phases.faults_ns -= by_ns,
            false => {
                phases.quiet_ns = phases.quiet_ns.saturating_sub(by_ns).max(self.quiet_min_ns())
            }
        }
    }

    /// A fault that waits for a fact moves by itself if the fact does; else it waits less.
    fn move_fault(&self, fault: &mut ScheduledFault, from_ns: u64, by_ns: u64) {
        let Some((start_ns, end_ns)) = self.window(fault) else { return };
        if start_ns < from_ns {
            if end_ns.is_some_and(|end_ns| end_ns >= from_ns) {
                fault.lasts_ns = fault.lasts_ns.map(|ns| ns.saturating_sub(by_ns).max(1));
            }
            return;
        }
        match &mut fault.when {
            When::At(ns) => *ns = ns.saturating_sub(by_ns),
            When::OnFact { delay_ns, .. } if start_ns.saturating_sub(*delay_ns) < from_ns => {
                *delay_ns = delay_ns.saturating_sub(by_ns);
            }
            When::OnFact { .. } => (),
        }
    }

    /// When a fault was on in the best run; without an end if only the end of the phase heals it.
    fn window(&self, fault: &ScheduledFault) -> Option<(u64, Option<u64>)> {
        let start_ns = resolve::of(fault, &self.run)?.injected_ns?;
        Some((start_ns, fault.lasts_ns.map(|ns| start_ns.saturating_add(ns))))
    }

    /// When something happens in the best run.
    fn happenings(&self) -> Vec<u64> {
        let operations = self.best.operations.iter().flatten().map(|one| one.at_ns);
        let faults = self.best.faults.iter().filter_map(|fault| self.window(fault));
        let faults = faults.flat_map(|(start_ns, end_ns)| [Some(start_ns), end_ns]).flatten();
        let mut all: Vec<u64> = operations.chain(faults).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// From one happening to the next, where that is long.
    fn gaps(&self) -> Vec<(u64, u64)> {
        let happenings = self.happenings();
        let from = [0].into_iter().chain(happenings.iter().copied());
        let gaps = from.zip(happenings.iter().copied());
        gaps.filter(|(from_ns, to_ns)| to_ns - from_ns > SHORT_NS).collect()
    }

    /// Times that are easy to read, where that will do: all at once, or else one by one.
    pub(super) fn rounder_times(&mut self) {
        let all = |unit_ns: &u64| {
            let mut candidate = self.best.clone();
            candidate
                .operations
                .iter_mut()
                .flatten()
                .for_each(|one| round(&mut one.at_ns, *unit_ns));
            candidate.faults.iter_mut().for_each(|fault| round_fault(fault, *unit_ns));
            candidate
        };
        let candidates: Vec<Scenario> = UNITS_NS.iter().map(all).collect();
        self.first(candidates);
        for place in 0..self.count() {
            for unit_ns in UNITS_NS {
                if self.edit_operations(|operations| round(&mut operations[place].at_ns, *unit_ns))
                {
                    break;
                }
            }
        }
        for place in 0..self.best.faults.len() {
            for unit_ns in UNITS_NS {
                let mut candidate = self.best.clone();
                round_fault(&mut candidate.faults[place], *unit_ns);
                if candidate.faults == self.best.faults || self.first([candidate]).is_some() {
                    break;
                }
            }
        }
        self.end_earlier();
    }
}

fn lasts_ns(scenario: &Scenario) -> u64 {
    scenario.phases.faults_ns + scenario.phases.quiet_ns
}

fn round(ns: &mut u64, unit_ns: u64) {
    *ns -= *ns % unit_ns;
}

fn round_fault(fault: &mut ScheduledFault, unit_ns: u64) {
    match &mut fault.when {
        When::At(ns) | When::OnFact { delay_ns: ns, .. } => round(ns, unit_ns),
    }
    fault.lasts_ns = fault.lasts_ns.map(|ns| ns.div_ceil(unit_ns.min(ns)) * unit_ns.min(ns));
}

/// To the next whole hundredth of a second.
fn round_up(ns: u64) -> u64 {
    ns.div_ceil(10 * MILLISECOND) * 10 * MILLISECOND
}
