//! Service level metrics of a run, in virtual time, against the objectives of its scenario.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use hdrhistogram::Histogram;
use wrack_history::catalogue::{MetricInfo, ParameterKind};
use wrack_history::duration::{MICROSECOND, format as duration};
use wrack_history::gate::{Measured, Unit};
use wrack_history::picture::Metric;
use wrack_history::run::{Pooled, Slo};
use wrack_history::setting::percent;
use wrack_history::{FactRecord, Operation, Outcome, Run, Value};
use wrack_scenario::{Bound, Objective, Scenario};
use wrack_sequential::only_observes;

use self::caches::Caches;
use self::copies::Copies;
use self::leaders::Leaders;
use self::queue::Queues;

pub mod alerts;
mod caches;
mod conflicts;
mod copies;
mod leaders;
mod queue;
mod recovery;

/// Every metric that an objective can be declared over.
pub const ALL: &[&MetricInfo] = &[
    &MetricInfo {
        name: "M1",
        doc: "Authoritative write success: writes that were acknowledged and not lost, of all \
              writes that were issued, less those that a rule refused (a failed cas).",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "M2",
        doc: "Read staleness, at a quantile over all acknowledged writes and the regions that read them: \
              from the acknowledgement until the last read began that was still older. A write that no \
              later read saw counts until the run ends; those whose key was not read any more are left \
              out. The scenario must promise STALE.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "M3",
        doc: "Reconciliation completion: where copies follow a base, changes of it that a copy had applied \
              within `deadline`; else what was queued and taken within it. Of all for which the time was up \
              when the run ended.",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "M4",
        doc: "Event processing lag, at a quantile: where events are queued, time from when one is (the \
              commit of what it tells of) until it takes effect at its consumer; where copies follow a \
              base, time from a change of the base until a copy has applied it. An event that never \
              does counts as long as the run lasts.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "M4-as-seen",
        doc: "The same as the nodes see it: the consumer's wall clock when it is done, less the \
              time that the event carries, of the producer's wall clock. Where their clocks \
              disagree this is wrong, and below nothing counts as nothing; M4 is the truth.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "M5",
        doc: "Duplicate effects: effects beyond the first of each operation, of all effects; of several \
              seeds, of all together. Below 30,000 effects a share this small says nothing.",
        higher_is_better: false,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "M6",
        doc: "Cache hit ratio: reads that a cache answered by itself, of all that came to one, each \
              attempt by itself. The design must note what its caches do.",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "M7",
        doc: "Replica lag, at a quantile: where copies follow a base, how old the oldest change is that a \
              copy has not applied, looked at at every change; of read replicas, from when a write took \
              effect until a replica has it. In true time.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "M7-positions",
        doc: "Replica lag in positions of the log, at a quantile: at every change of the base, or write \
              that took effect, how many before it a copy or a read replica has not applied.",
        higher_is_better: false,
        kind: COUNT,
    },
    &MetricInfo {
        name: "M8",
        doc: "Reconciler backlog: changes that copies have not applied when the quiet phase ends, all \
              copies together. It must not rise either: the median slope over the last quarter of \
              the run adds at most a tenth of the bound, or 1.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: u32::MAX as i64 },
    },
    &MetricInfo {
        name: "availability",
        doc: "Operations that ended ok, of all that were invoked.",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "backlog",
        doc: "What waits in queues when the run ends: what was queued and never taken. How much \
              waited at most stands beside it.",
        higher_is_better: false,
        kind: COUNT,
    },
    &MetricInfo {
        name: "backlog-age",
        doc: "Time that things wait in a queue until they are taken, at a quantile. What is never \
              taken waits as long as the run lasts.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "conflicts",
        doc: "Of the writes that met a newer version than the one that they were based on, those that \
              were rejected. The others overwrote what they had not seen: those are lost updates.",
        higher_is_better: true,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "convergence",
        doc: "Convergence time: from the replica that accepted an update to the last one that it \
              reached, at a quantile over all updates, as the SEC guarantee measures it. The design must \
              promise SEC.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "db-reads",
        doc: "Reads that caches passed on to the database, for every hundred that came to one: what \
              freshness costs. Beside M2 it shows the trade-off of a time to live: the shorter it is, the \
              fresher and the dearer are reads. The design must note what its caches do.",
        higher_is_better: false,
        kind: COUNT,
    },
    &MetricInfo {
        name: "dual-belief",
        doc: "Dual-belief time: how long two or more nodes believed to lead (or own) at once, from the first \
              leader to the end of the quiet phase. In true time: by the clocks of the nodes it may well be \
              nothing. Whether it does harm is for SPLIT and LIN to say. The design must note its roles.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "latency",
        doc: "Time from invoke to completion of operations that ended ok, at a quantile, of one \
              function or of all.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "leader-churn",
        doc: "How often who leads (or owns) changed after the first time, a new term of the same node \
              included, until the end of the quiet phase. The design must note its roles.",
        higher_is_better: false,
        kind: COUNT,
    },
    &MetricInfo {
        name: "leaderless",
        doc: "Leaderless time: how long no node believed to lead (or own), from the first leader to the end \
              of the quiet phase, in true time. A leader that is cut off still believes; one that crashed \
              does not. The design must note its roles.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "recovery",
        doc: "Recovery time: from when a fault begins until a change that is asked for afterwards is \
              acknowledged, to whomever, at a quantile over all faults. A fault after which nothing is \
              acknowledged any more counts until the run ends. In true time.",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    },
    &MetricInfo {
        name: "retry-amplification",
        doc: "Attempts of clients for every hundred operations: 100 without any retry.",
        higher_is_better: false,
        kind: COUNT,
    },
    &MetricInfo {
        name: "siblings",
        doc: "Values that one final read of a register returned, at most, where concurrent writes are \
              all kept. The design must promise CRDT.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: 1_000_000 },
    },
    &MetricInfo {
        name: "silent-drops",
        doc: "Acknowledged writes that are gone although they began after the write that was kept had \
              completed, and that no promise of causal order covers. The scenario must promise LOST with \
              `order = \"causal\"`.",
        higher_is_better: false,
        kind: ParameterKind::Integer { min: 0, max: 1_000_000_000 },
    },
    &MetricInfo {
        name: "stale-hits",
        doc: "Hits of caches that returned something else than the newest value that had taken effect by \
              then, of all hits. Beside M6: a high hit ratio is easy for who does not look.",
        higher_is_better: false,
        kind: ParameterKind::PerMillion,
    },
    &MetricInfo {
        name: "write-amplification",
        doc: "Records and cells written to disks for every hundred writes that ended ok, on all \
              nodes together.",
        higher_is_better: false,
        kind: COUNT,
    },
];

