//! Isolation of transactions: which levels a history keeps, and why not.
//!
//! A transaction is one operation `txn` whose argument is a list of micro-operations `[function, key,
//! value]`: `r` and `append` (model `list-append`) or `r` and `w` (model `rw-register`); its result is
//! the same list with what was read. Levels are in [`level`], each with its definition and source.
//!
//! Serializable, because the reader can stand between the two writers:
//! ```text
//! T0  append x 1            T1  r x [1]             T2  append x 2
//! ```
//! Not snapshot isolated, a lost update: both read `[]`, so neither saw the other, and both wrote.
//! ```text
//! T0  r x [], append x 1    T1  r x [], append x 2  T2  r x [1, 2]
//! ```
//! * `transactions` puts a history into numbers, and finds what needs no cycle;
//! * `relations` says who comes before whom at a level, `graph` finds cycles;
//! * `visibility` decides read committed (axiomatic), read atomic and causal by saturation;
//! * `decide` decides every level; where the order of versions is open, `zones` say what real time knows of
//!   it, `schedule` tries one, `saturation` draws consequences, and `search` asks a SAT solver;
//! * `kinds` names what was found, `words` tells it.

pub mod anomalies;
mod decide;
mod finding;
mod graph;
mod kinds;
mod level;
mod relations;
mod rows;
mod saturation;
mod schedule;
mod search;
mod transactions;
mod visibility;
mod words;
mod zones;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::verdict::{Counterexample, Link, Step as Told};
use wrack_history::{Anomaly, Judgement, SmolStr, Verdict, certificate};

use crate::{Evidence, Guarantee, Judge};
use decide::{Broken, Decision, Order, cycle, decide};
use finding::{Breaks, Finding, Step};
use level::{ALL, Level};
use transactions::{Observed, Style, Transactions, observe};

macro_rules! guarantees {
    ($($name:ident: $level:ident),* $(,)?) => {
        $(
            /// The isolation level of this name.
            pub const $name: Guarantee = Guarantee {
                info: &GuaranteeInfo {
                    code: ALL[Level::$level as usize].code,
                    name: ALL[Level::$level as usize].name,
                    doc: ALL[Level::$level as usize].doc,
                    parameters: &[],
                },
                judge: Judge::Evidence(|evidence, _| judge(evidence, Level::$level)),
            };
        )*
    };
}

guarantees! {
    READ_UNCOMMITTED: ReadUncommitted,
    READ_COMMITTED: ReadCommitted,
    READ_COMMITTED_AXIOMATIC: ReadCommittedAxiomatic,
    READ_ATOMIC: ReadAtomic,
    CAUSAL: Causal,
    PREFIX: Prefix,
    PARALLEL_SNAPSHOT_ISOLATION: ParallelSnapshotIsolation,
    SNAPSHOT_ISOLATION: SnapshotIsolation,
    REPEATABLE_READ: RepeatableRead,
    SERIALIZABLE: Serializable,
    STRONG_SESSION_SNAPSHOT_ISOLATION: StrongSessionSnapshotIsolation,
    STRONG_SESSION_SERIALIZABLE: StrongSessionSerializable,
    STRICT_SERIALIZABLE: StrictSerializable,
}

/// Whether histories of this model are of transactions, and judged by levels.
pub fn is_transactional(model: &str) -> bool {
    Style::of(model).is_some()
}

/// Whether a guarantee of this code is an isolation level.
pub(crate) fn is_level(code: &str) -> bool {
    ALL.iter().any(|info| info.code == code)
}

/// The names of all levels with the codes of their guarantees, from weak to strong.
pub fn level_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|info| (info.name, info.code))
}

fn judge(evidence: &Evidence<'_>, level: Level) -> Judgement {
    let mut judged = judge_levels(evidence, &[level]);
    judged.judgements.pop().expect("one level, one judgement")
}

/// What is found out about levels.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// One judgement a level. An anomaly stands in that of the weakest level that it breaks; a judgement
    /// that is invalid for a weaker level's anomaly alone says so in its reason.
    pub judgements: Vec<Judgement>,
    /// For each level that holds, an order that shows it.
    pub orders: Vec<certificate::Order>,
}

