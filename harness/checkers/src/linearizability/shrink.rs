//! Makes a contradiction small enough for a person to follow.
//!
//! Only reductions are tried that prove as much as the whole: if what is left has no legal order,
//! nor has the whole. Each is checked by the decision procedure before it is kept.
//!
//! * The history up to the event at which no order was left: a later event cannot help.
//! * Without some reads: they change nothing.
//! * Registers: without some changes and what can have seen them ([`register`]); first of all, without
//!   all that completed before some event.
//! * Sets: without an element, neither in adds and removes nor in what was read; of a single element,
//!   without what was before a change of it.
//! * Queues, stacks and priority queues: without a value, that is, without what puts it in and takes it
//!   out; without empty removals.
//! * Counters: without what an add answered.
//! * Lists, logs, texts, several registers, mutexes, banks: see [`objects`]; banks first of all without
//!   what came before a read of all accounts, which says where they start.
//! * Unique identifiers: without any operation.
//!
//! Source: delta debugging, Zeller and Hildebrandt 2002.

mod objects;
mod register;

use std::collections::BTreeSet;

use wrack_history::{Operation, Outcome, Value};
use wrack_sequential::Specification;

use super::call::{Answer, Core};
use super::{bank, containers, decide, set};
use crate::register::{is_refused, left};
use register::Sight;

/// Configurations for one decision: so many and so many an operation.
const STATES_MAX: (u64, u64) = (100_000, 10);
/// The same for registers, once there is a part to start from.
const REGISTER_STATES_MAX: (u64, u64) = (5_000, 10);
/// Operations decided in all.
const EFFORT_MAX: usize = 600_000;
/// Operations of the first window that is tried.
const WINDOW_FIRST: usize = 16;

/// A part of a key's operations that has no legal order.
#[derive(Debug)]
pub(super) struct Small<'a> {
    /// The object, and where it starts: as it did in the history, or as `since` found it.
    pub specification: Specification<'a>,
    /// A read of everything that the object held, before all of the part.
    pub since: Option<&'a Operation>,
    /// In order of invocation. They keep their ids; what they say may be less than in the history.
    pub operations: Vec<Operation>,
}

/// The smallest part found that has no legal order.
pub(super) fn shrink<'a>(
    specification: Specification<'a>,
    operations: &[&'a Operation],
    core: &Core,
) -> Small<'a> {
    let sight = match specification.model {
        "register" | "cas-register" => Some(Sight::new(operations)),
        _ => None,
    };
    let mut shrinker =
        Shrinker { specification, since: None, sight, effort: EFFORT_MAX, states_max: STATES_MAX };
    let whole = shrinker.start(operations, core);
    if shrinker.sight.is_some() {
        shrinker.states_max = REGISTER_STATES_MAX;
    }
    let small = shrinker.remove_chunks(whole);
    let operations = match specification.model {
        "set" => shrinker.cut(small),
        _ => small,
    };
    Small { specification: shrinker.specification, since: shrinker.since, operations }
}

/// What is left of a register's counterexample when each of its operations is dropped, with the
/// operation's position.
#[cfg(test)]
pub(super) fn without_each(
    whole: &[&Operation],
    small: &[Operation],
) -> Vec<(usize, Vec<Operation>)> {
    let sight = Sight::new(whole);
    let places = 0..small.len();
    let part = |dropped| {
        let kept: Vec<bool> = (0..small.len()).map(|place| place != dropped).collect();
        (dropped, sight.part(small, &kept))
    };
    places.map(part).collect()
}

/// What is left of a register's operations when some are taken away.
#[cfg(test)]
pub(super) fn part_of(whole: &[&Operation], stays: impl Fn(usize) -> bool) -> Vec<Operation> {
    let all: Vec<Operation> = whole.iter().copied().cloned().collect();
    let kept: Vec<bool> = (0..all.len()).map(stays).collect();
    Sight::new(whole).part(&all, &kept)
}

struct Shrinker<'a> {
    specification: Specification<'a>,
    /// The read that the specification starts from, if it is not where the object did.
    since: Option<&'a Operation>,
    /// What registers can have seen.
    sight: Option<Sight>,
    effort: usize,
    states_max: (u64, u64),
}

