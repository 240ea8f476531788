//! Logs.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wrack_history::{History, Settings, Value};

use super::{Seen, Twin, first};
use crate::online::Online;
use crate::online::log::Logs;
use crate::story;

/// What a process does, how long it takes, how it ends, and whether it lies.
type Raw = (u8, u8, u64, u8, u8);

fn raws(operations: usize) -> impl Strategy<Value = Vec<Raw>> {
    let raw = (0..4u8, any::<u8>(), 0..40u64, any::<u8>(), any::<u8>());
    prop::collection::vec(raw, 4..operations)
}

/// A log, appended to and polled in turn, but for some lies.
fn log(raws: &[Raw]) -> History {
    let (mut text, mut log, mut at) = (String::new(), Vec::<i64>::new(), [0usize; 4]);
    for (place, (process, what, length, how, lie)) in raws.iter().enumerate() {
        let (begin, value) = (place as u64 * 10, place as i64);
        let (end, lies) = (begin + length + 1, *lie < 10);
        // A process has one operation at a time: so each is one of its own, but those that poll.
        let other = place + 10;
        match what % 8 {
            0..3 => {
                let value = if *lie > 246 { value / 2 } else { value };
                let outcome = ["", "", "", "", "", "info", "fail", ""][*how as usize % 8];
                let offset = log.len() + usize::from(lies);
                let told = match outcome {
                    "" if how / 8 % 8 > 0 => offset.to_string(),
                    outcome => outcome.to_owned(),
                };
                if outcome.is_empty() || (outcome == "info" && how / 8 % 2 == 0) {
                    log.push(value);
                }
                text += &format!("p{other} append k {value} {begin}..{end} {told}\n");
            }
            3..6 => {
                let from = at[usize::from(*process)];
                let from = if lies { from + usize::from(lie % 3) } else { from };
                let count = usize::from(how % 3) + 1;
                let polled = log.iter().enumerate().skip(from).take(count);
                let polled: Vec<String> = polled.map(|(o, v)| format!("[{o},{v}]")).collect();
                at[usize::from(*process)] = from + polled.len();
                let (list, end) = (polled.join(","), begin + 1);
                text += &format!("p{process} poll k - {begin}..{end} [{list}]\n");
            }
            6 => {
                let from = usize::from(*how) % (log.len() + 1);
                let found: Vec<String> = log.iter().skip(from).map(i64::to_string).collect();
                let list = found.join(",");
                match how % 2 {
                    0 => text += &format!("p{other} read k [{from},9] {begin}..{end} [{list}]\n"),
                    _ => {
                        let found: Vec<String> = log.iter().map(i64::to_string).collect();
                        let list = found.join(",");
                        text += &format!("p{other} read k - {begin}..{end} [{list}]\n");
                    }
                }
            }
            _ if how % 3 == 0 => {
                at[usize::from(*process)] = usize::from(*lie) % (log.len() + 1);
                text += &format!("p{process} assign k - {begin}..{}\n", begin + 1);
            }
            _ => _ = (!log.is_empty() && how % 8 == 7).then(|| log.pop()),
        }
    }
    story::history(&text)
}

fn twin() -> Twin<'static> {
    let settings = Settings::default();
    Twin { code: "LOG", model: "log", initial: Value::Nil, settings, for_good: false }
}

#[test]
fn a_log_is_judged_alike() {
    let seen = twin().agrees_on(8_000, &raws(24), |raws| log(raws));
    assert!(seen.valid > 1_000 && seen.invalid > 1_000 && seen.doubted == 0, "{seen:?}");
}

#[test]
fn whoever_forgets_entries_early_says_less_but_never_too_much() {
    let seen = Cell::new(Seen::default());
    let config = Config { failure_persistence: None, ..Config::with_cases(6_000) };
    let same = TestRunner::new(config).run(&raws(40), |raws| {
        let mut checker = Logs::holding(&Value::Nil, 3);
        twin().agrees_with(&mut checker, &log(&raws), &seen)
    });
    same.unwrap_or_else(|error| panic!("{error}"));
    let seen = seen.get();
    assert!(seen.invalid > 500 && seen.doubted > 500, "{seen:?}");
}

#[test]
fn what_may_have_been_found_before_it_was_forgotten_is_not_lost() {
    let history = story::history(
        "p1 append k 8 0..1 0
         p2 append k 1 2..3 1
         p3 append k 2 4..5 2
         p0 poll k - 6..7 [[0,8],[1,1],[2,2]]
         p4 append k 3 8..9 3
         p0 poll k - 10..11 [[3,3]]
         p5 append k 8 12..13 4
         p6 append k 5 14..15 5
         p7 poll k - 16..17 [[5,5]]",
    );
    let mut checker = Logs::holding(&Value::Nil, 3);
    assert_eq!(first(&mut checker, &history), None);
    assert_eq!(checker.doubt(), Some("append 8 by process 5 may have been done before"));
}
