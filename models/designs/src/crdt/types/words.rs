//! A text as clients edit it together: words that nobody else writes, each at a place of its own.
//!
//! It is an [`Rga`] whose commands name words. Where a word is put, its writer's replica decides, by a
//! digest of the word, among the places that the text has there: so that a workload need not know what
//! the text is like, and words meet everywhere in it.

use serde::{Deserialize, Serialize};
use wrack_history::Value;
use wrack_sim::chance::Digest;

use super::rga::{self, Edit, Rga};
use super::{Replicated, Stamp, or_set};

/// A text of words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words(Rga);

/// Where a word is put in a text of so many.
pub fn place_of(word: &Value, length: usize) -> usize {
    (Digest::of(word) % (length as u64 + 1)) as usize
}

impl Replicated for Words {
    type Command = or_set::Command;
    type Operation = Vec<Edit>;

    /// One edit for a new word, and one for each time that a word stands there that is to go.
    fn prepare(&self, command: &or_set::Command, stamp: &Stamp) -> Vec<Edit> {
        let text = self.0.read();
        let words = text.as_list().unwrap_or_default();
        match command {
            or_set::Command::Add(word) => {
                let at = place_of(word, words.len());
                vec![self.0.prepare(&rga::Command::Insert { at, letter: word.clone() }, stamp)]
            }
            or_set::Command::Remove(word) => {
                let there = words.iter().enumerate().filter(|(_, other)| *other == word);
                let delete = |(at, _)| self.0.prepare(&rga::Command::Delete { at }, stamp);
                there.map(delete).collect()
            }
        }
    }

    fn apply(&mut self, edits: &Vec<Edit>) {
        edits.iter().for_each(|edit| self.0.apply(edit));
    }

    fn delta(&self, edits: &Vec<Edit>) -> Self {
        let mut delta = Self::default();
        delta.apply(edits);
        delta
    }

    fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    fn read(&self) -> Value {
        self.0.read()
    }
}
