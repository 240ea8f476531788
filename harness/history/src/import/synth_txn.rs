//! Synthetic transactions: one a line, with the ranks of its invocation and its return.
//!
//! ```text
//! {"meta":{"name":"la-write-skew-t0","consistent":{"SI":true,"SER":false}}}
//! {"p":0,"c":0,"r":3,"s":"ok","t":[["r",5,[]],["a",6,1]]}
//! {"p":1,"c":1,"r":2,"s":"ok","t":[["r",6,null],["a",5,2]]}
//! ```
//! `p` is the process, `c` and `r` the times of invocation and return (null: never), `s` is `ok`,
//! `fail` or `info`, `t` the micro-operations with what reads found: `r`, and `w` (registers) or `a`
//! (lists). Of equal times the invocation stands first, so that such transactions are concurrent.

use std::borrow::Cow;

use serde::Deserialize;
use smol_str::SmolStr;

use super::forms::{Form, Forms, Notation};
use super::jepsen_json::{Foreign, from_json};
use super::recorder::{Event, Kind, Recorder, Subject, Timed};
use super::source::Source;
use super::synth_lin::{outcome, shown};
use super::{Format, Read, Stop, contains};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "synth-txn",
    doc: "Synthetic transactions: JSON Lines with one transaction each, its micro-operations in \"t\".",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let meta = line.strip_prefix(b"{").is_some_and(|line| {
        line.trim_ascii_start().starts_with(b"\"meta\"") && contains(line, "\"consistent\"")
    });
    let transaction = ["\"p\":", "\"s\":", "\"t\":"].iter().all(|part| contains(line, part));
    line.starts_with(b"{") && (meta || transaction)
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    meta: Option<serde::de::IgnoredAny>,
    #[serde(rename = "p")]
    process: Option<u32>,
    #[serde(rename = "c")]
    invoke: Option<u64>,
    #[serde(rename = "r")]
    complete: Option<u64>,
    #[serde(borrow, rename = "s", default)]
    outcome: Cow<'a, str>,
    #[serde(rename = "t", default)]
    micros: Foreign,
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut forms = Forms::new(source, Notation::Json);
    while let Some(form) = forms.next_form()? {
        let line = from_json::<Line<'_>>(form)?;
        if line.meta.is_none() {
            transaction(form, line, &mut recorder.later)?;
        }
    }
    Ok(())
}

fn transaction(form: Form<'_>, line: Line<'_>, events: &mut Vec<Timed>) -> Result<(), Stop> {
    let place = form.place;
    let missing = |name: &str| form.wrong(0, format!("this transaction has no \"{name}\""));
    let subject = Subject::Client(line.process.ok_or_else(|| missing("p"))?);
    let invoke = line.invoke.ok_or_else(|| missing("c"))?;
    let value = line.micros.0;
    let kind = outcome(form, &line.outcome)?;
    if let Some(complete) = line.complete {
        if complete < invoke {
            return Err(form.wrong(0, "this transaction returns before it is invoked"));
        }
        let ns = shown(complete);
        let event = Event { kind, subject, value: value.clone(), ns, ..Event::default() };
        events.push(Timed { rank: complete, place, event });
    } else if kind != Kind::Info {
        return Err(missing("r"));
    }
    let function = SmolStr::new_static("txn");
    let event = Event { subject, function, value, ns: shown(invoke), ..Event::default() };
    events.push(Timed { rank: invoke, place, event });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn transactions_with_times_are_events_in_order_of_time() {
        check(
            "list-append",
            "{\"meta\": {\"consistent\": {\"SER\": true}}}\n\
             {\"p\":0,\"c\":0,\"r\":3,\"s\":\"ok\",\"t\":[[\"r\",5,null],[\"a\",6,1]]}\n\
             {\"p\":1,\"c\":1,\"r\":2,\"s\":\"fail\",\"t\":[[\"r\",6,[]],[\"a\",5,2]]}\n",
            &[
                r#"0 txn([["r", 5, nil], ["append", 6, 1]]) ok [["r", 5, []], ["append", 6, 1]] [0, 3]"#,
                r#"1 txn([["r", 6, nil], ["append", 5, 2]]) fail nil [1, 2]"#,
            ],
        );
        check(
            "rw-register",
            "{\"p\":0,\"c\":0,\"r\":null,\"s\":\"info\",\"t\":[[\"w\",5,1]]}",
            &[r#"0 txn([["w", 5, 1]]) info nil [0, never]"#],
        );
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let meta = "{\"meta\": {\"consistent\": {}}}\n";
        let check = |line: &str, expected: &str| {
            refused("rw-register", &format!("{meta}{line}"), expected);
        };
        check("{\"c\":1}", "f:2:1: this transaction has no \"p\"");
        check("{\"p\":1,\"c\":1,\"s\":\"ok\"}", "f:2:1: this transaction has no \"r\"");
        check("{\"p\":1,\"c\":1,\"r\":2}", "f:2:1: this operation has no \"s\"");
        check(
            "{\"p\":1,\"c\":1,\"r\":2,\"s\":\"ok\"}",
            "f:2:1: a micro-operation is [\"r\", key, nil] or [\"w\", key, value], not nil",
        );
    }
}