impl<'a> Shrinker<'a> {
    /// A part to start from.
    fn start(&mut self, operations: &[&'a Operation], core: &Core) -> Vec<Operation> {
        let all: Vec<Operation> = operations.iter().copied().cloned().collect();
        match core {
            Core::Stuck(index) => {
                let mut prefix = prefix(&all, *index);
                if self.specification.model == "mutex" {
                    prefix = objects::since_quiet(prefix);
                }
                self.window(&prefix)
                    .or_else(|| self.since_a_read(operations, &prefix, *index))
                    .unwrap_or_else(|| if self.is_broken(&prefix) { prefix } else { all })
            }
            Core::Among(positions) => {
                let mut kept = vec![false; all.len()];
                positions.iter().for_each(|position| kept[*position as usize] = true);
                self.part(&all, &kept).unwrap_or(all)
            }
        }
    }

    /// The last operations of a register's, as few as contradict each other.
    fn window(&mut self, all: &[Operation]) -> Option<Vec<Operation>> {
        self.sight.as_ref()?;
        let sizes = std::iter::successors(Some(WINDOW_FIRST), |size| Some(size * 2));
        sizes.take_while(|size| *size < all.len()).find_map(|size| {
            let from = all[all.len() - size].invoke;
            let kept: Vec<bool> = all.iter().map(|one| one.effect_by() >= from).collect();
            self.part(all, &kept)
        })
    }

    /// Of a bank, what came after a late read of all accounts, which says where it stood.
    fn since_a_read(
        &mut self,
        operations: &[&'a Operation],
        prefix: &[Operation],
        stuck: u64,
    ) -> Option<Vec<Operation>> {
        if self.specification.model != "bank" {
            return None;
        }
        let mut reads = bank::full_reads(self.specification, operations).ok()?;
        reads.retain(|read| read.complete.index <= stuck);
        let back = std::iter::successors(Some(1), |back| Some(back * 2));
        back.map_while(|back| reads.get(reads.len().checked_sub(back)?)).find_map(|read| {
            let first = std::mem::replace(&mut self.specification.initial, &read.result);
            let later = objects::since(read, prefix);
            if self.is_broken(&later) {
                self.since = Some(read);
                return Some(later);
            }
            self.specification.initial = first;
            None
        })
    }

    /// Removes ever smaller chunks as long as what is left has no legal order.
    fn remove_chunks(&mut self, all: Vec<Operation>) -> Vec<Operation> {
        let mut whole = self.part(&all, &vec![true; all.len()]).unwrap_or(all);
        let mut chunk = whole.len().div_ceil(2);
        while chunk > 0 {
            let mut from = 0;
            let mut removed = false;
            while from < whole.len() && self.effort > 0 {
                let gone = from..(from + chunk).min(whole.len());
                let kept: Vec<bool> =
                    (0..whole.len()).map(|index| !gone.contains(&index)).collect();
                match self.part(&whole, &kept) {
                    Some(part) => (whole, removed) = (part, true),
                    None => from += chunk,
                }
            }
            chunk = match chunk {
                _ if self.effort == 0 => 0,
                1 if removed => 1,
                1 => 0,
                _ => chunk.div_ceil(2).min(whole.len()),
            };
        }
        whole
    }

    /// Without what was before a change of the only element, the last one that does.
    fn cut(&mut self, small: Vec<Operation>) -> Vec<Operation> {
        let Some(cut) = set::Cut::new(&small) else {
            return small;
        };
        let later = (0..small.len()).rev().filter_map(|change| cut.at(change));
        match { later }.find(|later| self.is_broken(later)) {
            Some(later) => self.remove_chunks(later),
            None => small,
        }
    }

    /// What is left of `all`, if it is less, proves as much and has no legal order.
    fn part(&mut self, all: &[Operation], kept: &[bool]) -> Option<Vec<Operation>> {
        if let Some(sight) = &self.sight {
            let part = sight.part(all, kept);
            return (part != all && self.is_broken(&part)).then_some(part);
        }
        let part = match self.specification.model {
            "bank" | "mutex" => objects::with_doubts(all, kept),
            "counter" => without_answers(all, kept)?,
            "g-set" | "set" => set::without_elements(self.specification, all, kept),
            "kv" => objects::without_texts(self.specification.initial, all, kept),
            "list" | "log" => objects::without_entries(all, kept),
            "multi-register" => objects::without_accesses(all, kept),
            "unique-ids" => selected(all, kept).cloned().collect(),
            model if containers::functions(model).is_some() => {
                containers::without_values(self.specification, all, kept)
            }
            _ => without_reads(all, kept),
        };
        (part != all && self.is_broken(&part)).then_some(part)
    }

    fn is_broken(&mut self, operations: &[Operation]) -> bool {
        if self.effort < operations.len() {
            self.effort = 0;
            return false;
        }
        self.effort -= operations.len();
        let operations: Vec<&Operation> = operations.iter().collect();
        let states_max = self.states_max.0 + self.states_max.1 * operations.len() as u64;
        let answer = decide(self.specification, &operations, states_max);
        matches!(answer, Ok((Answer::Contradiction(_), _)))
    }
}

/// The history up to and with the event of this index.
fn prefix(all: &[Operation], index: u64) -> Vec<Operation> {
    let invoked = all.iter().filter(|operation| operation.invoke.index <= index);
    invoked
        .map(|operation| match operation.complete.index <= index {
            true => operation.clone(),
            false => objects::in_doubt(operation),
        })
        .collect()
}

fn selected<'a>(
    all: &'a [Operation],
    kept: &'a [bool],
) -> impl Iterator<Item = &'a Operation> + Clone {
    let both = all.iter().zip(kept);
    both.filter(|(operation, kept)| **kept && operation.outcome != Outcome::Fail)
        .map(|(operation, _)| operation)
}

