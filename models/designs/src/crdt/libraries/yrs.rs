//! A text of the crate `yrs`: the list of Yjs, whose merge is YATA's.
//!
//! The library draws the name of a document's client at random. Here a replica has one name for life, made
//! of its number, so that no chance of the library decides anything: a name that is used again after a
//! crash goes on where its durable updates end.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wrack_history::Value;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayRef, ClientID, Doc, Options, Out, ReadTxn, StateVector, Transact, Update,
};

use crate::crdt::types::words::place_of;
use crate::crdt::types::{ReplicaId, Replicated, Stamp, or_set};

/// The name of the list in its document.
const WORDS: &str = "words";
/// The client's name of whoever only reads and merges.
const NOBODY: u64 = 1 << 32;

/// A document with one list of words. Words are whole numbers.
pub struct YrsWords {
    document: Doc,
    words: ArrayRef,
}

/// An edit, in the library's own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit(Vec<u8>);

impl YrsWords {
    fn named(client: u64) -> Self {
        let options = Options::with_guid_and_client_id("text".into(), ClientID::new(client));
        let document = Doc::with_options(options);
        let words = document.get_or_insert_array(WORDS);
        Self { document, words }
    }

    /// The same text in the hands of another client.
    fn in_hands_of(&self, client: u64) -> Self {
        let mut copy = Self::named(client);
        copy.take(&self.state());
        copy
    }

    /// All that it holds, tombstones included.
    fn state(&self) -> Vec<u8> {
        self.document.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn take(&mut self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("what the library wrote, it reads");
        let taken = self.document.transact_mut().apply_update(update);
        taken.expect("an update comes after those that it builds on");
    }

    fn list(&self) -> Vec<Value> {
        let transaction = self.document.transact();
        let word = |word: Out| match word {
            Out::Any(Any::String(word)) => word.parse::<i64>().ok().map(Value::from),
            _ => None,
        };
        let words = self.words.iter(&transaction);
        words.map(|one| word(one).expect("every word was written by us")).collect()
    }
}

/// The library's name of a replica.
fn client(replica: ReplicaId) -> u64 {
    u64::from(replica) + 1
}

impl Replicated for YrsWords {
    type Command = or_set::Command;
    type Operation = Edit;

    /// The library has no edits apart from changes: the edit is made on a copy.
    fn prepare(&self, command: &or_set::Command, stamp: &Stamp) -> Edit {
        let copy = self.in_hands_of(client(stamp.dot.replica));
        let list = copy.list();
        let mut transaction = copy.document.transact_mut();
        match command {
            or_set::Command::Add(word) => {
                let place = place_of(word, list.len()) as u32;
                let word = Any::String(word.as_integer().unwrap_or_default().to_string().into());
                copy.words.insert(&mut transaction, place, word);
            }
            or_set::Command::Remove(word) => {
                let there = (0..).zip(&list).filter(|(_, other)| *other == word);
                let places: Vec<u32> = there.map(|(place, _)| place).collect();
                for place in places.into_iter().rev() {
                    copy.words.remove(&mut transaction, place);
                }
            }
        }
        Edit(transaction.encode_update_v1())
    }

    fn apply(&mut self, edit: &Edit) {
        self.take(&edit.0);
    }

    /// The state that the edit leads to stands for it.
    fn delta(&self, edit: &Edit) -> Self {
        let mut state = self.clone();
        state.apply(edit);
        state
    }

    fn merge(&mut self, other: &Self) {
        self.take(&other.state());
    }

    fn read(&self) -> Value {
        Value::list(self.list())
    }
}

impl Default for YrsWords {
    fn default() -> Self {
        Self::named(NOBODY)
    }
}

impl Clone for YrsWords {
    fn clone(&self) -> Self {
        self.in_hands_of(NOBODY)
    }
}

/// Equal texts of equal edits: how the library cuts its blocks, which enters [`YrsWords::state`], depends on
/// how they came.
impl PartialEq for YrsWords {
    fn eq(&self, other: &Self) -> bool {
        let edits = |words: &Self| words.document.transact().state_vector();
        edits(self) == edits(other) && self.list() == other.list()
    }
}

impl fmt::Debug for YrsWords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.read())
    }
}

impl Serialize for YrsWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.state())
    }
}

impl<'de> Deserialize<'de> for YrsWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = Vec::<u8>::deserialize(deserializer)?;
        let mut words = Self::default();
        words.take(&state);
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::YrsWords;
    use crate::crdt::types::laws::{stamp, words_agree};
    use crate::crdt::types::{Replicated, or_set};

    #[test]
    fn replicas_that_know_the_same_edits_read_the_same_words() {
        words_agree::<YrsWords>();
    }

    /// The library's own chance does not reach what it writes.
    #[test]
    fn the_same_edits_are_the_same_bytes() {
        let edit = || {
            let mut words = YrsWords::default();
            for word in 1..20 {
                let edit = words.prepare(&or_set::Command::Add(word.into()), &stamp(1, 1));
                words.apply(&edit);
            }
            words.state()
        };
        assert_eq!(edit(), edit());
    }
}
