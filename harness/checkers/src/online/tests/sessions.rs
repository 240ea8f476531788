//! Session guarantees.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wrack_history::{History, Settings, Value};

use super::{Seen, Twin};
use crate::online::sessions::Sessions;
use crate::story;

/// Writes and reads, each over (session, read, key, begin, length, value or how it ends).
type Raw = Vec<(u8, bool, bool, u64, u64, u8)>;

fn raws() -> impl Strategy<Value = Raw> {
    let raw = (0..3u8, prop::bool::weighted(0.65), any::<bool>(), 0..90u64, 0..12u64, any::<u8>());
    prop::collection::vec(raw, 6..26)
}

fn sessions(raws: &Raw) -> History {
    let (mut text, mut value) = (String::new(), 0);
    let written = |key: &bool| {
        let writes = raws.iter().filter(|(_, read, ..)| !read);
        let of_key = (1..).zip(writes).filter(|(_, (_, _, of, ..))| of == key);
        of_key.map(|(value, _)| value).collect::<Vec<u8>>()
    };
    for (process, (session, read, key, begin, length, choice)) in raws.iter().enumerate() {
        let values = written(key);
        let (key, end) = (if *key { "a" } else { "b" }, begin + length + 1);
        let process = process + 10;
        if *read {
            let found = match usize::from(*choice) % (values.len() + 2) {
                0 => String::new(),
                1 => "99".to_owned(),
                place => values[place - 2].to_string(),
            };
            text += &format!("p{process}@{session} read {key} - {begin}..{end} {found}\n");
        } else {
            value += 1;
            let outcome = ["", "", "", "", "", "info", "", "fail"][*choice as usize % 8];
            let function = match choice / 8 % 8 {
                0 => format!("cas {key} [9,{value}] {begin}..{end} true"),
                _ => format!("write {key} {value} {begin}..{end} {outcome}"),
            };
            text += &format!("p{process}@{session} {function}\n");
        }
    }
    story::history(&text)
}

fn twin(code: &'static str) -> Twin<'static> {
    Twin {
        code,
        model: "cas-register",
        initial: Value::Nil,
        settings: Settings::default(),
        for_good: true,
    }
}

#[test]
fn all_four_are_judged_alike() {
    for code in ["RYW", "MR", "MW", "WFR"] {
        let seen = twin(code).agrees_on(5_000, &raws(), sessions);
        assert!(seen.valid > 300 && seen.invalid > 20, "{code}: {seen:?}");
        assert!(seen.doubted < seen.valid, "{code}: {seen:?}");
    }
}

#[test]
fn whoever_forgets_early_says_less_but_never_too_much() {
    for code in ["RYW", "MR", "MW", "WFR"] {
        let seen = Cell::new(Seen::default());
        let config = Config { failure_persistence: None, ..Config::with_cases(4_000) };
        let same = TestRunner::new(config).run(&raws(), |raws| {
            let mut checker = Sessions::holding(code, &Value::Nil, 2);
            twin(code).agrees_with(&mut checker, &sessions(&raws), &seen)
        });
        same.unwrap_or_else(|error| panic!("{code}: {error}"));
        let seen = seen.get();
        assert!(seen.invalid > 10 && seen.doubted > 200, "{code}: {seen:?}");
    }
}
