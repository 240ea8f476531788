//! Reads and writes of transactions, session by session: the text of AWDIT's tests.
//!
//! ```text
//! w 0 1
//! -----
//! w 0 2
//! =====
//! r 0 2
//! ```
//! A line is `r` or `w`, key and value; `-----` begins the next transaction of the session, `=====` the
//! next session. See [`sessions`] for what is known of times, and what 0 says.
//! Source: <https://github.com/lassemoldrup/AWDIT>.

use super::forms::{Form, utf8};
use super::recorder::Recorder;
use super::sessions::{self, Transaction, micro, number};
use super::source::Source;
use super::{Format, Read, Stop};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "awdit",
    doc: "Transactions as AWDIT's tests write them: lines `r key value` and `w key value`, ----- \
          between transactions and ===== between sessions.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Integer(0),
};

fn recognises(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.trim_ascii().split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let is_number =
        |word: &[u8]| std::str::from_utf8(word).is_ok_and(|word| number(word).is_some());
    matches!(words.next(), Some(b"r" | b"w"))
        && words.next().is_some_and(is_number)
        && words.next().is_some_and(is_number)
        && words.next().is_none()
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut transactions = Vec::<Transaction>::new();
    let (mut session, mut goes_on) = (0_u32, false);
    let mut line = Vec::new();
    while let Some(place) = source.line(&mut line)? {
        let text = utf8(&line, place)?;
        match text.trim() {
            "" => {}
            "-----" => goes_on = false,
            "=====" => {
                goes_on = false;
                session += 1;
            }
            _ => {
                let micro = line_of(Form { place, text })?;
                match transactions.last_mut().filter(|_| goes_on) {
                    Some(open) => open.micros.push(micro),
                    None => {
                        let micros = vec![micro];
                        transactions.push(Transaction { place, session, committed: true, micros });
                    }
                }
                goes_on = true;
            }
        }
    }
    sessions::record(transactions, recorder)
}

/// The micro-operation of a line.
fn line_of(line: Form<'_>) -> Result<Value, Stop> {
    let wrong = || {
        let blank = line.text.len() - line.text.trim_start().len();
        line.wrong(blank, "a line is `r key value`, `w key value`, ----- or =====")
    };
    let mut words = line.text.split_ascii_whitespace();
    let function = match words.next() {
        Some("r") => "r",
        Some("w") => "w",
        _ => return Err(wrong()),
    };
    let key = words.next().and_then(number).ok_or_else(wrong)?;
    let value = words.next().and_then(number).ok_or_else(wrong)?;
    match words.next() {
        None => Ok(micro(function, key, value)),
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn lines_between_lines_are_transactions_and_sessions() {
        check(
            "rw-register",
            "w 0 1\r\n-----\nw 0 2\nr 1 7\n\n=====\n-----\nr 0 2",
            &[
                r#"0 txn([["w", 0, 1]]) ok [["w", 0, 1]] [0, 1]"#,
                r#"0 txn([["w", 0, 2], ["r", 1, nil]]) ok [["w", 0, 2], ["r", 1, 7]] [2, 3]"#,
                r#"1 txn([["r", 0, nil]]) ok [["r", 0, 2]] [4, 5]"#,
            ],
        );
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let line = "a line is `r key value`, `w key value`, ----- or =====";
        for wrong in ["a 0 1", "r 0", "w 0 x", "w 0 1 2", "----"] {
            refused("rw-register", &format!("w 0 1\n {wrong}"), &format!("f:2:2: {line}"));
        }
    }
}
