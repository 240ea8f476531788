//! Verifies certificates: whether an order really shows that a history keeps a level, or is linearizable.
//!
//! This shares no code with the checkers, and searches for nothing: it replays the order and holds every
//! read, session and moment against the definition of the level, or the sequential model. What it believes
//! is the history alone.

mod linearization;

use std::collections::BTreeMap;

use wrack_history::certificate::{Certificate, FORMAT, Order};
use wrack_history::import::Imported;
use wrack_history::{Operation, Outcome, SmolStr, Value};
use wrack_sequential::Specification;

use crate::catalogue::Own;

/// What a certificate of linearizability shows.
const LINEARIZABLE: SmolStr = SmolStr::new_static("linearizable");

/// Verifies every order of a certificate against the history that it is for.
///
/// Shape: the levels that are shown, or that it is linearizable. Errors: what does not hold, in a sentence.
pub fn verify(
    certificate: &Certificate,
    imported: &Imported,
    own: &Own,
) -> Result<Vec<SmolStr>, String> {
    if certificate.format != FORMAT {
        return Err(format!("this is not a certificate of the format {FORMAT}"));
    }
    let mut shown = Vec::new();
    for order in &certificate.orders {
        let replay = Replay::of(certificate, order, imported)?;
        for level in &order.levels {
            replay.verify(level).map_err(|reason| format!("{level}: {reason}"))?;
            shown.push(level.clone());
        }
    }
    if !certificate.linearizations.is_empty() {
        let (initial, own) = (&imported.initial, own.models());
        let specification = Specification { model: &certificate.model, initial, own };
        let operations = &imported.history.operations;
        linearization::verify(specification, &certificate.linearizations, operations)?;
        shown.push(LINEARIZABLE);
    }
    Ok(shown)
}

/// A read of what others wrote: the key, and how many versions of it there are up to the one it found.
#[derive(Clone, Copy, Debug)]
struct Found {
    key: usize,
    version: usize,
}

struct Txn<'a> {
    operation: &'a Operation,
    /// How many commits come before its snapshot's end.
    snapshot: usize,
    reads: Vec<Found>,
    /// Keys, and which of their versions it made.
    writes: Vec<(usize, usize)>,
    /// The last ok transaction of its session before it.
    previous: Option<usize>,
}

/// A history in the order of a certificate.
struct Replay<'a> {
    txns: Vec<Txn<'a>>,
    /// Places of the writers of each key, in order.
    writers: Vec<Vec<usize>>,
    real_time: bool,
    /// The first read that shows something that only the weakest level allows.
    dirty: Option<String>,
}

type Keys<'a> = BTreeMap<&'a Value, usize>;

/// One key as the order leaves it.
#[derive(Default)]
struct Key<'a> {
    /// The last value of each version, or the length of the list after it.
    values: Vec<(&'a Value, usize)>,
    /// All elements of a list.
    elements: Vec<&'a Value>,
    writers: Vec<usize>,
}

fn micros(operation: &Operation) -> Result<Vec<(&str, &Value, &Value)>, String> {
    let list = if operation.is_ok() { &operation.result } else { &operation.argument };
    let wrong = || format!("operation {} is not a transaction", operation.id);
    let micro = |value| match Value::as_list(value) {
        Some([Value::Text(function), key, value]) => Ok((function.as_str(), key, value)),
        _ => Err(wrong()),
    };
    list.as_list().ok_or_else(wrong)?.iter().map(micro).collect()
}

impl<'a> Replay<'a> {
    fn of(
        certificate: &Certificate,
        order: &Order,
        imported: &'a Imported,
    ) -> Result<Self, String> {
        let operations = commits(order, &imported.history.operations)?;
        let serial = order.snapshots.is_empty();
        if !serial && order.snapshots.len() != operations.len() {
            return Err("there is not one snapshot for each commit".into());
        }
        let is_list = certificate.model == "list-append";
        let mut numbers = Keys::new();
        let mut keys: Vec<Key<'a>> = Vec::new();
        let mut txns = Vec::with_capacity(operations.len());
        for (place, operation) in operations.iter().enumerate() {
            let mut last: BTreeMap<usize, &Value> = BTreeMap::new();
            for (function, key, value) in micros(operation)? {
                let count = numbers.len();
                let key = *numbers.entry(key).or_insert(count);
                keys.resize_with(numbers.len(), Key::default);
                if function != "r" {
                    keys[key].elements.push(value);
                    last.insert(key, value);
                }
            }
            let mut writes = Vec::new();
            for (key, value) in last {
                let length = keys[key].elements.len();
                keys[key].values.push((value, length));
                keys[key].writers.push(place);
                writes.push((key, keys[key].values.len()));
            }
            let snapshot = if serial { place } else { order.snapshots[place] as usize };
            txns.push(Txn { operation, snapshot, reads: Vec::new(), writes, previous: None });
        }
        let mut replay =
            Self { txns, writers: Vec::new(), real_time: imported.has_times(), dirty: None };
        let failed = failed(&imported.history.operations, &operations)?;
        let reading = Reading { keys: &keys, numbers: &numbers, is_list, failed };
        replay.resolve(&reading, &imported.initial)?;
        replay.writers = keys.into_iter().map(|key| key.writers).collect();
        replay.link_sessions();
        Ok(replay)
    }

