//! What an operation says and learns: one small self-describing value.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use smol_str::SmolStr;

/// A value of an operation. In JSON it is written plainly: `null`, `true`, `7`, `"a"`, `[1, 2]`.
///
/// Shape: no maps and no floating point, so that equality and hashing mean what they say.
/// Bounds: integers are 64 bit signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Nothing: a key without a value, or an operation without an argument.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A short text.
    Text(SmolStr),
    /// A list; a set is written as a sorted list, a cas as `[expected, new]`.
    List(Arc<[Value]>),
}

impl Value {
    /// A list of the given values.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Self {
        Self::List(values.into_iter().collect())
    }

    /// The pair that a cas takes as its argument.
    pub fn pair(expected: Value, new: Value) -> Self {
        Self::List(Arc::new([expected, new]))
    }

    /// The integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// Both halves, if it is a list of two: the expected and the new value of a cas.
    pub fn as_pair(&self) -> Option<(&Value, &Value)> {
        match self.as_list() {
            Some([first, second]) => Some((first, second)),
            _ => None,
        }
    }

    /// Whether it is `Nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Writes the value as a sentence would: `nil`, `7`, `[1, 2]`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{value}")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// `Value` is self-describing, so it needs a format that is: JSON. For the simulated disk and the
/// wire (postcard) it carries a tag in front.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return tagged::serialize(self, serializer);
        }
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return tagged::Tagged::deserialize(deserializer).map(Value::from);
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// The form with a tag in front, for formats that do not describe themselves.
mod tagged {
    use super::{Arc, SmolStr, Value};
    use serde::{Deserialize, Serializer};

    #[derive(Deserialize)]
    pub enum Tagged {
        Nil,
        Bool(bool),
        Integer(i64),
        Text(SmolStr),
        List(Arc<[Value]>),
    }

    /// What deriving it for `Tagged` would give, without making one.
    pub fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Value::Nil => serializer.serialize_unit_variant("Tagged", 0, "Nil"),
            Value::Bool(truth) => serializer.serialize_newtype_variant("Tagged", 1, "Bool", truth),
            Value::Integer(integer) => {
                serializer.serialize_newtype_variant("Tagged", 2, "Integer", integer)
            }
            Value::Text(text) => serializer.serialize_newtype_variant("Tagged", 3, "Text", text),
            Value::List(list) => serializer.serialize_newtype_variant("Tagged", 4, "List", list),
        }
    }

    impl From<Tagged> for Value {
        fn from(tagged: Tagged) -> Self {
            match tagged {
                Tagged::Nil => Self::Nil,
                Tagged::Bool(truth) => Self::Bool(truth),
                Tagged::Integer(integer) => Self::Integer(integer),
                Tagged::Text(text) => Self::Text(text),
                Tagged::List(values) => Self::List(values),
            }
        }
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a truth value, a 64-bit integer, a string or a list of these")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::Integer(integer))
    }

    fn visit_u64<E: serde::de::Error>(self, integer: u64) -> Result<Value, E> {
        i64::try_from(integer)
            .map(Value::Integer)
            .map_err(|_| E::custom(format!("integer {integer} does not fit in 64 bits signed")))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn a_value_reads_back_from_json_as_it_was() {
        let value =
            Value::list([Value::Nil, true.into(), (-7).into(), "a".into(), Value::list([])]);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(text, r#"[null,true,-7,"a",[]]"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(value.to_string(), r#"[nil, true, -7, "a", []]"#);
    }

    #[test]
    fn a_number_that_is_no_integer_is_refused() {
        assert!(serde_json::from_str::<Value>("1.5").is_err());
        assert!(serde_json::from_str::<Value>("18446744073709551615").is_err());
    }
}
