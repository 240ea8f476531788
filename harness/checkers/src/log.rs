//! LOG: a log keeps what was appended, once, in one order, and hands it out without gaps.
//!
//! Valid: two entries at two offsets, and a consumer that is handed both, one after the other.
//! ```text
//! p1  append a = 0   append b = 1
//! p2                     poll = [[0, a]]     poll = [[1, b]]
//! ```
//! Invalid, because the consumer is never handed a:
//! ```text
//! p1  append a = 0   append b = 1
//! p2                                         poll = [[1, b]]
//! ```
//! The definition, per key. An *entry* is a value at an offset, as an ok append was told or a read
//! found. It is broken if
//! * **conflict**: there are two values at one offset;
//! * **duplicated**: a value that was appended once is at two offsets;
//! * **phantom**: a read finds a value that nobody appended, or whose append failed;
//! * **lost**: no read ever finds an entry whose append was ok, although some read finds an entry behind
//!   it; or, where the append was not told its offset, although it was ok before a read of the whole
//!   log began;
//! * **reordered**: a poll answers an entry that does not stand behind the one before it, in itself or
//!   in the last poll of that process;
//! * **skipped**: a poll leaves out an entry that stands between two that it answers, or between its
//!   first one and the last of that process's last poll.
//!
//! A process that was assigned anew, subscribes or crashed may begin anywhere.
//!
//! An entry is **unseen** if its append was ok and no read finds it, without being lost: nobody read that
//! far. That is no anomaly, but what a valid verdict does not speak of, so it is counted; a poll that
//! answers nothing is one that did not read that far.
//!
//! Shape: `append` (or `send`) with a value, answered with its offset or nil; `poll`, answered with a
//! list of `[offset, value]`, or where one poll is about many keys with one of `[key, [[offset,
//! value], …]]`; `read` from an offset, `[offset, limit]` or nil for all, answered with the values.
//!
//! Source: Jepsen's `kafka` checker.

pub(crate) mod polls;

use rustc_hash::{FxHashMap, FxHashSet};
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, SmolStr, Value};

use crate::tally::{Tally, some_ids};
use crate::words::{done_at, noun, short};
use crate::{Evidence, Guarantee, Judge};
use polls::{Entry, Handed, entries};

/// An append-only log.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "LOG",
        name: "append-only log",
        doc: "A log keeps what was appended to it, once and in one order, and hands it out in that \
              order without gaps.\n\n\
              No offset has two values; no value that was appended once has two offsets; no entry is \
              handed out that nobody appended; an acknowledged entry is found if anything behind it \
              is; what a process polls goes forward, and passes over nothing that is there.\n\n\
              The usual ways to break it: an acknowledgement before the entry is replicated; a \
              leader that hands out an offset again after a failover; a retried append without an \
              idempotency key; a consumer that commits its offset before it has the entries; a batch \
              of which only the last entry is answered.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 20;
/// Of each kind.
const ANOMALIES_OF_KIND_MAX: usize = 4;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let log = Log::of(&evidence.history.operations);
    judgement.examine("appends", log.appends.len() as u64);
    judgement.examine("entries handed out", log.handed.len() as u64);
    let mut findings = log.conflicts();
    findings.extend(log.phantoms(evidence.initial));
    let lost = log.lost();
    let unseen = log.missing().count() - lost.len();
    judgement.examine("entries unseen", unseen as u64);
    findings.extend(lost);
    findings.extend(polls::disorder(&evidence.history.operations, |key, offset| {
        log.at.get(&(key, offset)).map(|entry| entry.value)
    }));
    let mut tally = Tally::default();
    for operation in log.appends.iter().chain(log.handed.iter().map(|handed| &handed.read)) {
        tally.look(operation, false);
    }
    let kinds = ["conflict", "duplicated", "phantom", "lost", "reordered", "skipped"];
    let mut counts = FxHashMap::<&str, usize>::default();
    for finding in findings {
        finding.operations.iter().for_each(|operation| tally.look(operation, true));
        let count = counts.entry(finding.kind).or_default();
        *count += 1;
        if *count <= ANOMALIES_OF_KIND_MAX && judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(finding.anomaly());
        }
    }
    if log.handed.is_empty() {
        judgement.doubt("no entry was handed out");
    }
    let mut told: Vec<String> =
        kinds.iter().map(|kind| format!("{} {kind}", counts.get(kind).unwrap_or(&0))).collect();
    told.push(format!("{unseen} unseen"));
    judgement.observed = Some(told.join(", "));
    tally.tell(&mut judgement);
    judgement
}

