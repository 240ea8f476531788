//! A text whose edits name places instead of words (variant `place_not_name`): not a replicated type,
//! because a place is another word's as soon as somebody else has written before it.

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::types::words::place_of;
use super::types::{Replicated, Stamp, or_set};

/// A text as a plain list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedWords(Vec<Value>);

/// An edit, as an editor does it to its own text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// The word stands at this place.
    Insert(u64, Value),
    /// The words at these places are deleted; the last place first.
    Delete(Vec<u64>),
}

impl Replicated for PlacedWords {
    type Command = or_set::Command;
    type Operation = Edit;

    fn prepare(&self, command: &or_set::Command, _: &Stamp) -> Edit {
        match command {
            or_set::Command::Add(word) => {
                Edit::Insert(place_of(word, self.0.len()) as u64, word.clone())
            }
            or_set::Command::Remove(word) => {
                let there = (0..).zip(&self.0).filter(|(_, other)| *other == word);
                let mut places: Vec<u64> = there.map(|(place, _)| place).collect();
                places.reverse();
                Edit::Delete(places)
            }
        }
    }

    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert(place, word) => {
                let place = (*place as usize).min(self.0.len());
                self.0.insert(place, word.clone());
            }
            Edit::Delete(places) => {
                for place in places.iter().map(|place| *place as usize) {
                    if place < self.0.len() {
                        self.0.remove(place);
                    }
                }
            }
        }
    }

    fn delta(&self, edit: &Edit) -> Self {
        let mut delta = self.clone();
        delta.apply(edit);
        delta
    }

    /// Takes over a longer text: there is nothing by which two of them could be joined.
    fn merge(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.clone_from(other);
        }
    }

    fn read(&self) -> Value {
        Value::list(self.0.iter().cloned())
    }
}
