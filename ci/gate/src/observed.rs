//! What a group showed over its seeds: all that a gate looks at.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use wrack_history::alert::Alert;
use wrack_history::catalogue::{MetricInfo, ParameterKind};
use wrack_history::gate::{Level, Measured, Unit};
use wrack_history::run::Pooled;
use wrack_history::{Outcome, Run, Verdict};
use wrack_scenario::{Expectation, Scenario};

/// What a gate measures of every group that is expected to be valid, beside the objectives that its
/// scenario declares.
pub const METRICS: &[&MetricInfo] = &[
    &MetricInfo {
        name: "attempts",
        doc: "Attempts of clients for every thousand operations of all seeds together, rounded up.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: i64::MAX },
    },
    &MetricInfo {
        name: "latency-p50",
        doc: "Median time of operations that ended ok, of all seeds together.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "latency-p99",
        doc: "Time of operations that ended ok, of all seeds together: the 99th percentile.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "messages",
        doc: "Messages for every thousand operations of all seeds together, rounded up.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: i64::MAX },
    },
    &MetricInfo {
        name: "ok-share",
        doc: "Operations that ended ok, of all operations of all seeds together.",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "pages",
        doc: "Seeds in which an alert would have paged somebody, where the scenario asks.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: i64::MAX },
    },
];

/// Something that should not be, and which seeds show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The seeds, in the order in which they ran.
    pub seeds: Vec<u64>,
    /// Why it should not be, as the first of them shows it.
    pub text: String,
    /// The command that replays the first of them.
    pub replay: Option<String>,
}

/// What a group showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The scenario's name.
    pub scenario: String,
    /// A digest of the scenario file.
    pub scenario_hash: String,
    /// The path of the scenario file, as it was given.
    pub path: String,
    /// The line that says what is expected of the variant.
    pub line: usize,
    /// The variant's name.
    pub variant: String,
    /// `valid`, or the code of the anomaly that is expected.
    pub expected: String,
    /// Seeds in all.
    pub seeds: u64,
    /// Seeds whose run is as it should be.
    pub found: u64,
    /// Whether the expected anomaly was found in enough seeds: a note if so, unknown if there were too
    /// few to ask, else a failure.
    pub share: Level,
    /// Operations that ended ok.
    pub ok_operations: u64,
    /// Whether the scenario names its operations, and so says itself how many must end ok.
    pub names_operations: bool,
    /// What should not be, by name: codes of anomalies, `slo NAME`.
    pub seen: BTreeMap<String, Seen>,
    /// Runs that say nothing, with why the first does not.
    pub unknown: Option<Seen>,
    /// Objectives that no seed could decide, with what was observed.
    pub undecided: BTreeMap<String, String>,
    /// How many seeds ran twice.
    pub twice: u64,
    /// Those of them that gave two different runs, with where they part.
    pub different: Option<Seen>,
    /// What was measured over all seeds.
    pub metrics: BTreeMap<String, Measured>,
}

/// Takes in the runs of one group.
pub struct Tally {
    observed: Observed,
    operations: u64,
    messages: u64,
    attempts: u64,
    latency_ns: Histogram<u64>,
    /// Runs that say whether somebody would have been paged, and those in which somebody would.
    alerted: (u64, u64),
    decided: BTreeSet<String>,
    /// The seeds that have a part in what is pooled and should not be.
    duplicating: Seen,
}

impl Tally {
    /// Nothing yet.
    pub fn new(scenario: &Scenario, variant: &Expectation) -> Self {
        Self::of(Observed {
            scenario: scenario.name.clone(),
            names_operations: scenario.operations.is_some(),
            scenario_hash: scenario.hash.clone(),
            path: scenario.path.clone(),
            line: scenario.line_of(&variant.variant),
            variant: variant.variant.to_string(),
            expected: variant.expected().into(),
            ..Observed::default()
        })
    }

    fn of(observed: Observed) -> Self {
        Self {
            observed,
            operations: 0,
            messages: 0,
            attempts: 0,
            latency_ns: Histogram::new(3).expect("three digits are allowed"),
            alerted: (0, 0),
            decided: BTreeSet::new(),
            duplicating: Seen::default(),
        }
    }

