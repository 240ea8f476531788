//! Transactions and their steps in words.

use wrack_history::duration::seconds;
use wrack_history::{Operation, SmolStr, Value};

use super::finding::Step;
use super::graph::{Kind, NONE};
use super::transactions::{Overwriter, Style, Transactions};
use crate::words::short;

/// A key as a name: a text without quotes.
pub fn key(key: &Value) -> SmolStr {
    match key {
        Value::Text(text) => text.clone(),
        other => SmolStr::from(other.to_string()),
    }
}

/// What a transaction is called: `T17`.
pub fn name(operation: &Operation) -> String {
    format!("T{}", operation.id)
}

/// An anomaly of one transaction's own: `G1a: T3 of process 1 read 5 of x, which …`.
pub fn observed(operation: &Operation, kind: &str, words: &str) -> String {
    format!("{kind}: {} of process {} {words}", name(operation), operation.process)
}

/// A transaction with what it did, and when: `T3, process 1: r x nil, append y 2`.
pub fn whole(operation: &Operation, real_time: bool) -> String {
    let list = match &operation.result {
        Value::List(list) => list,
        _ => match &operation.argument {
            Value::List(list) => list,
            _ => return name(operation),
        },
    };
    let done: Vec<String> = list.iter().take(MICROS_MAX).map(micro).collect();
    let more = list.len().saturating_sub(MICROS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let when = match (real_time, operation.is_ok()) {
        (false, _) => String::new(),
        (true, true) => {
            format!(", {} to {}", seconds(operation.invoke.ns), seconds(operation.complete.ns))
        }
        (true, false) => format!(", from {}, in doubt", seconds(operation.invoke.ns)),
    };
    format!("{}, process {}{when}: {}{more}", name(operation), operation.process, done.join(", "))
}

/// Micro-operations of a transaction that are told.
const MICROS_MAX: usize = 12;

fn micro(value: &Value) -> String {
    match value.as_list() {
        Some([Value::Text(function), of, value]) => {
            format!("{function} {} {}", key(of), short(value))
        }
        _ => value.to_string(),
    }
}

/// Fills in the key that each step is about.
pub fn with_keys(history: &Transactions<'_>, steps: &mut [Step]) {
    for step in steps.iter_mut().filter(|step| step.key.is_none()) {
        step.key = match step.kind {
            Kind::WriteRead => read_from(history, step).map(|(key, _)| key),
            Kind::ReadWrite => overwritten(history, step).map(|(key, ..)| key),
            Kind::WriteWrite | Kind::Forced => written_by_both(history, step).map(|(key, ..)| key),
            Kind::Session | Kind::RealTime | Kind::Inner => None,
        };
    }
}

/// The key and version that the second transaction read from the first.
fn read_from(history: &Transactions<'_>, step: &Step) -> Option<(u32, u32)> {
    let reads = history.reads.row(step.to).iter();
    let mut from =
        reads.filter(|read| read.version != NONE && history.writer(read.version) == step.from);
    from.next().map(|read| (read.key, read.version))
}

/// The key that the first transaction read and the second overwrote, with both versions.
fn overwritten(history: &Transactions<'_>, step: &Step) -> Option<(u32, u32, u32)> {
    let mut later = None;
    for read in history.reads.row(step.from) {
        let wanted = step.key.is_none_or(|key| key == read.key);
        let Some(written) = history.written(step.to, read.key).filter(|_| wanted) else {
            continue;
        };
        let first = match history.overwriter(read.key, read.version) {
            Overwriter::Known(writer) => writer == step.to,
            Overwriter::Loose => true,
            Overwriter::Unknown => false,
        };
        if first {
            return Some((read.key, read.version, written));
        }
        if written != read.version {
            later = later.or(Some((read.key, read.version, written)));
        }
    }
    later
}

/// A key that both wrote, with both versions: one that the second is known to have overwritten.
fn written_by_both(history: &Transactions<'_>, step: &Step) -> Option<(u32, u32, u32)> {
    let both = history.writes.row(step.from).iter().filter_map(|write| {
        let wanted = step.key.is_none_or(|key| key == write.key);
        let later = history.written(step.to, write.key).filter(|_| wanted)?;
        Some((write.key, write.version, later))
    });
    let both: Vec<_> = both.collect();
    let known = both.iter().find(|(_, one, other)| history.is_older(*one, *other));
    known.or(both.first()).copied()
}

/// Why the first transaction of a step comes before the second, as a sentence without its end.
pub fn reason(history: &Transactions<'_>, step: &Step) -> String {
    let (from, to) = (history.operation(step.from), history.operation(step.to));
    let (one, other) = (name(from), name(to));
    match step.kind {
        Kind::WriteRead => match read_from(history, step) {
            Some((key, version)) => format!(
                "{other} read {} of {}, which {one} {}",
                read_value(history, key, version),
                self::key(history.keys[key as usize]),
                wrote(history)
            ),
            None => format!("{other} read what {one} {}", wrote(history)),
        },
        Kind::ReadWrite => match overwritten(history, step) {
            Some((key, version, written)) => format!(
                "{one} read {} of {}, before {other} {} {}",
                read_value(history, key, version),
                self::key(history.keys[key as usize]),
                wrote(history),
                history.versions[written as usize].value
            ),
            None => format!("{other} overwrote what {one} had read"),
        },
        Kind::WriteWrite | Kind::Forced => forced(history, step, &one, &other),
        Kind::Session => format!("{one} comes before {other} in session {}", to.session),
        Kind::RealTime => format!(
            "{one} had completed at {} before {other} was invoked at {}",
            seconds(from.complete.ns),
            seconds(to.invoke.ns)
        ),
        Kind::Inner => format!("{one} comes before {other}"),
    }
}

fn forced(history: &Transactions<'_>, step: &Step, one: &str, other: &str) -> String {
    let Some((key, earlier, later)) = written_by_both(history, step) else {
        return format!("{other} overwrote what {one} {}", wrote(history));
    };
    let value = |version: u32| history.versions[version as usize].value;
    let of = self::key(history.keys[key as usize]);
    let (earlier, later) = (value(earlier), value(later));
    match (step.kind, step.reader) {
        (Kind::WriteWrite, _) => {
            format!("{other} {} {later} to {of} after {one}'s {earlier}", wrote(history))
        }
        (_, Some(reader)) => {
            let reader = name(history.operation(reader));
            format!(
                "{reader} had {one} before it and still read {other}'s {later} of {of}, so {one}'s \
                 {earlier} is the older one"
            )
        }
        (_, None) => format!(
            "{one}'s {earlier} of {of} is older than {other}'s {later}: the other way round would \
             close a circle too"
        ),
    }
}

fn wrote(history: &Transactions<'_>) -> &'static str {
    match history.style {
        Style::ListAppend => "appended",
        Style::Register => "wrote",
    }
}

/// What a read of this version found.
fn read_value(history: &Transactions<'_>, key: u32, version: u32) -> String {
    match (history.style, version) {
        (Style::Register, NONE) => "the initial value".to_owned(),
        (Style::ListAppend, NONE) => "[]".to_owned(),
        (Style::Register, version) => history.versions[version as usize].value.to_string(),
        (Style::ListAppend, version) => {
            let place = history.versions[version as usize].place as usize;
            let chain = &history.chains[key as usize];
            let list = chain.iter().take(place.saturating_add(1));
            let list = list.map(|version| history.versions[*version as usize].value.clone());
            short(&Value::list(list))
        }
    }
}
