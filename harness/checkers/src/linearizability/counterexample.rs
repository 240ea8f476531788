//! How far the operations of a contradiction can be put into a legal order, and what stops it.

use rustc_hash::FxHashSet;
use wrack_history::verdict::{Counterexample, Step};
use wrack_history::{Operation, SmolStr};
use wrack_sequential::{Model, Specification, Visitor};

use super::call::{Call, calls};
use crate::words::{sentence, span};

/// Of more operations than these no order is sought: nobody would follow it.
const OPERATIONS_MAX: usize = 40;
/// Partial orders that are looked at, at most.
const ORDERS_MAX: usize = 100_000;

/// What a small contradiction looks like on paper: its operations, a legal order that goes as far as
/// any, and the operations that cannot follow it.
///
/// Every order that respects time is tried, as Wing and Gong (1993) do, but each pair of a set of
/// operations and a state once (Lowe 2017).
pub(super) fn counterexample(
    specification: Specification<'_>,
    small: &[Operation],
) -> Option<Counterexample> {
    if small.len() > OPERATIONS_MAX {
        return None;
    }
    specification.visit(Paper { specification, small }).ok()?
}

struct Paper<'a> {
    specification: Specification<'a>,
    small: &'a [Operation],
}

impl Visitor for Paper<'_> {
    type Output = Option<Counterexample>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Option<Counterexample> {
        let mut model = self.specification.started(new()).ok()?;
        let operations: Vec<&Operation> = self.small.iter().collect();
        let calls = calls(&mut model, &operations).ok()?;
        let state = model.initial();
        let mut walk =
            Walk { model: &model, calls: &calls, seen: FxHashSet::default(), best: None };
        walk.go_on(0, &state, &mut Vec::new());
        let (done, order, state) = walk.best.as_ref()?;
        let id = |call: &usize| self.small[calls[*call].operation as usize].id;
        let is_illegal = |call: &usize| model.step(state, &calls[*call].step).is_none();
        let blocked = walk.next(*done).filter(|call| calls[*call].required).filter(is_illegal);
        Some(Counterexample {
            operations: self.small.iter().map(step).collect(),
            legal: order.iter().map(id).collect(),
            state: model.show(state).into(),
            blocked: blocked.map(|call| id(&call)).collect(),
            cycle: Vec::new(),
        })
    }
}

fn step(operation: &Operation) -> Step {
    let text: SmolStr = format!("{} {}", sentence(operation), span(operation)).into();
    Step { id: operation.id, text }
}

struct Walk<'a, M: Model> {
    model: &'a M,
    calls: &'a [Call<M::Step>],
    seen: FxHashSet<(u64, M::State)>,
    /// The longest order so far: as a set, in order, and the state after it.
    best: Option<(u64, Vec<usize>, M::State)>,
}

impl<M: Model> Walk<'_, M> {
    /// Calls that nothing holds back when those of `done` have taken effect.
    fn next(&self, done: u64) -> impl Iterator<Item = usize> {
        let open = move |call: &usize| done & 1 << call == 0;
        let calls = self.calls;
        let owed = (0..calls.len()).filter(open).map(|call| calls[call].complete).min();
        let owed = owed.unwrap_or(u64::MAX);
        (0..calls.len()).filter(open).filter(move |call| calls[*call].invoke <= owed)
    }

    fn go_on(&mut self, done: u64, state: &M::State, order: &mut Vec<usize>) {
        if self.seen.len() >= ORDERS_MAX || !self.seen.insert((done, state.clone())) {
            return;
        }
        let count =
            |order: &[usize]| order.iter().filter(|call| self.calls[**call].required).count();
        if self.best.as_ref().is_none_or(|(_, best, _)| count(best) < count(order)) {
            self.best = Some((done, order.clone(), state.clone()));
        }
        for call in self.next(done).collect::<Vec<_>>() {
            if let Some(after) = self.model.step(state, &self.calls[call].step) {
                order.push(call);
                self.go_on(done | 1 << call, &after, order);
                order.pop();
            }
        }
    }
}
