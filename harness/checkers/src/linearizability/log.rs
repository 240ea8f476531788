//! Logs and lists: the order of what was appended is read from the history.
//!
//! # The recovered order
//! A log only grows, and no entry changes. So whatever an ok read found at an offset, and whatever an
//! ok append was told to stand there, is there in every legal order. If these tell every entry up to
//! the last that they tell of, the order is known up to that one: two that disagree contradict each
//! other; otherwise the log is a succession (see [`succession`](super::succession)) of which each
//! place takes an append of that entry, the very one if it was told its offset. Appends that nobody
//! found stand behind. A read finds one state, or a range of them if it stopped at its limit or found
//! nothing. Entries need not be unique: equal ones are interchangeable.
//!
//! If there is a gap, the search decides: which of the appends fills it is open. A list has none,
//! because it is read as a whole.
//!
//! Source: the version orders that Elle takes from the longest read of an append list (Kingsbury and
//! Alvaro 2020); the rest is ours.

use wrack_history::Operation;
use wrack_sequential::list::List;
use wrack_sequential::log::{Found, Log, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::search::{Hints, search};
use super::succession::{Part, Succession, follow};

/// How it was decided.
const RECOVERED: &str = "recovered order";

/// Decides one key of a log, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: Log = specification.start()?;
    let calls = calls(&mut model, operations)?;
    Ok(decide_calls(&model, &calls).unwrap_or_else(|| by_search(&model, &calls, states_max)))
}

/// Decides one key of a list, and says how.
pub(super) fn decide_list(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: List = specification.start()?;
    let calls = calls(&mut model, operations)?;
    Ok(decide_calls(&model.0, &calls).unwrap_or_else(|| by_search(&model, &calls, states_max)))
}

fn by_search<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    states_max: u64,
) -> (Answer, &'static str) {
    (search(model, calls, &Hints::NONE, states_max), "just-in-time search")
}

/// What the recovered order says; `None` if there is a gap in it.
fn decide_calls(model: &Log, calls: &[Call<Step>]) -> Option<(Answer, &'static str)> {
    let contradiction = |mut among: Vec<u32>| {
        among.retain(|operation| *operation != NOBODY);
        among.sort_unstable();
        among.dedup();
        (Answer::Contradiction(Core::Among(among)), RECOVERED)
    };
    let mut order = Order::new(model, calls);
    match order.complete(calls) {
        Recovered::Gap => return None,
        Recovered::Contradiction(among) => return Some(contradiction(among)),
        Recovered::Whole => (),
    }
    let parts: Vec<Part> =
        calls.iter().enumerate().map(|(index, call)| order.part(index, call)).collect();
    let succession = Succession {
        start: model.initial_count() as u64,
        classes: model.entries() + order.pinned.len(),
        class_at: |state: u64| order.classes.get(state as usize).copied(),
    };
    let answer = match follow(calls, &parts, &succession) {
        Ok(()) => (Answer::Linearizable, RECOVERED),
        Err(stuck) => {
            let among = stuck.rivals.into_iter().chain([stuck.goal]);
            let operations = among.map(|call| calls[call as usize].operation);
            contradiction(operations.chain(order.witness()).collect())
        }
    };
    Some(answer)
}

/// What is told of the order.
enum Recovered {
    /// All entries up to the last that is told.
    Whole,
    /// Not which entry stands at some offset.
    Gap,
    /// These operations tell different things.
    Contradiction(Vec<u32>),
}

/// Entries that an operation says stand at an offset.
struct Piece<'a> {
    from: usize,
    entries: &'a [u32],
    operation: u32,
    /// The call, if it is an append.
    append: Option<u32>,
}

/// No operation.
const NOBODY: u32 = u32::MAX;

struct Order<'a> {
    model: &'a Log,
    /// The entry at each offset.
    entries: Vec<u32>,
    /// The class of what may stand there: an entry, or behind all of them a certain append.
    classes: Vec<u32>,
    /// The operation that told of each entry beyond the spine.
    told_by: Vec<u32>,
    /// The read that shows the whole spine.
    spine_read: u32,
    /// Calls that were told their offset.
    pinned: Vec<u32>,
    /// The class of each call that was told its offset.
    class_of_pinned: Vec<Option<u32>>,
}

