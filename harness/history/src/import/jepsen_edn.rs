//! Jepsen's own notation: one map an event, in EDN.
//!
//! ```text
//! {:index 0, :time 12, :type :invoke, :process 3, :f :write, :value 7}
//! {:index 1, :time 20, :type :ok,     :process 3, :f :write, :value 7}
//! ```
//! The maps stand one behind the other or in one vector or list, tagged (`#jepsen.history.Op{…}`) or
//! not. Their order is the order of the history; `:index` is not looked at, `:time` may be missing.
//! Source: <https://github.com/jepsen-io/jepsen>, `jepsen.history`.

use smol_str::SmolStr;

use super::edn::{Reader, Token, integer};
use super::forms::{Form, Forms, Notation};
use super::recorder::{Event, Kind, Recorder, Subject};
use super::source::Source;
use super::{Format, Read, Stop};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "jepsen-edn",
    doc: "Jepsen's histories in EDN: maps with :type, :process, :f and :value, one behind the other \
          or in one vector.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let mut head = head.trim_ascii_start();
    while head.starts_with(b";") {
        let end = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
        head = head[end..].trim_ascii_start();
    }
    matches!(head.first(), Some(b'{' | b'[' | b'(' | b'#'))
}

/// Reads the events of a file.
pub fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut forms = Forms::new(source, Notation::Edn);
    while let Some(form) = forms.next_form()? {
        recorder.event(form.place, event(form)?)?;
    }
    Ok(())
}

fn event(form: Form<'_>) -> Result<Event, Stop> {
    let (mut kind, mut subject) = (None, None);
    let mut event = Event::default();
    Reader::new(form).map(|reader, at, key| {
        let Token::Keyword(key) = key else {
            return reader.skip();
        };
        match key {
            "type" => kind = Some(read_kind(reader)?),
            "process" => subject = Some(read_subject(reader)?),
            "f" => event.function = read_function(reader)?,
            "value" => event.value = reader.value()?,
            "key" => event.key = Some(reader.value()?),
            "time" => event.ns = reader.skipped()?.parse().ok(),
            "error" => event.error = read_error(reader)?,
            "" => return Err(reader.wrong(at, "a keyword has a name")),
            _ => return reader.skip(),
        }
        Ok(())
    })?;
    event.kind = kind.ok_or_else(|| form.wrong(0, "this operation has no :type"))?;
    event.subject = subject.unwrap_or(Subject::Unnamed);
    Ok(event)
}

/// What an event says of its operation.
pub fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, Stop> {
    let at = reader.next_word();
    let kind = match reader.required_token()? {
        Token::Keyword(name) => Kind::by_name(name),
        _ => None,
    };
    kind.ok_or_else(|| {
        reader
            .wrong(at, "this :type is not known")
            .suggest("it is one of :invoke, :ok, :fail and :info")
    })
}

/// Who it is: a number, or a name.
pub fn read_subject(reader: &mut Reader<'_>) -> Result<Subject, Stop> {
    let at = reader.next_word();
    let process = |text| integer(text).and_then(|number| u32::try_from(number).ok());
    let subject = match reader.required_token()? {
        Token::Number(text) => process(text).map(Subject::Client),
        Token::Keyword("nemesis") | Token::Symbol("nemesis") => Some(Subject::Nemesis),
        _ => None,
    };
    subject.ok_or_else(|| {
        reader
            .wrong(at, "this process is not known")
            .suggest("it is :nemesis or a number from 0 to 4294967295")
    })
}

/// What is done.
pub fn read_function(reader: &mut Reader<'_>) -> Result<SmolStr, Stop> {
    let at = reader.next_word();
    match reader.required_token()? {
        Token::Keyword(name) | Token::Symbol(name) => Ok(name.into()),
        Token::Text(name) => Ok(name.into()),
        _ => Err(reader.wrong(at, "a function is a keyword, such as :read")),
    }
}

fn read_error(reader: &mut Reader<'_>) -> Result<Option<SmolStr>, Stop> {
    let text = reader.skipped()?;
    Ok((text != "nil").then(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn events_are_maps_in_a_stream_a_vector_or_tagged() {
        let expected = &["0 write(1) ok nil [0, 2]", "1 read(nil) ok 1 [1, 3]"];
        let stream = "{:type :invoke :process 0 :f :write :value 1}
            {:index 1 :type :invoke, :process 1, :f :read}
            {:type :ok :process 0 :f :write :value 1 :more {:a [1.5 \\a]}}
            {:time 20 :type :ok :process 1 :f :read :value 1}";
        check("register", stream, expected);
        check("register", &format!("; all in one\n[{stream}]"), expected);
        check("register", &format!("({stream} #_{{:type}} )"), expected);
        check("register", &stream.replace("{:", "#jepsen.history.Op{:"), expected);
    }

    #[test]
    fn the_nemesis_is_left_out() {
        check("register", "{:type :info :process :nemesis :f :start :value [:isolated {}]}", &[]);
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let check = |text: &str, expected: &str| refused("register", text, expected);
        check("{:process 1 :f :read}", "f:1:1: this operation has no :type");
        check("\n {:type :invoke :f :read}", "f:2:2: this operation has no process");
        check(
            "{:process 1, :f :read,\n :type :started}",
            "f:2:8: this :type is not known: it is one of :invoke, :ok, :fail and :info",
        );
        check(
            "{:type :invoke :process :w1 :f :read}",
            "f:1:25: this process is not known: it is :nemesis or a number from 0 to 4294967295",
        );
        check(
            "{:type :invoke :process -1 :f :read}",
            "f:1:25: this process is not known: it is :nemesis or a number from 0 to 4294967295",
        );
        check("{:type :invoke :process 1}", "f:1:1: this operation has no function (`f`)");
        check("{:type :invoke :process 1 :f 7}", "f:1:30: a function is a keyword, such as :read");
        check(
            "{:type :invoke :process 1 :f :write :value 1e3}",
            "f:1:44: 1e3 is no integer of 64 bits signed: write it as a text",
        );
        check(
            "{:type :invoke :process 1 :f",
            "f:1:29: the file ends inside the operation of line 1, column 1: it was cut off",
        );
    }
}
