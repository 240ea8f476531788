//! Small integers for values, so that a search compares machine words and not texts.

use rustc_hash::FxHashMap;
use wrack_history::Value;

/// Numbers values in the order in which they are first seen. The initial value, `Nil` unless
/// [`Self::start_at`] says otherwise, is always [`INITIAL`].
///
/// Shape: one for each key of a history. Bounds: 2^32 values.
#[derive(Clone, Debug, Default)]
pub struct Values {
    initial: Value,
    /// Numbers of small integers, which most values are, by the integer; 0 is no number here.
    dense: Vec<u32>,
    /// Numbers of all others.
    sparse: FxHashMap<Value, u32>,
    /// How many values but the initial one have a number.
    numbered: u32,
}

/// The number of the initial value.
pub const INITIAL: u32 = 0;

impl Values {
    /// An integer has a place of its own if it is less than this, and as many times the values that
    /// have been numbered: the table stays as small as what it is for.
    const DENSE: usize = 8;

    /// Integers below this have one in any case.
    const DENSE_MIN: usize = 256;

    /// Makes this the initial value.
    ///
    /// # Panics
    /// If a value has been numbered already.
    pub fn start_at(&mut self, initial: &Value) {
        assert!(self.numbered == 0, "the initial value comes before all others");
        self.initial = initial.clone();
    }

    /// The number of a value; a new one if it is seen for the first time.
    pub fn number(&mut self, value: &Value) -> u32 {
        if *value == self.initial {
            return INITIAL;
        }
        let place = match value {
            Value::Integer(integer) => usize::try_from(*integer).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        match self.dense.get(place) {
            Some(&number) if number != 0 => return number,
            _ => (),
        }
        if !self.sparse.is_empty()
            && let Some(number) = self.sparse.get(value)
        {
            return *number;
        }
        self.numbered = self.numbered.checked_add(1).expect("a key has fewer than 2^32 values");
        let reach = Self::DENSE_MIN.max(Self::DENSE * (self.numbered as usize + 1));
        if place < reach {
            if place >= self.dense.len() {
                self.dense.resize(place.max(reach / 2) + 1, 0);
            }
            self.dense[place] = self.numbered;
        } else {
            self.sparse.insert(value.clone(), self.numbered);
        }
        self.numbered
    }

    /// The value of a number, sought among all; nil if no value has it.
    pub fn value(&self, number: u32) -> Value {
        if number == INITIAL {
            return self.initial.clone();
        }
        let dense = self.dense.iter().position(|other| *other == number);
        match dense {
            Some(integer) => (integer as i64).into(),
            None => numbered(&self.sparse, number),
        }
    }

    /// How many values have a number, the initial one included.
    pub fn count(&self) -> usize {
        self.numbered as usize + 1
    }
}

/// The value that has a number in a table; nil if none has.
pub(crate) fn numbered(numbers: &FxHashMap<Value, u32>, number: u32) -> Value {
    let found = numbers.iter().find(|(_, other)| **other == number);
    found.map_or(Value::Nil, |(value, _)| value.clone())
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::Values;

    #[test]
    fn equal_values_have_one_number_and_the_initial_one_has_zero() {
        let mut values = Values::default();
        assert_eq!(values.number(&7.into()), 1);
        assert_eq!(values.number(&"a".into()), 2);
        assert_eq!(values.number(&7.into()), 1);
        assert_eq!(values.number(&Value::Nil), 0);
        assert_eq!(values.count(), 3);

        let mut values = Values::default();
        values.start_at(&7.into());
        assert_eq!(values.number(&Value::Nil), 1);
        assert_eq!(values.number(&7.into()), 0);
    }

    #[test]
    fn a_value_keeps_its_number_wherever_it_stands() {
        let mut values = Values::default();
        let integers = (0..2_000).map(|index| (index * 37) % 4_001 - 5);
        let seen: Vec<Value> = integers.map(Value::from).collect();
        let numbers: Vec<u32> = seen.iter().map(|value| values.number(value)).collect();
        assert_eq!(numbers, (1..=2_000).collect::<Vec<u32>>());
        let again: Vec<u32> = seen.iter().map(|value| values.number(value)).collect();
        assert_eq!(numbers, again);
        assert_eq!(values.number(&i64::MAX.into()), 2_001);
        assert_eq!(values.number(&i64::MIN.into()), 2_002);
        let back: Vec<Value> = numbers.iter().map(|number| values.value(*number)).collect();
        assert_eq!(back, seen);
    }
}
