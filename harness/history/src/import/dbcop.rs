//! Transactions as DBCop stores them: a structure of Rust written by bincode 1, little-endian.
//!
//! ```text
//! id nodes variables transactions events   five integers of 64 bits, of no meaning here
//! text text text                           each a length and so many bytes: database, start, end
//! sessions → transactions → events         each level a count and so many of the next
//!   event        write (1 byte)  variable (8)  value (8)  success (1)
//!   transaction  … its events, success (1)
//! ```
//! Events without success are left out; a transaction without success aborted. See [`sessions`] for
//! what is known of times, and what 0 says. Places in errors are those of bytes: the column of line 1.
//! Source: <https://github.com/rnbguy/dbcop>; read by hand because the crate that wrote it is no
//! longer kept, and because counts are not believed before their bytes are there.

use std::io::Read as _;

use super::recorder::Recorder;
use super::sessions::{self, Transaction, micro};
use super::source::{Place, Source};
use super::{Format, Read, Stop};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "dbcop",
    doc: "Transactions as DBCop stores them (bincode): sessions of transactions of reads and writes.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Integer(0),
};

/// Five integers below 2^40, and a text of printable characters that is not long.
fn recognises(head: &[u8]) -> bool {
    let Some((integers, behind)) = head.split_at_checked(5 * 8) else {
        return false;
    };
    let small = integers.chunks_exact(8).all(|integer| integer[5..] == [0; 3]);
    let length =
        behind.split_first_chunk::<8>().map(|(length, text)| (u64::from_le_bytes(*length), text));
    small
        && length.is_some_and(|(length, text)| {
            usize::try_from(length).ok().filter(|length| *length < 1_000).is_some_and(|length| {
                text.iter().take(length).all(|byte| (b' '..0x7f).contains(byte))
            })
        })
}

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut bytes = Bytes { source, at: 0 };
    if bytes.source.chunk()?.is_empty() {
        return Ok(());
    }
    for _ in 0..5 {
        bytes.integer()?;
    }
    for _ in 0..3 {
        let length = bytes.integer()?;
        bytes.skip(length)?;
    }
    let mut transactions = Vec::new();
    for session in 0..bytes.integer()? {
        let session =
            u32::try_from(session).map_err(|_| bytes.wrong("there are too many sessions"))?;
        for _ in 0..bytes.integer()? {
            transactions.extend(transaction(&mut bytes, session)?);
        }
    }
    if !bytes.source.chunk()?.is_empty() {
        return Err(bytes.wrong("nothing may stand behind the last session"));
    }
    sessions::record(transactions, recorder)
}

/// A transaction, unless it did nothing.
fn transaction(bytes: &mut Bytes<'_, '_>, session: u32) -> Result<Option<Transaction>, Stop> {
    let place = bytes.place();
    let mut micros = Vec::new();
    for _ in 0..bytes.integer()? {
        let write = bytes.truth()?;
        let (variable, value) = (bytes.integer()?, bytes.integer()?);
        let success = bytes.truth()?;
        if success {
            micros.push(micro(if write { "w" } else { "r" }, number(variable), number(value)));
        }
    }
    let committed = bytes.truth()?;
    Ok((!micros.is_empty()).then_some(Transaction { place, session, committed, micros }))
}

fn number(integer: u64) -> Value {
    i64::try_from(integer)
        .map_or_else(|_| Value::from(integer.to_string().as_str()), Value::Integer)
}

/// Takes bytes one behind the other, and counts them.
struct Bytes<'s, 'a> {
    source: &'s mut Source<'a>,
    at: u64,
}

impl Bytes<'_, '_> {
    fn place(&self) -> Place {
        Place { line: 1, column: self.at + 1 }
    }

    fn wrong(&self, reason: &str) -> Stop {
        Stop::at(self.place(), reason)
    }

    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Stop> {
        let mut bytes = [0; COUNT];
        self.source.read_exact(&mut bytes).map_err(|error| self.ended(error))?;
        self.at += COUNT as u64;
        Ok(bytes)
    }

