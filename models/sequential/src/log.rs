//! A log that is appended to, and read from an offset on.
//!
//! ```text
//! []  append a = 0 → [a]   append b → [a, b]   read 1 = [b]   read = [a, b]   read [0, 1] = [a]
//! ```
//! Offsets count from 0. An append may answer the offset at which its entry stands; if it answers
//! nil, the client did not learn it. A read answers all entries there are from its offset on, or,
//! with a limit, no more than so many of them; a poll that may come back with fewer is another thing.
//! Source: Kafka's log and the `kafka` workload of Jepsen and Maelstrom, one partition a key.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::values::numbered;
use crate::{Effect, Model, ModelError, learned};

/// `append` of one entry; `read` of everything, from an offset on, or of `[offset, limit]`; at first
/// the log is empty, or holds what [`Model::start_at`] says.
///
/// Entries of the history get numbers. The *spine* is the longest beginning of the log that the reads
/// show as they are compiled: whatever agrees with it is kept as a length.
#[derive(Clone, Debug, Default)]
pub struct Log {
    numbers: FxHashMap<Value, u32>,
    /// The spine, as it was read.
    values: Vec<Value>,
    /// The spine, by numbers.
    spine: Vec<u32>,
    initial: usize,
}

/// What a log holds: so many entries of the spine, and what follows instead of the rest of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entries {
    shared: usize,
    rest: Vec<u32>,
}

/// Entries that a read found, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// So many, as the spine has them.
    Spine(usize),
    /// These, which are not all on the spine, or were not when it was read.
    Other(Vec<u32>),
}

/// A read, and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// Where it began.
    pub from: usize,
    /// How many entries it would have taken.
    pub limit: usize,
    /// What it found.
    pub found: Found,
}

/// What an operation does to a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It puts an entry at the end.
    Append {
        /// The entry, by its number.
        entry: u32,
        /// Where it stands; `None` if nobody knows.
        offset: Option<i64>,
    },
    /// It found these entries; `None` if nobody knows what it found.
    Read(Option<Read>),
}

impl Model for Log {
    type State = Entries;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "log",
        doc: "Entries in order, at first none. `append` puts one at the end and answers its offset, \
              counted from 0, or nil if it does not tell. `read` returns all entries as a list; with \
              an offset as its argument those from there on, with `[offset, limit]` no more than so \
              many of them.",
    };

    fn initial(&self) -> Entries {
        Entries { shared: self.initial, rest: Vec::new() }
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        let entries =
            initial.as_list().ok_or_else(|| ModelError::wrong_initial::<Self>(initial))?;
        assert!(self.values.is_empty(), "the initial value comes before all others");
        self.compile_found(0, entries);
        self.initial = entries.len();
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "append" => {
                let entry = self.number(&operation.argument);
                Ok(Step::Append { entry, offset: offset(operation)? })
            }
            "read" => self.compile_read(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Entries, step: &Step) -> Option<Entries> {
        match step {
            Step::Append { entry, offset } => {
                let fits = offset.is_none_or(|offset| offset == state.count() as i64);
                fits.then(|| self.appended(state, *entry))
            }
            Step::Read(None) => Some(state.clone()),
            Step::Read(Some(read)) => {
                let there = state.count().saturating_sub(read.from).min(read.limit);
                let legal = there == read.found.count() && self.agrees(state, read);
                legal.then(|| state.clone())
            }
        }
    }

    fn show(&self, state: &Entries) -> String {
        let numbers = self.spine[..state.shared].iter().chain(&state.rest);
        Value::list(numbers.map(|number| numbered(&self.numbers, *number))).to_string()
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Read(_) => Effect::None,
            Step::Append { .. } => Effect::Any,
        }
    }

    /// A log never gets shorter, and no entry changes.
    fn out_of_reach(&self, state: &Entries, goal: &Step) -> bool {
        match goal {
            Step::Append { offset, .. } => {
                offset.is_some_and(|offset| offset < state.count() as i64)
            }
            Step::Read(None) => false,
            Step::Read(Some(read)) => state.count() > read.count_max() || !self.agrees(state, read),
        }
    }

    /// Any other append is in the way of this one, so it helps unless the read is out of reach then.
    fn helps(&self, state: &Entries, step: &Step, read: &Step) -> bool {
        self.step(state, step).is_some_and(|next| !self.out_of_reach(&next, read))
    }
}

