//! What contradicts itself in a counter.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use wrack_history::{Operation, Outcome};
use wrack_sequential::counter::is_increment;

use super::{Story, Told, told};
use crate::words::{count, done_at, of};

/// Operations that are compared with all others, at most.
const COMPARED_MAX: usize = 20;

/// What an operation learned about the sum.
#[derive(Clone, Copy)]
struct Learned<'a> {
    operation: &'a Operation,
    /// The sum before it.
    base: i64,
    /// The sum after it.
    sum: i64,
}

impl<'a> Story<'a> {
    pub(super) fn counter(&self) -> Option<Told<'a>> {
        let adds = || self.whole.iter().filter(|operation| is_increment(&operation.function));
        let mut deltas = adds().filter_map(|add| add.argument.as_integer());
        if !deltas.all(|delta| delta >= 0) {
            return self.out_of_range().or_else(|| Some(self.learned_only()));
        }
        self.same_base()
            .or_else(|| self.out_of_bounds())
            .or_else(|| self.fell())
            .or_else(|| Some(self.learned_only()))
    }

    /// Operations that learned a sum.
    fn learned(&self) -> impl Iterator<Item = Learned<'a>> {
        self.small.iter().filter(|operation| operation.is_ok()).filter_map(|operation| {
            let sum = operation.result.as_integer();
            match operation.function.as_str() {
                function if is_increment(function) => {
                    let (sum, delta) = (sum?, operation.argument.as_integer()?);
                    Some(Learned { operation, base: sum.checked_sub(delta)?, sum })
                }
                "read" => {
                    Some(Learned { operation, base: sum.unwrap_or(0), sum: sum.unwrap_or(0) })
                }
                _ => None,
            }
        })
    }

    /// Of those that learned a sum, the last to complete: the contradiction shows there.
    fn last_learned(&self) -> Vec<Learned<'a>> {
        let mut learned: Vec<Learned<'a>> = self.learned().collect();
        learned.sort_by_key(|one| std::cmp::Reverse(one.operation.complete));
        learned.truncate(COMPARED_MAX);
        learned
    }

    fn same_base(&self) -> Option<Told<'a>> {
        let mut bases = BTreeMap::<i64, Learned<'a>>::new();
        self.learned().filter(|add| add.base < add.sum).find_map(|b| {
            let a = bases.insert(b.base, b)?;
            let text = format!(
                "{}, and {}: both added to {}, so one of them is lost",
                self.sentence(a.operation),
                self.sentence(b.operation),
                a.base,
            );
            told(text, [a.operation, b.operation])
        })
    }

    /// Less than what had been added before, or more than what can have been added at all.
    fn out_of_bounds(&self) -> Option<Told<'a>> {
        self.last_learned().into_iter().find_map(|learned| {
            let own = learned.operation;
            let before = self.sum(|add| add.precedes(own));
            let ever = self.sum(|add| add.id != own.id && !own.precedes(add));
            let first = self.initial.as_integer().unwrap_or(0);
            let added = learned.base.saturating_sub(first);
            let (bound, words) = match (added.cmp(&before.0), added.cmp(&ever.0)) {
                (Ordering::Less, _) => (before, "had completed before that began"),
                (_, Ordering::Greater) => (ever, "were all that had been invoked by then"),
                _ => return None,
            };
            let (sum, adds) = bound;
            let text = format!(
                "{}, so the sum{} was {} before it, but {} of {sum} in all {words}",
                self.sentence(own),
                of(own),
                learned.base,
                count(adds, "increment"),
            );
            told(text, [own])
        })
    }

    /// Less or more than the adds can have made it, where some of them take away.
    fn out_of_range(&self) -> Option<Told<'a>> {
        self.last_learned().into_iter().find_map(|learned| {
            let own = learned.operation;
            let open =
                |add: &Operation| add.id != own.id && !add.precedes(own) && !own.precedes(add);
            let first = self.initial.as_integer().unwrap_or(0);
            let before = first.saturating_add(self.sum(|add| add.precedes(own)).0);
            let some = |sign: i64| {
                self.sum(|add| {
                    open(add) && add.argument.as_integer().is_some_and(|d| d.signum() == sign)
                })
            };
            let least = before.saturating_add(some(-1).0);
            let most = before.saturating_add(some(1).0);
            if (least..=most).contains(&learned.base) {
                return None;
            }
            let text = format!(
                "{}, so the sum{} was {} before it, but the adds that had completed before that \
                 began made it {before}, and those that were open make it {least} at least and \
                 {most} at most",
                self.sentence(own),
                of(own),
                learned.base,
            );
            told(text, [own])
        })
    }

    /// The sum of the adds that are chosen, and how many they are; of doubtful ones too.
    fn sum(&self, chosen: impl Fn(&Operation) -> bool) -> (i64, usize) {
        let adds = self.whole.iter().filter(|add| {
            is_increment(&add.function) && add.outcome != Outcome::Fail && chosen(add)
        });
        let deltas = adds.filter_map(|add| add.argument.as_integer());
        deltas.fold((0, 0), |(sum, adds), delta| (i64::saturating_add(sum, delta), adds + 1))
    }

    fn fell(&self) -> Option<Told<'a>> {
        let learned: Vec<Learned<'a>> = self.learned().collect();
        self.last_learned().into_iter().find_map(|later| {
            let higher = |earlier: &&Learned<'_>| {
                earlier.sum > later.base && earlier.operation.precedes(later.operation)
            };
            let earlier = learned.iter().find(higher)?;
            let full = self.full(earlier.operation);
            let text = format!(
                "{}, so the sum was {} before it, but process {} had learned {} at {}, before that \
                 began, and nothing takes away from it",
                self.sentence(later.operation),
                later.base,
                full.process,
                earlier.sum,
                done_at(full),
            );
            told(text, [earlier.operation, later.operation])
        })
    }

    /// The operations that learned a sum, without the many that only added.
    fn learned_only(&self) -> Told<'a> {
        let mut told = self.list_of(self.learned().map(|learned| learned.operation));
        let others = self.small.len() - told.operations.len();
        if others > 0 {
            told.text = format!("with {} beside, {}", count(others, "other add"), told.text);
        }
        told
    }
}
