//! A run as OpenMetrics text, sampled over its virtual time.
//!
//! Every sample has its time, so that `promtool tsdb create-blocks-from openmetrics` can bring a run
//! into a Prometheus as if it had been scraped. Every sample names scenario, variant and seed, so
//! that several runs stand side by side there.
//!
//! Source: OpenMetrics 1.0. Written here because no crate writes the time of a sample.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use wrack_history::gate::Unit;
use wrack_history::{Fact, FactRecord, Outcome, Run, SmolStr, Verdict};

use super::metric::{self, Metric};
use super::ticks::Ticks;
use crate::text;

/// Upper bounds of the histogram's buckets, in nanoseconds.
const BUCKETS_NS: [u64; 13] = [
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Writes everything.
pub(crate) fn text(run: &Run) -> String {
    let mut page = Page::new(run);
    page.identity(run);
    page.anomalies(run);
    page.operations(run);
    page.durations(run);
    page.faults(run);
    page.nodes(run);
    page.objectives(run);
    page.alerts(run);
    page.out + "# EOF\n"
}

struct Page {
    out: String,
    /// Labels of every sample.
    identity: String,
    ticks: Ticks,
}

/// Names and values of the labels of a series.
type Labels<'a> = [(&'static str, &'a str)];

impl Page {
    fn new(run: &Run) -> Self {
        let functions = by_function(run).len() as u64;
        let series = 20 * functions + run.faults.len() as u64 + 6 * run.nodes.len() as u64 + 20;
        let mut identity = String::new();
        let seed = run.seed.to_string();
        for (name, value) in
            [("scenario", &run.scenario), ("variant", &run.variant), ("seed", &seed)]
        {
            label(&mut identity, name, value);
        }
        Self { out: String::new(), identity, ticks: Ticks::of(run, series) }
    }

    fn family(&mut self, metric: &Metric) {
        let Metric { name, kind, unit, help } = metric;
        let out = &mut self.out;
        writeln!(out, "# TYPE {name} {kind}").expect(TO_MEMORY);
        if !unit.is_empty() {
            writeln!(out, "# UNIT {name} {unit}").expect(TO_MEMORY);
        }
        writeln!(out, "# HELP {name} {help}").expect(TO_MEMORY);
    }

    fn sample(&mut self, name: &str, labels: &Labels<'_>, value: impl Display, ns: u64) {
        let out = &mut self.out;
        write!(out, "{name}{{{}", self.identity).expect(TO_MEMORY);
        labels.iter().for_each(|(name, value)| label(out, name, value));
        writeln!(out, "}} {value} {}", seconds(ns / 1_000_000 * 1_000_000)).expect(TO_MEMORY);
    }

    /// A series that has a value at every moment.
    fn series(&mut self, name: &str, labels: &Labels<'_>, value: impl Fn(usize, u64) -> u64) {
        let moments: Vec<_> = self.ticks.moments().collect();
        for (tick, ns) in moments {
            self.sample(name, labels, value(tick, ns), ns);
        }
    }

    /// A series that is 1 within these spans and 0 outside.
    fn spans(&mut self, name: &str, labels: &Labels<'_>, spans: &[(u64, u64)]) {
        self.series(name, labels, |_, ns| {
            u64::from(spans.iter().any(|(from, to)| (*from..*to).contains(&ns)))
        });
    }

    fn identity(&mut self, run: &Run) {
        let end_ns = self.ticks.end_ns();
        self.family(&metric::RUN);
        let labels = [
            ("design", run.design.as_str()),
            ("engine", &run.engine),
            ("expected", &run.expected),
            ("scenario_hash", &run.scenario_hash),
            ("trace_hash", &run.trace_hash),
            ("wrack_version", &run.wrack_version),
        ];
        self.series("wrack_run_info", &labels, |_, _| 1);
        self.family(&metric::VERDICT);
        for verdict in [Verdict::Valid, Verdict::Unknown, Verdict::Invalid] {
            let is = u64::from(run.verdict == verdict);
            let name = verdict.to_string();
            self.sample(metric::VERDICT.name, &[("wrack_verdict", &name)], is, end_ns);
        }
        self.family(&metric::AS_EXPECTED);
        self.sample(metric::AS_EXPECTED.name, &[], u64::from(run.as_expected), end_ns);
    }

    fn anomalies(&mut self, run: &Run) {
        let mut codes = BTreeMap::<&str, Vec<u64>>::new();
        for judgement in &run.judgements {
            let seen = judgement.anomalies.iter().map(|one| one.at_ns.unwrap_or(u64::MAX));
            codes.entry(&judgement.code).or_default().extend(seen);
        }
        self.family(&metric::ANOMALIES);
        for (code, times) in codes {
            let counts = self.ticks.cumulate(times.into_iter());
            self.series("wrack_anomalies_total", &[("code", code)], |tick, _| counts[tick]);
        }
    }

    fn operations(&mut self, run: &Run) {
        self.family(&metric::OPERATIONS);
        for (function, operations) in by_function(run) {
            for outcome in [Outcome::Ok, Outcome::Fail, Outcome::Info] {
                let of = operations.iter().filter(|one| one.outcome == outcome);
                let counts = self.ticks.cumulate(of.map(|one| one.complete.ns));
                let labels = [("function", function), ("outcome", text::outcome(outcome))];
                self.series("wrack_operations_total", &labels, |tick, _| counts[tick]);
            }
        }
        let operations = || run.history.operations.iter();
        let invoked = self.ticks.cumulate(operations().map(|one| one.invoke.ns));
        let done = operations().map(|one| one.complete.ns).filter(|ns| *ns < u64::MAX);
        let done = self.ticks.cumulate(done);
        self.family(&metric::OPEN);
        self.series(metric::OPEN.name, &[], |tick, _| invoked[tick].saturating_sub(done[tick]));
    }

    fn durations(&mut self, run: &Run) {
        let name = metric::DURATION.name;
        let (bucket, count, sum) =
            (format!("{name}_bucket"), format!("{name}_count"), format!("{name}_sum"));
        self.family(&metric::DURATION);
        for (function, operations) in by_function(run) {
            let done = operations.iter().filter(|one| one.is_ok());
            let done = done.map(|one| (one.complete.ns, one.complete.ns - one.invoke.ns));
            let mut done: Vec<(u64, u64)> = done.collect();
            done.sort_unstable();
            let (mut next, mut counts, mut sum_ns) = (0, [0u64; BUCKETS_NS.len()], 0u64);
            let moments: Vec<_> = self.ticks.moments().collect();
            for (tick, ns) in moments {
                while next < done.len() && self.ticks.after(done[next].0) <= tick {
                    let took = done[next].1;
                    let holds =
                        BUCKETS_NS.iter().zip(&mut counts).filter(|(upto, _)| took <= **upto);
                    holds.for_each(|(_, count)| *count += 1);
                    (sum_ns, next) = (sum_ns + took, next + 1);
                }
                for (upto, held) in BUCKETS_NS.iter().zip(counts) {
                    let upto = seconds(*upto);
                    self.sample(&bucket, &[("function", function), ("le", &upto)], held, ns);
                }
                let function = ("function", function);
                self.sample(&bucket, &[function, ("le", "+Inf")], next, ns);
                self.sample(&count, &[function], next, ns);
                self.sample(&sum, &[function], seconds(sum_ns), ns);
            }
        }
    }

    fn faults(&mut self, run: &Run) {
        let named: Vec<_> = run
            .faults
            .iter()
            .map(|fault| (fault, format!("F{}", fault.id + 1), fault.occurrence.to_string()))
            .collect();
        self.family(&metric::FAULT);
        for (fault, id, occurrence) in &named {
            let Some(from) = fault.injected_ns else { continue };
            let labels =
                [("fault", id.as_str()), ("occurrence", occurrence), ("kind", &fault.kind)];
            let span = (from, fault.healed_ns.unwrap_or(u64::MAX));
            self.spans(metric::FAULT.name, &labels, &[span]);
        }
        self.family(&metric::FAULT_EFFECT);
        for (fault, id, occurrence) in &named {
            let labels = [
                ("fault", id.as_str()),
                ("occurrence", occurrence),
                ("kind", &fault.kind),
                ("counts", &fault.unit),
            ];
            let end_ns = self.ticks.end_ns();
            self.sample(metric::FAULT_EFFECT.name, &labels, fault.effect, end_ns);
        }
    }

    fn nodes(&mut self, run: &Run) {
        let servers = run.nodes.len().saturating_sub(run.clients as usize);
        let nodes = run.nodes[..servers].iter().zip(0..);
        let nodes: Vec<_> = nodes
            .map(|(name, index)| {
                (name, run.facts.iter().filter(|one| one.node == index).collect::<Vec<_>>())
            })
            .collect();
        self.family(&metric::NODE_UP);
        for (name, facts) in &nodes {
            let end_ns = self.ticks.end_ns();
            let down = down(facts, end_ns);
            let is_up = |ns| !down.iter().any(|(from, to)| (*from..*to).contains(&ns));
            self.series(metric::NODE_UP.name, &[("node", name)], |_, ns| u64::from(is_up(ns)));
        }
        self.family(&metric::NODE_ROLE);
        for (name, facts) in &nodes {
            for role in roles(facts) {
                let labels = [("node", name.as_str()), ("role", role)];
                let holds = |ns| role_at(facts, ns).is_some_and(|(held, _)| held == role);
                self.series(metric::NODE_ROLE.name, &labels, |_, ns| u64::from(holds(ns)));
            }
        }
        self.family(&metric::NODE_EPOCH);
        for (name, facts) in nodes.iter().filter(|(_, facts)| !roles(facts).is_empty()) {
            let epoch = |ns| role_at(facts, ns).map_or(0, |(_, epoch)| epoch);
            self.series(metric::NODE_EPOCH.name, &[("node", name)], |_, ns| epoch(ns));
        }
        self.family(&metric::NODE_CRASHES);
        for (name, facts) in &nodes {
            let crashed = facts.iter().filter(|one| one.fact == Fact::Crashed);
            let counts = self.ticks.cumulate(crashed.map(|one| one.ns));
            self.series("wrack_node_crashes_total", &[("node", name)], |tick, _| counts[tick]);
        }
    }

    fn objectives(&mut self, run: &Run) {
        let end_ns = self.ticks.end_ns();
        // Two objectives of one metric differ in what they promise.
        self.family(&metric::SLO_MET);
        for slo in &run.slos {
            if let Some(met) = slo.met {
                let labels = [("slo", slo.name.as_str()), ("objective", &slo.objective)];
                self.sample(metric::SLO_MET.name, &labels, u64::from(met), end_ns);
            }
        }
        self.family(&metric::SLO_OBSERVED);
        for slo in &run.slos {
            let Some(measured) = slo.measured else { continue };
            let (unit, number) = match measured.unit {
                Unit::Ns => ("seconds", seconds(measured.number)),
                Unit::PerMillion => ("ratio", decimal(measured.number, 6)),
                Unit::Count => ("count", measured.number.to_string()),
            };
            let labels =
                [("slo", slo.name.as_str()), ("objective", &slo.objective), ("unit", unit)];
            self.sample(metric::SLO_OBSERVED.name, &labels, number, end_ns);
        }
    }

    fn alerts(&mut self, run: &Run) {
        self.family(&metric::ALERT);
        for alert in &run.alerts {
            let labels = [("windows", alert.windows.as_str()), ("severity", &alert.severity)];
            let over =
                |fired: u64| alert.recovered_after_ns.map_or(u64::MAX, |after| fired + after);
            let spans: Vec<_> = alert.fired_ns.iter().map(|fired| (*fired, over(*fired))).collect();
            self.spans(metric::ALERT.name, &labels, &spans);
        }
    }
}

const TO_MEMORY: &str = "writing to a string succeeds";

/// Operations by function, in the order of the names.
fn by_function(run: &Run) -> BTreeMap<&str, Vec<&wrack_history::Operation>> {
    let mut functions = BTreeMap::<&str, Vec<_>>::new();
    for operation in &run.history.operations {
        functions.entry(&operation.function).or_default().push(operation);
    }
    functions
}

/// When a node was crashed or paused.
fn down(facts: &[&FactRecord], end_ns: u64) -> Vec<(u64, u64)> {
    let (mut spans, mut since) = (Vec::new(), None);
    for record in facts {
        match record.fact {
            Fact::Crashed | Fact::Paused => since = since.or(Some(record.ns)),
            Fact::Booted { .. } | Fact::Resumed => {
                spans.extend(since.take().map(|since| (since, record.ns)));
            }
            _ => (),
        }
    }
    // What is down at the end is so at the last moment, too.
    spans.extend(since.map(|since| (since, end_ns + 1)));
    spans
}

/// Every role that a node ever claimed.
fn roles<'a>(facts: &[&'a FactRecord]) -> Vec<&'a SmolStr> {
    let roles = facts.iter().filter_map(|record| match &record.fact {
        Fact::Role { role, .. } => Some(role),
        _ => None,
    });
    let mut roles: Vec<_> = roles.collect();
    roles.sort();
    roles.dedup();
    roles
}

