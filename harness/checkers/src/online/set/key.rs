//! One set, and what its reads found.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::duration::seconds;
use wrack_history::{Operation, Value};

use super::super::Note;
use super::Asked;
use crate::words::{done_at, noun, of, short};

/// The elements of one key, and what reads found.
#[derive(Default)]
pub(super) struct Key {
    numbers: FxHashMap<Value, u32>,
    elements: Vec<Element>,
    /// How many adds they hold.
    adds: usize,
    /// When elements became known, in order.
    known: Vec<(u64, u32)>,
    /// A read of each size.
    sizes: BTreeMap<usize, Note>,
    /// How many reads there were.
    reads: u64,
    pub given_up: bool,
}

#[derive(Default)]
struct Element {
    /// Adds that may have taken effect, in order of invocation, up to the first that has.
    adds: Vec<Add>,
    /// When it became known, and by whom; 0 if it was there from the beginning.
    known: Option<(u64, Option<Note>)>,
    /// The size of the smallest read that found it; 0 if none did.
    rank: usize,
    /// The last read that found it, counted from 1.
    found_in: u64,
    /// A read that found it.
    seen: Option<Note>,
    /// Whether a remove may have taken it out.
    removed: bool,
}

#[derive(Clone, Copy)]
struct Add {
    invoke: u64,
    note: Note,
    ok: bool,
}

/// Why no more is said of a key.
pub(super) enum Stop {
    /// It cannot be told.
    Doubt(String),
    /// What is wrong, and who else shows it.
    Broken(String, Vec<u64>),
}

impl Key {
    pub fn started(initial: &[Value]) -> Self {
        let mut this = Self::default();
        for value in initial {
            this.element(value).known = Some((0, None));
        }
        this.known = (0..this.elements.len() as u32).map(|number| (0, number)).collect();
        this
    }

    /// Nothing more is said of it.
    pub fn give_up(&mut self) {
        *self = Self { given_up: true, ..Self::default() };
    }

    pub fn held(&self) -> usize {
        self.elements.len() + self.adds + self.sizes.len()
    }

    /// Some remove may take it out.
    pub fn remove(&mut self, value: &Value) {
        self.element(value).removed = true;
    }

    fn element(&mut self, value: &Value) -> &mut Element {
        let next = self.elements.len() as u32;
        let number = match self.numbers.get(value) {
            Some(number) => *number,
            None => {
                self.numbers.insert(value.clone(), next);
                self.elements.push(Element::default());
                next
            }
        };
        &mut self.elements[number as usize]
    }

    pub fn begin(&mut self, add: &Operation) {
        let element = self.element(&add.argument);
        if element.adds.last().is_none_or(|last| !last.ok) {
            let (invoke, note) = (add.invoke.index + 1, Note::of(add));
            element.adds.push(Add { invoke, note, ok: false });
            self.adds += 1;
        }
    }

    /// An add has taken effect.
    pub fn acknowledge(&mut self, add: &Operation) -> Result<(), Stop> {
        let note = Note::of(add);
        let element = self.element(&add.argument);
        if let Some(place) = element.adds.iter().position(|one| one.note.id == add.id) {
            let needless = element.adds.len() - (place + 1);
            element.adds.truncate(place + 1);
            (element.adds[place].ok, element.adds[place].note) = (true, note);
            self.adds -= needless;
        }
        self.know(&add.argument, add.complete.index + 1, note);
        Ok(())
    }

    fn know(&mut self, value: &Value, at: u64, by: Note) {
        let number = self.numbers[value];
        let element = &mut self.elements[number as usize];
        if element.known.is_none() {
            element.known = Some((at, Some(by)));
            self.known.push((at, number));
        }
    }

    /// An add has not taken effect.
    pub fn take_back(&mut self, add: &Operation) -> Result<(), Stop> {
        let (value, of_key) = (short(&add.argument), of(add));
        let element = self.element(&add.argument);
        let Some(place) = element.adds.iter().position(|one| one.note.id == add.id) else {
            return Ok(());
        };
        element.adds.remove(place);
        let (seen, adds) = (element.seen, element.adds.len());
        let always = element.known.is_some_and(|(at, _)| at == 0);
        self.adds -= 1;
        let Some(seen) = seen.filter(|_| place == 0 && !always) else {
            return Ok(());
        };
        let at = done_at(add);
        Err(match adds == 0 {
            true => Stop::Broken(
                format!(
                    "{}{of_key} failed at {at}, but process {} had found {value} at {}",
                    noun(add),
                    seen.process,
                    seconds(seen.ns)
                ),
                vec![seen.id],
            ),
            false => Stop::Doubt(format!(
                "{value}{of_key} was found while several were adding it, of which one failed"
            )),
        })
    }

