//! A search over what each process has done.
//!
//! A configuration is how far each process is and what each key holds. Two steps are free: a read that
//! is legal is taken at once, since it changes nothing and only lets its process go on; and where
//! values are unique, nothing overwrites a value that somebody has still to read. Configurations that
//! led nowhere are remembered.

use rustc_hash::{FxHashMap, FxHashSet};
use wrack_history::{Operation, Outcome};
use wrack_sequential::{Effect, Model, ModelError, Visitor};

use crate::Evidence;
use crate::unique::{Source, Unique};

/// What the search says.
pub(super) enum Answer {
    /// There is an order.
    Order,
    /// There is none.
    Stuck(Stuck),
    /// A bound was met.
    Unknown(String),
}

/// The longest that was possible.
pub(super) struct Stuck {
    pub done: usize,
    pub all: usize,
    /// What could not follow, by place in the history.
    pub next: Vec<u32>,
}

/// Configurations that are remembered take no more bytes than this.
const BYTES_MAX: u64 = 512 << 20;

/// Searches for an order of the whole history.
///
/// Errors: an operation that the model cannot read, or no such model.
pub(super) fn search(
    evidence: &Evidence<'_>,
    unique: Option<&Unique<'_>>,
) -> Result<Answer, String> {
    let visitor = Start { evidence, unique };
    evidence.specification().visit(visitor).flatten().map_err(|error| error.to_string())
}

struct Start<'e, 'a, 'u> {
    evidence: &'e Evidence<'a>,
    unique: Option<&'e Unique<'u>>,
}

impl Visitor for Start<'_, '_, '_> {
    type Output = Result<Answer, ModelError>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
        let mut search = Search::new(self.evidence, new)?;
        if let Some(unique) = self.unique {
            search.want(unique, &self.evidence.history.operations);
        }
        Ok(search.run(self.evidence.states_max))
    }
}

/// What a process asks for next.
struct Item<S> {
    /// Place in the history.
    operation: u32,
    key: u32,
    step: S,
    is_read: bool,
    required: bool,
    /// Where values are unique, the value that it leaves, by its write; else none.
    leaves: u32,
}

/// No write: the initial value.
const INITIAL: u32 = u32::MAX;

/// Of each key and value, by its write, the processes that read it, and the last place at which they do.
type Readers = FxHashMap<(u32, u32), Vec<(u32, u32)>>;

struct Search<M: Model> {
    models: Vec<M>,
    processes: Vec<Vec<Item<M::Step>>>,
    /// Where values are unique, who reads each.
    readers: Option<Readers>,
    /// How many items of each process must have been taken.
    required: Vec<u32>,
    now: Configuration<M::State>,
    /// The value that each key holds, by its write.
    held: Vec<u32>,
    undo: Vec<Undo<M::State>>,
    deepest: Option<(usize, Vec<u32>)>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration<S> {
    places: Box<[u32]>,
    states: Box<[S]>,
}

/// How to take a step back.
enum Undo<S> {
    Place(u32),
    State { key: u32, state: S, held: u32 },
}

/// One way to go on: what a process asks for next takes effect, or never does.
#[derive(Clone, Copy)]
struct Choice {
    process: u32,
    takes_effect: bool,
}

struct Frame {
    choices: Vec<Choice>,
    tried: usize,
    /// How much there was to undo when it was made.
    undo: usize,
}

impl<M: Model> Search<M> {
    fn new(evidence: &Evidence<'_>, new: impl Fn() -> M) -> Result<Self, ModelError> {
        let mut models = Vec::<M>::new();
        let mut numbers = FxHashMap::default();
        let mut number_of = FxHashMap::<u32, usize>::default();
        let mut processes = Vec::<Vec<Item<M::Step>>>::new();
        for (place, operation) in (0u32..).zip(&evidence.history.operations) {
            if operation.outcome == Outcome::Fail {
                continue;
            }
            let key = match numbers.get(&operation.key) {
                Some(key) => *key,
                None => {
                    models.push(evidence.specification().started(new())?);
                    numbers.insert(&operation.key, models.len() - 1);
                    models.len() - 1
                }
            };
            let step = models[key].compile(operation)?;
            let is_read = matches!(models[key].effect(&step), Effect::None);
            let process = *number_of.entry(operation.process).or_insert_with(|| {
                processes.push(Vec::new());
                processes.len() - 1
            });
            let (required, leaves) = (operation.is_ok(), INITIAL);
            let key = key as u32;
            processes[process].push(Item {
                operation: place,
                key,
                step,
                is_read,
                required,
                leaves,
            });
        }
        let last_required = |items: &Vec<Item<M::Step>>| {
            items.iter().rposition(|item| item.required).map_or(0, |last| last as u32 + 1)
        };
        let now = Configuration {
            places: vec![0; processes.len()].into(),
            states: models.iter().map(Model::initial).collect(),
        };
        Ok(Self {
            required: processes.iter().map(last_required).collect(),
            held: vec![INITIAL; models.len()],
            models,
            processes,
            readers: None,
            now,
            undo: Vec::new(),
            deepest: None,
        })
    }