const COUNT: ParameterKind = ParameterKind::Integer { min: 0, max: u32::MAX as i64 };

/// Fewer events than this say nothing about a share or a quantile.
const EVENTS_MIN: u64 = 100;

/// Judges every objective of the scenario.
///
/// `facts` are all that nodes noted; a run keeps those alone that a report draws.
pub fn judge(scenario: &Scenario, run: &Run, facts: &[FactRecord]) -> Vec<Slo> {
    let counted = Counted::new(run, facts);
    scenario.slos.iter().map(|objective| slo(objective, run, &counted)).collect()
}

/// What every metric observed that no objective of the run is about, quantiles at 99 %; those that the
/// design has nothing for are left out.
pub fn others(run: &Run, facts: &[FactRecord]) -> Vec<Metric> {
    let counted = Counted::new(run, facts);
    let is_judged = |name: &str| {
        run.slos.iter().any(|slo| slo.name.split(' ').next().is_some_and(|first| first == name))
    };
    let others = ALL.iter().filter(|info| !is_judged(info.name)).map(|info| Objective {
        metric: info.name.into(),
        function: None,
        deadline_ns: None,
        quantile_per_million: 990_000,
        bound: Bound::AtMostCount(0),
    });
    others
        .filter_map(|objective| {
            let observed = observe(&objective, run, &counted);
            observed.measured(false).filter(|measured| measured.events > 0)?;
            Some(Metric { name: name(&objective).into(), observed: observed.to_string() })
        })
        .collect()
}

