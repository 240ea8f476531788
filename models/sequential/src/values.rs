//! Small integers for values, so that a search compares machine words and not texts.

use rustc_hash::FxHashMap;
use wrack_history::Value;

/// Numbers values in the order in which they are first seen. The initial value, `Nil` unless
/// [`Self::start_at`] says otherwise, is always [`INITIAL`].
///
/// Shape: one for each key of a history. Bounds: 2^32 values.
#[derive(Clone, Debug)]
pub struct Values {
    numbers: FxHashMap<Value, u32>,
    values: Vec<Value>,
}

/// The number of the initial value.
pub const INITIAL: u32 = 0;

impl Default for Values {
    fn default() -> Self {
        Self { numbers: FxHashMap::default(), values: vec![Value::Nil] }
    }
}

impl Values {
    /// Makes this the initial value.
    ///
    /// # Panics
    /// If a value has been numbered already.
    pub fn start_at(&mut self, initial: &Value) {
        assert!(self.numbers.is_empty(), "the initial value comes before all others");
        self.values[INITIAL as usize] = initial.clone();
    }

    /// The number of a value; a new one if it is seen for the first time.
    pub fn number(&mut self, value: &Value) -> u32 {
        if *value == self.values[INITIAL as usize] {
            return INITIAL;
        }
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).expect("a key has fewer than 2^32 values");
        self.numbers.insert(value.clone(), number);
        self.values.push(value.clone());
        number
    }

    /// The value of a number.
    ///
    /// # Panics
    /// If the number is not one of these values'.
    pub fn value(&self, number: u32) -> &Value {
        &self.values[number as usize]
    }

    /// How many values have a number, the initial one included.
    pub fn count(&self) -> usize {
        self.values.len()
    }
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
        assert_eq!(values.value(2), &Value::from("a"));
        assert_eq!(values.count(), 3);

        let mut values = Values::default();
        values.start_at(&7.into());
        assert_eq!(values.number(&Value::Nil), 1);
        assert_eq!(values.number(&7.into()), 0);
    }
}
