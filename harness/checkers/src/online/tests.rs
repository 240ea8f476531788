//! Every online checker against the checker of whole histories, on the history up to each event.

mod bounded;
mod log;
mod register;
mod sessions;
mod set;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wrack_history::{Anomaly, History, Moment, Operation, Outcome, Settings, Value, Verdict};

use super::{Online, online};
use crate::{Evidence, by_code};

/// The events of a history: where, whether something completes, and what.
fn events(history: &History) -> Vec<(u64, bool, usize)> {
    let mut events = Vec::new();
    for (place, operation) in history.operations.iter().enumerate() {
        events.push((operation.invoke.index, false, place));
        if operation.complete != Moment::NEVER {
            events.push((operation.complete.index, true, place));
        }
    }
    events.sort_unstable();
    events
}

/// The operation as it is known while it is open.
fn open(operation: &Operation) -> Operation {
    let (result, outcome, complete) = (Value::Nil, Outcome::Info, Moment::NEVER);
    Operation { result, outcome, complete, ..operation.clone() }
}

/// The history before this event.
fn before(history: &History, index: u64) -> History {
    let begun = history.operations.iter().filter(|operation| operation.invoke.index < index);
    let known = |operation: &Operation| match operation.complete.index < index {
        true => operation.clone(),
        false => open(operation),
    };
    History { operations: begun.map(known).collect(), nemesis: Vec::new() }
}

/// The first anomaly and the event that shows it; `u64::MAX` if the end does.
fn first(checker: &mut dyn Online, history: &History) -> Option<(u64, Anomaly)> {
    for (index, completes, place) in events(history) {
        let operation = &history.operations[place];
        match completes {
            false => checker.invoke(&open(operation)),
            true => {
                if let Some(anomaly) = checker.complete(operation) {
                    return Some((index, anomaly));
                }
            }
        }
    }
    checker.finish().map(|anomaly| (u64::MAX, anomaly))
}

/// What is compared.
struct Twin<'a> {
    code: &'a str,
    model: &'a str,
    initial: Value,
    settings: Settings,
    /// Whether what is wrong so far stays wrong, so that it must be found at once.
    for_good: bool,
}

/// How the histories of a test went.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    valid: u32,
    invalid: u32,
    doubted: u32,
}

impl Twin<'_> {
    fn offline(&self, history: &History) -> Verdict {
        let evidence =
            Evidence { initial: &self.initial, ..Evidence::of_history(history, self.model) };
        by_code(self.code).unwrap().judge(&evidence, &self.settings).verdict
    }

    /// What is found is invalid, and was not before; if nothing is found and nothing in doubt, it is
    /// valid.
    fn agrees(&self, history: &History, seen: &Cell<Seen>) -> Result<(), TestCaseError> {
        let mut checker =
            online(self.code, self.model, &self.initial, &self.settings).expect("it has a form");
        self.agrees_with(&mut *checker, history, seen)
    }

    fn agrees_with(
        &self,
        checker: &mut dyn Online,
        history: &History,
        seen: &Cell<Seen>,
    ) -> Result<(), TestCaseError> {
        let mut count = seen.get();
        match first(checker, history) {
            Some((index, anomaly)) => {
                count.invalid += 1;
                let upto = self.offline(&before(history, index.saturating_add(1)));
                prop_assert_eq!(upto, Verdict::Invalid, "{} {:#?}", &anomaly.explanation, history);
                prop_assert_eq!(&anomaly.code, self.code);
                let ids = || history.operations.iter().map(|operation| operation.id);
                prop_assert!(anomaly.operations.iter().all(|id| ids().any(|known| known == *id)));
                if self.for_good && checker.doubt().is_none() && index != u64::MAX {
                    let earlier = self.offline(&before(history, index));
                    prop_assert!(earlier != Verdict::Invalid, "{:#?}", history);
                }
            }
            None if checker.doubt().is_some() => count.doubted += 1,
            None => {
                count.valid += 1;
                let whole = self.offline(history);
                prop_assert!(whole != Verdict::Invalid, "{:#?}", history);
            }
        }
        seen.set(count);
        Ok(())
    }

    /// The same of so many histories.
    fn agrees_on<T: std::fmt::Debug>(
        &self,
        cases: u32,
        raw: &impl Strategy<Value = T>,
        history: impl Fn(&T) -> History,
    ) -> Seen {
        let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
        let seen = Cell::new(Seen::default());
        let same = TestRunner::new(config).run(raw, |raw| self.agrees(&history(&raw), &seen));
        same.unwrap_or_else(|error| panic!("{error}"));
        seen.get()
    }
}
