//! Transactions without times: the order within each session is all that is known.
//!
//! Sessions become processes. The history needs some order of all events; it is that of the file, and
//! the assumption `times` says [`SESSIONS_ONLY`], so that nobody takes it for one of time.
//!
//! Such files write 0 for a key that nobody wrote yet, or have a first transaction that writes 0 to all
//! keys. If no key is written 0, objects start at 0; if every key that is read as 0 is also written 0,
//! they start at nil, as any other history does, and reads of 0 found what that transaction wrote. In a
//! file that does both, reads of 0 of keys that are never written 0 found nil.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::recorder::{Event, Kind, Recorder, Subject};
use super::source::Place;
use super::{Assumption, SESSIONS_ONLY, Stop};
use crate::value::Value;

/// One transaction of a session.
#[derive(Debug)]
pub struct Transaction {
    /// Where its first micro-operation stands.
    pub place: Place,
    pub session: u32,
    pub committed: bool,
    /// `["r" or "w", key, value]`, reads with what they found.
    pub micros: Vec<Value>,
}

/// A micro-operation.
pub fn micro(function: &'static str, key: Value, value: Value) -> Value {
    Value::list([Value::Text(SmolStr::new_static(function)), key, value])
}

/// A key or a value: an integer, or the digits of one that needs more than 64 bits signed.
pub fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().map_or_else(|_| Value::from(text), Value::Integer))
}

/// Records transactions in the order of the file, which is the order within each session.
pub fn record(mut transactions: Vec<Transaction>, recorder: &mut Recorder) -> Result<(), Stop> {
    recorder.sessions_only = true;
    recorder.initial = Some(start(&mut transactions, recorder));
    for Transaction { place, session, committed, micros } in transactions {
        let subject = Subject::Client(session);
        let value = Value::list(micros);
        let invoke = Event {
            subject,
            function: SmolStr::new_static("txn"),
            value: value.clone(),
            ..Event::default()
        };
        recorder.event(place, invoke)?;
        let kind = if committed { Kind::Ok } else { Kind::Fail };
        recorder.event(place, Event { kind, subject, value, ..Event::default() })?;
    }
    Ok(())
}

/// What is assumed of the times of such a file.
pub fn times() -> Assumption {
    Assumption {
        name: "times",
        value: SESSIONS_ONLY.into(),
        words:
            "the file has no times and no order of all transactions: only the order within each \
                session counts, and each session is a process"
                .into(),
    }
}

/// Where objects start.
fn start(transactions: &mut [Transaction], recorder: &mut Recorder) -> Value {
    let zero = Value::Integer(0);
    let keys = |transactions: &[Transaction], wanted: &str| {
        let micros = transactions.iter().flat_map(|transaction| &transaction.micros);
        let named = micros.filter_map(|micro| match micro.as_list() {
            Some([Value::Text(name), key, value]) if name == wanted && *value == zero => Some(key),
            _ => None,
        });
        named.cloned().collect::<BTreeSet<Value>>()
    };
    let written = keys(transactions, "w");
    if written.is_empty() {
        return zero;
    }
    let unwritten: BTreeSet<Value> =
        keys(transactions, "r").difference(&written).cloned().collect();
    if unwritten.is_empty() {
        return Value::Nil;
    }
    for micro in transactions.iter_mut().flat_map(|transaction| &mut transaction.micros) {
        if let Some([Value::Text(name), key, value]) = micro.as_list()
            && *value == zero
            && unwritten.contains(key)
        {
            *micro = Value::list([Value::Text(name.clone()), key.clone(), Value::Nil]);
        }
    }
    let count = unwritten.len();
    recorder.assumed.push(Assumption {
        name: "nil_reads",
        value: "zero".into(),
        words: format!(
            "some keys are written 0, but {count} are only read as 0: those reads found nil, where \
             every object starts"
        ),
    });
    Value::Nil
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::super::{Reading, read};
    use super::number;
    use crate::value::Value;

    fn initial(text: &str) -> Value {
        let reading = Reading { model: "rw-register", ..Reading::default() };
        let imported = read("f", text.as_bytes(), &reading).unwrap();
        assert!(!imported.has_times());
        imported.initial
    }

    #[test]
    fn objects_start_at_0_unless_0_is_written() {
        assert_eq!(initial("w(1,1,0,0)\nr(2,0,0,1)"), 0.into());
        assert_eq!(initial("w(1,0,0,0)\nr(1,0,0,1)"), Value::Nil);
        let mixed = "w(1,0,0,0)\nr(1,0,0,1)\nr(2,0,0,1)";
        assert_eq!(initial(mixed), Value::Nil);
        check(
            "rw-register",
            mixed,
            &[
                r#"0 txn([["w", 1, 0]]) ok [["w", 1, 0]] [0, 1]"#,
                r#"0 txn([["r", 1, nil], ["r", 2, nil]]) ok [["r", 1, 0], ["r", 2, nil]] [2, 3]"#,
            ],
        );
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_a_text() {
        assert_eq!(number("-7"), Some((-7).into()));
        assert_eq!(number("14498253022754562142"), Some("14498253022754562142".into()));
        assert_eq!(number("-"), None);
        assert_eq!(number("1x"), None);
    }
}