    fn resolve(&mut self, reading: &Reading<'_, 'a>, initial: &Value) -> Result<(), String> {
        let values = reading.values();
        for txn in &mut self.txns {
            let mut own: BTreeMap<usize, &Value> = BTreeMap::new();
            for (function, key, value) in micros(txn.operation)? {
                let key = reading.numbers[key];
                if function != "r" {
                    own.insert(key, value);
                } else if txn.operation.outcome == Outcome::Ok {
                    let id = txn.operation.id;
                    let read = match (own.get(&key), reading.is_list) {
                        (Some(own), false) if *own == value => continue,
                        (Some(_), false) => {
                            return Err(format!("operation {id} misses its own write"));
                        }
                        (own, true) => reading.list(key, value, own.copied()),
                        (None, false) => reading.register(key, value, initial, &values),
                    };
                    match read.map_err(|reason| format!("operation {id} read {value}, {reason}"))? {
                        Read::Clean(Some(version)) => txn.reads.push(Found { key, version }),
                        Read::Clean(None) => (),
                        Read::Dirty => {
                            let words =
                                format!("operation {id} read {value}, which is not committed");
                            self.dirty.get_or_insert(words);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn link_sessions(&mut self) {
        let mut order: Vec<usize> = (0..self.txns.len()).collect();
        order.sort_by_key(|place| self.txns[*place].operation.invoke.index);
        let mut last = BTreeMap::new();
        for place in order {
            let operation = self.txns[place].operation;
            self.txns[place].previous = last.get(&operation.session).copied();
            if operation.is_ok() {
                last.insert(operation.session, place);
            }
        }
    }

    fn verify(&self, level: &str) -> Result<(), String> {
        if level != "read-uncommitted"
            && let Some(dirty) = &self.dirty
        {
            return Err(dirty.clone());
        }
        match level {
            "read-uncommitted" => Ok(()),
            "read-committed" => self.reads_in_order(),
            "read-committed-axiomatic" | "read-atomic" | "causal" => {
                self.reads_in_order()?;
                self.sessions_in_order()?;
                self.visible(level)
            }
            "parallel-snapshot-isolation" => {
                self.reads_in_order()?;
                self.each(|place, read| self.newer_unseen(place, read, &|at| self.before(at, true)))
            }
            "prefix" => {
                self.snapshots()?;
                self.sessions_in_snapshots()
            }
            "snapshot-isolation" => {
                self.snapshots()?;
                self.no_conflict()
            }
            "strong-session-snapshot-isolation" => {
                self.snapshots()?;
                self.no_conflict()?;
                self.sessions_in_snapshots()
            }
            "serializable" | "repeatable-read" => self.alone(),
            "strong-session-serializable" => {
                self.alone()?;
                self.sessions_in_snapshots()
            }
            "strict-serializable" => {
                self.alone()?;
                self.sessions_in_snapshots()?;
                self.in_real_time()
            }
            _ => Err("there is no such level".into()),
        }
    }

    fn id(&self, place: usize) -> u64 {
        self.txns[place].operation.id
    }

    fn writer(&self, read: Found) -> Option<usize> {
        read.version.checked_sub(1).map(|version| self.writers[read.key][version])
    }

    fn each(&self, holds: impl Fn(usize, Found) -> Result<(), String>) -> Result<(), String> {
        let all = self.txns.iter().enumerate();
        all.flat_map(|(place, txn)| txn.reads.iter().map(move |read| (place, *read)))
            .try_for_each(|(place, read)| holds(place, read))
    }

    fn reads_in_order(&self) -> Result<(), String> {
        self.each(|place, read| match self.writer(read) {
            Some(writer) if writer >= place => {
                Err(format!("{} reads of {}, which commits later", self.id(place), self.id(writer)))
            }
            _ => Ok(()),
        })
    }

    fn sessions_in_order(&self) -> Result<(), String> {
        let wrong = (0..self.txns.len())
            .find(|place| self.txns[*place].previous.is_some_and(|previous| previous >= *place));
        wrong.map_or(Ok(()), |place| {
            Err(format!("{} is out of its session's order", self.id(place)))
        })
    }

    /// Every transaction reads the last versions of its snapshot.
    fn snapshots(&self) -> Result<(), String> {
        for (place, txn) in self.txns.iter().enumerate() {
            if txn.snapshot > place {
                return Err(format!("the snapshot of {} holds its own commit", self.id(place)));
            }
        }
        self.each(|place, read| {
            let snapshot = self.txns[place].snapshot;
            let writers = &self.writers[read.key];
            let last = writers.partition_point(|writer| *writer < snapshot);
            if last == read.version {
                return Ok(());
            }
            Err(format!(
                "{} reads version {} of a key of which its snapshot holds {last}",
                self.id(place),
                read.version
            ))
        })
    }

    fn alone(&self) -> Result<(), String> {
        let apart = (0..self.txns.len()).find(|place| self.txns[*place].snapshot != *place);
        if let Some(place) = apart {
            return Err(format!("the snapshot of {} does not hold all before it", self.id(place)));
        }
        self.snapshots()
    }

    fn sessions_in_snapshots(&self) -> Result<(), String> {
        let misses = |place: &usize| {
            let txn = &self.txns[*place];
            txn.previous.is_some_and(|previous| previous >= txn.snapshot)
        };
        let wrong = (0..self.txns.len()).find(misses);
        wrong.map_or(Ok(()), |place| Err(format!("{} does not see its session", self.id(place))))
    }

    /// Nobody else commits a write of a key between a writer's snapshot and its commit.
    fn no_conflict(&self) -> Result<(), String> {
        for (place, txn) in self.txns.iter().enumerate() {
            for (key, version) in &txn.writes {
                let before = version.checked_sub(2).map(|before| self.writers[*key][before]);
                if let Some(before) = before.filter(|before| *before >= txn.snapshot) {
                    let (one, other) = (self.id(place), self.id(before));
                    return Err(format!(
                        "{one} overwrites {other}, which its snapshot does not hold"
                    ));
                }
            }
        }
        Ok(())
    }

    fn in_real_time(&self) -> Result<(), String> {
        if !self.real_time {
            return Err("the history has no order of time between sessions".into());
        }
        let mut earliest = (u64::MAX, 0);
        for (place, txn) in self.txns.iter().enumerate().rev() {
            if earliest.0 < txn.operation.invoke.index {
                let (one, other) = (self.id(earliest.1), self.id(place));
                return Err(format!(
                    "{one} had completed before {other} was invoked, and comes later"
                ));
            }
            if txn.operation.is_ok() {
                earliest = earliest.min((txn.operation.complete.index, place));
            }
        }
        Ok(())
    }

    /// Nobody whom a reader must have seen overwrote what it read.
    fn visible(&self, level: &str) -> Result<(), String> {
        for (place, txn) in self.txns.iter().enumerate() {
            for (nth, read) in txn.reads.iter().enumerate() {
                let seen = match level {
                    "read-committed-axiomatic" => {
                        txn.reads[..nth].iter().filter_map(|read| self.writer(*read)).collect()
                    }
                    "read-atomic" => self.sources_and_session(place),
                    _ => {
                        self.newer_unseen(place, *read, &|at| self.before(at, false))?;
                        continue;
                    }
                };
                let newer = &self.writers[read.key][read.version..];
                if let Some(newer) = newer.iter().find(|newer| seen.contains(newer)) {
                    let (one, other) = (self.id(place), self.id(*newer));
                    return Err(format!("{one} saw {other}, and read what that overwrote"));
                }
            }
        }
        Ok(())
    }

    fn sources_and_session(&self, place: usize) -> Vec<usize> {
        let txn = &self.txns[place];
        let mut seen: Vec<usize> = txn.reads.iter().filter_map(|read| self.writer(*read)).collect();
        let mut next = txn.previous;
        while let Some(previous) = next {
            seen.push(previous);
            next = self.txns[previous].previous;
        }
        seen
    }

    /// Whom a transaction saw, or at another level overwrote, itself.
    fn before(&self, place: usize, overwritten: bool) -> Vec<usize> {
        let txn = &self.txns[place];
        let mut before: Vec<usize> =
            txn.reads.iter().filter_map(|read| self.writer(*read)).collect();
        if overwritten {
            let earlier = |(key, version): &(usize, usize)| {
                version.checked_sub(2).map(|version| self.writers[*key][version])
            };
            before.extend(txn.writes.iter().filter_map(earlier));
        } else {
            before.extend(txn.previous);
        }
        before
    }

    /// Goes back from a reader; whoever overwrote what it read must not be there.
    fn newer_unseen(
        &self,
        reader: usize,
        read: Found,
        before: &dyn Fn(usize) -> Vec<usize>,
    ) -> Result<(), String> {
        let newer = &self.writers[read.key][read.version..];
        let Some(first) = newer.iter().find(|newer| **newer != reader) else {
            return Ok(());
        };
        let mut stack = before(reader);
        let mut met = std::collections::BTreeSet::new();
        while let Some(place) = stack.pop() {
            // All commits of the past come earlier: nothing older than the first newer one matters.
            if place < *first || !met.insert(place) {
                continue;
            }
            if newer.contains(&place) && place != reader {
                let (one, other) = (self.id(reader), self.id(place));
                return Err(format!("{one} comes after {other}, and read what that overwrote"));
            }
            stack.extend(before(place));
        }
        Ok(())
    }
}

/// The transactions of an order: all that are ok, none that failed, none twice.
fn commits<'a>(order: &Order, operations: &'a [Operation]) -> Result<Vec<&'a Operation>, String> {
    let mut known: BTreeMap<u64, &Operation> =
        operations.iter().map(|operation| (operation.id, operation)).collect();
    let mut commits = Vec::with_capacity(order.commits.len());
    for id in &order.commits {
        let operation = known.remove(id);
        let operation = operation
            .ok_or_else(|| format!("{id} is no transaction of the history, or commits twice"))?;
        if operation.outcome == Outcome::Fail {
            return Err(format!("{id} failed, and cannot commit"));
        }
        commits.push(operation);
    }
    let left_out = known.values().find(|operation| operation.is_ok());
    left_out.map_or(Ok(commits), |left_out| Err(format!("{} is ok, and left out", left_out.id)))
}

/// What was written by transactions that are not in the order.
fn failed<'a>(
    operations: &'a [Operation],
    commits: &[&Operation],
) -> Result<Vec<(&'a Value, &'a Value)>, String> {
    let kept: std::collections::BTreeSet<u64> = commits.iter().map(|one| one.id).collect();
    let mut failed = Vec::new();
    for operation in operations.iter().filter(|operation| !kept.contains(&operation.id)) {
        let writes = micros(operation)?.into_iter().filter(|(function, ..)| *function != "r");
        failed.extend(writes.map(|(_, key, value)| (key, value)));
    }
    failed.sort();
    Ok(failed)
}

/// What a read is of.
enum Read {
    /// A version by its number, from 1; 0 is the initial one; `None` if it is the reader's own.
    Clean(Option<usize>),
    /// Something that was not committed.
    Dirty,
}

/// What reads are held against.
struct Reading<'r, 'a> {
    keys: &'r [Key<'a>],
    numbers: &'r Keys<'a>,
    is_list: bool,
    failed: Vec<(&'a Value, &'a Value)>,
}

impl<'a> Reading<'_, 'a> {
    /// Versions of registers by key and value.
    fn values(&self) -> BTreeMap<(usize, &'a Value), usize> {
        let of = |(key, of): (usize, &Key<'a>)| {
            let versions = of.values.iter().enumerate();
            versions.map(move |(place, (value, _))| ((key, *value), place + 1)).collect::<Vec<_>>()
        };
        self.keys.iter().enumerate().flat_map(of).collect()
    }

    fn name(&self, key: usize) -> &'a Value {
        let named = self.numbers.iter().find(|(_, number)| **number == key);
        named.map(|(name, _)| *name).expect("every key has a name")
    }