/// Something that is wrong.
pub(super) struct Finding<'a> {
    pub kind: &'static str,
    pub key: &'a str,
    pub operations: Vec<&'a Operation>,
    pub explanation: String,
}

impl Finding<'_> {
    fn anomaly(self) -> Anomaly {
        let complete = self.operations.iter().map(|operation| operation.complete.ns);
        Anomaly {
            explanation: format!("{}: {}", self.kind, self.explanation),
            key: Some(SmolStr::from(self.key)).filter(|key| !key.is_empty()),
            at_ns: complete.filter(|ns| *ns != u64::MAX).max(),
            operations: some_ids(self.operations),
            ..Anomaly::default()
        }
    }
}

/// Everything that is known of the entries of a history.
struct Log<'a> {
    /// Appends that may have taken effect.
    appends: Vec<&'a Operation>,
    /// Entries that reads and polls answered, in order.
    handed: Vec<Handed<'a>>,
    /// Reads of the whole of a log.
    whole: Vec<&'a Operation>,
    failed: FxHashSet<(&'a str, &'a Value)>,
    /// What is at each offset, by who told it first.
    at: FxHashMap<(&'a str, i64), Told<'a>>,
    /// Where somebody told something else, or the same somewhere else.
    others: Vec<(&'static str, Entry<'a>, Told<'a>, Told<'a>)>,
    values: FxHashMap<(&'a str, &'a Value), Appended>,
}

/// How often a value was asked to be appended, and whether a read found it.
#[derive(Clone, Copy, Default)]
struct Appended {
    times: u32,
    found: bool,
}

/// Who told of an entry.
#[derive(Clone, Copy)]
struct Told<'a> {
    value: &'a Value,
    by: &'a Operation,
    offset: i64,
}

pub(crate) fn is_append(operation: &Operation) -> bool {
    matches!(operation.function.as_str(), "append" | "send")
}

