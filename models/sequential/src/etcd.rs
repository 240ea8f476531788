//! A key-value store with revisions and small transactions: what etcd promises.
//!
//! ```text
//! revision 1, nothing
//! txn [a at 0] put a 5         → revision 2, true      a = 5 (2)
//! txn [a at 0] put a 6, else range a → revision 2, false, a = 5 (2)
//! txn [] put b 7               → revision 3
//! range a..z                   → revision 3, a = 5 (2), b = 7 (3)
//! range a..z at 2              → revision 3, a = 5 (2)
//! ```
//! Every transaction that changes something has the next revision, and what it writes carries it; a
//! condition compares the revision that a key was last written at, 0 if it is not there. A range answers
//! how many keys there are and the first ones in order of their names, now or at an older revision. All
//! keys are one object, because the revision is.
//! Source: the model of etcd's robustness tests, `tests/robustness/model`.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, SmolStr, Value};

use crate::{Effect, Model, ModelError, Values, learned};

/// The store; empty at revision 1.
#[derive(Clone, Debug, Default)]
pub struct Etcd {
    values: Values,
    numbers: FxHashMap<SmolStr, u32>,
    /// By number.
    names: Vec<SmolStr>,
    /// What was written at which revision, as far as any answer tells: keys, and values or deletions.
    told: FxHashMap<i64, Vec<(u32, Option<u32>)>>,
}

/// The revision, and all changes that led to it.
#[derive(Clone, Debug)]
pub struct State {
    revision: i64,
    last: Option<Arc<Change>>,
}

/// One key that was written or deleted, and what came before.
#[derive(Debug)]
pub struct Change {
    revision: i64,
    key: u32,
    /// Its number; `None` if the key was deleted.
    value: Option<u32>,
    before: Option<Arc<Change>>,
    /// Of this change and all before it.
    digest: u64,
}

/// What an operation asks, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    ask: Ask,
    answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Ask {
    /// At this revision; 0 for now.
    Range(Range, i64),
    Transaction {
        /// Keys by number, and the revision at which each must have been written last.
        conditions: Vec<(u32, i64)>,
        on_success: Vec<Small>,
        on_failure: Vec<Small>,
    },
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Small {
    Put(u32, u32),
    Delete(u32),
    Range(Range),
}

/// Keys from `start` on and before `end`; `start` alone if there is no end; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Range {
    start: SmolStr,
    end: SmolStr,
    limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answer {
    revision: i64,
    /// Of a transaction: whether its conditions held.
    succeeded: bool,
    results: Vec<Found>,
}

/// What one operation answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Found {
    /// Keys in range, or keys that were deleted.
    count: i64,
    /// Key, value and revision.
    keys: Vec<(u32, u32, i64)>,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision && same(self.last.as_ref(), other.last.as_ref())
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.revision.hash(hasher);
        self.last.as_ref().map(|last| last.digest).hash(hasher);
    }
}

/// Whether two chains of changes are the same; what they share is not looked at.
fn same(mut one: Option<&Arc<Change>>, mut other: Option<&Arc<Change>>) -> bool {
    loop {
        match (one, other) {
            (None, None) => return true,
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => return true,
            (Some(a), Some(b)) => {
                let content =
                    |change: &Change| (change.digest, change.revision, change.key, change.value);
                if content(a) != content(b) {
                    return false;
                }
                (one, other) = (a.before.as_ref(), b.before.as_ref());
            }
            _ => return false,
        }
    }
}

impl Drop for Change {
    /// One after the other: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut change) = next.and_then(Arc::into_inner) {
            next = change.before.take();
        }
    }
}

impl State {
    fn changes(&self) -> impl Iterator<Item = &Change> {
        let mut next = self.last.as_deref();
        std::iter::from_fn(move || {
            let change = next?;
            next = change.before.as_deref();
            Some(change)
        })
    }

    /// The value and revision of a key, if it is there.
    fn get(&self, key: u32) -> Option<(u32, i64)> {
        let change = self.changes().find(|change| change.key == key)?;
        Some((change.value?, change.revision))
    }

    fn put(&mut self, revision: i64, key: u32, value: Option<u32>) {
        let mut hasher = FxHasher::default();
        let before = self.last.as_ref().map(|last| last.digest);
        (before, revision, key, value).hash(&mut hasher);
        let (digest, before) = (hasher.finish(), self.last.take());
        self.last = Some(Arc::new(Change { revision, key, value, before, digest }));
    }
}