/// Judges a history by the level of this name, or by every level from weak to strong.
pub fn levels(evidence: &Evidence<'_>, only: Option<&str>) -> Levels {
    let asked = ALL.iter().filter(|info| only.is_none_or(|name| name == info.name));
    judge_levels(evidence, &asked.map(|info| info.level).collect::<Vec<_>>())
}

fn judge_levels(evidence: &Evidence<'_>, levels: &[Level]) -> Levels {
    let refused = |reason: &str| Levels {
        judgements: levels.iter().map(|level| unknown(*level, reason)).collect(),
        orders: Vec::new(),
    };
    let Some(style) = Style::of(evidence.model) else {
        let reason = format!("the model {} is not one of transactions", evidence.model);
        return refused(&reason);
    };
    match observe(&evidence.history.operations, style, evidence.initial) {
        Err(reason) => refused(&reason),
        Ok(mut observed) => {
            observed.transactions.real_time = evidence.real_time;
            let history = &observed.transactions;
            let mut answer = Answer::of(&observed, levels);
            let orders = std::mem::take(&mut answer.orders);
            Levels {
                orders: orders.into_iter().map(|(of, order)| shown(history, &of, &order)).collect(),
                judgements: answer.judgements(history, levels),
            }
        }
    }
}

fn unknown(level: Level, reason: &str) -> Judgement {
    let mut judgement = Judgement::new(level.info().code);
    judgement.doubt(reason);
    judgement
}

/// What is known of each level: `Ok(holds)`, or why not.
pub(crate) struct Answer {
    verdicts: BTreeMap<Level, Result<bool, String>>,
    findings: Vec<Finding>,
    /// An order for each level that holds.
    orders: Vec<(Vec<Level>, Order)>,
}

/// An order as a certificate writes it.
fn shown(history: &Transactions<'_>, levels: &[Level], order: &Order) -> certificate::Order {
    let id = |transaction: u32| history.operation(transaction).id;
    let mut shown = certificate::Order {
        levels: levels.iter().map(|level| SmolStr::new_static(level.info().name)).collect(),
        ..certificate::Order::default()
    };
    let mut started = vec![0; if order.split { history.len() } else { 0 }];
    for event in &order.events {
        match (order.split, event % 2) {
            (false, _) => shown.commits.push(id(*event)),
            (true, 0) => started[(event / 2) as usize] = shown.commits.len() as u64,
            (true, _) => {
                shown.commits.push(id(event / 2));
                shown.snapshots.push(started[(event / 2) as usize]);
            }
        }
    }
    shown
}

impl Answer {
    /// Decides these levels.
    pub(crate) fn of(observed: &Observed<'_>, levels: &[Level]) -> Self {
        let mut answer = Self {
            verdicts: BTreeMap::new(),
            findings: observed.findings.clone(),
            orders: Vec::new(),
        };
        for level in levels {
            if observed.findings.iter().any(|finding| finding.breaks.includes(*level)) {
                answer.verdicts.insert(*level, Ok(false));
            }
        }
        if let Some(doubt) = &observed.doubt {
            for level in levels {
                answer.verdicts.entry(*level).or_insert_with(|| Err(doubt.clone()));
            }
            return answer;
        }
        let mut order = levels.to_vec();
        // If the strongest holds there is nothing more to decide.
        order.sort_by_key(|level| (*level != Level::StrictSerializable, *level));
        for level in order {
            answer.decide(&observed.transactions, level, levels);
        }
        answer
    }

