//! Micro-operations: what a transaction does to one object.

use wrack_history::Value;

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Micro<'a> {
    /// Ask what it holds.
    Read,
    /// Make it hold this.
    Write(&'a Value),
    /// Add this to the end of the list that it holds.
    Append(&'a Value),
}

/// The micro-operations of a transaction, each with its object: `["r", object, nil]`, `["w", object,
/// value]`, `["append", object, value]`. `None` if it is something else.
pub fn micros(argument: &Value) -> Option<Vec<(&Value, Micro<'_>)>> {
    argument.as_list()?.iter().map(micro).collect()
}

fn micro(micro: &Value) -> Option<(&Value, Micro<'_>)> {
    let [Value::Text(name), object, value] = micro.as_list()? else {
        return None;
    };
    let micro = match name.as_str() {
        "r" => Micro::Read,
        "w" => Micro::Write(value),
        "append" => Micro::Append(value),
        _ => return None,
    };
    Some((object, micro))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_a_list_of_reads_writes_and_appends() {
        let of = |name: &str| Value::list([name.into(), 7.into(), 1.into()]);
        let value = Value::list([of("r"), of("w"), of("append")]);
        let (object, one) = (Value::from(7), Value::from(1));
        let expected = vec![
            (&object, Micro::Read),
            (&object, Micro::Write(&one)),
            (&object, Micro::Append(&one)),
        ];
        assert_eq!(micros(&value), Some(expected));
        assert_eq!(micros(&Value::list([of("cas")])), None);
        assert_eq!(micros(&7.into()), None);
    }
}
