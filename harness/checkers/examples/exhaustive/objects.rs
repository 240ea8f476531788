//! Objects that are asked at random and answer without a model: what is true of them is known before
//! anybody judges it.

#![expect(clippy::ptr_arg, reason = "every object answers in one way, and some hold ever more")]

use std::collections::BTreeSet;

use wrack_history::{Operation, Value};

use super::random::Dice;

/// What the operations of one history have in common.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether what is put in is new each time.
    pub unique: bool,
    /// Whether only the functions are used that keep a history easy to judge.
    pub plain: bool,
}

/// A function and its argument.
pub type Asked = (&'static str, Value);

fn asked(function: &'static str, argument: impl Into<Value>) -> Asked {
    (function, argument.into())
}

/// Values that are drawn for one operation.
pub struct Draw<'a> {
    pub dice: &'a mut Dice,
    pub style: Style,
    /// Which operation of the history it is.
    pub number: u64,
}

impl Draw<'_> {
    fn below(&mut self, bound: u64) -> i64 {
        self.dice.below(bound) as i64
    }

    fn often(&mut self) -> bool {
        self.dice.below(2) == 0
    }

    /// A value to put in.
    fn fresh(&mut self) -> i64 {
        if self.style.unique { 10 + self.number as i64 } else { 1 + self.below(3) }
    }

    /// A value that may be there.
    fn some(&mut self) -> i64 {
        if self.style.unique { 10 + self.below(8) } else { 1 + self.below(3) }
    }

    fn text(&mut self, number: u64) -> String {
        match self.style.unique {
            true => format!("{number}."),
            false => ["a", "b", "ab", ""][self.below(4) as usize].into(),
        }
    }

    /// Up to so many values that may be there.
    fn list(&mut self, count: u64) -> Value {
        let count = self.below(count + 1);
        Value::list((0..count).map(|_| self.some().into()).collect::<Vec<Value>>())
    }

    fn maybe(&mut self, value: Value) -> Value {
        if self.often() { value } else { Value::Nil }
    }
}

