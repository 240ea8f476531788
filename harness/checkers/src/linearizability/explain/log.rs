//! What contradicts itself in a list or a log.

use wrack_history::duration::seconds;
use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::words::{done_at, of, short};

impl<'a> Story<'a> {
    /// `offsets`: whether appends answer where their entries stand.
    pub(super) fn entries(&self, offsets: bool) -> Option<Told<'a>> {
        let twice = if offsets { self.one_offset_twice() } else { None };
        twice
            .or_else(|| self.appended_by_nobody())
            .or_else(|| self.appended_too_late())
            .or_else(|| self.entries_moved())
            .or_else(|| self.append_missed())
            .or_else(|| self.got_shorter())
            .or_else(|| self.in_wrong_order())
    }

    /// Reads of everything, with what they found.
    fn whole_reads(&self) -> impl Iterator<Item = (&'a Operation, &'a [Value])> {
        let reads = self.small.iter().filter(|one| one.is_ok() && one.function == "read");
        let whole = reads.filter(|read| read.argument.is_nil());
        whole.map(|read| (read, read.result.as_list().unwrap_or_default()))
    }

    fn appends(&self) -> impl Iterator<Item = &'a Operation> {
        self.small.iter().filter(|one| one.function == "append")
    }

    fn finder(&self, read: &Operation) -> String {
        let full = self.full(read);
        format!("the read{} by process {} at {}", of(full), full.process, done_at(full))
    }

    fn one_offset_twice(&self) -> Option<Told<'a>> {
        let told_one = |one: &Operation| {
            one.is_ok() && one.function == "append" && one.result.as_integer().is_some()
        };
        let (a, b) =
            self.pairs().find(|(a, b)| told_one(a) && told_one(b) && a.result == b.result)?;
        let text =
            format!("{}, and {}: two entries at one offset", self.sentence(a), self.sentence(b));
        told(text, [a, b])
    }

    fn appended_by_nobody(&self) -> Option<Told<'a>> {
        let first = self.initial.as_list().unwrap_or_default();
        self.whole_reads().find_map(|(read, found)| {
            let appended = |entry: &Value| {
                self.whole.iter().find(|one| one.function == "append" && one.argument == *entry)
            };
            let possible = |entry: &Value| {
                let mut all = self.whole.iter();
                all.any(|one| {
                    let appends = one.function == "append" && one.argument == *entry;
                    appends && one.outcome != Outcome::Fail
                })
            };
            let entry = found.iter().find(|entry| !first.contains(entry) && !possible(entry))?;
            let failed = appended(entry);
            let why = match failed {
                Some(append) => format!("but {} had failed", self.noun(append)),
                None => "which nobody ever appended".to_owned(),
            };
            let text = format!("{} found {entry}, {why}", self.finder(read));
            told(text, [read].into_iter().chain(failed.copied()))
        })
    }

    fn appended_too_late(&self) -> Option<Told<'a>> {
        self.whole_reads().find_map(|(read, found)| {
            let late = |append: &&Operation| {
                let others = self
                    .whole
                    .iter()
                    .filter(|one| one.function == "append" && one.argument == append.argument);
                read.precedes(append) && found.contains(&append.argument) && others.count() == 1
            };
            let append = self.appends().find(late)?;
            let text = format!(
                "{} found {}, but {} was invoked only at {}, after that",
                self.finder(read),
                append.argument,
                self.noun(append),
                seconds(append.invoke.ns),
            );
            told(text, [read, append])
        })
    }

    fn entries_moved(&self) -> Option<Told<'a>> {
        self.whole_reads().find_map(|(one, found)| {
            let (other, others) = self.whole_reads().find(|(other, others)| {
                other.id != one.id && !found.starts_with(others) && !others.starts_with(found)
            })?;
            let text = format!(
                "{} found {}, but {} found {}: neither begins with the other, and entries never move",
                self.finder(one),
                short(&Value::list(found.iter().cloned())),
                self.finder(other),
                short(&Value::list(others.iter().cloned())),
            );
            told(text, [one, other])
        })
    }

    fn append_missed(&self) -> Option<Told<'a>> {
        self.whole_reads().find_map(|(read, found)| {
            let missed =
                |append: &&Operation| append.precedes(read) && !found.contains(&append.argument);
            let append = self.appends().find(missed)?;
            let text = format!(
                "{} did not find {}, but {} had completed at {}, before that began",
                self.finder(read),
                append.argument,
                self.noun(append),
                done_at(self.full(append)),
            );
            told(text, [append, read])
        })
    }

    fn got_shorter(&self) -> Option<Told<'a>> {
        self.whole_reads().find_map(|(later, found)| {
            let longer = |(earlier, before): &(&Operation, &[Value])| {
                earlier.precedes(later) && before.len() > found.len()
            };
            let (earlier, before) = self.whole_reads().find(longer)?;
            let lost = &before[found.len()];
            let text = format!(
                "{} did not find {lost}, but {} had found it before that began",
                self.finder(later),
                self.finder(earlier),
            );
            let append = self.appends().find(|append| append.argument == *lost);
            told(text, [earlier, later].into_iter().chain(append))
        })
    }

    fn in_wrong_order(&self) -> Option<Told<'a>> {
        self.whole_reads().find_map(|(read, found)| {
            let place = |append: &Operation| found.iter().position(|e| *e == append.argument);
            let (first, second) = self.pairs().find(|(first, second)| {
                let both = first.function == "append" && second.function == "append";
                let wrong = match (place(first), place(second)) {
                    (Some(first), Some(second)) => second < first,
                    (None, Some(_)) => true,
                    _ => false,
                };
                both && wrong && first.precedes(second)
            })?;
            let text = format!(
                "{} found {} {} {}, but {} had completed at {}, before {} began",
                self.finder(read),
                second.argument,
                if place(first).is_some() { "before" } else { "and not" },
                first.argument,
                self.noun(first),
                done_at(self.full(first)),
                self.noun(second),
            );
            told(text, [first, second, read])
        })
    }
}
