//! A text: a replicated growable array.
//!
//! Each letter has a name, and is inserted after another letter, named too. Letters that were inserted
//! after the same one stand in falling order of their names; a name is greater than all that its writer
//! had seen, so that what somebody types stays together and what was typed last comes first.
//!
//! ```text
//! r1 types "ab" at the start:  a(1,r1) after ⊥   b(2,r1) after a          ⊥
//! r2 types "xy" at the start:  x(1,r2) after ⊥   y(2,r2) after x        ╱   ╲
//!                                                                      x     a      (1,r2) > (1,r1)
//!                                                                      y     b
//! everybody reads: x y a b
//! ```
//! A deleted letter keeps its place, as a tombstone: others may stand after it.
//!
//! Sources: Roh, Jeon, Kim and Lee: Replicated Abstract Data Types, 2011; Attiya et al.: Specification and
//! Complexity of Collaborative Text Editing, 2016, which shows this tree to be the same as RGA's list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wrack_history::Value;

use super::causality::ReplicaId;
use super::{Replicated, Stamp};

/// The name of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id {
    /// Greater than that of every letter that its writer had seen.
    pub time: u64,
    /// Its writer.
    pub replica: ReplicaId,
}

/// A letter that was inserted, deleted or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Letter {
    after: Option<Id>,
    value: Value,
}

/// A replicated growable array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rga {
    letters: BTreeMap<Id, Letter>,
    deleted: BTreeSet<Id>,
}

/// What a client asks of a text. A place beyond the end is the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The letter stands at this place.
    Insert {
        /// Counted from 0 among the letters that are there.
        at: usize,
        /// The letter.
        letter: Value,
    },
    /// The letter at this place is deleted; nothing if there is none.
    Delete {
        /// Counted from 0 among the letters that are there.
        at: usize,
    },
}

/// An edit that names letters instead of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// A letter is inserted.
    Insert {
        /// Its name.
        id: Id,
        /// The letter before it; none at the start.
        after: Option<Id>,
        /// The letter.
        letter: Value,
    },
    /// The letter of this name is deleted, if there is one.
    Delete(Option<Id>),
}

impl Rga {
    /// All letters in order, those that are deleted too.
    fn order(&self) -> Vec<Id> {
        let mut children = BTreeMap::<Option<Id>, Vec<Id>>::new();
        for (id, letter) in &self.letters {
            children.entry(letter.after).or_default().push(*id);
        }
        let mut order = Vec::with_capacity(self.letters.len());
        // Depth first; the greatest name is on top of the stack, because names rise in the map.
        let mut stack = children.get(&None).cloned().unwrap_or_default();
        while let Some(id) = stack.pop() {
            order.push(id);
            stack.extend(children.get(&Some(id)).into_iter().flatten());
        }
        order
    }

    /// The letters that are there, in order.
    fn visible(&self) -> Vec<Id> {
        self.order().into_iter().filter(|id| !self.deleted.contains(id)).collect()
    }

    fn next_id(&self, replica: ReplicaId) -> Id {
        let last = self.letters.last_key_value().map_or(0, |(id, _)| id.time);
        Id { time: last + 1, replica }
    }
}

impl Replicated for Rga {
    type Command = Command;
    type Operation = Edit;

    fn prepare(&self, command: &Command, stamp: &Stamp) -> Edit {
        let visible = self.visible();
        match command {
            Command::Insert { at, letter } => {
                let after = (*at).min(visible.len()).checked_sub(1).map(|before| visible[before]);
                let id = self.next_id(stamp.dot.replica);
                Edit::Insert { id, after, letter: letter.clone() }
            }
            Command::Delete { at } => Edit::Delete(visible.get(*at).copied()),
        }
    }

    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert { id, after, letter } => {
                self.letters.insert(*id, Letter { after: *after, value: letter.clone() });
            }
            Edit::Delete(id) => self.deleted.extend(id),
        }
    }

    fn delta(&self, edit: &Edit) -> Self {
        let mut delta = Self::default();
        delta.apply(edit);
        delta
    }

    fn merge(&mut self, other: &Self) {
        for (id, letter) in &other.letters {
            self.letters.entry(*id).or_insert_with(|| letter.clone());
        }
        self.deleted.extend(&other.deleted);
    }

    /// The letters that are there, as a list.
    fn read(&self) -> Value {
        Value::list(self.visible().iter().map(|id| self.letters[id].value.clone()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use wrack_history::Value;

    use super::{Command, Edit, Id, Rga};
    use crate::crdt::types::Replicated;
    use crate::crdt::types::laws::stamp;

    /// The list of Roh et al., as they wrote it: the twin of the tree.
    #[derive(Default)]
    pub struct List(Vec<(Id, Value, bool)>);

    impl List {
        pub fn apply(&mut self, edit: &Edit) {
            match edit {
                Edit::Insert { id, after, letter } => {
                    let place = |id: &Id| self.0.iter().position(|(other, ..)| other == id);
                    let mut at = after.map_or(0, |after| place(&after).unwrap() + 1);
                    while self.0.get(at).is_some_and(|(other, ..)| other > id) {
                        at += 1;
                    }
                    self.0.insert(at, (*id, letter.clone(), true));
                }
                Edit::Delete(Some(id)) => self
                    .0
                    .iter_mut()
                    .filter(|(other, ..)| other == id)
                    .for_each(|one| one.2 = false),
                Edit::Delete(None) => {}
            }
        }

        pub fn read(&self) -> Value {
            let there = self.0.iter().filter(|(.., there)| *there);
            Value::list(there.map(|(_, letter, _)| letter.clone()))
        }
    }

    fn text(rga: &Rga) -> String {
        rga.read()
            .as_list()
            .unwrap()
            .iter()
            .map(|letter| letter.to_string().replace('"', ""))
            .collect()
    }

    fn types(rga: &mut Rga, replica: u16, at: usize, word: &str) {
        for (at, letter) in (at..).zip(word.chars()) {
            let letter = Value::from(letter.to_string().as_str());
            let edit = rga.prepare(&Command::Insert { at, letter }, &stamp(replica, 1));
            rga.apply(&edit);
        }
    }

    #[test]
    fn words_that_are_typed_at_one_place_stay_together() {
        let (mut one, mut other) = (Rga::default(), Rga::default());
        types(&mut one, 1, 0, "ab");
        types(&mut other, 2, 0, "xy");
        one.merge(&other);
        other.merge(&one);
        assert_eq!((text(&one), text(&other)), ("xyab".to_owned(), "xyab".to_owned()));
        types(&mut one, 1, 4, "c");
        types(&mut one, 1, 2, "-");
        assert_eq!(text(&one), "xy-abc");
    }

    #[test]
    fn what_was_typed_after_a_letter_stays_when_that_is_deleted() {
        let mut one = Rga::default();
        types(&mut one, 1, 0, "abc");
        let mut other = one.clone();
        let edit = one.prepare(&Command::Delete { at: 1 }, &stamp(1, 4));
        one.apply(&edit);
        types(&mut other, 2, 2, "x");
        one.merge(&other);
        assert_eq!(text(&one), "axc");
    }
}
