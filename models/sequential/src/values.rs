//! Small integers for values, so that a search compares machine words and not texts.

use rustc_hash::FxHashMap;
use wrack_history::Value;

/// Numbers values in the order in which they are first seen. `Nil` is always 0.
///
/// Shape: one for each key of a history. Bounds: 2^32 values.
#[derive(Clone, Debug)]
pub struct Values {
    numbers: FxHashMap<Value, u32>,
    values: Vec<Value>,
}

/// The number of `Nil`.
pub const NIL: u32 = 0;

impl Default for Values {
    fn default() -> Self {
        Self { numbers: FxHashMap::default(), values: vec![Value::Nil] }
    }
}

impl Values {
    /// The number of a value; a new one if it is seen for the first time.
    pub fn number(&mut self, value: &Value) -> u32 {
        if value.is_nil() {
            return NIL;
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

    /// How many values have a number, `Nil` included.
    pub fn count(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::Values;

    #[test]
    fn equal_values_have_one_number_and_nil_has_zero() {
        let mut values = Values::default();
        assert_eq!(values.number(&7.into()), 1);
        assert_eq!(values.number(&"a".into()), 2);
        assert_eq!(values.number(&7.into()), 1);
        assert_eq!(values.number(&Value::Nil), 0);
        assert_eq!(values.value(2), &Value::from("a"));
        assert_eq!(values.count(), 3);
    }
}
