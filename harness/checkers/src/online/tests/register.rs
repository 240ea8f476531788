//! Registers.

use proptest::prelude::*;
use wrack_history::{History, Moment, Operation, Outcome, Settings, Value};

use super::Twin;
use crate::story;

/// An operation of a client: how long after its last one it begins, how long it lasts, where in that it
/// takes effect, what it does, how it ends, and whether it lies.
type Raw = (u64, u64, u64, u8, u8, u8);

fn raws(clients: usize, operations: usize) -> impl Strategy<Value = Vec<Vec<Raw>>> {
    let raw = (0..9u64, 1..9u64, 0..9u64, any::<u8>(), any::<u8>(), any::<u8>());
    prop::collection::vec(prop::collection::vec(raw, 0..operations), 1..clients)
}

/// How often things happen, of 256.
#[derive(Clone, Copy)]
struct Mix {
    write: u8,
    cas: u8,
    fail: u8,
    info: u8,
    lie: u8,
    /// How many values there are; 0 for unique ones.
    values: i64,
}

/// A history of a register that really is atomic, but for some lies.
fn register(raws: &[Vec<Raw>], mix: Mix) -> History {
    let mut operations = Vec::new();
    let mut points = Vec::new();
    for (client, raws) in raws.iter().enumerate() {
        let (mut now, mut process) = (0, client as u32);
        for &(gap, length, at, what, how, lie) in raws {
            let (begin, end) = (now + gap, now + gap + length);
            now = end + 1;
            let id = operations.len() as u64;
            let outcome = match how {
                how if how < mix.fail => Outcome::Fail,
                how if how < mix.fail + mix.info => Outcome::Info,
                _ => Outcome::Ok,
            };
            let function = match what {
                what if what < mix.write => "write",
                what if what < mix.write + mix.cas => "cas",
                _ => "read",
            };
            // What is in doubt takes effect in time, later or never.
            let point = match outcome {
                Outcome::Ok => Some(begin * 10 + at % length * 10 + 5),
                Outcome::Info => [None, Some(begin * 10 + at * 37)][usize::from(lie % 2)],
                Outcome::Fail => None,
            };
            points.extend(point.map(|point| (point, operations.len(), lie < mix.lie)));
            let at = |ns: u64| Moment { index: 0, ns };
            operations.push(Operation {
                id,
                process,
                session: client as u32,
                key: "k".into(),
                function: function.into(),
                argument: Value::Nil,
                result: Value::Nil,
                outcome,
                invoke: at(begin),
                complete: at(end),
                details: None,
            });
            process += if outcome == Outcome::Info { 100 } else { 0 };
        }
    }
    let mut value = 0;
    let mut last = 0;
    for operation in &mut operations {
        last += 1;
        value = if mix.values == 0 { last } else { (value * 7 + last) % mix.values + 1 };
        match operation.function.as_str() {
            "write" => operation.argument = value.into(),
            "cas" => operation.argument = Value::pair(Value::Nil, value.into()),
            _ => (),
        }
    }
    points.sort_unstable();
    let mut state = Value::Nil;
    for (point, place, lies) in points {
        let operation = &mut operations[place];
        let found = match lies {
            true if point % 3 == 0 => Value::Nil,
            true => Value::Integer((point % 40) as i64),
            false => state.clone(),
        };
        match operation.function.as_str() {
            "write" => state = operation.argument.clone(),
            "cas" => {
                let new = operation.argument.as_pair().unwrap().1.clone();
                operation.argument = Value::pair(found.clone(), new.clone());
                if operation.is_ok() {
                    operation.result = (!point.is_multiple_of(4)).into();
                }
                if operation.result != Value::Bool(false) {
                    state = new;
                }
            }
            _ if operation.is_ok() => operation.result = found,
            _ => (),
        }
    }
    in_order(operations)
}

/// Gives every event its index.
fn in_order(mut operations: Vec<Operation>) -> History {
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        events.push((operation.invoke.ns, false, place));
        events.push((operation.complete.ns, true, place));
    }
    events.sort_unstable();
    for (index, (_, completes, place)) in events.into_iter().enumerate() {
        let operation = &mut operations[place];
        let moment = if completes { &mut operation.complete } else { &mut operation.invoke };
        moment.index = index as u64;
    }
    operations.sort_by_key(|operation| operation.invoke.index);
    History { operations, nemesis: Vec::new() }
}

const MIX: Mix = Mix { write: 110, cas: 0, fail: 10, info: 14, lie: 9, values: 0 };

fn twin(model: &'static str) -> Twin<'static> {
    Twin { code: "LIN", model, initial: Value::Nil, settings: Settings::default(), for_good: true }
}

#[test]
fn online_and_offline_agree_on_unique_values_at_every_event() {
    let seen = twin("register").agrees_on(6_000, &raws(6, 12), |raws| register(raws, MIX));
    assert!(seen.valid > 1_000 && seen.invalid > 1_000 && seen.doubted == 0, "{seen:?}");
    let honest = Mix { lie: 0, ..MIX };
    let seen = twin("register").agrees_on(1_000, &raws(4, 60), |raws| register(raws, honest));
    assert!(seen.valid > 900 && seen.doubted == 0, "{seen:?}");
}

#[test]
fn values_that_come_again_are_decided_or_doubted() {
    for values in [3, 8] {
        let mix = Mix { values, lie: 6, ..MIX };
        let seen = twin("register").agrees_on(3_000, &raws(4, 12), |raws| register(raws, mix));
        assert!(seen.valid > 100 && seen.invalid > 50 && seen.doubted > 300, "{seen:?}");
    }
}

#[test]
fn what_is_said_of_cas_is_never_too_much() {
    let mix = Mix { cas: 60, lie: 7, ..MIX };
    let seen = twin("cas-register").agrees_on(4_000, &raws(5, 12), |raws| register(raws, mix));
    assert!(seen.invalid > 300 && seen.doubted > 400, "{seen:?}");
}

#[test]
fn what_random_operations_do_is_judged_alike() {
    let write = (0..60u64, 0..12u64, prop::bool::weighted(0.8));
    let raws =
        (prop::collection::vec(write, 1..7), prop::collection::vec((0..70u64, 0..8i64), 0..8));
    let seen = twin("register").agrees_on(6_000, &raws, |(writes, reads)| {
        story::history(&story::writes_and_reads(writes, reads))
    });
    assert!(seen.valid > 300 && seen.invalid > 1_000 && seen.doubted == 0, "{seen:?}");
}
