//! The run's own error budget, and whether what happened would have paged somebody.
//!
//! Burn rate is the share of errors over the share that the objective allows. A pair of windows fires
//! when both exceed its threshold. A run is short: before and after it a declared baseline goes on at the
//! same rate, so that every window is full.
//!
//! Source: Beyer and others, "The Site Reliability Workbook", 2018, chapter 5.

use wrack_history::alert::Alert;
use wrack_history::duration::SECOND;
use wrack_history::gate::{Measured, Unit};
use wrack_history::picture::{Budget, Burn};
use wrack_history::run::Slo;
use wrack_history::setting::percent;
use wrack_history::{Outcome, Run};
use wrack_scenario::{Alerting, Scenario};

/// While it goes on, the run is looked at so often.
const STEP_NS: u64 = 10_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Two windows that must both burn too fast.
struct Pair {
    windows: &'static str,
    long_ns: u64,
    short_ns: u64,
    burn_rate_tenths: u32,
    severity: &'static str,
}

/// For a period of 30 days; each threshold is the share of the budget that may be gone, times the period
/// over the long window.
const PAIRS: [Pair; 4] = [
    Pair {
        windows: "1h/5m",
        long_ns: HOUR,
        short_ns: 5 * MINUTE,
        burn_rate_tenths: 144,
        severity: "page",
    },
    Pair {
        windows: "6h/30m",
        long_ns: 6 * HOUR,
        short_ns: 30 * MINUTE,
        burn_rate_tenths: 60,
        severity: "page",
    },
    Pair {
        windows: "1d/2h",
        long_ns: DAY,
        short_ns: 2 * HOUR,
        burn_rate_tenths: 30,
        severity: "ticket",
    },
    Pair {
        windows: "3d/6h",
        long_ns: 3 * DAY,
        short_ns: 6 * HOUR,
        burn_rate_tenths: 10,
        severity: "ticket",
    },
];

/// The budget as an objective, and every pair of windows; nothing if the scenario asks for neither,
/// and no pair where too little happened.
pub fn judge(scenario: &Scenario, run: &Run) -> (Option<Slo>, Vec<Alert>) {
    let Some(alerting) = &scenario.alert else { return (None, Vec::new()) };
    let traffic = Traffic::of(run, alerting);
    let slo = traffic.budget();
    let alerts = match slo.met {
        Some(_) => PAIRS.iter().map(|pair| traffic.alert(pair, run)).collect(),
        None => Vec::new(),
    };
    (Some(slo), alerts)
}

/// The budget over time, looked at so often, for a report.
pub fn budget(alerting: &Alerting, declared: bool, run: &Run, step_ns: u64) -> Option<Budget> {
    let traffic = Traffic::of(run, alerting);
    if traffic.total() < alerting.events_min {
        return None;
    }
    let step_ns = step_ns.div_ceil(STEP_NS).max(1) * STEP_NS;
    let looks = || (1..=traffic.length_ns / step_ns).map(|look| look * step_ns);
    let burns = PAIRS.iter().map(|pair| {
        let Alert { fired_ns, detected_after_ns, recovered_after_ns, .. } =
            traffic.alert(pair, run);
        let slower =
            |ns| traffic.burn_tenths(ns, pair.long_ns).min(traffic.burn_tenths(ns, pair.short_ns));
        Burn {
            windows: pair.windows.into(),
            severity: pair.severity.into(),
            threshold_tenths: pair.burn_rate_tenths,
            points: looks().map(|ns| (ns, slower(ns))).collect(),
            fired_ns,
            detected_after_ns,
            recovered_after_ns,
        }
    });
    Some(Budget {
        objective_per_million: alerting.objective_per_million,
        declared,
        remaining: looks().map(|ns| (ns, traffic.remaining_per_million(ns))).collect(),
        burns: burns.collect(),
    })
}

/// Operations of a run by when they were invoked.
struct Traffic<'a> {
    alerting: &'a Alerting,
    /// As long as clients ask.
    length_ns: u64,
    /// Operations before each step, and before the end.
    events: Vec<u64>,
    /// Those of them that did not end ok.
    errors: Vec<u64>,
    first_error_ns: Option<u64>,
}

impl<'a> Traffic<'a> {
    fn of(run: &Run, alerting: &'a Alerting) -> Self {
        let steps = run.phases.quiet_end_ns.div_ceil(STEP_NS).max(1) as usize;
        let length_ns = steps as u64 * STEP_NS;
        let (mut events, mut errors) = (vec![0; steps + 1], vec![0; steps + 1]);
        let mut first_error_ns: Option<u64> = None;
        for operation in &run.history.operations {
            let ns = operation.invoke.ns;
            if ns >= run.phases.quiet_end_ns {
                continue;
            }
            let step = (ns / STEP_NS) as usize + 1;
            events[step] += 1;
            if operation.outcome != Outcome::Ok {
                errors[step] += 1;
                first_error_ns = Some(first_error_ns.map_or(ns, |first| first.min(ns)));
            }
        }
        for step in 1..=steps {
            events[step] += events[step - 1];
            errors[step] += errors[step - 1];
        }
        Self { alerting, length_ns, events, errors, first_error_ns }
    }