impl<'a> Order<'a> {
    fn new(model: &'a Log, calls: &[Call<Step>]) -> Self {
        let longest = calls.iter().filter_map(|call| match &call.step {
            Step::Read(Some(read)) if matches!(read.found, Found::Spine(_)) => {
                Some((read.from + read.found.count(), call.operation))
            }
            _ => None,
        });
        let longest = longest.max().filter(|(count, _)| *count > model.initial_count());
        Self {
            model,
            entries: model.spine().to_vec(),
            classes: model.spine().to_vec(),
            told_by: Vec::new(),
            spine_read: longest.map_or(NOBODY, |(_, read)| read),
            pinned: Vec::new(),
            class_of_pinned: vec![None; calls.len()],
        }
    }

    /// Adds what is not on the spine.
    fn complete(&mut self, calls: &'a [Call<Step>]) -> Recovered {
        let mut pieces = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            match &call.step {
                Step::Append { entry, offset: Some(offset) } => match usize::try_from(*offset) {
                    Ok(from) if from >= self.model.initial_count() => pieces.push(Piece {
                        from,
                        entries: std::slice::from_ref(entry),
                        operation: call.operation,
                        append: Some(index as u32),
                    }),
                    _ => return Recovered::Contradiction(vec![call.operation]),
                },
                Step::Read(Some(read)) if read.found.count() > read.limit => {
                    return Recovered::Contradiction(vec![call.operation]);
                }
                Step::Read(Some(read)) if matches!(read.found, Found::Other(_)) => {
                    let (from, entries) = (read.from, self.model.found(read));
                    let operation = call.operation;
                    pieces.push(Piece { from, entries, operation, append: None });
                }
                _ => (),
            }
        }
        pieces.sort_by_key(|piece| (piece.from, piece.operation));
        for piece in &pieces {
            match self.put(piece) {
                Recovered::Whole => (),
                other => return other,
            }
        }
        Recovered::Whole
    }

    fn put(&mut self, piece: &Piece<'_>) -> Recovered {
        if piece.from > self.entries.len() && !piece.entries.is_empty() {
            return Recovered::Gap;
        }
        for (place, entry) in (piece.from..).zip(piece.entries) {
            if place == self.entries.len() {
                self.entries.push(*entry);
                self.classes.push(*entry);
                self.told_by.push(piece.operation);
            } else if self.entries[place] != *entry {
                return Recovered::Contradiction(vec![piece.operation, self.teller(place)]);
            }
        }
        if let Some(append) = piece.append {
            let class = (self.model.entries() + self.pinned.len()) as u32;
            let before = std::mem::replace(&mut self.classes[piece.from], class);
            if let Some(rival) = (before as usize).checked_sub(self.model.entries()) {
                return Recovered::Contradiction(vec![piece.operation, self.pinned[rival]]);
            }
            self.pinned.push(piece.operation);
            self.class_of_pinned[append as usize] = Some(class);
        }
        Recovered::Whole
    }

    /// The operation that told which entry stands at an offset.
    fn teller(&self, place: usize) -> u32 {
        let beyond = place.checked_sub(self.model.spine().len());
        beyond.map_or(self.spine_read, |beyond| self.told_by[beyond])
    }

    /// The operations that told of the last entries.
    fn witness(&self) -> impl Iterator<Item = u32> {
        let last = self.told_by.last().copied();
        last.into_iter().chain([self.spine_read])
    }

    fn part(&self, index: usize, call: &Call<Step>) -> Part {
        match &call.step {
            Step::Append { entry, .. } => {
                Part::Change(self.class_of_pinned[index].unwrap_or(*entry))
            }
            Step::Read(None) => Part::Look(0, u64::MAX),
            Step::Read(Some(read)) => Part::Look(read.count_min() as u64, read.count_max() as u64),
        }
    }
}