    /// Takes note of who reads what, of values that are unique.
    fn want(&mut self, unique: &Unique<'_>, operations: &[Operation]) {
        let mut place_of = FxHashMap::<u64, (u32, u32)>::default();
        for (process, items) in (0u32..).zip(&self.processes) {
            for (place, item) in (0u32..).zip(items) {
                place_of.insert(operations[item.operation as usize].id, (process, place));
            }
        }
        let mut readers = Readers::default();
        for (number, access) in (0u32..).zip(&unique.accesses) {
            let Some(&(process, place)) = place_of.get(&access.operation.id) else {
                continue;
            };
            let key = self.processes[process as usize][place as usize].key;
            match (access.is_read, access.source) {
                (false, _) => self.processes[process as usize][place as usize].leaves = number,
                (true, Source::Nowhere) => (),
                (true, source) => {
                    let value = if let Source::Write(write) = source { write } else { INITIAL };
                    let readers = readers.entry((key, value)).or_default();
                    match readers.iter_mut().find(|(reader, _)| *reader == process) {
                        Some((_, last)) => *last = place.max(*last),
                        None => readers.push((process, place)),
                    }
                }
            }
        }
        self.readers = Some(readers);
    }

    /// Whether somebody has still to read what the next item of a process would overwrite.
    fn is_wanted(&self, process: u32, item: &Item<M::Step>) -> bool {
        let Some(readers) = &self.readers else {
            return false;
        };
        let own = self.now.places[process as usize];
        let held = (item.key, self.held[item.key as usize]);
        readers.get(&held).into_iter().flatten().any(|(reader, last)| match *reader == process {
            true => *last > own,
            false => *last >= self.now.places[*reader as usize],
        })
    }

    fn next(&self, process: u32) -> Option<&Item<M::Step>> {
        self.processes[process as usize].get(self.now.places[process as usize] as usize)
    }

    fn run(&mut self, states_max: u64) -> Answer {
        let states = self.now.states.len() * size_of::<M::State>();
        let bytes = (states + self.now.places.len() * 4 + 64) as u64;
        let states_max = states_max.min(BYTES_MAX / bytes);
        let mut known = FxHashSet::default();
        let mut frames = Vec::<Frame>::new();
        loop {
            self.read_on();
            if self.is_over() {
                return Answer::Order;
            }
            if known.len() as u64 >= states_max {
                return Answer::Unknown(format!("more than {states_max} states of all processes"));
            }
            if known.insert(self.now.clone()) {
                self.note_depth();
                let (choices, undo) = (self.choices(), self.undo.len());
                frames.push(Frame { choices, tried: 0, undo });
            }
            loop {
                let Some(frame) = frames.last_mut() else {
                    return Answer::Stuck(self.stuck());
                };
                let (choice, undo) = (frame.choices.get(frame.tried).copied(), frame.undo);
                frame.tried += 1;
                self.undo_to(undo);
                match choice {
                    Some(choice) => {
                        self.take(choice);
                        break;
                    }
                    None => _ = frames.pop(),
                }
            }
        }
    }

    /// Takes every read that is legal, and leaves out those in doubt.
    fn read_on(&mut self) {
        for process in 0..self.processes.len() as u32 {
            while let Some(item) = self.next(process) {
                let key = item.key as usize;
                let legal = || self.models[key].step(&self.now.states[key], &item.step).is_some();
                if !item.is_read || (item.required && !legal()) {
                    break;
                }
                self.step_on(process);
            }
        }
    }

    fn step_on(&mut self, process: u32) {
        self.now.places[process as usize] += 1;
        self.undo.push(Undo::Place(process));
    }

    fn is_over(&self) -> bool {
        self.now.places.iter().zip(&self.required).all(|(place, required)| place >= required)
    }

    /// Ways to go on, the longest asked for first, and to leave something out last.
    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        for process in 0..self.processes.len() as u32 {
            let Some(item) = self.next(process).filter(|item| !item.is_read) else {
                continue;
            };
            let key = item.key as usize;
            let legal = self.models[key].step(&self.now.states[key], &item.step).is_some();
            if legal && !self.is_wanted(process, item) {
                choices.push((false, item.operation, Choice { process, takes_effect: true }));
            }
            // Somebody may need what stands behind it, be that in doubt itself.
            let last = self.processes[process as usize].len() as u32 - 1;
            if !item.required && self.now.places[process as usize] < last {
                choices.push((true, item.operation, Choice { process, takes_effect: false }));
            }
        }
        choices.sort_unstable_by_key(|(left_out, operation, _)| (*left_out, *operation));
        choices.into_iter().map(|(.., choice)| choice).collect()
    }

    fn take(&mut self, Choice { process, takes_effect }: Choice) {
        let place = self.now.places[process as usize] as usize;
        self.step_on(process);
        if !takes_effect {
            return;
        }
        let item = &self.processes[process as usize][place];
        let key = item.key as usize;
        let next = self.models[key].step(&self.now.states[key], &item.step);
        let state = std::mem::replace(&mut self.now.states[key], next.expect("it is legal"));
        let held = std::mem::replace(&mut self.held[key], item.leaves);
        self.undo.push(Undo::State { key: item.key, state, held });
    }

    fn undo_to(&mut self, length: usize) {
        for undo in self.undo.drain(length..).rev() {
            match undo {
                Undo::Place(process) => self.now.places[process as usize] -= 1,
                Undo::State { key, state, held } => {
                    self.now.states[key as usize] = state;
                    self.held[key as usize] = held;
                }
            }
        }
    }

    fn note_depth(&mut self) {
        let done = self.now.places.iter().sum::<u32>() as usize;
        if self.deepest.as_ref().is_none_or(|(deepest, _)| *deepest < done) {
            let next = (0..self.processes.len() as u32).filter_map(|process| self.next(process));
            self.deepest = Some((done, next.map(|item| item.operation).collect()));
        }
    }

    fn stuck(&mut self) -> Stuck {
        let (done, mut next) = self.deepest.take().unwrap_or_default();
        next.sort_unstable();
        Stuck { done, all: self.processes.iter().map(Vec::len).sum(), next }
    }
}
