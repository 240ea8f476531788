//! What may be left out of the histories of each object; `None` or less where nothing may.

use std::collections::BTreeSet;

use wrack_history::{Moment, Operation, Outcome, Value};
use wrack_sequential::kv::plain;

use super::{selected, without_reads, without_values};
use crate::linearizability::kv::pieces::{Kind, Piece, Pieces};
use crate::register::left;

/// Logs that tell no offsets: without entries, like a set. Otherwise an entry that goes would move
/// the others, so only reads go, and appends first say less, then nothing.
pub(super) fn without_entries(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let whole = |operation: &Operation| match operation.function.as_str() {
        "read" => operation.argument.is_nil(),
        _ => operation.result.is_nil(),
    };
    if all.iter().all(whole) {
        return without_appended(all, kept);
    }
    let mut rest = Vec::with_capacity(all.len());
    for (operation, kept) in all.iter().zip(kept) {
        match operation.function.as_str() {
            _ if operation.outcome == Outcome::Fail => (),
            _ if *kept => rest.push(operation.clone()),
            "read" => (),
            _ if operation.result.is_nil() => rest.push(in_doubt(operation)),
            _ => rest.push(Operation { result: Value::Nil, ..operation.clone() }),
        }
    }
    rest
}

/// Without the entries whose appends go, neither in appends nor in what was read.
fn without_appended(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let appends = |operation: &Operation| operation.function != "read";
    let dropped = all.iter().zip(kept).filter(|(operation, kept)| !**kept && appends(operation));
    let gone: BTreeSet<&Value> = dropped.map(|(operation, _)| &operation.argument).collect();
    let project = |operation: &Operation| {
        if appends(operation) {
            return (!gone.contains(&operation.argument)).then(|| operation.clone());
        }
        let mut read = operation.clone();
        if let Value::List(found) = &operation.result {
            let rest = found.iter().filter(|entry| !gone.contains(entry));
            read.result = Value::list(rest.cloned());
        }
        Some(read)
    };
    selected(all, kept).filter_map(project).collect()
}

/// Texts: without what was appended, in appends and in what was read; and without what was written,
/// with all reads that begin with it: what was appended to it is appended to the text before then,
/// and nobody reads it until the next write. Texts used more than once go with all their operations.
pub(super) fn without_texts(initial: &Value, all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let initial = plain(initial);
    let empty = Value::from("");
    let changes = all.iter().enumerate().filter_map(|(index, operation)| {
        let text = if operation.argument.is_nil() { &empty } else { &operation.argument };
        match operation.function.as_str() {
            "read" => None,
            _ if operation.outcome == Outcome::Fail => None,
            "append" => Some((text, Kind::Append, index as u32)),
            _ => Some((text, Kind::Write, index as u32)),
        }
    });
    // Neither a cas nor a number is a text.
    let Some(pieces) = Pieces::new(&initial, changes) else {
        return without_values_or_reads(all, kept);
    };
    // Who shares a text goes with it.
    let goes = |piece: &Piece<'_>| {
        piece.writes.iter().chain(&piece.appends).any(|owner| !kept[*owner as usize])
    };
    let gone: Vec<bool> = pieces.all().iter().map(goes).collect();
    let mut stays = kept.to_vec();
    for (piece, _) in pieces.all().iter().zip(&gone).filter(|(_, gone)| **gone) {
        for &owner in piece.writes.iter().chain(&piece.appends) {
            stays[owner as usize] = false;
        }
    }
    let project = |operation: &Operation| {
        let Value::Text(text) = plain(&operation.result) else {
            return Some(operation.clone());
        };
        let start = match pieces.start(&text) {
            Some(start) if operation.function == "read" && operation.is_ok() => start,
            _ => return Some(operation.clone()),
        };
        if start.written.is_some_and(|written| gone[written as usize]) {
            return None;
        }
        let Some(appended) = pieces.appended(&text, start) else {
            return Some(operation.clone());
        };
        let mut rest = text[..start.length].to_owned();
        let mut begin = start.length;
        for (piece, end) in appended {
            if !gone[piece as usize] {
                rest += &text[begin..end];
            }
            begin = end;
        }
        Some(Operation { result: rest.as_str().into(), ..operation.clone() })
    };
    selected(all, &stays).filter_map(project).collect()
}

