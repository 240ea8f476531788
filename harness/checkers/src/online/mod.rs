//! Guarantees judged while operations come in: the first anomaly at once, in memory that does not grow
//! with the history.
//!
//! An [`Online`] checker takes invocations and completions in the order of the history and says of each
//! completion whether the history *so far*, with what is open in doubt, breaks its guarantee:
//! * what it reports, the checker of the whole history calls invalid, too, on the history so far;
//! * if it reports nothing and has no [`doubt`](Online::doubt), that checker calls the history valid;
//! * what it cannot tell in bounded memory (a value that several operations may have written, a cas that
//!   was refused, a version that was forgotten) is a doubt, and never guessed.
//!
//! | guarantee | models | held beside what is in flight and in doubt |
//! |---|---|---|
//! | LIN | `register`, `cas-register` (`register`) | of each key, values that may still be read |
//! | LIN | `g-set`, `set` (`set`) | each element once |
//! | SETFULL | `g-set`, `set` (`set`) | each element once |
//! | LOG | `log` (`log`) | as many entries as may be held, the last |
//! | RYW, MR, MW, WFR | `register`, `cas-register` (`sessions`) | as many versions as may be held, the last |
//!
//! The keys themselves are never forgotten. `tests` compares every one of them with the checker of whole
//! histories, event by event.

mod graves;
mod log;
mod register;
mod sessions;
mod set;
mod written;

#[cfg(test)]
mod tests;

use wrack_history::{Anomaly, Operation, Settings, Value};

use crate::words::short;

/// A guarantee, judged operation by operation.
pub trait Online {
    /// A client invokes an operation: how it ends is not known yet.
    fn invoke(&mut self, operation: &Operation);

    /// A client learns the outcome, which may be doubt; the anomaly that this makes certain, if it is
    /// the first. After that there is nothing more to ask.
    fn complete(&mut self, operation: &Operation) -> Option<Anomaly>;

    /// Nothing more comes: an anomaly that shows only now.
    fn finish(&mut self) -> Option<Anomaly> {
        None
    }

    /// How many things are held: operations, values, versions, entries.
    fn held(&self) -> usize;

    /// Why having found nothing does not mean that the guarantee holds.
    fn doubt(&self) -> Option<&str>;
}

/// Who judges this guarantee of objects of this model while operations come in; nobody, if only the whole
/// history can tell.
pub fn online(
    code: &str,
    model: &str,
    initial: &Value,
    settings: &Settings,
) -> Option<Box<dyn Online + Send>> {
    let is_set = matches!(model, "g-set" | "set");
    let is_register = matches!(model, "register" | "cas-register");
    Some(match code {
        "LIN" if is_register => Box::new(register::Registers::new(initial)),
        "LIN" if is_set => Box::new(set::Sets::linearizable(initial)),
        "SETFULL" if is_set => {
            Box::new(set::Sets::found(initial, settings.flag("immediate").unwrap_or(false)))
        }
        "LOG" if model == "log" => Box::new(log::Logs::new(initial)),
        "RYW" | "MR" | "MW" | "WFR" if is_register => {
            Box::new(sessions::Sessions::new(code, initial))
        }
        _ => return None,
    })
}

/// What is remembered of an operation.
#[derive(Clone, Copy, Debug)]
struct Note {
    id: u64,
    process: u32,
    did: Did,
    /// When it was over; while it is open, when it began.
    ns: u64,
}

/// What an operation did with a value.
#[derive(Clone, Copy, Debug)]
enum Did {
    Write,
    Cas,
    Read,
}

impl Note {
    fn of(operation: &Operation) -> Self {
        let did = match operation.function.as_str() {
            "read" => Did::Read,
            "cas" => Did::Cas,
            _ => Did::Write,
        };
        let ns = operation.complete.ns;
        let ns = if ns == u64::MAX { operation.invoke.ns } else { ns };
        Self { id: operation.id, process: operation.process, did, ns }
    }

    /// `write 2 by process 1`.
    fn noun(&self, value: &Value) -> String {
        let did = match self.did {
            Did::Write => "write",
            Did::Cas => "cas to",
            Did::Read => "read of",
        };
        format!("{did} {} by process {}", short(value), self.process)
    }
}

/// What is wrong about a key, visible since an operation was over; the operations in order of their ids.
fn anomaly(
    code: &str,
    by: &Operation,
    explanation: String,
    operations: impl IntoIterator<Item = u64>,
) -> Anomaly {
    let mut operations: Vec<u64> = operations.into_iter().chain([by.id]).collect();
    operations.sort_unstable();
    operations.dedup();
    Anomaly {
        code: code.into(),
        explanation,
        operations,
        key: Some(by.key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(by.complete.ns),
        ..Anomaly::default()
    }
}
