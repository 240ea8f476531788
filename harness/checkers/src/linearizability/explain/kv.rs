//! What contradicts itself in a text that is appended to.

use wrack_history::duration::seconds;
use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::words::{done_at, of};

impl<'a> Story<'a> {
    pub(super) fn kv(&self) -> Option<Told<'a>> {
        let has = |function: &str| self.small.iter().any(|one| one.function == function);
        if has("cas") || has("delete") {
            return None;
        }
        let appends = self.whole.iter().any(|one| one.function == "append");
        if !appends && !self.texts().any(|(_, text)| text.is_empty()) {
            return self.register();
        }
        self.text_from_nowhere()
            .or_else(|| self.text_from_the_future())
            .or_else(|| self.texts_part())
            .or_else(|| self.change_unseen())
            .or_else(|| self.text_got_shorter())
            .or_else(|| self.texts_in_wrong_order())
    }

    /// Reads of texts, with what they found; a missing one is empty.
    fn texts(&self) -> impl Iterator<Item = (&'a Operation, &'a str)> {
        let reads = self.small.iter().filter(|one| one.is_ok() && one.function == "read");
        reads.filter_map(|read| match &read.result {
            Value::Nil => Some((read, "")),
            Value::Text(text) => Some((read, text.as_str())),
            _ => None,
        })
    }

    /// What puts a text that is not empty there, with the text.
    fn changes(&self) -> impl Iterator<Item = (&'a Operation, &'a str)> {
        let changes = self.small.iter().filter(|one| one.function != "read");
        changes.filter_map(|change| match &change.argument {
            Value::Text(text) if !text.is_empty() => Some((change, text.as_str())),
            _ => None,
        })
    }

    fn is_overwritten(&self) -> bool {
        self.small.iter().any(|one| one.function == "write")
    }

    fn text_reader(&self, read: &Operation) -> String {
        let full = self.full(read);
        format!("the read{} by process {} at {}", of(full), full.process, done_at(full))
    }

    fn text_from_nowhere(&self) -> Option<Told<'a>> {
        let [read] = self.small else {
            return None;
        };
        let (_, found) = self.texts().next()?;
        let failed = self.whole.iter().find(|one| match &one.argument {
            Value::Text(text) => {
                one.outcome == Outcome::Fail && !text.is_empty() && found.contains(text.as_str())
            }
            _ => false,
        });
        let why = match failed {
            Some(failed) => format!("but {} had failed", self.noun(failed)),
            None => "which nobody can have put together so".to_owned(),
        };
        let text = format!("{}, {why}", self.sentence(read));
        told(text, [read].into_iter().chain(failed.copied()))
    }

    fn text_from_the_future(&self) -> Option<Told<'a>> {
        self.texts().find_map(|(read, found)| {
            let later =
                |(change, text): &(&Operation, &str)| read.precedes(change) && found.contains(text);
            let (change, _) = self.changes().find(later)?;
            let text = format!(
                "{}, but {} was invoked only at {}, after that",
                self.sentence(read),
                self.noun(change),
                seconds(change.invoke.ns),
            );
            told(text, [read, change])
        })
    }

    /// Two reads that do not continue each other.
    fn texts_part(&self) -> Option<Told<'a>> {
        if self.is_overwritten() {
            return None;
        }
        self.texts().find_map(|(one, found)| {
            let (other, _) = self.texts().find(|(other, others)| {
                other.id != one.id && !found.starts_with(others) && !others.starts_with(found)
            })?;
            let text = format!(
                "{}, but {}: neither begins with the other, and nothing was written between",
                self.sentence(one),
                self.sentence(other),
            );
            told(text, [one, other].into_iter().chain(self.changes().map(|(change, _)| change)))
        })
    }

    /// Whether every other write had completed before the operation was invoked, so that what it left
    /// or found was not replaced afterwards.
    fn is_lasting(&self, operation: &Operation) -> bool {
        let mut writes = self.small.iter().filter(|one| one.function == "write");
        writes.all(|write| write.id == operation.id || write.precedes(operation))
    }

    fn change_unseen(&self) -> Option<Told<'a>> {
        self.texts().find_map(|(read, found)| {
            let unseen = |(change, text): &(&Operation, &str)| {
                change.precedes(read) && !found.contains(text) && self.is_lasting(change)
            };
            let (change, text) = self.changes().find(unseen)?;
            let text = format!(
                "{} did not find \"{text}\", but {} had completed at {}, before that began",
                self.text_reader(read),
                self.noun(change),
                done_at(self.full(change)),
            );
            let writes = self.small.iter().filter(|one| one.function == "write");
            told(text, writes.chain([change, read]))
        })
    }

    fn text_got_shorter(&self) -> Option<Told<'a>> {
        self.texts().find_map(|(later, found)| {
            let longer = |(earlier, before): &(&Operation, &str)| {
                earlier.precedes(later) && before.len() > found.len() && self.is_lasting(earlier)
            };
            let (earlier, before) = self.texts().find(longer)?;
            let lost = before.strip_prefix(found)?;
            let text = format!(
                "{} did not find \"{lost}\", but {} had found it before that began",
                self.text_reader(later),
                self.text_reader(earlier),
            );
            told(text, [earlier, later].into_iter().chain(self.changes().map(|(change, _)| change)))
        })
    }

    fn texts_in_wrong_order(&self) -> Option<Told<'a>> {
        self.texts().find_map(|(read, found)| {
            let appends = |one: &Operation| one.function == "append";
            let place = |one: &Operation| match &one.argument {
                Value::Text(text) => found.find(text.as_str()),
                _ => None,
            };
            let (first, second) = self.pairs().find(|(first, second)| {
                let later = place(first).zip(place(second)).is_some_and(|(a, b)| b < a);
                appends(first) && later && first.precedes(second)
            })?;
            let text = format!(
                "{} found {} before {}, but {} had completed at {}, before {} began",
                self.text_reader(read),
                second.argument,
                first.argument,
                self.noun(first),
                done_at(self.full(first)),
                self.noun(second),
            );
            told(text, [first, second, read])
        })
    }
}