impl Model for Etcd {
    type State = State;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "etcd",
        doc: "A key-value store with revisions, as etcd's robustness tests record it; empty at \
              revision 1. `txn` takes `[conditions, then, else]`: conditions `[key, revision]`, \
              operations `[\"put\", key, value]`, `[\"delete\", key]` and `[\"range\", start, end, \
              limit]`; it answers `[revision, succeeded, results]`. `range` takes `[start, end, \
              limit, revision]` and answers `[revision, count, keys]` with keys `[key, value, \
              revision]`.",
    };

    fn initial(&self) -> State {
        State { revision: 1, last: None }
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let read = match operation.function.as_str() {
            "range" => self.read_range(operation),
            "txn" => self.read_transaction(operation),
            _ => return Err(ModelError::unknown_function::<Self>(operation)),
        };
        let read = read.inspect(|step| self.learn(step));
        read.ok_or_else(|| {
            let found = match learned(operation) {
                Some(result) => Value::pair(operation.argument.clone(), result.clone()),
                None => operation.argument.clone(),
            };
            ModelError::wrong_value(operation, "what the model etcd describes", &found)
        })
    }

    fn step(&self, state: &State, step: &Step) -> Option<State> {
        let mut next = state.clone();
        let answer = match &step.ask {
            Ask::Range(range, 0) => Answer {
                revision: state.revision,
                succeeded: true,
                results: vec![self.range(state, range, i64::MAX)],
            },
            // A revision of the future is an error, not an answer.
            Ask::Range(_, revision) if *revision > state.revision => return None,
            Ask::Range(range, revision) => Answer {
                revision: state.revision,
                succeeded: true,
                results: vec![self.range(state, range, *revision)],
            },
            Ask::Transaction { conditions, on_success, on_failure } => {
                let holds = |(key, revision): &(u32, i64)| {
                    state.get(*key).map_or(0, |(_, revision)| revision) == *revision
                };
                let succeeded = conditions.iter().all(holds);
                let all = if succeeded { on_success } else { on_failure };
                let results = self.carry_out(&mut next, all);
                // Whatever made this revision made what every answer tells of it; without that, one of
                // those answers could never be given.
                if next.revision > state.revision && !self.as_told(&next) {
                    return None;
                }
                Answer { revision: next.revision, succeeded, results }
            }
        };
        step.answer.as_ref().is_none_or(|learned| *learned == answer).then_some(next)
    }

    fn show(&self, state: &State) -> String {
        let mut shown = BTreeMap::new();
        for change in state.changes() {
            shown.entry(&self.names[change.key as usize]).or_insert(change);
        }
        let there = shown.into_iter().filter_map(|(name, change)| {
            Some(format!("{name} = {} ({})", self.values.value(change.value?), change.revision))
        });
        let keys: Vec<String> = there.collect();
        format!("revision {}: {}", state.revision, keys.join(", "))
    }

    fn effect(&self, step: &Step) -> Effect {
        match &step.ask {
            Ask::Range(..) => Effect::None,
            Ask::Transaction { on_success, on_failure, .. } => {
                let all = match step.answer.as_ref().map(|answer| answer.succeeded) {
                    Some(true) => [on_success.as_slice(), &[]],
                    Some(false) => [on_failure.as_slice(), &[]],
                    None => [on_success.as_slice(), on_failure.as_slice()],
                };
                let changes = |small: &Small| !matches!(small, Small::Range(_));
                if all.into_iter().flatten().any(changes) { Effect::Any } else { Effect::None }
            }
        }
    }

    /// A revision never comes again.
    fn out_of_reach(&self, state: &State, goal: &Step) -> bool {
        let wanted = goal.answer.as_ref().map(|answer| answer.revision);
        // What changes something is answered its own revision.
        let own = i64::from(self.effect(goal) != Effect::None && self.surely_changes(goal));
        wanted.is_some_and(|wanted| wanted < state.revision + own)
    }
}

impl Etcd {
    /// Whether the last revision has everything that answers tell of it.
    fn as_told(&self, state: &State) -> bool {
        let told = self.told.get(&state.revision).map_or(&[][..], Vec::as_slice);
        told.iter().all(|(key, value)| {
            let mut last = state.changes().take_while(|one| one.revision == state.revision);
            last.any(|change| change.key == *key && change.value == *value)
        })
    }

    /// Remembers what an answer tells of revisions.
    fn learn(&mut self, step: &Step) {
        let Some(answer) = &step.answer else { return };
        for found in &answer.results {
            for (key, value, revision) in &found.keys {
                self.tell(*revision, (*key, Some(*value)));
            }
        }
        let Ask::Transaction { on_success, on_failure, .. } = &step.ask else { return };
        let all = if answer.succeeded { on_success } else { on_failure };
        for (small, found) in all.iter().zip(&answer.results) {
            match small {
                Small::Put(key, value) => self.tell(answer.revision, (*key, Some(*value))),
                Small::Delete(key) if found.count > 0 => self.tell(answer.revision, (*key, None)),
                Small::Delete(_) | Small::Range(_) => {}
            }
        }
    }

