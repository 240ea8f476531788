//! Session guarantees: what a session has seen and done, at each of its operations.
//!
//! All four are obligations of one kind: *this operation must not be older than that version*.
//!
//! | | what a session learns from | who owes it |
//! |---|---|---|
//! | RYW | its own ok writes | its reads |
//! | MR | its own reads | its reads |
//! | MW | its own ok writes | its ok writes, and the reads of whoever has read one of these |
//! | WFR | its own reads | its writes, and the reads of whoever has read one of these |
//!
//! [`timeline`] finds the obligations in one sweep. Where the authority's order of versions is known,
//! each is held against it ([`known`]). Where it is not, as in a history that somebody else recorded,
//! the guarantee is broken iff no order of the versions of a key meets them all ([`some`]): that says
//! less, but never too much.

mod known;
mod some;
mod timeline;

use wrack_history::{Anomaly, Judgement, Operation, SmolStr, Value};

use crate::Evidence;
use crate::tally::Tally;
use crate::versions::versions;
use crate::words::{done_at, list, sentence, told};
use known::Known;
use some::AnyOrder;
use timeline::Timeline;

const ANOMALIES_MAX: usize = 10;

/// Which session guarantee, and its words.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// What a session learns versions from.
    pub knows: Knows,
    /// Who must not be older than what is known.
    pub owed_by: OwedBy,
    /// What the observed count counts.
    pub broken: &'static str,
    /// What was known and from when, behind a comma.
    pub known: fn(Knowledge<'_>) -> String,
}

/// What an operation should have had, and whence.
#[derive(Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    /// The one that taught the version.
    pub teacher: &'a Operation,
    /// The read by which it was taken over, and the write that it read.
    pub followed: Option<(&'a Operation, &'a Operation)>,
}

/// What a session learns versions from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    /// Its own ok writes.
    Writes,
    /// Its reads.
    Reads,
}

/// Who must not be older than what a session knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwedBy {
    /// Its own reads.
    Reads,
    /// Its own writes, and whoever reads one of them, from then on.
    Followers,
}

/// Judges a session guarantee.
pub(crate) fn judge(evidence: &Evidence<'_>, mut judgement: Judgement, rule: Rule) -> Judgement {
    match versions(evidence) {
        Ok(keys) => judge_known(&mut judgement, &Timeline::known(&keys, evidence, rule)),
        Err(reason) if evidence.facts.is_empty() && !evidence.is_set() => {
            match Timeline::unknown(evidence, rule) {
                Ok(timeline) => judge_some(&mut judgement, &timeline, evidence.initial),
                Err(twice) => judgement.doubt(format!("{reason}; {twice}")),
            }
        }
        Err(reason) => judgement.doubt(reason),
    }
    judgement
}

/// Every obligation is held against the authority's order.
fn judge_known(judgement: &mut Judgement, timeline: &Timeline<'_>) {
    let mut order = Known::new(timeline);
    timeline.sweep(&mut order);
    examine(judgement, timeline);
    let mut tally = Tally::default();
    for (access, broken) in timeline.judged().zip(&order.broken) {
        tally.look(access.operation, broken.is_some());
    }
    let broken = || timeline.judged().zip(&order.broken).filter_map(|(a, b)| Some((a, (*b)?)));
    let mut told = Vec::<u32>::new();
    for (access, newest) in broken() {
        if told.contains(&access.key) || told.len() == ANOMALIES_MAX {
            continue;
        }
        told.push(access.key);
        let knowledge = Knowledge {
            teacher: timeline.operation(newest.teacher),
            followed: newest.read.and_then(|read| timeline.followed(read)),
        };
        judgement.contradict(older(access.operation, knowledge, timeline.rule));
    }
    judgement.algorithm = Some("the authority's order of versions".to_owned());
    judgement.observed = Some(format!("{} {}", broken().count(), timeline.rule.broken));
    tally.tell(judgement);
}

/// There must be an order that meets every obligation.
fn judge_some(judgement: &mut Judgement, timeline: &Timeline<'_>, initial: &Value) {
    let mut order = AnyOrder::new(timeline);
    timeline.sweep(&mut order);
    examine(judgement, timeline);
    judgement.algorithm = Some("any order of versions".to_owned());
    let cycles = match order.cycles() {
        Ok(cycles) => cycles,
        Err(reason) => return judgement.doubt(reason),
    };
    let mut tally = Tally::default();
    for access in timeline.judged() {
        tally.look(access.operation, false);
    }
    for cycle in &cycles {
        let culprits: Vec<&Operation> = cycle
            .accesses
            .iter()
            .map(|access| timeline.accesses[*access as usize].operation)
            .collect();
        for operation in &culprits {
            tally.look(operation, true);
        }
        if judgement.anomalies.len() < ANOMALIES_MAX {
            let values = cycle.versions.map(|version| timeline.value(version, initial).to_string());
            judgement.contradict(contradiction(&culprits, values));
        }
    }
    judgement.observed = Some(format!("{} contradictory versions", cycles.len()));
    tally.tell(judgement);
}

fn older(operation: &Operation, knowledge: Knowledge<'_>, rule: Rule) -> Anomaly {
    let (what, why) = (sentence(operation), (rule.known)(knowledge));
    let followed = knowledge.followed.map(|(read, write)| [write.id, read.id]);
    let mut operations = vec![knowledge.teacher.id, operation.id];
    operations.extend(followed.into_iter().flatten());
    operations.sort_unstable();
    operations.dedup();
    Anomaly {
        explanation: format!("{what} at {}, {why}", done_at(operation)),
        operations,
        key: name(&operation.key),
        at_ns: Some(operation.complete.ns),
        ..Anomaly::default()
    }
}

fn contradiction(culprits: &[&Operation], [one, other]: [String; 2]) -> Anomaly {
    let told: Vec<String> = culprits.iter().map(|operation| told(operation)).collect();
    let key = &culprits[0].key;
    let of = if key.is_empty() { String::new() } else { format!(" of {key}") };
    let mut operations: Vec<u64> = culprits.iter().map(|operation| operation.id).collect();
    operations.sort_unstable();
    Anomaly {
        explanation: format!(
            "by what sessions saw, {one} must be newer than {other}{of} and {other} newer than {one}: {}",
            list(&told)
        ),
        operations,
        key: name(key),
        at_ns: culprits.iter().map(|operation| operation.complete.ns).max(),
        ..Anomaly::default()
    }
}

fn examine(judgement: &mut Judgement, timeline: &Timeline<'_>) {
    judgement.examine("keys", timeline.keys as u64);
    let reads = timeline.accesses.iter().filter(|access| access.is_read).count();
    judgement.examine("reads", reads as u64);
    if timeline.rule.owed_by == OwedBy::Followers {
        judgement.examine("writes", (timeline.accesses.len() - reads) as u64);
    }
}

fn name(key: &SmolStr) -> Option<SmolStr> {
    Some(key.clone()).filter(|key| !key.is_empty())
}

#[cfg(test)]
pub(crate) mod testing;
