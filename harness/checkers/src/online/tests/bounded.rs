//! What is held does not grow with the history.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wrack_history::{Moment, Operation, Outcome, Setting, Settings, Value};

use super::open;
use crate::online::{Online, online};

/// Clients that act on objects which really are atomic: an operation takes effect when it is over.
struct World {
    chance: ChaCha8Rng,
    index: u64,
    next: u64,
    /// What is in flight.
    open: VecDeque<Operation>,
}

const OPERATIONS: u64 = 100_000;
const CLIENTS: usize = 8;

impl World {
    fn new() -> Self {
        Self { chance: ChaCha8Rng::seed_from_u64(1), index: 0, next: 0, open: VecDeque::new() }
    }

    fn below(&mut self, limit: u64) -> u64 {
        u64::from(self.chance.next_u32()) % limit
    }

    fn now(&mut self) -> Moment {
        self.index += 1;
        Moment { index: self.index, ns: self.index * 1_000 }
    }

    fn invoke(&mut self, function: &str, argument: Value) -> Operation {
        let (id, client, key) = (self.next, self.next as u32 % CLIENTS as u32, self.below(5));
        self.next += 1;
        let operation = Operation {
            id,
            process: client,
            session: client,
            key: format!("k{key}").into(),
            function: function.into(),
            argument,
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke: self.now(),
            complete: Moment::NEVER,
            details: None,
        };
        self.open.push_back(operation.clone());
        operation
    }

    /// The operation that is over next: the oldest, so that every client has one open.
    fn over(&mut self, outcome: Outcome) -> Option<Operation> {
        let operation = (self.open.len() >= CLIENTS).then(|| self.open.pop_front())??;
        Some(Operation { outcome, complete: self.now(), ..operation })
    }
}

/// Lets so many operations pass, and gives the most that was held in the first and the last tenth.
fn held(
    checker: &mut dyn Online,
    mut next: impl FnMut(&mut World) -> (&'static str, Value),
    mut effect: impl FnMut(&mut World, &mut Operation),
) -> [usize; 2] {
    let mut world = World::new();
    let mut most = [0; 2];
    for number in 0..OPERATIONS {
        let (function, argument) = next(&mut world);
        let invoked = world.invoke(function, argument);
        checker.invoke(&open(&invoked));
        let fails = world.below(50) == 0;
        let outcome = if fails { Outcome::Fail } else { Outcome::Ok };
        if let Some(mut over) = world.over(outcome) {
            if over.is_ok() {
                effect(&mut world, &mut over);
            }
            let found = checker.complete(&over);
            assert!(found.is_none(), "{found:?}");
        }
        let tenth = number / (OPERATIONS / 10);
        if number.is_multiple_of(2_000) && (tenth == 0 || tenth == 9) {
            let most = &mut most[usize::from(tenth == 9)];
            *most = checker.held().max(*most);
        }
    }
    assert_eq!(checker.finish(), None);
    most
}

fn checker(code: &str, model: &str, settings: &Settings) -> Box<dyn Online + Send> {
    online(code, model, &Value::Nil, settings).unwrap()
}

fn key(operation: &Operation) -> usize {
    operation.key.trim_start_matches('k').parse().unwrap()
}

/// Registers that are written and read.
fn held_of_registers(checker: &mut dyn Online) -> [usize; 2] {
    let mut state = vec![Value::Nil; 5];
    let mut value = 0;
    let next = |world: &mut World| match world.below(3) {
        0 => {
            value += 1;
            ("write", Value::Integer(value))
        }
        _ => ("read", Value::Nil),
    };
    held(checker, next, |_, operation| {
        let state = &mut state[key(operation)];
        match operation.function.as_str() {
            "write" => *state = operation.argument.clone(),
            _ => operation.result = state.clone(),
        }
    })
}

#[test]
fn many_operations_on_registers() {
    let (code, flat) = ("LIN", 200);
    let mut checker = checker(code, "register", &Settings::default());
    let most = held_of_registers(&mut *checker);
    assert_eq!(checker.doubt(), None);
    assert!(most[1] <= 2 * most[0] && most[1] < flat, "{code}: {most:?}");
}

/// What is owed to very many versions is given up in the end.
#[test]
fn many_operations_of_sessions() {
    for code in ["RYW", "MR", "MW", "WFR"] {
        let mut checker = checker(code, "register", &Settings::default());
        let most = held_of_registers(&mut *checker);
        assert_eq!(checker.doubt().is_some(), code != "MR", "{code}: {:?}", checker.doubt());
        assert!(most.iter().all(|held| *held < 100_000), "{code}: {most:?}");
    }
}

#[test]
fn many_operations_on_sets_of_forty() {
    let immediate = Settings::default().with("immediate", Setting::Flag(true));
    for (code, settings) in [("LIN", Settings::default()), ("SETFULL", immediate)] {
        let mut state = vec![std::collections::BTreeSet::new(); 5];
        let next = |world: &mut World| match world.below(3) {
            0 => ("add", Value::Integer(world.below(40) as i64)),
            _ => ("read", Value::Nil),
        };
        let mut checker = checker(code, "set", &settings);
        let most = held(&mut *checker, next, |_, operation| {
            let state = &mut state[key(operation)];
            match operation.function.as_str() {
                "add" => _ = state.insert(operation.argument.clone()),
                _ => operation.result = Value::list(state.iter().cloned()),
            }
        });
        assert_eq!(checker.doubt(), None);
        assert!(most[1] <= most[0] && most[0] < 1_000, "{code}: {most:?}");
    }
}

#[test]
fn many_appends_and_polls() {
    let mut logs = vec![(0i64, VecDeque::<(i64, Value)>::new()); 5];
    let mut value = 0;
    let next = |world: &mut World| match world.below(2) {
        0 => {
            value += 1;
            ("append", Value::Integer(value))
        }
        _ => ("poll", Value::Nil),
    };
    // One consumer in all, which is handed each entry once.
    let mut checker = super::super::log::Logs::holding(&Value::Nil, 1_000);
    let most = held(&mut checker, next, |_, operation| {
        let (offset, log) = &mut logs[key(operation)];
        match operation.function.as_str() {
            "append" => {
                operation.result = (*offset).into();
                log.push_back((*offset, operation.argument.clone()));
                *offset += 1;
            }
            _ => {
                operation.process = 99;
                let taken = log.drain(..log.len().min(5));
                let polled = taken.map(|(offset, value)| Value::pair(offset.into(), value));
                operation.result = Value::list(polled);
            }
        }
    });
    assert_eq!(checker.doubt(), None);
    assert!(most[1] <= most[0] + most[0] / 5 && most[1] < 15_000, "{most:?}");
}