/// What the facts say, counted when the first objective asks for it.
struct Counted<'a> {
    run: &'a Run,
    facts: &'a [FactRecord],
    caches: OnceCell<Caches>,
    copies: OnceCell<Copies>,
    leaders: OnceCell<Leaders>,
    queues: OnceCell<Queues>,
}

impl<'a> Counted<'a> {
    fn new(run: &'a Run, facts: &'a [FactRecord]) -> Self {
        let (caches, copies, leaders, queues) = Default::default();
        Self { run, facts, caches, copies, leaders, queues }
    }

    fn caches(&self) -> &Caches {
        self.caches.get_or_init(|| Caches::measure(&self.run.history, self.facts))
    }

    fn copies(&self) -> &Copies {
        self.copies.get_or_init(|| Copies::of(self.facts, self.run.phases))
    }

    fn leaders(&self) -> &Leaders {
        self.leaders.get_or_init(|| Leaders::of(self.facts, self.run.phases))
    }

    fn queues(&self) -> &Queues {
        self.queues.get_or_init(|| Queues::of(self.facts, self.run.phases.end_ns))
    }
}

fn observe(objective: &Objective, run: &Run, counted: &Counted<'_>) -> Observed {
    let quantile = f64::from(objective.quantile_per_million) / 1_000_000.0;
    match objective.metric.as_str() {
        "M1" => write_success(run),
        "M2" => staleness(objective, run),
        "M3" => completion(objective, counted),
        "M4" if counted.copies().is_empty() => counted.queues().lag(quantile),
        "M4" => counted.copies().lag(quantile),
        "M4-as-seen" => counted.queues().lag_as_seen(quantile),
        "M5" => counted.queues().duplicates(),
        "M6" => hit_ratio(counted.caches()),
        "M7" if counted.copies().is_empty() => replica_lag(objective, counted.caches()),
        "M7" => counted.copies().age(quantile),
        "M7-positions" if counted.copies().is_empty() => {
            positions(&counted.caches().missing, objective.quantile_per_million)
        }
        "M7-positions" => counted.copies().behind(objective.quantile_per_million),
        "M8" => counted.copies().backlog(),
        "availability" => availability(run),
        "backlog" => counted.queues().backlog(),
        "backlog-age" => counted.queues().age(quantile),
        "conflicts" => conflicts::rejected(counted.facts),
        "convergence" => convergence(objective, run),
        "db-reads" => database_reads(counted.caches()),
        "dual-belief" => counted.leaders().dual_belief(),
        "latency" => latency(objective, run, quantile),
        "leader-churn" => counted.leaders().churn(),
        "leaderless" => counted.leaders().leaderless(),
        "recovery" => recovery::recovery(run, objective.quantile_per_million),
        "retry-amplification" => attempts(run),
        "siblings" => siblings(run),
        "silent-drops" => silent_drops(run),
        "stale-hits" => stale_hits(counted.caches()),
        "write-amplification" => writes(run),
        other => unreachable!("the reader knows no metric {other}"),
    }
}

fn slo(objective: &Objective, run: &Run, counted: &Counted<'_>) -> Slo {
    let observed = observe(objective, run, counted);
    Slo {
        name: name(objective),
        objective: match objective.bound {
            Bound::AtLeast(share) => format!("at least {}", percent(share)),
            Bound::AtMost(ns) => format!("at most {}", duration(ns)),
            Bound::AtMostShare(share) => format!("at most {}", percent(share)),
            Bound::AtMostCount(count) => format!("at most {count}"),
        },
        met: met(objective, &observed),
        observed: observed.to_string(),
        measured: observed.measured(matches!(objective.bound, Bound::AtLeast(_))),
        pooled: pooled(objective, &observed),
    }
}