    /// Takes a run in; says whether it is the first to show something, and so worth keeping.
    pub fn add(&mut self, run: &Run) -> bool {
        self.observed.seeds += 1;
        self.observed.ok_operations += run.counts.ok;
        let mut first = false;
        for (name, text) in wrongs(run) {
            first |= note(self.observed.seen.entry(name).or_default(), run, text);
        }
        let must_be_valid = run.expected == "valid";
        if must_be_valid && run.verdict == Verdict::Unknown {
            let doubt = run.doubts.first().map_or("no reason is given", String::as_str);
            first |= note(self.observed.unknown.get_or_insert_default(), run, doubt.into());
        }
        if must_be_valid {
            self.measure(run);
        }
        first
    }

    /// Notes that the run of a seed came out differently the second time.
    pub fn differs(&mut self, seed: u64, text: String, replay: String) {
        let seen = self.observed.different.get_or_insert_default();
        if seen.seeds.is_empty() {
            *seen = Seen { seeds: Vec::new(), text, replay: Some(replay) };
        }
        seen.seeds.push(seed);
    }

    /// Notes that so many seeds ran twice.
    pub fn ran_twice(&mut self, seeds: u64) {
        self.observed.twice = seeds;
    }

    /// What all runs showed; how many were as they should be, whether these are enough, and what is judged
    /// over all seeds together is counted elsewhere.
    pub fn finish(mut self, found: u64, share: Level, pooled: Option<Pooled>) -> Observed {
        self.observed.found = found;
        self.observed.share = share;
        if let Some(pooled) = pooled {
            self.decide(pooled);
        }
        let decided = &self.decided;
        self.observed.undecided.retain(|name, _| !decided.contains(name));
        let mut metric = |name: &str, number: u64, unit: Unit, events: u64| {
            let higher_is_better = unit == Unit::PerMillion;
            let measured = Measured { number, unit, higher_is_better, events };
            if events > 0 {
                self.observed.metrics.insert(name.into(), measured);
            }
        };
        let operations = self.operations;
        let for_every_thousand = |count: u64| (count * 1_000).div_ceil(operations.max(1));
        let ok = self.latency_ns.len();
        metric("attempts", for_every_thousand(self.attempts), Unit::Count, operations);
        metric("latency-p50", self.latency_ns.value_at_quantile(0.5), Unit::Ns, ok);
        metric("latency-p99", self.latency_ns.value_at_quantile(0.99), Unit::Ns, ok);
        metric("messages", for_every_thousand(self.messages), Unit::Count, operations);
        let (judged, paged) = self.alerted;
        metric("pages", paged, Unit::Count, judged);
        metric("ok-share", ok * 1_000_000 / operations.max(1), Unit::PerMillion, operations);
        self.observed
    }

    /// What one run has too few events for is decided over all of them.
    fn decide(&mut self, pooled: Pooled) {
        let name = Pooled::METRIC.to_owned();
        let Some(met) = pooled.met() else {
            self.observed.undecided.insert(name, pooled.to_string());
            return;
        };
        if !met {
            let seeds = std::mem::take(&mut self.duplicating);
            let seen = Seen { text: pooled.to_string(), ..seeds };
            self.observed.seen.insert(format!("slo {name}"), seen);
        }
        self.decided.insert(name);
    }