    pub fn read(&mut self, read: &Operation, asked: Asked, initial: &[Value]) -> Result<(), Stop> {
        let always = |element: &Element| element.known.is_some_and(|(at, _)| at == 0);
        self.reads += 1;
        let found = read.result.as_list().unwrap_or_default();
        let (note, process, at) = (Note::of(read), read.process, done_at(read));
        let impossible = |value: &Value, why: &str| {
            let (value, of) = (short(value), of(read));
            let explanation = format!("process {process} read {value}{of} {why} at {at}");
            Err(Stop::Broken(explanation, Vec::new()))
        };
        let mut since = read.invoke.index + 1;
        let mut latest = None;
        let mut numbers = Vec::with_capacity(found.len());
        for value in found {
            let number = self.numbers.get(value).copied().filter(|number| {
                let element = &self.elements[*number as usize];
                !element.adds.is_empty() || always(element)
            });
            let Some(number) = number else {
                if initial.contains(value) {
                    continue;
                }
                return impossible(value, "which nobody had begun to add,");
            };
            let element = &mut self.elements[number as usize];
            if std::mem::replace(&mut element.found_in, self.reads) == self.reads {
                return impossible(value, "twice");
            }
            let add = element.adds.first();
            if asked == Asked::Linearizable
                && let Some(add) = add.filter(|add| !always(element) && add.invoke > since)
            {
                (since, latest) = (add.invoke, Some((number, *add)));
            }
            element.seen.get_or_insert(note);
            numbers.push(number);
        }
        if asked != (Asked::Elements { immediate: false }) {
            self.find_all(read, since, latest, &numbers)?;
        }
        if asked == Asked::Linearizable {
            self.find_chain(read, &numbers)?;
        }
        for number in numbers {
            let element = &mut self.elements[number as usize];
            if element.known.is_none() {
                element.known = Some((read.complete.index + 1, Some(note)));
                self.known.push((read.complete.index + 1, number));
            }
        }
        Ok(())
    }

    /// It found all that was known before.
    fn find_all(
        &self,
        read: &Operation,
        since: u64,
        latest: Option<(u32, Add)>,
        numbers: &[u32],
    ) -> Result<(), Stop> {
        let known = self.known.partition_point(|(at, _)| *at < since);
        let element = |number: u32| &self.elements[number as usize];
        let is_known = |number: &&u32| element(**number).known.is_some_and(|(at, _)| at < since);
        let found = numbers.iter().filter(is_known).count();
        let misses = |number: u32| element(number).found_in != self.reads;
        let removed = |number: u32| element(number).removed;
        if found == known {
            return Ok(());
        }
        let known = self.known[..known].iter().map(|(_, number)| *number);
        let missing = known.clone().find(|number| misses(*number) && !removed(*number));
        let Some(missing) = missing else { return Ok(()) };
        let by = element(missing).known.and_then(|(_, by)| by);
        let (value, of_key, process) = (self.value(missing), of(read), read.process);
        let from = by.map_or_else(|| "the beginning".to_owned(), |by| seconds(by.ns));
        let mut others: Vec<u64> = by.map(|by| by.id).into_iter().collect();
        let explanation = match latest {
            None => format!(
                "{value}{of_key} was known from {from} on, but process {process}, which began to read \
                 at {}, did not find it",
                seconds(read.invoke.ns)
            ),
            Some((number, add)) => {
                others.push(add.note.id);
                format!(
                    "{value}{of_key} was known from {from} on, before anybody began to add {}, but \
                     process {process} found that and did not find {value} at {}",
                    self.value(number),
                    done_at(read)
                )
            }
        };
        Err(Stop::Broken(explanation, others))
    }

    /// Of it and each read before it, one found all that the other found.
    fn find_chain(&mut self, read: &Operation, numbers: &[u32]) -> Result<(), Stop> {
        let size = numbers.len();
        let rank = |number: &u32| match self.elements[*number as usize].rank {
            0 => usize::MAX,
            rank => rank,
        };
        let less = self.sizes.range(..=size).next_back();
        let more = self.sizes.range(size + 1..).next();
        let within = |limit: usize| numbers.iter().filter(|number| rank(number) <= limit).count();
        let apart = less
            .filter(|(less, _)| within(**less) < **less)
            .or(more.filter(|(more, _)| within(**more) < size));
        if let Some((&other, note)) = apart {
            let mine = numbers.iter().find(|number| rank(number) > other);
            let theirs = (0..self.elements.len() as u32)
                .find(|number| rank(number) <= other && !numbers.contains(number));
            let [mine, theirs] = [mine.copied(), theirs]
                .map(|number| number.map_or_else(String::new, |number| self.value(number)));
            let explanation = format!(
                "process {} found {mine} and not {theirs}{} at {}, but process {} had found {theirs} \
                 and not {mine} at {}",
                read.process,
                of(read),
                done_at(read),
                note.process,
                seconds(note.ns)
            );
            return Err(Stop::Broken(explanation, vec![note.id]));
        }
        if size > 0 {
            self.sizes.entry(size).or_insert_with(|| Note::of(read));
        }
        for number in numbers {
            let rank = &mut self.elements[*number as usize].rank;
            *rank = if *rank == 0 { size } else { (*rank).min(size) };
        }
        Ok(())
    }

    fn value(&self, number: u32) -> String {
        let value = self.numbers.iter().find(|(_, known)| **known == number);
        value.map_or_else(String::new, |(value, _)| short(value))
    }
}