/// What is judged over all seeds together.
fn pooled(objective: &Objective, observed: &Observed) -> Option<Pooled> {
    match (objective.metric.as_str(), objective.bound, observed) {
        (Pooled::METRIC, Bound::AtMostShare(most), Observed::Share { part, whole }) => {
            Some(Pooled { duplicates: *part, effects: *whole, at_most_per_million: most })
        }
        _ => None,
    }
}

/// `None` where too little happened to say.
fn met(objective: &Objective, observed: &Observed) -> Option<bool> {
    if let Some(pooled) = pooled(objective, observed) {
        return pooled.met();
    }
    match (objective.bound, observed) {
        (Bound::AtLeast(least), Observed::Share { part, whole }) if *whole >= EVENTS_MIN => {
            Some(part * 1_000_000 >= whole * u64::from(least))
        }
        (Bound::AtMostShare(most), Observed::Share { part, whole }) if *whole >= EVENTS_MIN => {
            Some(part * 1_000_000 <= whole * u64::from(most))
        }
        (Bound::AtMost(most), Observed::Time { ns, events }) if *events >= EVENTS_MIN => {
            Some(*ns <= most)
        }
        (Bound::AtMost(most), Observed::Span { ns, .. }) => Some(*ns <= most),
        (Bound::AtMostCount(most), Observed::Number(count)) => Some(*count <= most),
        (Bound::AtMostCount(most), Observed::Count { count, events, .. })
            if *events >= EVENTS_MIN =>
        {
            Some(*count <= most)
        }
        (Bound::AtMostCount(most), Observed::Backlog { pending, rise, samples })
            if *samples >= EVENTS_MIN =>
        {
            Some(*pending <= most && *rise <= (most / 10).max(1) as i64)
        }
        _ => None,
    }
}

fn name(objective: &Objective) -> String {
    let quantile = f64::from(objective.quantile_per_million) / 10_000.0;
    if matches!(
        objective.metric.as_str(),
        "convergence" | "M2" | "M7" | "M7-positions" | "recovery"
    ) {
        return format!("{} p{quantile}", objective.metric);
    }
    if objective.metric != "latency" {
        return objective.metric.to_string();
    }
    let function = objective.function.as_deref().unwrap_or("all");
    format!("latency p{quantile} of {function}")
}

/// What a metric observed, and from how many events.
enum Observed {
    Share {
        part: u64,
        whole: u64,
    },
    Time {
        ns: u64,
        events: u64,
    },
    /// A time that is what it is, however few events it comes of.
    Span {
        ns: u64,
        beside: String,
    },
    Number(u64),
    Count {
        count: u64,
        beside: String,
        events: u64,
    },
    Backlog {
        pending: u64,
        rise: i64,
        samples: u64,
    },
    Nothing(&'static str),
}

impl Observed {
    /// The number that is held against the bound.
    fn measured(&self, higher_is_better: bool) -> Option<Measured> {
        let (number, unit, events) = match self {
            Self::Share { part, whole } if *whole > 0 => {
                (part * 1_000_000 / whole, Unit::PerMillion, *whole)
            }
            Self::Time { ns, events } => (*ns, Unit::Ns, *events),
            Self::Span { ns, .. } => (*ns, Unit::Ns, 1),
            Self::Number(count) => (*count, Unit::Count, 1),
            Self::Count { count, events, .. } => (*count, Unit::Count, *events),
            Self::Backlog { pending, samples, .. } => (*pending, Unit::Count, *samples),
            Self::Share { .. } | Self::Nothing(_) => return None,
        };
        Some(Measured { number, unit, higher_is_better, events })
    }
}

impl std::fmt::Display for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Share { part, whole } => {
                let share = part * 1_000_000 / (*whole).max(1);
                write!(f, "{} ({part} of {whole})", percent(share as u32))
            }
            Self::Time { ns, events } => {
                let rounded = ns / MICROSECOND * MICROSECOND;
                write!(f, "{} ({events} events)", duration(rounded))
            }
            Self::Span { ns, beside } => {
                let rounded = ns / MICROSECOND * MICROSECOND;
                write!(f, "{} ({beside})", duration(rounded))
            }
            Self::Number(count) => write!(f, "{count}"),
            Self::Count { count, beside, .. } => write!(f, "{count} ({beside})"),
            Self::Backlog { pending, rise, samples } => {
                write!(f, "{pending} pending, {rise:+} in the last quarter ({samples} samples)")
            }
            Self::Nothing(why) => f.write_str(why),
        }
    }
}

