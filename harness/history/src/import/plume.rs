//! Reads and writes of transactions, one a line: the text that plume, PolySI and IsoVista share.
//!
//! ```text
//! w(0,1,1,1)
//! r(0,1,2,8)
//! w(0,3,2,-1)
//! ```
//! `r` or `w`, and in brackets key, value, session and transaction. The micro-operations of a
//! transaction are those of its session with its number; number -1 is that of every transaction that
//! aborted, one behind the other. The order of the lines is the order within a session. See
//! [`sessions`] for what is known of times, and what 0 says.
//! Source: <https://github.com/hengxin/IsoVista>, <https://github.com/amnore/PolySI>.

use rustc_hash::FxHashMap;

use super::forms::{Form, utf8};
use super::recorder::Recorder;
use super::sessions::{self, Transaction, micro, number};
use super::source::Source;
use super::{Format, Read, Stop};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "plume",
    doc: "Transactions as plume, PolySI and IsoVista write them: lines r(key,value,session,transaction) \
          and w(…), transaction -1 for one that aborted.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Integer(0),
};

fn recognises(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii_end();
    let inside = line.strip_prefix(b"r(").or(line.strip_prefix(b"w("));
    inside.is_some_and(|inside| {
        inside.strip_suffix(b")").is_some_and(|inside| {
            inside.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b',' | b' '))
        })
    })
}

const ABORTED: i64 = -1;

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut transactions = Vec::<Transaction>::new();
    // Where the transactions of this session and number stand.
    let mut places = FxHashMap::<(u32, i64), usize>::default();
    // The number of the last transaction of a session.
    let mut last = FxHashMap::<u32, i64>::default();
    let mut line = Vec::new();
    while let Some(place) = source.line(&mut line)? {
        let text = utf8(&line, place)?;
        if text.trim().is_empty() {
            continue;
        }
        let (micro, session, number) = parts(Form { place, text })?;
        let goes_on = number != ABORTED || last.insert(session, number) == Some(ABORTED);
        last.insert(session, number);
        match places.get(&(session, number)).filter(|_| goes_on) {
            Some(known) => transactions[*known].micros.push(micro),
            None => {
                places.insert((session, number), transactions.len());
                let committed = number != ABORTED;
                transactions.push(Transaction { place, session, committed, micros: vec![micro] });
            }
        }
    }
    sessions::record(transactions, recorder)
}

/// The micro-operation, session and transaction of a line.
fn parts(line: Form<'_>) -> Result<(Value, u32, i64), Stop> {
    let text = line.text.trim_end();
    let blank = text.len() - text.trim_start().len();
    let function = match text.trim_start().as_bytes() {
        [b'r', b'(', ..] => "r",
        [b'w', b'(', ..] => "w",
        _ => return Err(wrong(line, blank)),
    };
    let Some(inside) = text.strip_suffix(')').map(|text| &text[blank + 2..]) else {
        return Err(line.wrong(text.len(), "this line ends before its bracket: it was cut off"));
    };
    let mut at = blank + 2;
    let mut next = inside.split(',').map(|part| {
        let place = at;
        at += part.len() + 1;
        (place, part.trim())
    });
    let mut numbers = [0; 4].map(|_| next.next().unwrap_or((text.len() - 1, "")));
    if let Some((place, _)) = next.next() {
        return Err(wrong(line, place));
    }
    let value = |(place, text)| number(text).ok_or_else(|| wrong(line, place));
    let (session_at, session) = numbers[2];
    let session = session
        .parse()
        .map_err(|_| line.wrong(session_at, "a session is a number from 0 to 4294967295"))?;
    let (number_at, transaction) = std::mem::take(&mut numbers[3]);
    let transaction = transaction
        .parse()
        .map_err(|_| line.wrong(number_at, "a transaction is a number, -1 if it aborted"))?;
    Ok((micro(function, value(numbers[0])?, value(numbers[1])?), session, transaction))
}

fn wrong(line: Form<'_>, at: usize) -> Stop {
    line.wrong(at, "a line is r(key,value,session,transaction) or w(key,value,session,transaction)")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    #[test]
    fn lines_of_one_session_and_number_are_a_transaction() {
        check(
            "rw-register",
            "w(0,1,1,1)\nw(0,2,1,1)\r\nr(0,2,2,8)\n\nw(5,14498253022754562142,1,2)\nr(0, 1, 2, 8)\n",
            &[
                r#"1 txn([["w", 0, 1], ["w", 0, 2]]) ok [["w", 0, 1], ["w", 0, 2]] [0, 1]"#,
                r#"2 txn([["r", 0, nil], ["r", 0, nil]]) ok [["r", 0, 2], ["r", 0, 1]] [2, 3]"#,
                r#"1 txn([["w", 5, "14498253022754562142"]]) ok [["w", 5, "14498253022754562142"]] [4, 5]"#,
            ],
        );
    }

    #[test]
    fn lines_of_number_minus_1_are_transactions_that_aborted() {
        check(
            "rw-register",
            "w(0,1,1,-1)\nw(1,1,1,-1)\nw(0,2,2,-1)\nr(0,0,1,3)\nw(0,3,1,-1)",
            &[
                r#"1 txn([["w", 0, 1], ["w", 1, 1]]) fail nil [0, 1]"#,
                r#"2 txn([["w", 0, 2]]) fail nil [2, 3]"#,
                r#"1 txn([["r", 0, nil]]) ok [["r", 0, 0]] [4, 5]"#,
                r#"1 txn([["w", 0, 3]]) fail nil [6, 7]"#,
            ],
        );
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let check = |line: &str, expected: &str| {
            refused("rw-register", &format!("w(0,1,1,1)\n{line}"), expected);
        };
        let line = "a line is r(key,value,session,transaction) or w(key,value,session,transaction)";
        check(" x(1,2,3,4)", &format!("f:2:2: {line}"));
        check("w(1,b,3,4)", &format!("f:2:5: {line}"));
        check("w(1,2,3,4,5)", &format!("f:2:11: {line}"));
        check("w(1,2,-3,4)", "f:2:7: a session is a number from 0 to 4294967295");
        check("w(1,2,3)", "f:2:8: a transaction is a number, -1 if it aborted");
        check("w(1,2,3,4", "f:2:10: this line ends before its bracket: it was cut off");
        check("w(é", "f:2:5: this line ends before its bracket: it was cut off");
    }
}
