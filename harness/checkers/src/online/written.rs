//! Which values have been written, in little memory: integers as ranges.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use wrack_history::Value;

/// So many ranges and values at most: then nobody knows any more.
const HELD_MAX: usize = 1 << 16;

/// Values that were written.
#[derive(Default)]
pub(super) struct Written {
    /// First and last of what was written without a gap.
    ranges: BTreeMap<i64, i64>,
    others: FxHashSet<Value>,
    /// Whether some were too many.
    is_full: bool,
}

impl Written {
    pub fn insert(&mut self, value: &Value) {
        self.is_full |= self.held() >= HELD_MAX;
        if self.is_full || self.has(value) == Some(true) {
            return;
        }
        let Some(integer) = value.as_integer() else {
            self.others.insert(value.clone());
            return;
        };
        let after = integer.checked_add(1).and_then(|next| self.ranges.remove(&next));
        let before = self.ranges.range(..integer).next_back().map(|(from, to)| (*from, *to));
        let joined = before.filter(|(_, to)| to.checked_add(1) == Some(integer));
        let from = joined.map_or(integer, |(from, _)| from);
        self.ranges.insert(from, after.unwrap_or(integer));
    }

    /// Whether it was written, if that is known.
    pub fn has(&self, value: &Value) -> Option<bool> {
        let has = match value.as_integer() {
            Some(integer) => {
                let range = self.ranges.range(..=integer).next_back();
                range.is_some_and(|(_, to)| *to >= integer)
            }
            None => self.others.contains(value),
        };
        (has || !self.is_full).then_some(has)
    }

    pub fn held(&self) -> usize {
        self.ranges.len() + self.others.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Written;

    #[test]
    fn what_has_no_gap_is_one_range() {
        let mut written = Written::default();
        for integer in [5, 1, 3, 2, 9, 4] {
            written.insert(&integer.into());
            written.insert(&"a".into());
        }
        assert_eq!(written.held(), 3);
        let has = |integer: i64| written.has(&integer.into());
        let known: Vec<i64> = (0..12).filter(|integer| has(*integer) == Some(true)).collect();
        assert_eq!(known, [1, 2, 3, 4, 5, 9]);
        assert_eq!(written.has(&"b".into()), Some(false));
    }
}
