//! What contradicts itself in every container.

use wrack_history::duration::seconds;
use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::linearizability::containers::{is_insertion, is_removal};
use crate::words::{done_at, list};

/// A value of the small part, with the only insertion and the only known removal of it.
#[derive(Clone, Copy)]
pub(super) struct Stay<'a> {
    pub value: &'a Value,
    /// None if it was inside at first.
    pub insertion: Option<&'a Operation>,
    /// None if it was not seen to come out.
    pub removal: Option<&'a Operation>,
}

impl<'a> Stay<'a> {
    /// The events between which it is certainly inside.
    pub fn presence(&self) -> (u64, u64) {
        (
            self.insertion.map_or(0, |insertion| insertion.effect_by().index),
            self.removal.map_or(u64::MAX, |removal| removal.invoke.index),
        )
    }

    pub fn operations(&self) -> impl Iterator<Item = &'a Operation> + use<'a> {
        self.insertion.into_iter().chain(self.removal)
    }
}

impl<'a> Story<'a> {
    /// What is wrong in every container, whatever its order.
    pub(super) fn container(&self) -> Option<Told<'a>> {
        self.came_from_nowhere().or_else(|| self.came_out_twice()).or_else(|| self.never_empty())
    }

    fn removals(&self) -> impl Iterator<Item = &'a Operation> + use<'a> {
        self.small.iter().filter(|operation| is_removal(operation))
    }

    fn is_inside_at_first(&self, value: &Value) -> bool {
        self.initial.as_list().is_some_and(|values| values.contains(value))
    }

    /// Whether some removal may have taken out nobody knows what.
    fn has_takes(&self) -> bool {
        self.small.iter().any(|operation| operation.is_info() && !is_insertion(operation))
    }

    /// The stays of the small part whose values went in once, and came out once at most.
    pub(super) fn stays(&self) -> Vec<Stay<'a>> {
        let insertions = self.small.iter().filter(|operation| is_insertion(operation));
        let at_first = self.initial.as_list().unwrap_or_default().iter();
        let all = at_first.map(|value| (value, None));
        let all: Vec<(&'a Value, Option<&'a Operation>)> =
            all.chain(insertions.map(|one| (&one.argument, Some(one)))).collect();
        let once = |value: &Value| all.iter().filter(|(other, _)| *other == value).count() == 1;
        let stay = |(value, insertion): &(&'a Value, Option<&'a Operation>)| {
            let mut removals = self.removals().filter(|one| one.result == **value);
            let removal = removals.next();
            let stay = Stay { value, insertion: *insertion, removal };
            (once(value) && removals.next().is_none()).then_some(stay)
        };
        all.iter().filter_map(stay).collect()
    }

    fn came_from_nowhere(&self) -> Option<Told<'a>> {
        self.removals().filter(|removal| !self.is_inside_at_first(&removal.result)).find_map(
            |removal| {
                let value = &removal.result;
                let inserts = |one: &&&Operation| is_insertion(one) && one.argument == *value;
                let late = |one: &&Operation| one.outcome == Outcome::Fail || removal.precedes(one);
                if !self.whole.iter().filter(inserts).all(late) {
                    return None;
                }
                let insertion = self.whole.iter().find(inserts).copied();
                let why = match insertion {
                    None => format!("but nobody ever put {value} in"),
                    Some(one) if one.outcome == Outcome::Fail => {
                        format!("but {} had failed", self.noun(one))
                    }
                    Some(one) => format!(
                        "but {} was invoked only at {}, after that",
                        self.noun(one),
                        seconds(one.invoke.ns),
                    ),
                };
                let text = format!("{}, {why}", self.sentence(removal));
                told(text, [removal].into_iter().chain(insertion))
            },
        )
    }

    fn came_out_twice(&self) -> Option<Told<'a>> {
        let (one, other) = self.pairs().find(|(one, other)| {
            is_removal(one) && is_removal(other) && one.result == other.result
        })?;
        let value = &one.result;
        let puts_in = |one: &&&Operation| {
            is_insertion(one) && one.argument == *value && one.outcome != Outcome::Fail
        };
        let insertions: Vec<&Operation> = self.whole.iter().filter(puts_in).copied().collect();
        let whence = match insertions.as_slice() {
            [] => "it was only inside at first".to_owned(),
            [insertion] if !self.is_inside_at_first(value) => {
                format!("{} is the only one that put it in", self.noun(insertion))
            }
            _ => return None,
        };
        let text = format!(
            "{}, and {}: {value} came out twice, but {whence}",
            self.sentence(one),
            self.sentence(other),
        );
        told(text, insertions.into_iter().chain([one, other]))
    }

    fn never_empty(&self) -> Option<Told<'a>> {
        let finds_nothing = |one: &&Operation| {
            one.is_ok() && one.result.is_nil() && one.argument.is_nil() && !is_insertion(one)
        };
        let mut empties = self.small.iter().filter(finds_nothing);
        empties.find_map(|empty| self.inside_throughout(empty, &self.stays(), "something"))
    }

    /// That one of these stays, or one after the other, lasted as long as the operation did.
    pub(super) fn inside_throughout(
        &self,
        during: &'a Operation,
        stays: &[Stay<'a>],
        what: &str,
    ) -> Option<Told<'a>> {
        if self.has_takes() {
            return None;
        }
        let cover = cover(stays, (during.invoke.index, during.complete.index))?;
        let text = match cover.as_slice() {
            [stay] => format!(
                "{}, but {}, and {}",
                self.sentence(during),
                self.was_put_in_before(stay),
                match stay.removal {
                    Some(removal) => format!(
                        "{} was invoked only at {}, after that",
                        self.noun(removal),
                        seconds(self.full(removal).invoke.ns),
                    ),
                    None => format!("nobody had taken {} out", stay.value),
                },
            ),
            stays => {
                let spans: Vec<String> = stays.iter().map(|stay| self.presence(stay)).collect();
                format!(
                    "{}, but {what} was inside the whole time: {}",
                    self.sentence(during),
                    list(&spans),
                )
            }
        };
        let operations = cover.iter().flat_map(Stay::operations);
        told(text, operations.chain([during]))
    }

    fn was_put_in_before(&self, stay: &Stay<'_>) -> String {
        match stay.insertion {
            Some(insertion) => format!(
                "{} had completed at {}, before that began",
                self.noun(insertion),
                done_at(self.full(insertion)),
            ),
            None => format!("{} was inside at first", stay.value),
        }
    }

    /// From when to when a value was certainly inside.
    pub(super) fn presence(&self, stay: &Stay<'_>) -> String {
        let from = match stay.insertion {
            Some(insertion) => format!("from {}", done_at(self.full(insertion))),
            None => "from the beginning".to_owned(),
        };
        match stay.removal {
            Some(removal) => {
                format!("{} {from} to {}", stay.value, seconds(self.full(removal).invoke.ns))
            }
            None => format!("{} {from} on", stay.value),
        }
    }
}

/// Of these stays, as few as cover all the time between two events, if they do.
pub(super) fn cover<'a>(stays: &[Stay<'a>], (from, to): (u64, u64)) -> Option<Vec<Stay<'a>>> {
    let mut cover = Vec::new();
    let mut covered = from;
    while covered < to {
        let begun = stays.iter().filter(|stay| stay.presence().0 <= covered);
        let longest = begun.max_by_key(|stay| stay.presence().1)?;
        if longest.presence().1 <= covered {
            return None;
        }
        covered = longest.presence().1;
        cover.push(*longest);
    }
    Some(cover)
}