fn write_success(run: &Run) -> Observed {
    let lost: BTreeSet<u64> = run
        .anomalies()
        .filter(|anomaly| anomaly.code == "LOST")
        .flat_map(|anomaly| anomaly.operations.iter().copied())
        .collect();
    let refused = Value::Bool(false);
    let writes = run.history.operations.iter().filter(|op| !only_observes(&op.function));
    let issued: Vec<_> = writes.filter(|op| !(op.is_ok() && op.result == refused)).collect();
    let part = issued.iter().filter(|op| op.is_ok() && !lost.contains(&op.id)).count() as u64;
    Observed::Share { part, whole: issued.len() as u64 }
}

fn staleness(objective: &Objective, run: &Run) -> Observed {
    let judgement = run.judgements.iter().find(|judgement| judgement.code == "STALE");
    let Some(judgement) = judgement else {
        return Observed::Nothing("the scenario does not promise STALE");
    };
    match judgement.distribution("time to visibility") {
        Some(visibility) => Observed::Time {
            ns: visibility.quantile(objective.quantile_per_million),
            events: visibility.count(),
        },
        None => Observed::Nothing("no write that was read could be placed in a version order"),
    }
}

fn completion(objective: &Objective, counted: &Counted<'_>) -> Observed {
    match objective.deadline_ns {
        None => Observed::Nothing("it needs a `deadline`"),
        Some(ns) if counted.copies().is_empty() => counted.queues().within(ns),
        Some(ns) => counted.copies().within(ns),
    }
}

fn hit_ratio(caches: &Caches) -> Observed {
    match caches.cache_reads {
        0 => Observed::Nothing("no cache noted a read"),
        whole => Observed::Share { part: caches.hits, whole },
    }
}

fn stale_hits(caches: &Caches) -> Observed {
    match caches.cache_reads {
        0 => Observed::Nothing("no cache noted a read"),
        _ => Observed::Share { part: caches.stale_hits, whole: caches.hits },
    }
}

fn database_reads(caches: &Caches) -> Observed {
    match caches.cache_reads as usize {
        0 => Observed::Nothing("no cache noted a read"),
        whole => for_every_hundred((caches.cache_reads - caches.hits, "misses"), (whole, "reads")),
    }
}

fn replica_lag(objective: &Objective, caches: &Caches) -> Observed {
    match at_quantile(&caches.lags_ns, objective.quantile_per_million) {
        Some(ns) => Observed::Time { ns, events: caches.lags_ns.len() as u64 },
        None => Observed::Nothing("no replica noted how far it is"),
    }
}

/// What is missed of a log, of all looks at it, rising.
fn positions(missing: &[u64], quantile_per_million: u32) -> Observed {
    let events = missing.len() as u64;
    match at_quantile(missing, quantile_per_million) {
        Some(count) => Observed::Count { count, beside: format!("{events} positions"), events },
        None => Observed::Nothing("no copy or replica noted how far it is"),
    }
}

/// The value at a quantile of values that rise, by nearest rank; nothing of none.
fn at_quantile(rising: &[u64], quantile_per_million: u32) -> Option<u64> {
    let rank = (rising.len() as u64 * u64::from(quantile_per_million)).div_ceil(1_000_000);
    rising.get(rank.max(1) as usize - 1).copied()
}

