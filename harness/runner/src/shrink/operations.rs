//! Fewer operations, and plainer ones.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::{SmolStr, Value};
use wrack_scenario::{ExplicitOperation, Scenario};

use super::{Shrinker, minimize};

impl Shrinker<'_> {
    /// Leaves out every operation that is not needed: first all of a key, then all of a client, then one
    /// by one, or in at most so many parts.
    pub(super) fn fewer_operations(&mut self, parts_max: usize) {
        self.fewer_groups(parts_max, |one| one.key.clone());
        self.fewer_groups(parts_max, |one| one.client);
        let mut place = 0;
        self.fewer_groups(parts_max, |_| {
            place += 1;
            place
        });
        if self.best.final_reads {
            let without = Scenario { final_reads: false, ..self.best.clone() };
            self.first([without]);
        }
    }

    /// Leaves out groups of operations, those for which `name` is the same.
    fn fewer_groups<N: Ord>(
        &mut self,
        parts_max: usize,
        mut name: impl FnMut(&ExplicitOperation) -> N,
    ) {
        let base = self.best.clone();
        let operations = base.operations.as_ref().expect("operations are explicit");
        let mut groups = BTreeMap::<N, Vec<usize>>::new();
        for (place, operation) in operations.iter().enumerate() {
            groups.entry(name(operation)).or_default().push(place);
        }
        let groups: Vec<Vec<usize>> = groups.into_values().collect();
        let with = |part: &Vec<usize>| {
            let kept: BTreeSet<usize> =
                part.iter().flat_map(|group| groups[*group].iter().copied()).collect();
            let kept = kept.into_iter().map(|place| operations[place].clone());
            Scenario { operations: Some(kept.collect()), ..base.clone() }
        };
        minimize(groups.len(), parts_max, |round| {
            let candidates: Vec<Scenario> = round.iter().map(with).collect();
            self.first(candidates)
        });
    }

    /// Numbers by position, nobody named who is asked first, and keys from `k0` on, where that will do.
    pub(super) fn plainer_operations(&mut self) {
        self.edit_operations(|operations| {
            let mut counts = BTreeMap::<u32, u32>::new();
            for operation in operations {
                let count = counts.entry(operation.client).or_default();
                operation.number = *count;
                *count += 1;
            }
        });
        self.edit_operations(|operations| operations.iter_mut().for_each(|one| one.to = None));
        for place in 0..self.count() {
            self.edit_operations(|operations| operations[place].to = None);
        }
        self.edit_operations(|operations| {
            let mut names = BTreeMap::<SmolStr, SmolStr>::new();
            for operation in operations {
                let next = SmolStr::from(format!("k{}", names.len()));
                operation.key = names.entry(operation.key.clone()).or_insert(next).clone();
            }
        });
    }

    /// Values from 1 on, in the order in which they come, where that will do.
    pub(super) fn plainer_values(&mut self) {
        self.edit_operations(|operations| {
            let mut names = BTreeMap::<i64, i64>::new();
            let mut plain = |value: &Value| match value {
                Value::Integer(integer) => {
                    let next = names.len() as i64 + 1;
                    Value::Integer(*names.entry(*integer).or_insert(next))
                }
                other => other.clone(),
            };
            for operation in operations {
                operation.argument = match operation.argument.as_pair() {
                    Some((expected, new)) => Value::pair(plain(expected), plain(new)),
                    None => plain(&operation.argument),
                };
            }
        });
    }

    /// How many operations the best names.
    pub(super) fn count(&self) -> usize {
        self.best.operations.as_ref().map_or(0, Vec::len)
    }

    /// Tries the best with its operations changed, if that changes anything.
    pub(super) fn edit_operations(&mut self, edit: impl FnOnce(&mut [ExplicitOperation])) -> bool {
        let mut candidate = self.best.clone();
        edit(candidate.operations.as_mut().expect("operations are explicit"));
        candidate.operations != self.best.operations && self.first([candidate]).is_some()
    }
}