    fn ended(&self, error: std::io::Error) -> Stop {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                self.wrong("the file ends behind this byte, inside a session: it was cut off")
            }
            _ => Stop::Io(error),
        }
    }

    fn integer(&mut self) -> Result<u64, Stop> {
        self.take().map(u64::from_le_bytes)
    }

    fn truth(&mut self) -> Result<bool, Stop> {
        match self.take::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(self.wrong(&format!("a truth value is 0 or 1, not {other}"))),
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), Stop> {
        let skipped = std::io::copy(&mut self.source.take(length), &mut std::io::sink());
        let skipped = skipped.map_err(Stop::Io)?;
        self.at += skipped;
        match skipped == length {
            true => Ok(()),
            false => Err(self.ended(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::super::{Reading, read};

    fn head(sessions: u64) -> Vec<u8> {
        let mut bytes = [0_u64, 2, 10, 3, 4].map(u64::to_le_bytes).concat();
        for text in ["PostgreSQL", "start", "end"] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(sessions.to_le_bytes());
        bytes
    }

    fn transaction(bytes: &mut Vec<u8>, events: &[(bool, u64, u64, bool)], success: bool) {
        bytes.extend((events.len() as u64).to_le_bytes());
        for (write, variable, value, success) in events {
            bytes.push(u8::from(*write));
            bytes.extend(variable.to_le_bytes());
            bytes.extend(value.to_le_bytes());
            bytes.push(u8::from(*success));
        }
        bytes.push(u8::from(success));
    }

    fn sample() -> Vec<u8> {
        let mut bytes = head(2);
        bytes.extend(2_u64.to_le_bytes());
        transaction(
            &mut bytes,
            &[(false, 7, 0, true), (true, 7, 1, true), (true, 8, 1, false)],
            true,
        );
        transaction(&mut bytes, &[(true, 7, u64::MAX, true)], false);
        bytes.extend(1_u64.to_le_bytes());
        transaction(&mut bytes, &[(false, 7, 1, true)], true);
        bytes
    }

    #[test]
    fn sessions_of_transactions_of_events_are_read() {
        let reading = Reading { model: "rw-register", ..Reading::default() };
        let imported = read("f", sample().as_slice(), &reading).unwrap();
        assert_eq!((imported.format.name, imported.initial.clone()), ("dbcop", 0.into()));
        assert_eq!(
            lines(&imported),
            [
                r#"0 txn([["r", 7, nil], ["w", 7, 1]]) ok [["r", 7, 0], ["w", 7, 1]] [0, 1]"#,
                r#"0 txn([["w", 7, "18446744073709551615"]]) fail nil [2, 3]"#,
                r#"1 txn([["r", 7, nil]]) ok [["r", 7, 1]] [4, 5]"#,
            ]
        );
    }

    #[test]
    fn what_was_cut_off_or_is_no_such_structure_is_refused() {
        let reading = Reading { model: "rw-register", ..Reading::default() };
        let refused = |bytes: &[u8]| read("f", bytes, &reading).unwrap_err().to_string();
        let bytes = sample();
        for end in 49..bytes.len() {
            assert!(refused(&bytes[..end]).contains("it was cut off"), "{end}");
        }
        let more = [bytes.as_slice(), &[0]].concat();
        let end = more.len();
        assert_eq!(refused(&more), format!("f:1:{end}: nothing may stand behind the last session"));
        // A count that no file could hold costs no memory.
        let mut many = head(u64::MAX);
        many.extend(u64::MAX.to_le_bytes());
        assert!(refused(&many).contains("it was cut off"));
        let mut wrong = head(1);
        wrong.extend(1_u64.to_le_bytes());
        wrong.extend(1_u64.to_le_bytes());
        wrong.push(7);
        assert!(refused(&wrong).ends_with("a truth value is 0 or 1, not 7"), "{}", refused(&wrong));
    }
}