/// What is a register but for its name loses values; of what is not, only reads go.
fn without_values_or_reads(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let missing = |value: &Value| value.is_nil() || *value == "".into();
    let leaves = |operation: &Operation| match operation.function.as_str() {
        "read" => true,
        "write" | "cas" => left(operation).is_none_or(|value| !missing(value)),
        _ => false,
    };
    let values = if all.iter().all(leaves) { without_values(all, kept) } else { None };
    values.unwrap_or_else(|| without_reads(all, kept))
}

/// Several registers: without a value of one of them, that is, without what writes it there and reads
/// it there; and without what an operation read.
pub(super) fn without_accesses(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let operations = || all.iter().zip(kept).filter(|(one, _)| one.outcome != Outcome::Fail);
    let mut gone = BTreeSet::new();
    for (operation, _) in operations().filter(|(_, kept)| !**kept) {
        for access in accesses(operation).filter(|access| access[0] == "write".into()) {
            gone.insert((access[1].clone(), access[2].clone()));
        }
    }
    let mut rest = Vec::with_capacity(all.len());
    for (operation, kept) in operations() {
        let stays = |access: &&[Value; 3]| {
            let writes = access[0] == "write".into();
            let names_value = writes || operation.is_ok();
            let is_gone = names_value && gone.contains(&(access[1].clone(), access[2].clone()));
            (*kept || writes) && !is_gone
        };
        let accesses =
            Value::list(accesses(operation).filter(stays).map(|a| Value::list(a.clone())));
        if accesses.as_list().is_some_and(|left| !left.is_empty()) {
            let result = if operation.is_ok() { accesses.clone() } else { Value::Nil };
            rest.push(Operation { argument: accesses, result, ..operation.clone() });
        }
    }
    rest
}

/// What an operation does, with what it read if somebody knows.
fn accesses(operation: &Operation) -> impl Iterator<Item = &[Value; 3]> {
    let list = if operation.result.is_nil() { &operation.argument } else { &operation.result };
    let list = list.as_list().unwrap_or_default().iter();
    list.filter_map(|access| access.as_list()?.try_into().ok())
}

/// Mutexes and banks: nothing may go that changes the state, for the rest may need it. But it may be
/// in doubt, which forbids less.
pub(super) fn with_doubts(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let stays = |(operation, kept): (&Operation, &bool)| match operation.outcome {
        Outcome::Fail => None,
        _ if *kept => Some(operation.clone()),
        _ if operation.function == "read" || operation.result == false.into() => None,
        _ => Some(in_doubt(operation)),
    };
    all.iter().zip(kept).filter_map(stays).collect()
}

/// A bank whose read of all accounts says where it starts: what came after, and what may have.
pub(super) fn since(read: &Operation, all: &[Operation]) -> Vec<Operation> {
    let later = all.iter().filter(|one| one.outcome != Outcome::Fail && !one.precedes(read));
    later
        .filter_map(|one| match read.precedes(one) {
            true => Some(one.clone()),
            false => (one.function != "read" && one.result != false.into()).then(|| in_doubt(one)),
        })
        .collect()
}

/// A mutex: what was invoked after the last moment at which nothing was open or in doubt and it was as
/// it had been at first. What happened before can be left out, because it left nothing behind.
pub(super) fn since_quiet(mut all: Vec<Operation>) -> Vec<Operation> {
    all.retain(|operation| operation.outcome != Outcome::Fail);
    let (mut balance, mut open_until, mut start) = (0_i64, 0, 0);
    for (index, operation) in all.iter().enumerate() {
        if open_until < operation.invoke.index && balance == 0 {
            start = index;
        }
        balance += if operation.function == "acquire" { 1 } else { -1 };
        open_until = open_until.max(operation.effect_by().index);
    }
    all.split_off(start)
}

/// The same, but nobody knows whether it took effect.
pub(super) fn in_doubt(operation: &Operation) -> Operation {
    Operation {
        outcome: Outcome::Info,
        result: Value::Nil,
        complete: Moment::NEVER,
        ..operation.clone()
    }
}