    fn decide(&mut self, history: &Transactions<'_>, level: Level, asked: &[Level]) {
        if level == Level::StrictSerializable && !history.real_time {
            let reason = "the history has no order of time between sessions".to_owned();
            self.verdicts.entry(level).or_insert(Err(reason));
            return;
        }
        match self.verdicts.get(&level) {
            Some(Ok(true)) => return,
            Some(Ok(false)) => {
                let broken = cycle(history, level);
                self.findings.extend(broken.map(|broken| told(history, level, broken)));
                return;
            }
            _ => (),
        }
        match decide(history, level) {
            Decision::Holds(order) => {
                let implied = level.implied().into_iter().filter(|implied| {
                    asked.contains(implied) && !self.verdicts.contains_key(implied)
                });
                let implied: Vec<Level> = implied.collect();
                self.verdicts.extend(implied.iter().map(|level| (*level, Ok(true))));
                self.orders.push((implied, order));
            }
            Decision::Broken(broken) => {
                self.findings.push(told(history, level, broken));
                for stronger in asked.iter().filter(|other| other.implied().contains(&level)) {
                    self.verdicts.insert(*stronger, Ok(false));
                }
            }
            Decision::Unknown(reason) => {
                self.verdicts.entry(level).or_insert(Err(reason));
            }
        }
    }

    fn judgements(mut self, history: &Transactions<'_>, levels: &[Level]) -> Vec<Judgement> {
        self.findings.sort_by_key(|finding| finding.breaks.weakest());
        let mut circles = Vec::new();
        self.findings.retain(|finding| {
            let mut circle: Vec<_> =
                finding.steps.iter().map(|step| (step.from, step.to, step.kind)).collect();
            circle.sort_unstable();
            let new = circle.is_empty() || !circles.contains(&circle);
            circles.push(circle);
            new
        });
        let mut told = Vec::<usize>::new();
        let mut judgements = Vec::new();
        for level in levels {
            let mut judgement = Judgement::new(level.info().code);
            examine(&mut judgement, history);
            match &self.verdicts[level] {
                Ok(true) => (),
                Err(reason) => judgement.doubt(reason.clone()),
                Ok(false) => {
                    let breaking = self.findings.iter().enumerate();
                    let breaking: Vec<usize> = breaking
                        .filter(|(_, finding)| finding.breaks.includes(*level))
                        .map(|(place, _)| place)
                        .collect();
                    let new = breaking.iter().filter(|place| !told.contains(place));
                    for place in new.take(ANOMALIES_MAX) {
                        judgement.contradict(anomaly(history, &self.findings[*place]));
                    }
                    if judgement.verdict != Verdict::Invalid {
                        judgement.verdict = Verdict::Invalid;
                        let first = breaking.first().map(|place| &self.findings[*place]);
                        judgement.reason = first.map(|finding| {
                            format!(
                                "{} breaks {}",
                                finding.kind,
                                finding.breaks.weakest().info().name
                            )
                        });
                    }
                    told.extend(breaking);
                }
            }
            judgements.push(judgement);
        }
        judgements
    }
}

/// More anomalies than this are counted, not described.
const ANOMALIES_MAX: usize = 10;

fn examine(judgement: &mut Judgement, history: &Transactions<'_>) {
    judgement.examine("transactions", history.len() as u64);
    judgement.examine("reads", history.reads.all().len() as u64);
    judgement.examine("keys", history.keys.len() as u64);
}