/// Without the values of the changes that go: what leaves them goes too, and so do their reads.
fn without_values(all: &[Operation], kept: &[bool]) -> Option<Vec<Operation>> {
    let dropped = all.iter().zip(kept).filter(|(_, kept)| !**kept);
    let gone: BTreeSet<&Value> = dropped.filter_map(|(operation, _)| left(operation)).collect();
    if !gone.is_empty() && selected(all, kept).any(is_refused) {
        return None;
    }
    let relax = |operation: &Operation| {
        let left = left(operation);
        if left.is_some_and(|value| gone.contains(value)) {
            return None;
        }
        match (operation.function.as_str(), operation.argument.as_pair()) {
            ("read", _) if gone.contains(&operation.result) => None,
            ("cas", Some((expected, _))) if gone.contains(expected) => {
                left.map(|value| as_write(operation, value))
            }
            _ => Some(operation.clone()),
        }
    };
    Some(selected(all, kept).filter_map(relax).collect())
}

fn as_write(cas: &Operation, value: &Value) -> Operation {
    Operation {
        function: "write".into(),
        argument: value.clone(),
        result: Value::Nil,
        ..cas.clone()
    }
}

/// `None` if all say the same as before, which is so for most chunks of a long history.
fn without_answers(all: &[Operation], kept: &[bool]) -> Option<Vec<Operation>> {
    let rest = || all.iter().zip(kept);
    let is_less = |(operation, kept): (&Operation, &bool)| {
        let goes = !*kept && (operation.function == "read" || !operation.result.is_nil());
        goes || operation.outcome == Outcome::Fail
    };
    let answered = rest().filter(|(operation, kept)| {
        operation.outcome != Outcome::Fail && (**kept || operation.function != "read")
    });
    let answered = answered.map(|(operation, kept)| Operation {
        result: if *kept { operation.result.clone() } else { Value::Nil },
        ..operation.clone()
    });
    rest().any(is_less).then(|| answered.collect())
}

fn without_reads(all: &[Operation], kept: &[bool]) -> Vec<Operation> {
    let rest = all.iter().zip(kept);
    rest.filter(|(operation, kept)| **kept || operation.function != "read")
        .map(|(operation, _)| operation.clone())
        .collect()
}