impl Log {
    /// The spine: the longest beginning of the log that was found, by numbers.
    pub fn spine(&self) -> &[u32] {
        &self.spine
    }

    /// How many of the spine were there at first.
    pub fn initial_count(&self) -> usize {
        self.initial
    }

    /// How many different entries were named.
    pub fn entries(&self) -> usize {
        self.numbers.len()
    }

    /// What a read found, by numbers.
    pub fn found<'a>(&'a self, read: &'a Read) -> &'a [u32] {
        match &read.found {
            Found::Spine(count) => &self.spine[read.from..read.from + count],
            Found::Other(entries) => entries,
        }
    }

    fn number(&mut self, entry: &Value) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(entry) {
            Some(number) => *number,
            None => *self.numbers.entry(entry.clone()).or_insert(next),
        }
    }

    /// An append that does not tell its offset.
    pub(crate) fn compile_append(&mut self, entry: &Value) -> Step {
        Step::Append { entry: self.number(entry), offset: None }
    }

    fn compile_read(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let argument = &operation.argument;
        let natural = |value: &Value| value.as_integer().and_then(|n| usize::try_from(n).ok());
        let range = match argument {
            Value::Nil => Some((0, usize::MAX)),
            Value::Integer(_) => natural(argument).map(|from| (from, usize::MAX)),
            _ => argument.as_pair().and_then(|(from, limit)| natural(from).zip(natural(limit))),
        };
        let wanted = "nothing, an offset or [offset, limit]";
        let (from, limit) =
            range.ok_or_else(|| ModelError::wrong_value(operation, wanted, argument))?;
        let Some(answer) = learned(operation) else {
            return Ok(Step::Read(None));
        };
        let entries = match answer {
            Value::Nil => &[],
            list => list
                .as_list()
                .ok_or_else(|| ModelError::wrong_value(operation, "a list as its answer", list))?,
        };
        let found = self.compile_found(from, entries);
        Ok(Step::Read(Some(Read { from, limit, found })))
    }

    /// Puts what was found at an offset on the spine, as far as it agrees with it.
    fn compile_found(&mut self, from: usize, entries: &[Value]) -> Found {
        let known = self.values.get(from..).unwrap_or_default();
        let common = known.len().min(entries.len());
        if from > self.values.len() || known[..common] != entries[..common] {
            return Found::Other(entries.iter().map(|entry| self.number(entry)).collect());
        }
        for entry in &entries[common..] {
            let number = self.number(entry);
            self.spine.push(number);
            self.values.push(entry.clone());
        }
        Found::Spine(entries.len())
    }

    fn appended(&self, state: &Entries, entry: u32) -> Entries {
        let mut next = state.clone();
        if next.rest.is_empty() && self.spine.get(next.shared) == Some(&entry) {
            next.shared += 1;
        } else {
            next.rest.push(entry);
        }
        next
    }

    fn entry(&self, state: &Entries, offset: usize) -> u32 {
        match offset.checked_sub(state.shared) {
            None => self.spine[offset],
            Some(beyond) => state.rest[beyond],
        }
    }

    /// Whether what is there and was read is what was found.
    fn agrees(&self, state: &Entries, read: &Read) -> bool {
        let end = read.from.saturating_add(read.found.count()).min(state.count());
        let start = match read.found {
            Found::Spine(_) => read.from.max(state.shared),
            Found::Other(_) => read.from,
        };
        let found = self.found(read);
        (start..end).all(|offset| self.entry(state, offset) == found[offset - read.from])
    }
}

/// The offset that an append answered.
fn offset(append: &Operation) -> Result<Option<i64>, ModelError> {
    match learned(append) {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Integer(offset)) => Ok(Some(*offset)),
        Some(other) => Err(ModelError::wrong_value(append, "an offset as its answer", other)),
    }
}

