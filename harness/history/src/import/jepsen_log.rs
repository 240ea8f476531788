//! What Jepsen prints while it runs: a line of the console an event.
//!
//! ```text
//! INFO  jepsen.util - 4  :invoke  :cas  [3 0]
//! INFO  jepsen.util - 4  :info  :cas  :timed-out
//! ```
//! A line is an event if a process stands behind `jepsen.util`: then function and value in EDN must
//! follow, and an error may. In place of the value of a `:fail` or `:info`, a keyword is the error.
//! Other lines are left out. In these logs a cas that failed had been compared.
//! Source: <https://github.com/jepsen-io/jepsen>, `jepsen.util/log-op`.

use super::edn::{Reader, integer};
use super::forms::{Form, utf8};
use super::recorder::{Event, Kind, Recorder, Subject};
use super::source::Source;
use super::{FailedCas, Format, Read, Stop, contains, jepsen_edn};
use crate::value::Value;

const LOGGER: &str = "jepsen.util";

pub const FORMAT: Format = Format {
    name: "jepsen-log",
    doc: "The console log of a Jepsen run: lines with `jepsen.util`, process, type, function, value.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: Some(FailedCas::Observed),
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let event = |line: &[u8]| contains(line, LOGGER) && contains(line, ":invoke");
    head.split(|byte| *byte == b'\n').any(event)
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut line = Vec::new();
    while let Some(place) = source.line(&mut line)? {
        if !contains(&line, LOGGER) {
            continue;
        }
        let text = utf8(&line, place)?;
        if let Some(event) = event(Form { place, text })? {
            recorder.event(place, event)?;
        }
    }
    Ok(())
}

/// The event of a line, if there is one.
fn event(line: Form<'_>) -> Result<Option<Event>, Stop> {
    let Some(logger) = line.text.find(LOGGER) else {
        return Ok(None);
    };
    let behind = &line.text[logger + LOGGER.len()..];
    let text = behind.trim_start_matches([' ', '\t', '-', ':']);
    let place = line.place.after(&line.text.as_bytes()[..line.text.len() - text.len()]);
    let process = text.split_ascii_whitespace().next().unwrap_or_default();
    if process != "nemesis" && integer(process).is_none() {
        return Ok(None);
    }
    let mut reader = Reader::new(Form { place, text });
    let mut event = Event {
        subject: jepsen_edn::read_subject(&mut reader)?,
        kind: jepsen_edn::read_kind(&mut reader)?,
        function: jepsen_edn::read_function(&mut reader)?,
        ..Event::default()
    };
    if event.subject == Subject::Nemesis {
        return Ok(Some(event));
    }
    let at = reader.next_word();
    let value = reader.skipped()?;
    if !reader.is_done() {
        event.error = Some(reader.skipped()?.into());
    } else if matches!(event.kind, Kind::Fail | Kind::Info) && value.starts_with(':') {
        event.error = Some(value.into());
        return Ok(Some(event));
    }
    event.value = Reader::new(reader.part(at, value)).value()?;
    Ok(Some(event))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn lines_with_a_process_are_events_and_others_are_not() {
        check(
            "cas-register",
            "INFO  jepsen.core - nemesis done\n\
             INFO  jepsen.util - 0\t:invoke\t:write\t1\n\
             INFO  jepsen.util - Run complete, writing\n\
             INFO  jepsen.util - nemesis\t:info\t:start\tnil\n\
             INFO  jepsen.util - 4   :invoke :cas    [3 0]\n\
             INFO  jepsen.util - 0\t:info\t:write\t:timed-out\n\
             2026-01-01 [jepsen worker 4] jepsen.util: 4\t:fail\t:cas\t[3 0]\n\
             INFO  jepsen.util - 4\t:invoke\t:read\tnil\n\
             INFO  jepsen.util - 4\t:fail\t:read\t:timed-out\n\
             INFO  jepsen.util - 4\t:invoke\t:read\tnil\n\
             INFO  jepsen.util - 4\t:ok\t:read\tnil",
            &[
                "0 write(1) info nil [0, 2] :timed-out",
                "4 cas([3, 0]) ok false [1, 3]",
                "4 read(nil) fail nil [4, 5] :timed-out",
                "4 read(nil) ok nil [6, 7]",
            ],
        );
    }

    #[test]
    fn an_event_that_was_cut_off_is_refused_at_its_place() {
        let start = "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t";
        let check =
            |line: &str, expected: &str| refused("register", &format!("{start}{line}"), expected);
        check(":o", "f:2:23: this :type is not known: it is one of :invoke, :ok, :fail and :info");
        check(":ok", "f:2:26: the text ends here, in the middle of a value");
        check(":ok\t:write\t[", "f:2:35: the text ends here, in the middle of a value");
        check(
            ":ok\t:write\t1.5",
            "f:2:34: 1.5 is no integer of 64 bits signed: write it as a text",
        );
    }
}