    fn tell(&mut self, revision: i64, change: (u32, Option<u32>)) {
        let told = self.told.entry(revision).or_default();
        if !told.contains(&change) {
            told.push(change);
        }
    }

    /// Whether an answered step made a revision of its own: a put does, a delete perhaps.
    fn surely_changes(&self, step: &Step) -> bool {
        match (&step.ask, &step.answer) {
            (Ask::Transaction { on_success, on_failure, .. }, Some(answer)) => {
                let all = if answer.succeeded { on_success } else { on_failure };
                all.iter().any(|small| matches!(small, Small::Put(..)))
            }
            _ => false,
        }
    }

    /// Does all operations of a transaction, which share the next revision.
    fn carry_out(&self, state: &mut State, all: &[Small]) -> Vec<Found> {
        let next = state.revision + 1;
        let mut results = Vec::with_capacity(all.len());
        for small in all {
            results.push(match small {
                Small::Range(range) => self.range(state, range, i64::MAX),
                Small::Put(key, value) => {
                    state.put(next, *key, Some(*value));
                    state.revision = next;
                    Found::default()
                }
                Small::Delete(key) => {
                    let count = i64::from(state.get(*key).is_some());
                    if count > 0 {
                        state.put(next, *key, None);
                        state.revision = next;
                    }
                    Found { count, keys: Vec::new() }
                }
            });
        }
        results
    }

    /// What is in range, as it was at a revision.
    fn range(&self, state: &State, range: &Range, revision: i64) -> Found {
        let inside = |name: &SmolStr| match range.end.as_str() {
            "" => *name == range.start,
            end => *name >= range.start && name.as_str() < end,
        };
        let mut found = BTreeMap::new();
        for change in state.changes().filter(|change| change.revision <= revision) {
            let name = &self.names[change.key as usize];
            if inside(name) {
                found.entry(name).or_insert(change);
            }
        }
        let keys = found
            .into_values()
            .filter_map(|change| Some((change.key, change.value?, change.revision)));
        let mut keys: Vec<(u32, u32, i64)> = keys.collect();
        let count = keys.len() as i64;
        if range.limit > 0 {
            keys.truncate(range.limit);
        }
        Found { count, keys }
    }

    fn key(&mut self, name: &Value) -> Option<u32> {
        let Value::Text(name) = name else {
            return None;
        };
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), number);
        Some(number)
    }

    fn read_range(&mut self, operation: &Operation) -> Option<Step> {
        let [start, end, limit, revision] = operation.argument.as_list()? else {
            return None;
        };
        let ask = Ask::Range(range([start, end, limit])?, revision.as_integer()?);
        let answer = match learned(operation) {
            None => None,
            Some(result) => {
                let [revision, count, keys] = result.as_list()? else {
                    return None;
                };
                let results = vec![self.found(count, keys)?];
                Some(Answer { revision: revision.as_integer()?, succeeded: true, results })
            }
        };
        Some(Step { ask, answer })
    }

    fn read_transaction(&mut self, operation: &Operation) -> Option<Step> {
        let [conditions, on_success, on_failure] = operation.argument.as_list()? else {
            return None;
        };
        let condition = |pair: &Value| {
            let (key, revision) = pair.as_pair()?;
            Some((self.key(key)?, revision.as_integer()?))
        };
        let conditions = conditions.as_list()?.iter().map(condition).collect::<Option<_>>()?;
        let on_success = self.smalls(on_success)?;
        let on_failure = self.smalls(on_failure)?;
        let answer = match learned(operation) {
            None => None,
            Some(result) => Some(self.answered(result, [&on_success, &on_failure])?),
        };
        Some(Step { ask: Ask::Transaction { conditions, on_success, on_failure }, answer })
    }

    fn answered(&mut self, result: &Value, smalls: [&Vec<Small>; 2]) -> Option<Answer> {
        let [revision, Value::Bool(succeeded), results] = result.as_list()? else {
            return None;
        };
        let (results, asked) = (results.as_list()?, smalls[usize::from(!succeeded)]);
        if results.len() != asked.len() {
            return None;
        }
        let found = |result: &Value| match result.as_list()? {
            [count, keys] => self.found(count, keys),
            _ => None,
        };
        let results = results.iter().map(found).collect::<Option<_>>()?;
        Some(Answer { revision: revision.as_integer()?, succeeded: *succeeded, results })
    }

    fn smalls(&mut self, list: &Value) -> Option<Vec<Small>> {
        let small = |small: &Value| match small.as_list()? {
            [Value::Text(name), key, value] if name == "put" => {
                let value = self.values.number(value);
                Some(Small::Put(self.key(key)?, value))
            }
            [Value::Text(name), key] if name == "delete" => Some(Small::Delete(self.key(key)?)),
            [Value::Text(name), start, end, limit] if name == "range" => {
                Some(Small::Range(range([start, end, limit])?))
            }
            _ => None,
        };
        list.as_list()?.iter().map(small).collect()
    }

    fn found(&mut self, count: &Value, keys: &Value) -> Option<Found> {
        let key = |key: &Value| {
            let [name, value, revision] = key.as_list()? else {
                return None;
            };
            let value = self.values.number(value);
            Some((self.key(name)?, value, revision.as_integer()?))
        };
        let keys = keys.as_list()?.iter().map(key).collect::<Option<_>>()?;
        Some(Found { count: count.as_integer()?, keys })
    }
}