    fn total(&self) -> u64 {
        *self.events.last().expect("there is a first step")
    }

    fn failed(&self) -> u64 {
        *self.errors.last().expect("there is a first step")
    }

    /// The share of errors that the objective allows, in millionths.
    fn allowed_per_million(&self) -> u64 {
        1_000_000 - u64::from(self.alerting.objective_per_million)
    }

    /// What the run spent of its own budget: it must not be more than there is.
    fn budget(&self) -> Slo {
        let (total, failed, allowed) = (self.total(), self.failed(), self.allowed_per_million());
        let spent = (u128::from(failed) * 1_000_000_000_000)
            .div_ceil(u128::from(total.max(1)) * u128::from(allowed.max(1)));
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        let told = percent(u32::try_from(spent / 10_000 * 10_000).unwrap_or(u32::MAX));
        let enough = total >= self.alerting.events_min;
        let objective = percent(self.alerting.objective_per_million);
        Slo {
            name: "error-budget".into(),
            objective: format!("at most 100% spent (objective {objective})"),
            observed: format!("{told} ({failed} of {total} failed)"),
            met: enough.then_some(spent <= 1_000_000),
            measured: Some(Measured {
                number: spent,
                unit: Unit::PerMillion,
                higher_is_better: false,
                events: total,
            }),
            pooled: None,
        }
    }

    /// Whether a pair of windows would have fired, when, and for how long.
    fn alert(&self, pair: &Pair, run: &Run) -> Alert {
        let burns = |ns, window_ns| self.burns(ns, window_ns, pair.burn_rate_tenths);
        let fires = |ns| burns(ns, pair.long_ns) && burns(ns, pair.short_ns);
        let fired = (1..=self.length_ns / STEP_NS).map(|step| step * STEP_NS).find(|ns| fires(*ns));
        let began = run.faults.iter().filter_map(|fault| fault.injected_ns).min();
        let over = |fired: u64| {
            let during = (fired / STEP_NS..self.length_ns / STEP_NS).map(|step| step * STEP_NS);
            let after = (0..=pair.short_ns / SECOND).map(|second| self.length_ns + second * SECOND);
            during.chain(after).find(|ns| !fires(*ns)).map(|ns| ns - fired)
        };
        let first = |fired: u64| {
            let began = began.filter(|began| *began <= fired).or(self.first_error_ns);
            began.map(|began| fired.saturating_sub(began))
        };
        Alert {
            windows: pair.windows.into(),
            severity: pair.severity.into(),
            burn_rate_tenths: pair.burn_rate_tenths,
            fired_ns: fired,
            detected_after_ns: fired.and_then(first),
            recovered_after_ns: fired.and_then(over),
        }
    }

    /// What is left of the run's own budget then, in millionths of it.
    fn remaining_per_million(&self, ns: u64) -> i64 {
        let failed = u128::from(self.errors[(ns / STEP_NS) as usize]);
        let all = u128::from(self.total()) * u128::from(self.allowed_per_million());
        let spent = failed * 1_000_000_000_000 / all.max(1);
        1_000_000 - i64::try_from(spent).unwrap_or(i64::MAX / 2)
    }

    /// How fast the window that ends then burns, in tenths.
    fn burn_tenths(&self, end_ns: u64, window_ns: u64) -> i64 {
        let (errors, events) = self.inside(end_ns, window_ns);
        let tenths = errors * 10 / (events * u128::from(self.allowed_per_million())).max(1);
        i64::try_from(tenths).unwrap_or(i64::MAX)
    }

    /// Whether the window that ends then burns faster than so many tenths.
    fn burns(&self, end_ns: u64, window_ns: u64, tenths: u32) -> bool {
        let (errors, events) = self.inside(end_ns, window_ns);
        errors * 10 > events * u128::from(tenths) * u128::from(self.allowed_per_million())
    }

