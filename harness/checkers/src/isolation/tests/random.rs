//! Small random histories of transactions, most of them nearly in order.
//!
//! Sessions take turns. A transaction reads the state when it is invoked or when it completes, or, now
//! and then, an older one, something half done, or what failed; it writes when it completes.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use wrack_history::{Moment, Operation, Outcome, Value};

use super::super::transactions::Style;
use super::super::words;

struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0.next_u64() % count
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

/// Everything that was ever the value of a key, in order; lists by their lengths.
#[derive(Clone, Default)]
struct Store {
    versions: BTreeMap<i64, Vec<i64>>,
}

struct Open {
    operation: usize,
    /// How many versions each key had when it was invoked.
    snapshot: BTreeMap<i64, usize>,
}

/// A history of 2 to 5 transactions.
pub fn history(seed: u64, style: Style) -> Vec<Operation> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let count = 2 + chance.below(4);
    let sessions = 1 + chance.below(4);
    let keys = 1 + chance.below(3);
    let stale = [0, 10, 40][chance.below(3) as usize];
    let snapshots = chance.percent(50);
    let failures = chance.percent(40);
    let mut operations: Vec<Operation> = Vec::new();
    let mut store = Store::default();
    let mut open: BTreeMap<u64, Open> = BTreeMap::new();
    let (mut index, mut next_value) = (0, 1);
    while (operations.len() as u64) < count || !open.is_empty() {
        let session = chance.below(sessions);
        let at = Moment { index, ns: index * 1_000_000 };
        match open.remove(&session) {
            None if (operations.len() as u64) < count => {
                let id = operations.len();
                let argument = ask(&mut chance, style, keys, &mut next_value);
                operations.push(operation(id, session, argument, at));
                let snapshot = store.versions.iter().map(|(key, all)| (*key, all.len()));
                open.insert(session, Open { operation: id, snapshot: snapshot.collect() });
            }
            None => continue,
            Some(open) => {
                let snapshot = snapshots.then_some(&open.snapshot);
                let operation = &mut operations[open.operation];
                complete(&mut chance, style, (operation, at), &mut store, snapshot, stale);
                end(&mut chance, operation, failures);
            }
        }
        index += 1;
    }
    operations
}

fn operation(id: usize, session: u64, argument: Value, at: Moment) -> Operation {
    Operation {
        id: id as u64,
        process: session as u32,
        session: session as u32,
        key: "".into(),
        function: "txn".into(),
        argument,
        result: Value::Nil,
        outcome: Outcome::Ok,
        invoke: at,
        complete: Moment::NEVER,
        details: None,
    }
}

fn micro(function: &str, key: i64, value: Value) -> Value {
    Value::list([function.into(), key.into(), value])
}

fn ask(chance: &mut Chance, style: Style, keys: u64, next_value: &mut i64) -> Value {
    let count = 1 + chance.below(3);
    let list = (0..count).map(|_| {
        let key = chance.below(keys) as i64;
        if chance.percent(50) {
            return micro("r", key, Value::Nil);
        }
        *next_value += 1;
        let write = if style == Style::Register { "w" } else { "append" };
        micro(write, key, (*next_value).into())
    });
    Value::list(list.collect::<Vec<_>>())
}

fn complete(
    chance: &mut Chance,
    style: Style,
    (operation, at): (&mut Operation, Moment),
    store: &mut Store,
    snapshot: Option<&BTreeMap<i64, usize>>,
    stale: u64,
) {
    let mut own = BTreeMap::<i64, Vec<i64>>::new();
    let asked = operation.argument.as_list().expect("a list").to_vec();
    let answers = asked.iter().map(|entry| {
        let [Value::Text(function), key, value] = entry.as_list().expect("a micro") else {
            panic!("a micro");
        };
        let key = key.as_integer().expect("a key");
        if function != "r" {
            own.entry(key).or_default().push(value.as_integer().expect("a value"));
            return entry.clone();
        }
        let all = store.versions.get(&key).map_or(&[][..], Vec::as_slice);
        let seen = snapshot.map_or(all.len(), |snapshot| snapshot.get(&key).copied().unwrap_or(0));
        let back = if chance.percent(stale) { chance.below(3) as usize } else { 0 };
        let mut found = all[..seen.saturating_sub(back)].to_vec();
        if !chance.percent(2) {
            found.extend(own.get(&key).into_iter().flatten());
        }
        let found = match style {
            Style::Register => found.last().map_or(Value::Nil, |value| (*value).into()),
            Style::ListAppend => Value::list(found.into_iter().map(Value::from)),
        };
        micro("r", key, found)
    });
    operation.result = Value::list(answers.collect::<Vec<_>>());
    operation.complete = at;
    for (key, values) in own {
        let all = store.versions.entry(key).or_default();
        if chance.percent(4) && !all.is_empty() {
            let place = all.len() - 1;
            all.splice(place..place, values);
        } else {
            all.extend(values);
        }
    }
}

fn end(chance: &mut Chance, operation: &mut Operation, failures: bool) {
    if failures && chance.percent(25) {
        operation.result = Value::Nil;
        operation.outcome = if chance.percent(70) { Outcome::Info } else { Outcome::Fail };
    }
}

/// A history for a failed assertion.
pub fn shown(operations: &[Operation]) -> String {
    let line = |one: &Operation| {
        let span = (one.invoke.index, one.complete.index);
        format!("session {} {:?} {span:?} {}\n", one.session, one.outcome, words::whole(one, false))
    };
    operations.iter().map(line).collect()
}
