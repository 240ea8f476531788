//! Registers whose written values are unique, so that every read names the write it read from.

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};

use crate::Evidence;
use crate::register::{found, left};
use crate::versions::twice;

/// A read or a write of a register.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub operation: &'a Operation,
    pub key: u32,
    pub is_read: bool,
    pub source: Source,
}

/// What a read found, or that it is a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is a write, or a read of what this write wrote, by its place among the accesses.
    Write(u32),
    /// It read the initial value.
    Initial,
    /// It read what nobody wrote.
    Nowhere,
}

/// The reads and writes of a history, in order of their invocation. A successful cas is a read and
/// then a write; one that was refused is left out, and one in doubt is a write.
pub(crate) struct Unique<'a> {
    pub keys: usize,
    pub accesses: Vec<Access<'a>>,
}

impl<'a> Unique<'a> {
    /// Errors: a value that several operations may have written, or an operation that is none of a
    /// register.
    pub fn of(evidence: &Evidence<'a>) -> Result<Self, String> {
        let by_key = evidence.by_key();
        let keys = by_key.len();
        let mut accesses = Vec::new();
        let mut number_of_key = FxHashMap::default();
        for (number, key) in (0u32..).zip(by_key.keys()) {
            number_of_key.insert(*key, number);
        }
        let mut writes = FxHashMap::<(u32, &Value), u32>::default();
        let happened =
            evidence.history.operations.iter().filter(|one| one.outcome != Outcome::Fail);
        for operation in happened {
            if !matches!(operation.function.as_str(), "read" | "write" | "cas") {
                return Err(format!("{} is no operation of a register", operation.function));
            }
            let key = number_of_key[&operation.key];
            if found(operation).is_some() {
                let source = Source::Nowhere;
                accesses.push(Access { operation, key, is_read: true, source });
            }
            let Some(value) = left(operation) else {
                continue;
            };
            let number = accesses.len() as u32;
            if writes.insert((key, value), number).is_some() || value == evidence.initial {
                return Err(twice(&operation.key, value));
            }
            let source = Source::Write(number);
            accesses.push(Access { operation, key, is_read: false, source });
        }
        for access in accesses.iter_mut().filter(|access| access.is_read) {
            let value = found(access.operation).expect("it is a read");
            access.source = match writes.get(&(access.key, value)) {
                Some(write) => Source::Write(*write),
                None if value == evidence.initial => Source::Initial,
                None => Source::Nowhere,
            };
        }
        Ok(Self { keys, accesses })
    }

    /// Whether some read found what each write wrote.
    pub fn is_read(&self) -> Vec<bool> {
        let mut is_read = vec![false; self.accesses.len()];
        for access in self.accesses.iter().filter(|access| access.is_read) {
            if let Source::Write(write) = access.source {
                is_read[write as usize] = true;
            }
        }
        is_read
    }
}