    /// Errors, times a million, and events of a window that ends then.
    ///
    /// All in whole numbers: events are counted times the run's length, errors times a million more.
    fn inside(&self, end_ns: u64, window_ns: u64) -> (u128, u128) {
        let length = u128::from(self.length_ns);
        let step = |ns: u64| (ns.min(self.length_ns) / STEP_NS) as usize;
        let (first, last) = (step(end_ns.saturating_sub(window_ns)), step(end_ns));
        let inside_ns = (last - first) as u64 * STEP_NS;
        let outside = u128::from(window_ns.saturating_sub(inside_ns)) * u128::from(self.total());
        let baseline = u128::from(self.alerting.baseline_errors_per_million);
        let events = u128::from(self.events[last] - self.events[first]) * length + outside;
        let errors = u128::from(self.errors[last] - self.errors[first]) * length * 1_000_000
            + outside * baseline;
        (errors, events)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::fault::ResolvedFault;
    use wrack_history::run::Phases;
    use wrack_history::{History, Moment, Operation, Value};

    use super::*;

    const ALERTING: Alerting = Alerting {
        objective_per_million: 999_000,
        baseline_errors_per_million: 0,
        events_min: 100,
    };

    /// A hundred operations a second for so many seconds, which fail while `fails` says so.
    fn run(seconds: u64, fails: impl Fn(u64) -> bool) -> Run {
        let operation = |index: u64| {
            let ns = index * 10_000_000;
            let outcome = if fails(ns) { Outcome::Fail } else { Outcome::Ok };
            let moment = Moment { index, ns };
            Operation {
                id: index,
                process: 0,
                session: 0,
                key: "k".into(),
                function: "read".into(),
                argument: Value::Nil,
                result: Value::Nil,
                outcome,
                invoke: moment,
                complete: moment,
                details: None,
            }
        };
        let operations = (0..seconds * 100).map(operation).collect();
        Run {
            history: History { operations, ..History::default() },
            phases: Phases { quiet_end_ns: seconds * SECOND, ..Phases::default() },
            ..Run::default()
        }
    }

    fn alerts(run: &Run, alerting: &Alerting) -> Vec<Alert> {
        let traffic = Traffic::of(run, alerting);
        PAIRS.iter().map(|pair| traffic.alert(pair, run)).collect()
    }

    #[test]
    fn a_full_outage_at_three_nines_pages_after_51_8_seconds() {
        let run = run(70, |_| true);
        let alerts = alerts(&run, &ALERTING);
        let first = &alerts[0];
        assert_eq!((first.windows.as_str(), first.severity.as_str()), ("1h/5m", "page"));
        assert_eq!(first.fired_ns, Some(51_850_000_000));
        assert_eq!(first.detected_after_ns, Some(51_850_000_000));
        assert!(alerts[1..].iter().all(|alert| alert.fired_ns.is_none()), "{alerts:?}");
    }

    #[test]
    fn a_shorter_outage_pages_nobody_and_spends_the_budget_all_the_same() {
        let run = run(60, |ns| ns < 51 * SECOND);
        assert!(alerts(&run, &ALERTING).iter().all(|alert| alert.fired_ns.is_none()));
        let slo = Traffic::of(&run, &ALERTING).budget();
        assert_eq!(slo.met, Some(false));
        assert_eq!(slo.measured.unwrap().number, 850_000_000);
    }

    #[test]
    fn it_is_detected_from_the_first_fault_on_and_over_when_the_short_window_is_clean() {
        let outage = (20 * SECOND, 80 * SECOND);
        let mut run = run(100, |ns| (outage.0..outage.1).contains(&ns));
        let fault = ResolvedFault {
            settings: wrack_history::Settings::default(),
            id: 0,
            occurrence: 0,
            kind: "partition".into(),
            detail: "".into(),
            nodes: Vec::new(),
            injected_ns: Some(10 * SECOND),
            healed_ns: None,
            effect: 1,
            unit: "messages dropped".into(),
            operations_open: 1,
            effect_span_ns: None,
        };
        run.faults = vec![fault];
        let first = &alerts(&run, &ALERTING)[0];
        assert_eq!(first.fired_ns, Some(71_850_000_000));
        assert_eq!(first.detected_after_ns, Some(61_850_000_000));
        // The short window holds 60 s of errors, and must get down to 4.32 s of them: it ends 300 s
        // after the moment that only so much of the outage is left, 75.68 s.
        let recovered = first.fired_ns.unwrap() + first.recovered_after_ns.unwrap();
        assert_eq!(recovered, 376 * SECOND);
    }

    #[test]
    fn errors_of_the_baseline_count_as_well() {
        let run = run(60, |_| false);
        let leaking = Alerting { baseline_errors_per_million: 20_000, ..ALERTING };
        let first = &alerts(&run, &leaking)[0];
        assert_eq!(first.fired_ns, Some(STEP_NS), "it had been burning before");
        let fine = Alerting { baseline_errors_per_million: 500, ..ALERTING };
        assert!(alerts(&run, &fine).iter().all(|alert| alert.fired_ns.is_none()));
    }

    #[test]
    fn with_too_few_events_nothing_is_said() {
        let slo = Traffic::of(&run(1, |_| true), &ALERTING).budget();
        assert_eq!(slo.met, Some(false));
        let many = Alerting { events_min: 101, ..ALERTING };
        assert_eq!(Traffic::of(&run(1, |_| true), &many).budget().met, None);
    }

    #[test]
    fn a_budget_that_is_spent_to_the_last_is_kept() {
        let slo = Traffic::of(&run(10, |ns| ns == 0), &ALERTING).budget();
        assert_eq!(slo.met, Some(true));
        assert_eq!(slo.observed, "100% (1 of 1000 failed)");
    }
}