    fn measure(&mut self, run: &Run) {
        self.operations += run.counts.total();
        self.messages += run.messages;
        for operation in &run.history.operations {
            let tried = operation.details.as_ref().and_then(|details| details.attempts);
            self.attempts += u64::from(tried.unwrap_or(1));
            if operation.outcome == Outcome::Ok {
                let ns = operation.complete.ns - operation.invoke.ns;
                self.latency_ns.record(ns.max(1)).expect("the histogram grows");
            }
        }
        let pages = |alert: &Alert| alert.severity == "page" && alert.fired_ns.is_some();
        self.alerted.0 += u64::from(!run.alerts.is_empty());
        self.alerted.1 += u64::from(run.alerts.iter().any(pages));
        for slo in &run.slos {
            match slo.met {
                Some(_) => drop(self.decided.insert(slo.name.clone())),
                None => drop(
                    self.observed.undecided.entry(slo.name.clone()).or_insert(slo.observed.clone()),
                ),
            }
            if slo.pooled.is_some_and(|pooled| pooled.duplicates > 0) {
                note(&mut self.duplicating, run, String::new());
            }
            if let Some(measured) = slo.measured {
                let worst = self.observed.metrics.entry(slo.name.clone()).or_insert(measured);
                let is_worse = match measured.higher_is_better {
                    true => measured.number < worst.number,
                    false => measured.number > worst.number,
                };
                if is_worse {
                    *worst = measured;
                }
            }
        }
    }
}

/// What should not be in this run, by name, and why.
fn wrongs(run: &Run) -> Vec<(String, String)> {
    let explain = |code: &str| {
        let anomaly = run.anomalies().find(|anomaly| anomaly.code == code);
        anomaly.map_or_else(String::new, |anomaly| anomaly.explanation.clone())
    };
    let mut wrongs: Vec<_> =
        run.foreign.iter().map(|code| (code.to_string(), explain(code))).collect();
    let missed = run.slos.iter().filter(|slo| slo.met == Some(false));
    wrongs.extend(missed.map(|slo| {
        (format!("slo {}", slo.name), format!("{} was promised, {}", slo.objective, slo.observed))
    }));
    // Whatever else makes a run not as expected has no name of its own, but is not let through.
    if wrongs.is_empty() && !run.as_expected && run.verdict == Verdict::Invalid {
        wrongs.push(("invalid".into(), "a checker says so, without an anomaly".into()));
    }
    wrongs
}

/// Notes that the run shows it; says whether it is the first that does.
fn note(seen: &mut Seen, run: &Run, text: String) -> bool {
    let first = seen.seeds.is_empty();
    if first {
        *seen = Seen { seeds: Vec::new(), text, replay: Some(run.replay.clone()) };
    }
    seen.seeds.push(run.seed);
    first
}

#[cfg(test)]
mod tests {
    use wrack_history::Run;
    use wrack_history::gate::Level;
    use wrack_history::run::{Pooled, Slo};

    use super::{Observed, Tally};

    /// What a gate sees of seeds with so many duplicates each, of 20,000 effects.
    fn observed(duplicates: &[u64]) -> Observed {
        let mut tally = Tally::of(Observed { expected: "valid".into(), ..Observed::default() });
        let mut all: Option<Pooled> = None;
        for (seed, duplicates) in (0..).zip(duplicates) {
            let pooled =
                Pooled { duplicates: *duplicates, effects: 20_000, at_most_per_million: 100 };
            all = Some(all.map_or(pooled, |all| all.and(pooled)));
            let slo = Slo {
                name: "M5".into(),
                objective: String::new(),
                observed: String::new(),
                met: None,
                measured: None,
                pooled: Some(pooled),
            };
            tally.add(&Run {
                seed,
                expected: "valid".into(),
                as_expected: true,
                slos: vec![slo],
                ..Run::default()
            });
        }
        tally.finish(duplicates.len() as u64, Level::Note, all)
    }

    #[test]
    fn what_no_seed_decides_alone_is_decided_by_all_together() {
        let one = observed(&[0]);
        assert_eq!(
            one.undecided["M5"],
            "M5: 0 of 20000 effects are duplicates, at most 0.01% may be; below 30000 that says nothing"
        );
        let good = observed(&[4, 0]);
        assert!(good.undecided.is_empty() && good.seen.is_empty(), "{good:?}");
        let bad = observed(&[0, 5]);
        assert!(bad.undecided.is_empty());
        assert_eq!(bad.seen["slo M5"].seeds, [1]);
        assert_eq!(
            bad.seen["slo M5"].text,
            "M5: 5 of 40000 effects are duplicates, at most 0.01% may be"
        );
    }
}