impl<'a> Log<'a> {
    fn of(operations: &'a [Operation]) -> Self {
        let mut this = Self {
            appends: Vec::new(),
            handed: Vec::new(),
            whole: Vec::new(),
            failed: FxHashSet::default(),
            at: FxHashMap::default(),
            others: Vec::new(),
            values: FxHashMap::default(),
        };
        for operation in operations {
            let entry = (operation.key.as_str(), &operation.argument);
            match (is_append(operation), operation.outcome) {
                (true, Outcome::Fail) => _ = this.failed.insert(entry),
                (true, _) => {
                    this.values.entry(entry).or_default().times += 1;
                    this.appends.push(operation);
                }
                (false, Outcome::Ok) => {
                    if operation.function == "read" && operation.argument.is_nil() {
                        this.whole.push(operation);
                    }
                    this.handed.extend(entries(operation));
                }
                (false, _) => (),
            }
        }
        let told = this.appends.iter().filter(|append| append.is_ok());
        let told = told.filter_map(|append| {
            let offset = append.result.as_integer()?;
            let entry = Entry { key: append.key.as_str(), offset, value: &append.argument };
            Some((entry, *append))
        });
        let told: Vec<(Entry<'a>, &Operation)> = told.collect();
        let found: Vec<(Entry<'a>, &Operation)> =
            this.handed.iter().map(|handed| (handed.entry, handed.read)).collect();
        for (entry, _) in &found {
            this.values.entry((entry.key, entry.value)).or_default().found = true;
        }
        let mut places = FxHashMap::default();
        for (entry, by) in told.into_iter().chain(found) {
            this.learn(entry, by, &mut places);
        }
        this
    }

    fn learn(
        &mut self,
        entry: Entry<'a>,
        by: &'a Operation,
        places: &mut FxHashMap<(&'a str, &'a Value), Told<'a>>,
    ) {
        let told = Told { value: entry.value, by, offset: entry.offset };
        let known = *self.at.entry((entry.key, entry.offset)).or_insert(told);
        if known.value != entry.value {
            self.others.push(("conflict", entry, known, told));
            return;
        }
        let place = *places.entry((entry.key, entry.value)).or_insert(told);
        let once = self.values.get(&(entry.key, entry.value)).is_none_or(|value| value.times <= 1);
        if place.offset != entry.offset && once {
            self.others.push(("duplicated", entry, place, told));
        }
    }

    /// Two values at one offset, and one value at two: each told once.
    fn conflicts(&self) -> Vec<Finding<'a>> {
        let mut seen = FxHashSet::default();
        let new = self.others.iter().filter(|(kind, entry, ..)| {
            let value = (*kind == "duplicated").then_some(entry.value);
            let offset = (*kind == "conflict").then_some(entry.offset);
            seen.insert((*kind, entry.key, value, offset))
        });
        new.map(|(kind, entry, known, told)| {
            let (value, other) = (short(told.value), short(known.value));
            let (by, at) = (told.by.process, done_at(told.by));
            let (first, before) = (known.by.process, done_at(known.by));
            let name = name(entry.key);
            let explanation = match *kind {
                "conflict" => format!(
                    "at offset {} of {name} process {first} learned of {other} at {before} and \
                     process {by} of {value} at {at}",
                    entry.offset
                ),
                _ => format!(
                    "{value} was appended to {name} once, but process {first} learned of it at offset \
                     {} at {before} and process {by} at offset {} at {at}",
                    known.offset, told.offset
                ),
            };
            Finding { kind, key: entry.key, operations: vec![known.by, told.by], explanation }
        })
        .collect()
    }

    /// Entries that nobody appended; each told once.
    fn phantoms(&self, initial: &Value) -> Vec<Finding<'a>> {
        let mut seen = FxHashSet::default();
        let initial = initial.as_list().unwrap_or_default();
        let nobody = self.handed.iter().filter(|handed| {
            let Entry { key, value, .. } = handed.entry;
            self.values[&(key, value)].times == 0
                && !initial.contains(value)
                && seen.insert((key, value))
        });
        nobody
            .map(|handed| {
                let Entry { key, value, offset } = handed.entry;
                let why = match self.failed.contains(&(key, value)) {
                    true => "whose append had failed",
                    false => "which nobody ever appended",
                };
                let (process, at, value) = (handed.read.process, done_at(handed.read), short(value));
                let name = name(key);
                Finding {
                    kind: "phantom",
                    key,
                    operations: vec![handed.read],
                    explanation: format!(
                        "process {process} was handed {value} at offset {offset} of {name} at {at}, {why}"
                    ),
                }
            })
            .collect()
    }

    /// Acknowledged appends whose entry no read finds.
    fn missing(&self) -> impl Iterator<Item = &'a Operation> {
        let acknowledged = self.appends.iter().copied().filter(|append| append.is_ok());
        acknowledged.filter(|append| !self.values[&(append.key.as_str(), &append.argument)].found)
    }

    /// Acknowledged entries that no read finds, although it could.
    fn lost(&self) -> Vec<Finding<'a>> {
        let mut furthest = FxHashMap::<&str, &Handed<'_>>::default();
        for handed in &self.handed {
            let known = furthest.entry(handed.entry.key).or_insert(handed);
            if known.entry.offset < handed.entry.offset {
                *known = handed;
            }
        }
        let mut whole = FxHashMap::<&str, &Operation>::default();
        for &read in &self.whole {
            whole.insert(read.key.as_str(), read);
        }
        self.missing()
            .filter_map(|append| {
                let key = append.key.as_str();
                let behind = append.result.as_integer().and_then(|offset| {
                    let furthest = furthest.get(key)?;
                    (furthest.entry.offset > offset).then_some((furthest.read, "entries behind it"))
                });
                let all = whole.get(key).filter(|read| append.precedes(read));
                let (read, what) = behind.or_else(|| all.map(|read| (*read, "the whole log")))?;
                Some(Finding {
                    kind: "lost",
                    key,
                    operations: vec![append, read],
                    explanation: format!(
                        "{} to {} was acknowledged at {}, but no read ever found it; process {} found \
                         {what} at {}",
                        noun(append),
                        name(key),
                        done_at(append),
                        read.process,
                        done_at(read)
                    ),
                })
            })
            .collect()
    }
}

pub(crate) fn name(key: &str) -> &str {
    if key.is_empty() { "the log" } else { key }
}

#[cfg(test)]
mod tests;
