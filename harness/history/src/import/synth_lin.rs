//! Synthetic histories: one operation a line, with the ranks of its invocation and its return.
//!
//! ```text
//! {"meta":{"obj":"cas","linearizable":true}}
//! {"p":0,"f":"r","c":1,"r":5,"s":"ok","o":2}
//! {"p":3,"f":"cas","c":2,"r":9,"s":"fail","a":[5,3]}
//! ```
//! `p` is the process, `f` the function, `k` the key (of a set: the element), `a` the argument, `o`
//! what was learned, `c` and `r` the times of invocation and return (null: never), `s` is `ok`,
//! `fail` (a cas that found another value) or `info`. Registers start at 0. Of equal times the
//! invocation stands first, so that such operations are concurrent.

use std::borrow::Cow;

use serde::Deserialize;

use super::forms::{Form, Forms, Notation};
use super::jepsen_json::{Foreign, from_json};
use super::recorder::{Event, Kind, Recorder, Subject, Timed};
use super::source::Source;
use super::{FailedCas, Format, Read, Stop, contains};
use crate::duration::MILLISECOND;
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "synth-lin",
    doc: "Synthetic histories: JSON Lines with one operation each, the first line holding {\"meta\":…}.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: Some(FailedCas::Observed),
    initial: Value::Integer(0),
};

fn recognises(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_prefix(b"{").is_some_and(|line| line.trim_ascii_start().starts_with(b"\"meta\""))
        && contains(line, "linearizable")
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    meta: Option<serde::de::IgnoredAny>,
    #[serde(rename = "p")]
    process: Option<u32>,
    #[serde(borrow, rename = "f", default)]
    function: Cow<'a, str>,
    #[serde(rename = "k")]
    key: Option<Foreign>,
    #[serde(rename = "a", default)]
    argument: Foreign,
    #[serde(rename = "o", default)]
    result: Foreign,
    #[serde(rename = "c")]
    invoke: Option<u64>,
    #[serde(rename = "r")]
    complete: Option<u64>,
    #[serde(borrow, rename = "s", default)]
    outcome: Cow<'a, str>,
}

/// The times are ranks: they are shown as so many milliseconds.
pub fn shown(rank: u64) -> Option<u64> {
    Some(rank.saturating_mul(MILLISECOND))
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut forms = Forms::new(source, Notation::Json);
    while let Some(form) = forms.next_form()? {
        let line = from_json::<Line<'_>>(form)?;
        if line.meta.is_none() {
            operation(form, line, &mut recorder.later)?;
        }
    }
    Ok(())
}

fn operation(form: Form<'_>, line: Line<'_>, events: &mut Vec<Timed>) -> Result<(), Stop> {
    let place = form.place;
    let missing = |name: &str| form.wrong(0, format!("this operation has no \"{name}\""));
    let subject = Subject::Client(line.process.ok_or_else(|| missing("p"))?);
    let invoke = line.invoke.ok_or_else(|| missing("c"))?;
    // The elements of a set stand where other objects have their key.
    let of_set = matches!(&*line.function, "add" | "rem" | "has");
    let (key, value) = match line.key {
        Some(Foreign(element)) if of_set => (None, element),
        key => (key.map(|key| key.0), line.argument.0),
    };
    let function = smol_str::SmolStr::from(line.function);
    let ns = shown(invoke);
    let event = Event { subject, function, value, key, ns, ..Event::default() };
    let kind = outcome(form, &line.outcome)?;
    if let Some(complete) = line.complete {
        if complete < invoke {
            return Err(form.wrong(0, "this operation returns before it is invoked"));
        }
        let ns = shown(complete);
        let event = Event { kind, subject, value: line.result.0, ns, ..Event::default() };
        events.push(Timed { rank: complete, place, event });
    } else if kind != Kind::Info {
        return Err(missing("r"));
    }
    events.push(Timed { rank: invoke, place, event });
    Ok(())
}

/// What `s` says.
pub fn outcome(form: Form<'_>, name: &str) -> Result<Kind, Stop> {
    match name {
        "" => Err(form.wrong(0, "this operation has no \"s\"")),
        "info" => Ok(Kind::Info),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        other => Err(form
            .wrong(0, format!("the outcome \"{other}\" is not known"))
            .suggest("it is one of \"ok\", \"fail\" and \"info\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    const META: &str = "{\"meta\": {\"linearizable\": true}}\n";

    #[test]
    fn operations_with_times_are_events_in_order_of_time() {
        check(
            "cas-register",
            &format!(
                "{META}{{\"p\":0,\"f\":\"r\",\"c\":1,\"r\":5,\"s\":\"ok\",\"o\":2}}\n\
                 {{\"p\":3,\"f\":\"cas\",\"c\":5,\"r\":9,\"s\":\"fail\",\"a\":[5,3]}}\n\
                 {{\"p\":1,\"f\":\"w\",\"c\":2,\"r\":null,\"s\":\"info\",\"a\":2}}\n"
            ),
            &[
                "0 read(nil) ok 2 [0, 3]",
                "1 write(2) info nil [1, never]",
                "3 cas([5, 3]) ok false [2, 4]",
            ],
        );
    }

    #[test]
    fn the_key_of_a_set_is_its_element() {
        check(
            "set",
            &format!(
                "{META}{{\"p\":5,\"f\":\"add\",\"c\":1,\"r\":2,\"s\":\"ok\",\"k\":13,\"o\":true}}\n\
                 {{\"p\":5,\"f\":\"has\",\"c\":3,\"r\":4,\"s\":\"ok\",\"k\":13,\"o\":true}}\n"
            ),
            &["5 add(13) ok true [0, 1]", "5 contains(13) ok true [2, 3]"],
        );
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let check = |line: &str, expected: &str| {
            refused("register", &format!("{META}{line}"), expected);
        };
        check("{\"f\":\"r\"}", "f:2:1: this operation has no \"p\"");
        check("{\"p\":1,\"f\":\"r\",\"c\":3,\"s\":\"ok\"}", "f:2:1: this operation has no \"r\"");
        check(
            "{\"p\":1,\"f\":\"r\",\"c\":3,\"r\":2,\"s\":\"ok\"}",
            "f:2:1: this operation returns before it is invoked",
        );
        check(
            "{\"p\":1,\"f\":\"r\"",
            "f:2:15: the file ends inside the operation of line 2, column 1: it was cut off",
        );
    }
}