/// A broken level as a finding.
fn told(history: &Transactions<'_>, level: Level, broken: Broken) -> Finding {
    let operations = |transactions: &[u32]| {
        let mut operations: Vec<u32> =
            transactions.iter().map(|one| history.members[*one as usize]).collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    };
    let named = |key: u32| words::key(history.keys[key as usize]);
    let name = |transaction: u32| words::name(history.operation(transaction));
    let breaks = Breaks::From(level);
    match broken {
        Broken::Cycle(mut steps) => {
            words::with_keys(history, &mut steps);
            let kind = kinds::name(level, &steps);
            let mut all: Vec<u32> = steps.iter().map(|step| step.from).collect();
            all.extend(steps.iter().filter_map(|step| step.reader));
            Finding {
                words: format!("{kind}: {}", circle(history, &steps)),
                kind: kind.into(),
                breaks,
                operations: operations(&all),
                key: None,
                steps,
            }
        }
        Broken::LostUpdate { key, writers } => {
            let [one, other] = writers.map(name);
            let words = format!(
                "lost-update: {one} and {other} both read the same version of {}, and both \
                 overwrote it: whichever comes first, the other did not see it",
                named(key)
            );
            let kind = graph::Kind::ReadWrite;
            let [one, other] = writers;
            let step = |from, to| Step { from, to, kind, key: Some(key), reader: None };
            Finding {
                kind: "lost-update".into(),
                breaks: breaks_updates(level),
                operations: operations(&writers),
                key: Some(named(key)),
                words,
                steps: vec![step(one, other), step(other, one)],
            }
        }
        Broken::Both { key, writers, mut cycles } => {
            cycles.iter_mut().for_each(|steps| words::with_keys(history, steps));
            let [one, other] = writers.map(name);
            let words = format!(
                "{}: {one} and {other} both wrote {}. If {one}'s is the older one: {}. If {other}'s \
                 is: {}",
                kinds::name(level, &cycles[0]),
                named(key),
                circle(history, &cycles[0]),
                circle(history, &cycles[1])
            );
            let all: Vec<u32> = cycles.iter().flatten().map(|step| step.from).collect();
            let [steps, _] = cycles;
            let kind: SmolStr = kinds::name(level, &steps).into();
            let (operations, key) = (operations(&all), Some(named(key)));
            Finding { kind, breaks, operations, key, words, steps }
        }
        Broken::NoOrder => Finding {
            kind: "no-order".into(),
            breaks,
            operations: Vec::new(),
            key: None,
            words: format!(
                "no order of versions explains the history at {}: a SAT solver refuted them all",
                level.info().name
            ),
            steps: Vec::new(),
        },
    }
}

/// A lost update breaks every level at which a writer sees whom it overwrites.
fn breaks_updates(level: Level) -> Breaks {
    let weakest = Level::ParallelSnapshotIsolation;
    Breaks::From(if level.implied().contains(&weakest) { weakest } else { level })
}

fn circle(history: &Transactions<'_>, steps: &[Step]) -> String {
    let mut reasons: Vec<String> = steps
        .iter()
        .map(|step| {
            let (from, to) = (history.operation(step.from), history.operation(step.to));
            let reason = words::reason(history, step);
            format!("{} comes before {} ({reason})", words::name(from), words::name(to))
        })
        .collect();
    let last = reasons.pop().unwrap_or_default();
    match reasons.is_empty() {
        true => last,
        false => format!("{}; yet {last}", reasons.join("; ")),
    }
}

fn anomaly(history: &Transactions<'_>, finding: &Finding) -> Anomaly {
    let operation = |place: &u32| &history.operations[*place as usize];
    let told = finding.operations.iter().map(operation).map(|operation| Told {
        id: operation.id,
        text: words::whole(operation, history.real_time).into(),
    });
    let link = |step: &Step| Link {
        from: history.operation(step.from).id,
        to: history.operation(step.to).id,
        kind: SmolStr::new_static(kind(step)),
        text: words::reason(history, step).into(),
    };
    let counterexample = Counterexample {
        operations: told.collect(),
        cycle: finding.steps.iter().map(link).collect(),
        ..Counterexample::default()
    };
    let done = finding.operations.iter().map(operation).filter(|one| one.is_ok());
    Anomaly {
        explanation: finding.words.clone(),
        operations: finding.operations.iter().map(operation).map(|one| one.id).collect(),
        key: finding.key.clone(),
        at_ns: done.map(|one| one.complete.ns).max().filter(|_| history.real_time),
        counterexample: (!finding.operations.is_empty()).then_some(counterexample),
        ..Anomaly::default()
    }
}

/// What a step is called.
fn kind(step: &Step) -> &'static str {
    match step.kind {
        graph::Kind::WriteWrite | graph::Kind::Forced => "ww",
        graph::Kind::WriteRead => "wr",
        graph::Kind::ReadWrite => "rw",
        graph::Kind::Session => "process",
        graph::Kind::RealTime => "realtime",
        graph::Kind::Inner => "",
    }
}
