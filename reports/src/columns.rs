//! Every operation of a run in columns, compressed, for the script of a page: nothing is cut off, and a
//! hundred thousand of them take less than a megabyte.
//!
//! Shape, in this order, before compression (raw deflate) and base64: the line of JSON that names
//! clients, keys, functions and texts, closed by a line feed; then each column as variable-length
//! integers of 7 bits a byte, lowest first: invoke (in microseconds, less the one before, in zigzag), how
//! long it took (in microseconds, plus 1; 0 if it never completed), process, client, key, function, outcome (0 ok, 1 fail, 2 info),
//! argument and result (places among the texts).

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use wrack_history::{Moment, Operation, Outcome, Run};

use crate::text;

/// A longer argument or result is clipped.
const VALUE_CHARS_MAX: usize = 80;
/// More different texts than this are all the same one, so that the page stays small.
const TEXTS_MAX: usize = 150_000;
const US: u64 = 1_000;

#[derive(Serialize)]
struct Head<'a> {
    count: usize,
    clients: Vec<String>,
    keys: Vec<String>,
    functions: Vec<String>,
    texts: Vec<String>,
    columns: [&'a str; 9],
}

/// Names, numbered as they come.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u64>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u64 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u64;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }
}

/// The columns of a run as text for a page; empty without operations.
pub(crate) fn packed(run: &Run) -> String {
    let operations = &run.history.operations;
    if operations.is_empty() {
        return String::new();
    }
    let (mut keys, mut functions, mut texts) =
        (Names::default(), Names::default(), Names::default());
    let mut columns: [Vec<u8>; 9] = Default::default();
    let mut before = 0;
    for operation in operations {
        let invoke = (operation.invoke.ns / US) as i64;
        let row = [
            zigzag(invoke - before),
            took(operation),
            u64::from(operation.process),
            u64::from(operation.session),
            keys.number(&operation.key),
            functions.number(&operation.function),
            outcome(operation.outcome),
            value(&mut texts, &operation.argument),
            value(&mut texts, &operation.result),
        ];
        before = invoke;
        for (column, number) in columns.iter_mut().zip(row) {
            push(column, number);
        }
    }
    let clip = |names: Names| names.names.iter().map(|name| text::label(name)).collect();
    let servers = run.nodes.len().saturating_sub(run.clients as usize);
    let head = Head {
        count: operations.len(),
        clients: run.nodes.iter().skip(servers).map(|name| text::label(name)).collect(),
        keys: clip(keys),
        functions: clip(functions),
        texts: texts.names,
        columns: [
            "invoke", "took", "process", "client", "key", "function", "outcome", "argument",
            "result",
        ],
    };
    pack(&head, &columns)
}

fn pack(head: &Head<'_>, columns: &[Vec<u8>]) -> String {
    const NEVER_FAILS: &str = "compressing into memory does not fail";
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::new(6));
    serde_json::to_writer(&mut packed, head).expect(NEVER_FAILS);
    packed.write_all(b"\n").expect(NEVER_FAILS);
    for column in columns {
        packed.write_all(column).expect(NEVER_FAILS);
    }
    base64::engine::general_purpose::STANDARD.encode(packed.finish().expect(NEVER_FAILS))
}

fn value(texts: &mut Names, value: &wrack_history::Value) -> u64 {
    if value.is_nil() {
        return texts.number("");
    }
    let words = match texts.names.len() < TEXTS_MAX {
        true => text::clip(&value.to_string(), VALUE_CHARS_MAX),
        false => "…".into(),
    };
    texts.number(&words)
}

fn took(operation: &Operation) -> u64 {
    match operation.complete {
        Moment::NEVER => 0,
        complete => complete.ns.saturating_sub(operation.invoke.ns) / US + 1,
    }
}

fn outcome(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Ok => 0,
        Outcome::Fail => 1,
        Outcome::Info => 2,
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn push(column: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        column.push(number as u8 | 0x80);
        number >>= 7;
    }
    column.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::{push, zigzag};

    #[test]
    fn numbers_are_written_seven_bits_a_byte() {
        let bytes = |number| {
            let mut column = Vec::new();
            push(&mut column, number);
            column
        };
        assert_eq!(bytes(0), [0]);
        assert_eq!(bytes(127), [127]);
        assert_eq!(bytes(300), [0xac, 0x02]);
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
    }
}