/// What a node believes to be at a moment; a boot begins anew.
fn role_at<'a>(facts: &[&'a FactRecord], ns: u64) -> Option<(&'a SmolStr, u64)> {
    let until = &facts[..facts.partition_point(|record| record.ns <= ns)];
    until.iter().rev().find_map(|record| match &record.fact {
        Fact::Role { role, epoch } => Some(Some((role, *epoch))),
        Fact::Booted { .. } | Fact::Crashed => Some(None),
        _ => None,
    })?
}

/// Writes one label, with a comma in front unless it is the first.
fn label(out: &mut String, name: &str, value: &str) {
    if !matches!(out.as_bytes().last(), None | Some(b'{')) {
        out.push(',');
    }
    write!(out, "{name}=\"").expect(TO_MEMORY);
    for letter in value.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// Nanoseconds as seconds, exactly.
fn seconds(ns: u64) -> String {
    decimal(ns, 9)
}

/// A number of so many decimals, without zeros at its end.
fn decimal(number: u64, decimals: u32) -> String {
    let scale = 10u64.pow(decimals);
    let (whole, rest) = (number / scale, number % scale);
    let fraction = format!("{rest:0width$}", width = decimals as usize);
    match fraction.trim_end_matches('0') {
        "" => format!("{whole}.0"),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, label, seconds};

    #[test]
    fn numbers_are_exact() {
        assert_eq!(seconds(12_031_000_000), "12.031");
        assert_eq!(seconds(2_500_000), "0.0025");
        assert_eq!(seconds(60_000_000_000), "60.0");
        assert_eq!(decimal(999_500, 6), "0.9995");
    }

    #[test]
    fn a_label_cannot_end_its_quotes_or_its_line() {
        let mut out = String::new();
        label(&mut out, "a", "\"} 1\n# EOF\\");
        assert_eq!(out, "a=\"\\\"} 1\\n# EOF\\\\\"");
    }
}