fn range([start, end, limit]: [&Value; 3]) -> Option<Range> {
    let (Value::Text(start), Value::Text(end)) = (start, end) else {
        return None;
    };
    let limit = usize::try_from(limit.as_integer()?).ok()?;
    Some(Range { start: start.clone(), end: end.clone(), limit })
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::Etcd;
    use crate::testing::{check, check_refused, info, ok};

    fn parse(text: &str) -> Value {
        wrack_history::import::value("a value", text).unwrap()
    }

    fn put(key: &str, at: i64, value: &str, answer: &str) -> Operation {
        let text =
            format!(r#"[[["{key}",{at}]], [["put","{key}","{value}"]], [["range","{key}","",0]]]"#);
        ok("txn", parse(&text), parse(answer))
    }

    fn range(at: i64, answer: &str) -> Operation {
        ok("range", parse(&format!(r#"["a","z",2,{at}]"#)), parse(answer))
    }

    #[test]
    fn every_change_has_a_revision_and_a_condition_looks_at_it() {
        let first = put("a", 0, "5", "[2,true,[[0,[]]]]");
        let refused = put("a", 0, "6", r#"[2,false,[[1,[["a","5",2]]]]]"#);
        let second = put("b", 0, "7", "[3,true,[[0,[]]]]");
        let all = r#"[3,2,[["a","5",2],["b","7",3]]]"#;
        let old = r#"[3,1,[["a","5",2]]]"#;
        check::<Etcd>(
            &[first.clone(), refused.clone(), second.clone(), range(0, all), range(2, old)],
            true,
        );
        check::<Etcd>(&[refused, first.clone()], false);
        check::<Etcd>(&[second.clone(), first.clone()], false);
        check::<Etcd>(&[first.clone(), range(0, all)], false);
        // A revision of the future.
        check::<Etcd>(&[first, range(3, r#"[2,1,[["a","5",2]]]"#), second], false);
    }

    #[test]
    fn a_delete_has_a_revision_only_if_the_key_was_there() {
        let delete = |answer: &str| ok("txn", parse(r#"[[],[["delete","a"]],[]]"#), parse(answer));
        let first = put("a", 0, "5", "[2,true,[[0,[]]]]");
        check::<Etcd>(
            &[delete("[1,true,[[0,[]]]]"), first.clone(), delete("[3,true,[[1,[]]]]")],
            true,
        );
        check::<Etcd>(&[first, delete("[2,true,[[1,[]]]]")], false);
    }

    #[test]
    fn a_range_counts_all_and_shows_as_many_as_it_may() {
        let put =
            |key: &str, revision: i64| put(key, 0, "1", &format!("[{revision},true,[[0,[]]]]"));
        let found = r#"[4,3,[["a","1",4],["b","1",3]]]"#;
        check::<Etcd>(&[put("c", 2), put("b", 3), put("a", 4), range(0, found)], true);
    }

    #[test]
    fn what_is_in_doubt_may_have_been_done() {
        let doubt = info("txn", parse(r#"[[["a",0]],[["put","a","5"]],[]]"#));
        check::<Etcd>(&[doubt, put("b", 0, "1", "[3,true,[[0,[]]]]")], true);
    }

    #[test]
    fn a_long_history_is_forgotten_without_a_deep_stack() {
        let mut state = super::State { revision: 1, last: None };
        (0..1_000_000).for_each(|revision| state.put(revision, 0, Some(0)));
        drop(state);
    }

    #[test]
    fn what_is_no_such_operation_is_refused() {
        check_refused::<Etcd>(
            ok("get", Value::Nil, Value::Nil),
            "operation 0: the model etcd has no function \"get\"",
        );
        check_refused::<Etcd>(
            info("txn", 7),
            "operation 0: txn needs what the model etcd describes, not 7",
        );
    }
}
