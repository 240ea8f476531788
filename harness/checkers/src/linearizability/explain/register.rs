//! What contradicts itself in a register.

use wrack_history::duration::seconds;
use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::register::{found, is_refused, left};
use crate::words::{done_at, noun};

impl<'a> Story<'a> {
    pub(super) fn register(&self) -> Option<Told<'a>> {
        self.found_came_from_nowhere()
            .or_else(|| self.found_came_from_the_future())
            .or_else(|| self.twice_from_one_value())
            .or_else(|| self.overwritten())
            .or_else(|| self.went_back())
            .or_else(|| self.refused_for_nothing())
    }

    /// Operations that certainly found a value, with the value.
    fn finders(&self) -> impl Iterator<Item = (&'a Operation, &'a Value)> {
        let finder = |operation: &'a Operation| Some((operation, found(operation)?));
        self.small.iter().filter_map(finder)
    }

    /// The operations of the small part that may have left a value.
    fn writers(&self, value: &Value) -> Vec<&'a Operation> {
        let writes = |operation: &&Operation| left(operation) == Some(value);
        self.small.iter().filter(writes).collect()
    }

    /// The only writer of a value; `Some(None)` if it is the initial one.
    fn writer(&self, value: &Value) -> Option<Option<&'a Operation>> {
        match self.writers(value).as_slice() {
            [] if value == self.initial => Some(None),
            [writer] if value != self.initial => Some(Some(writer)),
            _ => None,
        }
    }

    fn found_came_from_nowhere(&self) -> Option<Told<'a>> {
        let nowhere = |(_, value): &(&Operation, &Value)| {
            let writes = |operation: &&&Operation| left(operation) == Some(value);
            let mut writers = self.whole.iter().filter(writes);
            *value != self.initial && writers.all(|writer| writer.outcome == Outcome::Fail)
        };
        let (finder, value) = self.finders().find(nowhere)?;
        let failed = self.whole.iter().find(|operation| left(operation) == Some(value));
        let why = match failed {
            Some(failed) => format!("but {} had failed", noun(failed)),
            None => format!("but nobody ever wrote {value}"),
        };
        let shown = [Some(finder), failed.copied()];
        told(format!("{}, {why}", self.sentence(finder)), shown.into_iter().flatten())
    }

    fn found_came_from_the_future(&self) -> Option<Told<'a>> {
        self.finders().find_map(|(finder, value)| {
            let writer = self.writer(value)??;
            let later = finder.precedes(writer);
            let at = seconds(writer.invoke.ns);
            let text = format!(
                "{}, but {} was invoked only at {at}, after that{}",
                self.sentence(finder),
                self.noun(writer),
                self.others(writer, value),
            );
            if later { told(text, [finder, writer]) } else { None }
        })
    }

    fn twice_from_one_value(&self) -> Option<Told<'a>> {
        let changes = |operation: &Operation| operation.function == "cas";
        let twice = |(a, b): &(&Operation, &Operation)| {
            changes(a) && changes(b) && found(a).is_some() && found(a) == found(b)
        };
        let (a, b) = self.pairs().find(twice)?;
        let value = found(a)?;
        let writer = self.writer(value)?;
        let whence = match writer {
            Some(writer) => format!(
                "{} is the only one that left it{}",
                self.noun(writer),
                self.others(writer, value)
            ),
            None => "that is the initial value, and nobody wrote it again".to_owned(),
        };
        let text = format!(
            "{}, and {}: both replaced {value}, but {whence}",
            self.sentence(a),
            self.sentence(b),
        );
        told(text, [a, b].into_iter().chain(writer))
    }

    fn overwritten(&self) -> Option<Told<'a>> {
        self.finders().find_map(|(finder, value)| {
            let writer = self.writer(value)?;
            let overwrites = |change: &&Operation| {
                left(change).is_some_and(|other| other != value)
                    && change.precedes(finder)
                    && writer.is_none_or(|writer| writer.precedes(change))
            };
            let change = self.small.iter().find(overwrites)?;
            let text = format!(
                "{}, but {} had completed at {}, before that began{}",
                self.sentence(finder),
                self.noun(change),
                done_at(self.full(change)),
                self.and_older(writer, change),
            );
            told(text, [finder, change].into_iter().chain(writer))
        })
    }

    /// That a value was written before something began.
    fn and_older(&self, writer: Option<&Operation>, than: &Operation) -> String {
        match writer {
            None => format!(", and {} is only the initial value", self.initial),
            Some(writer) => format!(
                ", and {} had completed at {}, before the {} began{}",
                self.noun(writer),
                done_at(self.full(writer)),
                self.full(than).function,
                left(writer).map_or_else(String::new, |value| self.others(writer, value)),
            ),
        }
    }

    /// That others left the same value and do not matter: what can see them is not shown without them.
    fn others(&self, writer: &Operation, value: &Value) -> String {
        let same = |other: &&&Operation| {
            left(other) == Some(value) && other.id != writer.id && other.outcome != Outcome::Fail
        };
        match self.whole.iter().filter(same).count() {
            0 => String::new(),
            1 => format!("; the other change to {value} came too late, or was overwritten too"),
            count => format!(
                "; the {count} other changes to {value} came too late, or were overwritten too"
            ),
        }
    }

    /// Somebody found a newer value before somebody else found an older one.
    fn went_back(&self) -> Option<Told<'a>> {
        self.finders().find_map(|(finder, value)| {
            let writer = self.writer(value)?;
            let newer = |(other, newer): &(&Operation, &Value)| {
                let older = |writer: &Operation| {
                    let newer = self.writer(newer).flatten();
                    writer.precedes(other) || newer.is_some_and(|newer| writer.precedes(newer))
                };
                *newer != value && other.precedes(finder) && writer.is_none_or(older)
            };
            let (other, newer) = self.finders().find(newer)?;
            let before = match writer {
                Some(writer) if !writer.precedes(other) => self.writer(newer)??,
                _ => other,
            };
            let text = format!(
                "{}, but process {} had found {newer} at {}, before that began{}",
                self.sentence(finder),
                other.process,
                done_at(self.full(other)),
                self.and_older(writer, before),
            );
            let newer = self.writer(newer).flatten();
            told(text, [finder, other].into_iter().chain(writer).chain(newer))
        })
    }

    /// A cas was refused although its value was there all the time.
    fn refused_for_nothing(&self) -> Option<Told<'a>> {
        let refused = self.small.iter().find(|operation| is_refused(operation))?;
        let (expected, _) = refused.argument.as_pair()?;
        let writer = self.whole.iter().copied().find(|writer| {
            let others = self.whole.iter().filter(|other| {
                let differs = left(other).is_some_and(|value| value != expected);
                differs && other.outcome != Outcome::Fail
            });
            let apart = |other: &Operation| other.precedes(writer) || refused.precedes(other);
            left(writer) == Some(expected)
                && writer.precedes(refused)
                && others.into_iter().all(|other| apart(other))
        })?;
        let text = format!(
            "{}, but {} had completed at {}, and nothing that leaves another value was invoked \
             between",
            self.sentence(refused),
            noun(writer),
            done_at(writer),
        );
        told(text, [refused, writer])
    }
}
