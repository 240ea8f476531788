//! What is wrong with a register, and why.

use wrack_history::duration::seconds;
use wrack_history::{Anomaly, Operation, Value};

use super::super::graves::{Grave, Graves};
use super::super::{Note, anomaly};
use super::{Key, Zone};
use crate::register::found;
use crate::words::{done_at, sentence, short};

/// What is wrong.
pub(super) enum Broken {
    /// A value was found that nobody can have read.
    NotHeld { value: Value },
    /// Two values must each have come before the other.
    Overlap { zone: usize, other: Option<usize> },
    /// Two cas replaced one value.
    ReplacedTwice { value: Value, other: Note },
    /// Somebody read what was not written after all.
    Void { seen: Note },
}

impl Broken {
    pub fn anomaly(self, by: &Operation, key: &Key, graves: &Graves) -> Anomaly {
        let what = format!("{} at {}", sentence(by), done_at(by));
        let (why, others) = match self {
            Self::NotHeld { value } => match graves.find(&by.key, &value) {
                Some(Grave { first_by, after, .. }) => after_it(&value, *first_by, after),
                None if key.forgot => {
                    let why =
                        "which nobody had begun to write, or which was overwritten long before";
                    (why.to_owned(), Vec::new())
                }
                None => ("which nobody had begun to write".to_owned(), Vec::new()),
            },
            Self::Overlap { zone, other } => {
                let Zone { value, first_by, .. } = &key.zones[zone];
                let after = other.and_then(|other| {
                    let other = &key.zones[other];
                    Some((other.value.clone(), other.first_by?, other.last_by?))
                });
                match after {
                    Some(after) => after_it(value, *first_by, &after),
                    None => ("which was overwritten long before".to_owned(), Vec::new()),
                }
            }
            Self::ReplacedTwice { value, other } => {
                let (process, at, value) = (other.process, seconds(other.ns), short(&value));
                let why =
                    format!("but process {process} had replaced that {value} already, at {at}");
                (why, vec![other.id])
            }
            Self::Void { seen } => {
                let at = seconds(seen.ns);
                (format!("but process {} had read that at {at}", seen.process), vec![seen.id])
            }
        };
        let write = found(by).and_then(|value| key.versions.get(value)?.write);
        anomaly("LIN", by, format!("{what}, {why}"), write.map(|w| w.id).into_iter().chain(others))
    }
}

/// Why a value could no longer be read: another one came after it, and was there before.
fn after_it(
    value: &Value,
    first_by: Option<Note>,
    (after, first, last): &(Value, Note, Note),
) -> (String, Vec<u64>) {
    let (value, began) = (short(value), first.noun(after));
    let mut why = format!("but {began} had completed at {} before that began", seconds(first.ns));
    let mut operations = vec![first.id];
    if let Some(before) = first_by {
        why += &format!(
            ", and {} came after {value}: {} began when {value} had been there at {}",
            short(after),
            last.noun(after),
            seconds(before.ns)
        );
        operations.extend([last.id, before.id]);
    }
    (why, operations)
}
