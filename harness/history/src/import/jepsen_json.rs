//! Jepsen's events as JSON, as elle-cli writes them: an array of objects, or one object a line.
//!
//! ```text
//! [{"index":0,"time":12,"type":"invoke","process":3,"f":"write","value":7},
//!  {"index":1,"time":20,"type":"ok","process":3,"f":"write","value":7}]
//! ```
//! An object inside of a value becomes a list of pairs sorted by key; a key that is written like an
//! integer becomes one, because JSON has no other way to write it.
//! Source: <https://github.com/ligurio/elle-cli>.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::forms::{Form, Forms, Notation};
use super::recorder::{Event, Kind, Recorder, Subject};
use super::source::Source;
use super::{Format, Read, Stop, begins_with};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "jepsen-json",
    doc: "Jepsen's events as JSON: an array of objects with type, process, f and value, or one \
          object a line.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let inside = head.strip_prefix(b"[").unwrap_or(head).trim_ascii_start();
    let opened = inside.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    opened.is_some_and(|inside| begins_with(inside, "\""))
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut forms = Forms::new(source, Notation::Json);
    while let Some(form) = forms.next_form()? {
        recorder.event(form.place, event(form)?)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    process: Option<Process<'a>>,
    #[serde(borrow, rename = "f", default)]
    function: Option<Cow<'a, str>>,
    #[serde(default)]
    value: Foreign,
    #[serde(default)]
    key: Option<Foreign>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Process<'a> {
    Client(u32),
    Named(#[serde(borrow)] Cow<'a, str>),
}

fn event(form: Form<'_>) -> Result<Event, Stop> {
    let line = from_json::<Line<'_>>(form)?;
    let kind = line.kind.ok_or_else(|| form.wrong(0, "this operation has no \"type\""))?;
    let kind = Kind::by_name(&kind).ok_or_else(|| {
        form.wrong(0, format!("the type \"{kind}\" is not known"))
            .suggest("it is one of \"invoke\", \"ok\", \"fail\" and \"info\"")
    })?;
    let subject = match line.process {
        Some(Process::Client(process)) => Subject::Client(process),
        Some(Process::Named(name)) if name == "nemesis" => Subject::Nemesis,
        Some(Process::Named(name)) => {
            return Err(form
                .wrong(0, format!("the process \"{name}\" is not known"))
                .suggest("it is \"nemesis\" or a number from 0 to 4294967295"));
        }
        None => Subject::Unnamed,
    };
    Ok(Event {
        kind,
        subject,
        function: line.function.unwrap_or_default().into(),
        value: line.value.0,
        key: line.key.map(|key| key.0),
        ns: line.time.and_then(|time| time.get().parse().ok()),
        error: line.error.map(RawValue::get).filter(|error| *error != "null").map(SmolStr::new),
    })
}

/// Reads one object, and says where it is malformed.
pub fn from_json<'f, T: Deserialize<'f>>(form: Form<'f>) -> Result<T, Stop> {
    serde_json::from_str(form.text).map_err(|error| {
        let before = form.text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let before = before.map(str::len).sum::<usize>();
        let at = (before + error.column().saturating_sub(1)).min(form.text.len());
        let text = error.to_string();
        form.wrong(at, text.split(" at line ").next().unwrap_or(&text))
    })
}

/// A value as others write it: a [`Value`], or an object.
#[derive(Debug, Default)]
pub struct Foreign(pub Value);

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ForeignVisitor).map(Self)
    }
}

struct ForeignVisitor;

impl<'de> Visitor<'de> for ForeignVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a truth value, a 64-bit integer, a string, an array or an object")
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
        i64::try_from(integer).map(Value::Integer).map_err(|_| {
            E::custom(format!("{integer} is no integer of 64 bits signed: write it as a text"))
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Foreign(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Value::list(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, Foreign(value))) = map.next_entry::<Cow<'de, str>, _>()? {
            let integer = key.parse::<i64>().ok().filter(|integer| integer.to_string() == *key);
            let key = integer.map_or_else(|| Value::from(key.as_ref()), Value::Integer);
            pairs.push(Value::pair(key, value));
        }
        pairs.sort_unstable();
        Ok(Value::list(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn events_are_objects_in_an_array_or_one_a_line() {
        let lines = r#"{"type":"invoke","f":"write","value":1,"process":0,"time":11,"index":0}
            {"process":"nemesis","type":"info","f":"kill","value":{"a":1.5}}
            {"type":"ok","f":"write","value":1,"process":0,"more":[1e99]}"#;
        let expected = &["0 write(1) ok nil [0, 1]"];
        check("register", &lines.replace("1.5", "1"), expected);
        check(
            "register",
            &format!("[{}]", lines.replace("1.5", "1").replace("}\n", "},\n")),
            expected,
        );
    }

    #[test]
    fn an_object_is_a_list_of_pairs_and_its_keys_may_be_integers() {
        check(
            "bank",
            r#"[{"type":"invoke","f":"transfer","value":{"from":6,"to":1,"amount":2},"process":0},
                {"type":"ok","f":"transfer","value":{"from":6,"to":1,"amount":2},"process":0},
                {"type":"invoke","f":"read","process":0},
                {"type":"ok","f":"read","value":{"10":5,"9":-1,"a":0},"process":0}]"#,
            &[
                "0 transfer([6, 1, 2]) ok nil [0, 1]",
                "0 read(nil) ok [[9, -1], [10, 5], [\"a\", 0]] [2, 3]",
            ],
        );
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let check = |text: &str, expected: &str| refused("register", text, expected);
        check("[{\"f\":\"read\"}]", "f:1:2: this operation has no \"type\"");
        check("{\"type\":\"invoke\",\n \"f\":read}", "f:2:6: expected value");
        check(
            r#"{"type":"invoke","f":"write","process":0,"value":1.5}"#,
            "f:1:52: invalid type: floating point `1.5`, expected null, a truth value, a 64-bit \
             integer, a string, an array or an object",
        );
        check(
            "{\"type\":\"invoke\",\"f\":\"write\",\"process\":0,\"value\":\n9223372036854775808}",
            "f:2:19: 9223372036854775808 is no integer of 64 bits signed: write it as a text",
        );
        check(
            r#"{"type":"ok","process":"w1"}"#,
            "f:1:1: the process \"w1\" is not known: it is \"nemesis\" or a number from 0 to \
             4294967295",
        );
        check(
            r#"{"type":"begin","process":0}"#,
            "f:1:1: the type \"begin\" is not known: it is one of \"invoke\", \"ok\", \"fail\" and \"info\"",
        );
    }
}