fn convergence(objective: &Objective, run: &Run) -> Observed {
    let judgement = run.judgements.iter().find(|judgement| judgement.code == "SEC");
    match judgement.and_then(|judgement| judgement.distribution("time to spread")) {
        Some(spread) => Observed::Time {
            ns: spread.quantile(objective.quantile_per_million),
            events: spread.count(),
        },
        None => Observed::Nothing("no replica noted which updates it has"),
    }
}

fn siblings(run: &Run) -> Observed {
    let judgement = run.judgements.iter().find(|judgement| judgement.code == "CRDT");
    match judgement.and_then(|judgement| judgement.distribution("siblings")) {
        Some(siblings) => Observed::Number(siblings.max),
        None => Observed::Nothing("no register was read in the end"),
    }
}

fn silent_drops(run: &Run) -> Observed {
    let judgement = run.judgements.iter().find(|judgement| judgement.code == "LOST");
    match judgement.and_then(|judgement| judgement.examined.get("silent drops")) {
        Some(drops) => Observed::Number(*drops),
        None => Observed::Nothing("the scenario does not promise LOST in causal order"),
    }
}

fn availability(run: &Run) -> Observed {
    Observed::Share { part: run.counts.ok, whole: run.counts.total() }
}

fn latency(objective: &Objective, run: &Run, quantile: f64) -> Observed {
    let wanted = |function: &str| objective.function.as_ref().is_none_or(|only| only == function);
    let ok = run.history.operations.iter().filter(|one| one.outcome == Outcome::Ok);
    let ok = ok.filter(|one| wanted(&one.function));
    times(ok.map(|one| one.complete.ns - one.invoke.ns), quantile)
}

/// A quantile of some times.
fn times(times: impl Iterator<Item = u64>, quantile: f64) -> Observed {
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are allowed");
    for ns in times {
        histogram.record(ns.max(1)).expect("the histogram grows");
    }
    Observed::Time { ns: histogram.value_at_quantile(quantile), events: histogram.len() }
}

fn attempts(run: &Run) -> Observed {
    let operations = &run.history.operations;
    let attempts = |one: &Operation| {
        let tried = one.details.as_ref().and_then(|details| details.attempts);
        u64::from(tried.unwrap_or(1))
    };
    let of = "operations";
    for_every_hundred((operations.iter().map(attempts).sum(), "attempts"), (operations.len(), of))
}

fn writes(run: &Run) -> Observed {
    let changes = |one: &&Operation| one.is_ok() && !only_observes(&one.function);
    let ok = run.history.operations.iter().filter(changes);
    for_every_hundred((run.writes, "records"), (ok.count(), "writes"))
}

/// So many of the one for every hundred of the other, rounded up.
fn for_every_hundred((part, parts): (u64, &str), (whole, wholes): (usize, &str)) -> Observed {
    let events = whole as u64;
    Observed::Count {
        count: (part * 100).div_ceil(events.max(1)),
        beside: format!("{part} {parts} of {whole} {wholes}"),
        events,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_judged_from_thirty_thousand_effects_on() {
        let at_most = |metric: &str, whole| {
            let objective = Objective {
                metric: metric.into(),
                function: None,
                deadline_ns: None,
                quantile_per_million: 0,
                bound: Bound::AtMostShare(1_000),
            };
            met(&objective, &Observed::Share { part: 0, whole })
        };
        assert_eq!(at_most("M5", Pooled::EFFECTS_MIN - 1), None);
        assert_eq!(at_most("M5", Pooled::EFFECTS_MIN), Some(true));
        assert_eq!(at_most("stale-hits", 100), Some(true));
    }

    #[test]
    fn a_quantile_is_a_value_by_nearest_rank() {
        assert_eq!(at_quantile(&[15, 30, 35, 45], 500_000), Some(30));
        assert_eq!(at_quantile(&[15, 30, 35, 45], 500_001), Some(35));
        assert_eq!(at_quantile(&[15, 30, 35, 45], 1_000_000), Some(45));
        assert_eq!(at_quantile(&[], 500_000), None);
    }
}