/// An object.
pub struct Object {
    /// Its model, by name.
    pub model: &'static str,
    /// What it holds at first, where that is said.
    initial: fn(&mut Draw<'_>) -> Vec<Value>,
    /// What it is asked.
    pub ask: fn(&mut Draw<'_>) -> Asked,
    /// What it answers, given all that it holds; `None` if it turns the operation away.
    pub answer: fn(&mut Vec<Value>, &Operation, &mut Draw<'_>) -> Option<Value>,
    /// An answer out of the blue.
    pub guess: fn(&Operation, &mut Draw<'_>) -> Value,
}

impl Object {
    /// What a checker is told that it holds at first, and what it holds.
    pub fn start(&self, draw: &mut Draw<'_>) -> (Value, Vec<Value>) {
        let held = (self.initial)(draw);
        let told = match (self.model, held.as_slice()) {
            ("bank", _) => accounts(&held, ACCOUNTS.len()),
            ("cart", _) => Value::Nil,
            ("multi-register", [Value::Nil, Value::Nil]) | ("unique-ids", _) | (_, []) => {
                Value::Nil
            }
            ("multi-register", [x, y]) => Value::list([
                Value::pair("x".into(), x.clone()),
                Value::pair("y".into(), y.clone()),
            ]),
            ("register" | "cas-register" | "kv" | "counter" | "mutex", [one]) => one.clone(),
            _ => Value::list(held.clone()),
        };
        (told, held)
    }
}

const ACCOUNTS: [&str; 3] = ["a", "b", "c"];

/// One for every model whose operations are of one object, in order of their names.
pub const ALL: [Object; 16] = [
    Object { model: "bank", initial: balances, ask: ask_bank, answer: bank, guess: guess_bank },
    Object {
        model: "cart",
        initial: |_| vec![0.into()],
        ask: |draw| match draw.below(4) {
            0 => asked("increment", 1 + draw.below(2)),
            1 => asked("add", draw.fresh()),
            2 => asked("remove", draw.some()),
            _ => asked("read", Value::Nil),
        },
        answer: cart,
        guess: |asked, draw| match asked.function.as_str() {
            "read" => Value::list([draw.below(4).into(), draw.list(2)]),
            _ => Value::Nil,
        },
    },
    Object {
        model: "cas-register",
        initial: one_value,
        ask: ask_register,
        answer: register,
        guess: guess_value,
    },
    Object {
        model: "counter",
        initial: |draw| vec![(2 * draw.below(2)).into()],
        ask: ask_counter,
        answer: counter,
        guess: |_, draw| (draw.below(10) - 1).into(),
    },
    Object { model: "g-set", initial: values, ask: ask_set, answer: set, guess: guess_set },
    Object {
        model: "kv",
        initial: |draw| vec![if draw.often() { "".into() } else { "i.".into() }],
        ask: ask_kv,
        answer: kv,
        guess: guess_kv,
    },
    Object { model: "list", initial: values, ask: ask_list, answer: log, guess: guess_log },
    Object {
        model: "log",
        initial: values,
        ask: ask_log,
        answer: |held, asked, draw| {
            let answer = log(held, asked, draw);
            match asked.function.as_str() {
                "append" => Some(draw.maybe((held.len() as i64 - 1).into())),
                _ => answer,
            }
        },
        guess: |asked, draw| match asked.function.as_str() {
            "append" => {
                let offset = draw.below(4);
                draw.maybe(offset.into())
            }
            _ => guess_log(asked, draw),
        },
    },
    Object {
        model: "multi-register",
        initial: |draw| match draw.often() {
            true => vec![Value::Nil, Value::Nil],
            false => vec![1.into(), draw.some().into()],
        },
        ask: ask_registers,
        answer: registers,
        guess: |asked, draw| filled(asked, |_| draw.some().into()),
    },
    Object {
        model: "mutex",
        initial: |draw| vec![draw.often().into()],
        ask: |draw| asked(if draw.often() { "acquire" } else { "release" }, Value::Nil),
        answer: mutex,
        guess: |_, _| Value::Nil,
    },
    Object {
        model: "priority-queue",
        initial: values,
        ask: |draw| ask_container(draw, "insert", "delete-min"),
        answer: |held, asked, _| {
            container(held, asked, |held| (0..held.len()).min_by_key(|place| &held[*place]))
        },
        guess: guess_value,
    },
    Object {
        model: "queue",
        initial: values,
        ask: |draw| ask_container(draw, "enqueue", "dequeue"),
        answer: |held, asked, _| container(held, asked, |held| (!held.is_empty()).then_some(0)),
        guess: guess_value,
    },
    Object {
        model: "register",
        initial: one_value,
        ask: |draw| match draw.often() {
            true => asked("write", draw.fresh()),
            false => asked("read", Value::Nil),
        },
        answer: register,
        guess: guess_value,
    },
    Object {
        model: "set",
        initial: values,
        ask: ask_set_that_shrinks,
        answer: set,
        guess: guess_set,
    },
    Object {
        model: "stack",
        initial: values,
        ask: |draw| ask_container(draw, "push", "pop"),
        answer: |held, asked, _| container(held, asked, |held| held.len().checked_sub(1)),
        guess: guess_value,
    },
    Object {
        model: "unique-ids",
        initial: |_| vec![0.into()],
        ask: |_| asked("generate", Value::Nil),
        answer: |held, _, _| {
            held[0] = (integer(&held[0]) + 1).into();
            Some(held[0].clone())
        },
        guess: |_, draw| draw.below(12).into(),
    },
];

/// The sum comes first, then the elements.
fn cart(held: &mut Vec<Value>, asked: &Operation, _: &mut Draw<'_>) -> Option<Value> {
    let place = held.iter().skip(1).position(|element| *element == asked.argument);
    match (asked.function.as_str(), place) {
        ("increment", _) => held[0] = (integer(&held[0]) + integer(&asked.argument)).into(),
        ("add", None) => held.push(asked.argument.clone()),
        ("remove", Some(place)) => drop(held.remove(1 + place)),
        ("read", _) => {
            let elements = Value::list(held[1..].iter().cloned().collect::<BTreeSet<_>>());
            return Some(Value::list([held[0].clone(), elements]));
        }
        _ => (),
    }
    Some(Value::Nil)
}

fn integer(value: &Value) -> i64 {
    value.as_integer().expect("an integer")
}

fn one_value(draw: &mut Draw<'_>) -> Vec<Value> {
    vec![if draw.often() { Value::Nil } else { 1.into() }]
}

/// Different values, none of those that are unique.
fn values(draw: &mut Draw<'_>) -> Vec<Value> {
    let count = draw.below(5) - 2;
    (0..count).map(|place| if draw.style.unique { 30 - place } else { 1 + place }.into()).collect()
}

fn guess_value(asked: &Operation, draw: &mut Draw<'_>) -> Value {
    match asked.function.as_str() {
        "cas" => draw.often().into(),
        "read" | "dequeue" | "pop" | "delete-min" if draw.below(4) > 0 => draw.some().into(),
        _ => Value::Nil,
    }
}

fn ask_register(draw: &mut Draw<'_>) -> Asked {
    match draw.below(3) {
        0 => asked("write", draw.fresh()),
        1 => asked("cas", Value::pair(draw.some().into(), draw.fresh().into())),
        _ => asked("read", Value::Nil),
    }
}

fn register(held: &mut Vec<Value>, asked: &Operation, _: &mut Draw<'_>) -> Option<Value> {
    match asked.function.as_str() {
        "read" => Some(held[0].clone()),
        "write" => {
            held[0] = asked.argument.clone();
            Some(Value::Nil)
        }
        _ => {
            let (expected, new) = asked.argument.as_pair().expect("a cas has two values");
            let found = *expected == held[0];
            if found {
                held[0] = new.clone();
            }
            Some(found.into())
        }
    }
}

fn ask_counter(draw: &mut Draw<'_>) -> Asked {
    let falls = !draw.style.plain && draw.below(5) == 0;
    match draw.often() {
        true => asked("add", if falls { -1 } else { 1 + draw.below(3) }),
        false => asked("read", Value::Nil),
    }
}

fn counter(held: &mut Vec<Value>, asked: &Operation, draw: &mut Draw<'_>) -> Option<Value> {
    if asked.function == "read" {
        return Some(held[0].clone());
    }
    held[0] = (integer(&held[0]) + integer(&asked.argument)).into();
    Some(draw.maybe(held[0].clone()))
}

fn ask_set(draw: &mut Draw<'_>) -> Asked {
    match draw.often() {
        true => asked("add", draw.fresh()),
        false => asked("read", Value::Nil),
    }
}

fn ask_set_that_shrinks(draw: &mut Draw<'_>) -> Asked {
    match draw.below(if draw.style.plain { 3 } else { 4 }) {
        0 => asked("add", draw.fresh()),
        1 => asked("remove", draw.some()),
        2 => asked("contains", draw.some()),
        _ => asked("read", Value::Nil),
    }
}

fn set(held: &mut Vec<Value>, asked: &Operation, draw: &mut Draw<'_>) -> Option<Value> {
    let place = held.iter().position(|element| *element == asked.argument);
    match (asked.function.as_str(), place) {
        ("read", _) => return Some(Value::list(held.clone())),
        ("contains", _) => return Some(place.is_some().into()),
        ("add", None) => held.push(asked.argument.clone()),
        ("remove", Some(place)) => drop(held.remove(place)),
        _ => return Some(draw.maybe(false.into())),
    }
    Some(draw.maybe(true.into()))
}

fn guess_set(asked: &Operation, draw: &mut Draw<'_>) -> Value {
    let answer = draw.often();
    match asked.function.as_str() {
        "read" => draw.list(3),
        "contains" => answer.into(),
        _ => draw.maybe(answer.into()),
    }
}

fn ask_kv(draw: &mut Draw<'_>) -> Asked {
    let (new, other) = (draw.text(draw.number), draw.dice.below(8));
    let other = draw.text(other);
    match draw.below(if draw.style.plain { 4 } else { 6 }) {
        0 => asked("append", new.as_str()),
        1 => asked("write", new.as_str()),
        4 => asked("delete", Value::Nil),
        5 => asked("cas", Value::pair(other.as_str().into(), new.as_str().into())),
        _ => asked("read", Value::Nil),
    }
}

fn kv(held: &mut Vec<Value>, asked: &Operation, draw: &mut Draw<'_>) -> Option<Value> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.to_string(),
        other => unreachable!("only texts are written, not {other}"),
    };
    match asked.function.as_str() {
        "append" => held[0] = (text(&held[0]) + &text(&asked.argument)).as_str().into(),
        "delete" => held[0] = "".into(),
        "read" if held[0] == "".into() => return Some(draw.maybe("".into())),
        _ => return register(held, asked, draw),
    }
    Some(Value::Nil)
}

fn guess_kv(asked: &Operation, draw: &mut Draw<'_>) -> Value {
    match asked.function.as_str() {
        "cas" => draw.often().into(),
        "read" => {
            let count = draw.below(4);
            let texts: String = (0..count)
                .map(|_| {
                    let number = draw.dice.below(8);
                    draw.text(number)
                })
                .collect();
            texts.as_str().into()
        }
        _ => Value::Nil,
    }
}

fn ask_list(draw: &mut Draw<'_>) -> Asked {
    match draw.often() {
        true => asked("append", draw.fresh()),
        false => asked("read", Value::Nil),
    }
}

fn ask_log(draw: &mut Draw<'_>) -> Asked {
    let (from, limit) = (draw.below(3), draw.below(3));
    match (ask_list(draw), draw.below(3)) {
        (("read", _), 1) if !draw.style.plain => asked("read", from),
        (("read", _), 2) if !draw.style.plain => {
            asked("read", Value::pair(from.into(), limit.into()))
        }
        (whole, _) => whole,
    }
}

fn log(held: &mut Vec<Value>, asked: &Operation, _: &mut Draw<'_>) -> Option<Value> {
    if asked.function == "append" {
        held.push(asked.argument.clone());
        return Some(Value::Nil);
    }
    let number = |value: &Value| integer(value) as usize;
    let (from, limit) = match &asked.argument {
        Value::Nil => (0, usize::MAX),
        Value::Integer(from) => (*from as usize, usize::MAX),
        pair => pair.as_pair().map(|(a, b)| (number(a), number(b))).expect("an offset and a limit"),
    };
    Some(Value::list(held.iter().skip(from).take(limit).cloned().collect::<Vec<_>>()))
}

fn guess_log(asked: &Operation, draw: &mut Draw<'_>) -> Value {
    if asked.function == "read" { draw.list(3) } else { Value::Nil }
}

fn ask_container(draw: &mut Draw<'_>, insert: &'static str, remove: &'static str) -> Asked {
    match draw.often() {
        true => asked(insert, draw.fresh()),
        false => asked(remove, Value::Nil),
    }
}

fn container(
    held: &mut Vec<Value>,
    asked: &Operation,
    next: fn(&[Value]) -> Option<usize>,
) -> Option<Value> {
    if !asked.argument.is_nil() {
        held.push(asked.argument.clone());
        return Some(Value::Nil);
    }
    Some(next(held).map_or(Value::Nil, |place| held.remove(place)))
}

fn mutex(held: &mut Vec<Value>, asked: &Operation, _: &mut Draw<'_>) -> Option<Value> {
    let wanted = Value::from(asked.function == "acquire");
    let free = held[0] != wanted;
    held[0] = wanted;
    free.then_some(Value::Nil)
}

fn ask_registers(draw: &mut Draw<'_>) -> Asked {
    let count = 1 + draw.below(2);
    let accesses: Vec<Value> = (0..count)
        .map(|_| {
            let register = if draw.often() { "x" } else { "y" }.into();
            match draw.often() {
                true => Value::list(["read".into(), register, Value::Nil]),
                false => Value::list(["write".into(), register, draw.fresh().into()]),
            }
        })
        .collect();
    asked("txn", Value::list(accesses))
}

/// The accesses with what they read filled in.
fn filled(asked: &Operation, mut access: impl FnMut(&[Value]) -> Value) -> Value {
    let accesses = asked.argument.as_list().expect("a list of accesses").iter();
    let fill = |one: &Value| {
        let one = one.as_list().expect("an access is a list");
        let value = access(one);
        match one[0] == "read".into() {
            true => Value::list([one[0].clone(), one[1].clone(), value]),
            false => Value::list(one.iter().cloned()),
        }
    };
    Value::list(accesses.map(fill).collect::<Vec<_>>())
}

fn registers(held: &mut Vec<Value>, asked: &Operation, _: &mut Draw<'_>) -> Option<Value> {
    Some(filled(asked, |access| {
        let register = &mut held[usize::from(access[1] == "y".into())];
        if access[0] == "write".into() {
            *register = access[2].clone();
        }
        register.clone()
    }))
}

fn balances(_: &mut Draw<'_>) -> Vec<Value> {
    [3, 1, 0].map(Value::from).into()
}

/// The first accounts, and what is in them.
fn accounts(held: &[Value], count: usize) -> Value {
    let pairs = ACCOUNTS.iter().zip(held).take(count);
    Value::list(pairs.map(|(name, balance)| Value::pair((*name).into(), balance.clone())))
}

fn ask_bank(draw: &mut Draw<'_>) -> Asked {
    if draw.often() {
        return asked("read", Value::Nil);
    }
    let (from, to) = (draw.below(3) as usize, draw.below(3) as usize);
    let amount = draw.below(3).into();
    asked("transfer", Value::list([ACCOUNTS[from].into(), ACCOUNTS[to].into(), amount]))
}

fn bank(held: &mut Vec<Value>, asked: &Operation, draw: &mut Draw<'_>) -> Option<Value> {
    let Some([from, to, amount]) = asked.argument.as_list() else {
        let count = if draw.style.plain { ACCOUNTS.len() as i64 } else { draw.below(4) };
        return Some(accounts(held, count as usize));
    };
    let place = |name: &Value| ACCOUNTS.iter().position(|one| *name == (*one).into());
    let (from, to) = (place(from).expect("an account"), place(to).expect("an account"));
    if integer(&held[from]) < integer(amount) {
        return draw.often().then_some(false.into());
    }
    held[from] = (integer(&held[from]) - integer(amount)).into();
    held[to] = (integer(&held[to]) + integer(amount)).into();
    Some(Value::Nil)
}

fn guess_bank(asked: &Operation, draw: &mut Draw<'_>) -> Value {
    if asked.function == "transfer" {
        return draw.maybe(false.into());
    }
    let held: Vec<Value> = (0..3).map(|_| draw.below(4).into()).collect();
    accounts(&held, 1 + draw.below(3) as usize)
}