impl Entries {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.shared + self.rest.len()
    }
}

impl Found {
    /// How many were found.
    pub fn count(&self) -> usize {
        match self {
            Self::Spine(count) => *count,
            Self::Other(entries) => entries.len(),
        }
    }
}

impl Read {
    /// How many entries the log had at least when it was read.
    pub fn count_min(&self) -> usize {
        match self.found.count() {
            0 => 0,
            found => self.from.saturating_add(found),
        }
    }

    /// How many entries the log had at most when it was read.
    pub fn count_max(&self) -> usize {
        match self.found.count() {
            found if found < self.limit => self.from.saturating_add(found),
            _ => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::Log;
    use crate::testing::{check, check_refused, ok};
    use crate::{Model, replay};

    fn append(entry: i64, offset: impl Into<Value>) -> Operation {
        ok("append", entry, offset)
    }

    fn read(argument: impl Into<Value>, found: &[i64]) -> Operation {
        ok("read", argument, Value::list(found.iter().map(|entry| Value::from(*entry))))
    }

    #[test]
    fn a_log_keeps_what_is_appended_in_order() {
        let start = [append(7, 0), append(8, Value::Nil), append(7, 2)];
        let with = |last: Operation, legal: bool| {
            check::<Log>(&[start.as_slice(), &[last]].concat(), legal);
        };
        with(read(Value::Nil, &[7, 8, 7]), true);
        with(read(1, &[8, 7]), true);
        with(read(3, &[]), true);
        with(read(9, &[]), true);
        with(read(Value::pair(1.into(), 1.into()), &[8]), true);
        with(read(Value::pair(1.into(), 0.into()), &[]), true);
        with(read(Value::Nil, &[7, 8]), false);
        with(read(2, &[]), false);
        with(read(Value::pair(1.into(), 2.into()), &[8]), false);
        with(read(Value::pair(1.into(), 1.into()), &[8, 7]), false);
        with(read(Value::Nil, &[8, 7, 7]), false);
        with(append(9, 2), false);
        with(append(9, 4), false);
        with(append(9, -1), false);
    }

    #[test]
    fn equal_logs_are_equal_states_whatever_was_read() {
        let mut log = Log::default();
        for operation in [read(Value::Nil, &[1, 2]), read(Value::Nil, &[1, 3])] {
            log.compile(&operation).unwrap();
        }
        let [one, two, three] = [1, 2, 3].map(|e| log.compile(&append(e, Value::Nil)).unwrap());
        let after = |steps: &[&super::Step]| {
            steps.iter().fold(log.initial(), |state, step| log.step(&state, step).unwrap())
        };
        assert_eq!(after(&[&one, &two, &two]).count(), 3);
        assert_ne!(after(&[&one, &two]), after(&[&one, &three]));
        assert!(log.out_of_reach(&after(&[&two]), &log.clone().compile(&read(0, &[1])).unwrap()));
    }

    #[test]
    fn a_log_may_start_with_entries() {
        let mut log = Log::default();
        log.start_at(&Value::list([5.into(), 6.into()])).unwrap();
        let reads = [read(Value::Nil, &[5, 6]), append(7, 2), read(1, &[6, 7])];
        assert_eq!(replay(log.clone(), &reads), Ok(true));
        assert_eq!(replay(log, &[read(Value::Nil, &[])]), Ok(false));
        assert!(Log::default().start_at(&7.into()).is_err());
    }

    #[test]
    fn what_is_no_offset_is_refused() {
        check_refused::<Log>(
            read(-1, &[]),
            "operation 0: read needs nothing, an offset or [offset, limit], not -1",
        );
        check_refused::<Log>(
            append(1, "end"),
            "operation 0: append needs an offset as its answer, not \"end\"",
        );
        check_refused::<Log>(
            ok("pop", Value::Nil, 1),
            "operation 0: the model log has no function \"pop\"",
        );
    }
}
