//! The naive twins of all four guarantees: every pair of operations, and every order of versions.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wrack_history::{History, Operation, Value, Verdict};

use crate::Guarantee;
use crate::story::{Case, effects_of, history};

/// Writes of the values 1, 2 … by key, and reads; each over (session, key, begin, length, outcome or
/// value).
type Raw = Vec<(u32, bool, bool, u64, u64, u8)>;

fn text(raws: &Raw) -> String {
    let mut text = String::new();
    let mut value = 0;
    for (process, (session, read, key, begin, length, choice)) in raws.iter().enumerate() {
        let (key, end) = (if *key { "a" } else { "b" }, begin + length + 1);
        let process = process + 10;
        match read {
            true => {
                let result = match choice % 5 {
                    0 => String::new(),
                    value => value.to_string(),
                };
                text += &format!("p{process}@{session} read {key} - {begin}..{end} {result}\n");
            }
            false if value < 4 => {
                value += 1;
                let outcome = if choice % 4 == 0 { "info" } else { "" };
                text +=
                    &format!("p{process}@{session} write {key} {value} {begin}..{end} {outcome}\n");
            }
            false => (),
        }
    }
    text
}

/// A place of each value in the order of its key; 0 is the initial value.
type Places = [u64; 5];

fn place(operation: &Operation, places: &Places) -> u64 {
    let value = if operation.function == "read" { &operation.result } else { &operation.argument };
    value.as_integer().map_or(0, |value| places[value as usize])
}

fn is_read(operation: &&Operation) -> bool {
    operation.function == "read"
}

/// Whether the value that was read is one of its key, and was not written only later.
fn is_possible(read: &Operation, history: &History) -> bool {
    read.result.is_nil() || maker(read, history).is_some_and(|write| !read.precedes(write))
}

fn maker<'a>(read: &Operation, history: &'a History) -> Option<&'a Operation> {
    let made = |write: &&Operation| {
        !is_read(write) && write.key == read.key && write.argument == read.result
    };
    history.operations.iter().find(made)
}

/// What the guarantee says, word for word, of versions at these places.
fn holds(code: &str, history: &History, places: &Places) -> bool {
    let possible = |one: &&Operation| !is_read(one) || is_possible(one, history);
    let operations: Vec<&Operation> = history.operations.iter().filter(possible).collect();
    let of_one = |a: &Operation, b: &Operation| a.session == b.session && a.precedes(b);
    let older =
        |a: &Operation, b: &Operation| a.key == b.key && place(a, places) < place(b, places);
    operations.iter().all(|a| {
        operations.iter().filter(|b| of_one(a, b)).all(|b| {
            let followed_well = || {
                operations
                    .iter()
                    .filter(|read| is_read(read) && maker(read, history) == Some(b))
                    .all(|read| {
                        let later = |after: &&&Operation| is_read(after) && of_one(read, after);
                        operations.iter().filter(later).all(|after| !older(after, a))
                    })
            };
            match (code, is_read(a), is_read(b)) {
                ("RYW", false, true) | ("MR", true, true) => !older(b, a),
                ("MW", false, false) => !b.is_ok() || (!older(b, a) && followed_well()),
                ("WFR", true, false) => !older(b, a) && followed_well(),
                _ => true,
            }
        })
    })
}

/// All orders of four values.
fn orders() -> Vec<Places> {
    let mut orders = Vec::new();
    for code in 0..256u64 {
        let places: Vec<u64> = (0..4).map(|digit| code / 4u64.pow(digit) % 4 + 1).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        if sorted == [1, 2, 3, 4] {
            orders.push([0, places[0], places[1], places[2], places[3]]);
        }
    }
    orders
}

/// Compares a session guarantee with its definition, with a known order of versions and without.
pub(crate) fn agrees_with_all_pairs(guarantee: &Guarantee) {
    let raw = (0..3u32, prop::bool::weighted(0.7), any::<bool>(), 0..90u64, 0..3u64, any::<u8>());
    let raws = prop::collection::vec(raw, 6..24);
    let config = Config { failure_persistence: None, ..Config::with_cases(4_000) };
    let orders = orders();
    let invalid = std::cell::Cell::new([0; 2]);
    let mut runner = TestRunner::new(config);
    let same = runner.run(&(raws, 0..24usize), |(raws, order)| {
        let text = text(&raws);
        let history = history(&text);
        let code = guarantee.info.code;
        let places = &orders[order];
        let mut noted: Vec<(u64, &str, i64, u64)> = Vec::new();
        for write in history.operations.iter().filter(|one| one.function == "write") {
            let value = write.argument.as_integer().unwrap();
            noted.push((write.id, write.key.as_str(), value, places[value as usize]));
        }
        if noted.is_empty() {
            return Ok(());
        }
        let expected = holds(code, &history, places);
        let known = Case::new("register", &text).facts(effects_of(&noted)).judge(guarantee);
        prop_assert_eq!(known.verdict == Verdict::Valid, expected, "{}\n{:?}", text, places);
        let expected_of_any = orders.iter().any(|places| holds(code, &history, places));
        let some = Case::new("register", &text).initial(Value::Nil).judge(guarantee);
        prop_assert_eq!(some.verdict == Verdict::Valid, expected_of_any, "{}", text);
        let [known, some] = invalid.get();
        invalid.set([known + u32::from(!expected), some + u32::from(!expected_of_any)]);
        Ok(())
    });
    same.unwrap_or_else(|error| panic!("{error}"));
    assert!(invalid.get().iter().all(|count| *count > 10), "{:?}", invalid.get());
}