    fn register(
        &self,
        key: usize,
        value: &Value,
        initial: &Value,
        values: &BTreeMap<(usize, &'a Value), usize>,
    ) -> Result<Read, String> {
        if let Some(version) = values.get(&(key, value)) {
            return Ok(Read::Clean(Some(*version)));
        }
        if value.is_nil() || value == initial {
            return Ok(Read::Clean(Some(0)));
        }
        let overwritten = self.keys[key].elements.contains(&value);
        if overwritten
            || self.failed.iter().any(|(of, one)| *one == value && **of == *self.name(key))
        {
            return Ok(Read::Dirty);
        }
        Err("which nobody wrote".into())
    }

    /// A list must be a beginning of all elements in the order of commits.
    fn list(&self, key: usize, value: &Value, own: Option<&Value>) -> Result<Read, String> {
        let list = value.as_list().unwrap_or(&[]);
        let name = (!self.failed.is_empty()).then(|| self.name(key));
        let gone = |element: &&Value| {
            name.is_some_and(|name| self.failed.binary_search(&(name, *element)).is_ok())
        };
        let kept: Vec<&Value> = list.iter().filter(|element| !gone(element)).collect();
        let key = &self.keys[key];
        if kept.len() > key.elements.len() || kept != key.elements[..kept.len()] {
            return Err("which is no beginning of the order of elements".into());
        }
        if own.is_some_and(|own| kept.last() != Some(&own)) {
            return Err("but had appended another element last".into());
        }
        if kept.len() != list.len() {
            return Ok(Read::Dirty);
        }
        if own.is_some() {
            return Ok(Read::Clean(None));
        }
        if kept.is_empty() {
            return Ok(Read::Clean(Some(0)));
        }
        let ends = key.values.binary_search_by_key(&kept.len(), |(_, length)| *length);
        Ok(ends.map_or(Read::Dirty, |place| Read::Clean(Some(place + 1))))
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::certificate::{Certificate, FORMAT, Order};
    use wrack_history::import::{Imported, Reading, read};

    use super::verify;
    use crate::catalogue::Own;

    fn imported(text: &str) -> Imported {
        let reading = Reading { model: "rw-register", ..Reading::default() };
        read("history", text.as_bytes(), &reading).unwrap()
    }

    fn check(
        text: &str,
        level: &str,
        commits: &[u64],
        snapshots: &[u64],
        expected: Result<(), &str>,
    ) {
        let order = Order {
            levels: vec![level.into()],
            commits: commits.to_vec(),
            snapshots: snapshots.to_vec(),
        };
        let certificate = Certificate {
            format: FORMAT.into(),
            model: "rw-register".into(),
            orders: vec![order],
            linearizations: Vec::new(),
        };
        match (verify(&certificate, &imported(text), &Own::default()), expected) {
            (Ok(_), Ok(())) => (),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    const SKEW: &str = "{\"p\":0,\"c\":0,\"r\":2,\"s\":\"ok\",\"t\":[[\"r\",1,null],[\"r\",2,null],[\"w\",1,7]]}\n\
                        {\"p\":1,\"c\":1,\"r\":3,\"s\":\"ok\",\"t\":[[\"r\",1,null],[\"r\",2,null],[\"w\",2,8]]}\n";

    #[test]
    fn write_skew_is_certified_for_snapshots_and_not_one_by_one() {
        check(SKEW, "snapshot-isolation", &[0, 1], &[0, 0], Ok(()));
        check(SKEW, "snapshot-isolation", &[0, 1], &[0, 1], Err("its snapshot holds 1"));
        check(SKEW, "serializable", &[0, 1], &[], Err("its snapshot holds 1"));
        check(SKEW, "serializable", &[0, 1], &[0, 0], Err("does not hold all before it"));
        check(SKEW, "causal", &[1, 0], &[], Ok(()));
    }

    #[test]
    fn an_order_of_something_else_is_refused() {
        check(SKEW, "causal", &[0], &[], Err("1 is ok, and left out"));
        check(SKEW, "causal", &[0, 1, 1], &[], Err("commits twice"));
        check(SKEW, "causal", &[0, 2], &[], Err("no transaction of the history"));
        check(SKEW, "sequential", &[0, 1], &[], Err("there is no such level"));
    }

    #[test]
    fn time_and_sessions_are_held_against_the_order() {
        let stale = "{\"p\":0,\"c\":0,\"r\":1,\"s\":\"ok\",\"t\":[[\"w\",1,7]]}\n\
                     {\"p\":1,\"c\":2,\"r\":3,\"s\":\"ok\",\"t\":[[\"r\",1,null]]}\n";
        check(stale, "strong-session-serializable", &[1, 0], &[], Ok(()));
        check(stale, "strict-serializable", &[1, 0], &[], Err("had completed before"));
        let own = stale.replace("\"p\":1", "\"p\":0");
        check(&own, "strong-session-serializable", &[1, 0], &[], Err("does not see its session"));
        check(&own, "serializable", &[1, 0], &[], Ok(()));
        check(&own, "read-atomic", &[0, 1], &[], Err("read what that overwrote"));
    }
}
