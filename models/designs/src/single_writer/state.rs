//! What the store holds and its owner works on: the keys, and what was answered to whom.
//!
//! A command and the memory of its answer change together, in one step and in one record on the
//! disk ([`crate::sessions`] says why).

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::Idempotency;

use super::message::{Command, Overwrite};
use crate::command::{Applied, Cell, Table};
use crate::sessions::{Recall, Sessions};

/// A fold over commands: the same commands in the same order give the same state anywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    table: Table,
    sessions: Sessions,
    version: u64,
}

impl State {
    /// How many commands were carried out: the place of the last one in the order of all.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What a read of the key returns.
    pub fn read(&self, key: &SmolStr) -> Value {
        self.table.read(key)
    }

    /// What the key holds.
    pub fn cell(&self, key: &SmolStr) -> Cell {
        self.table.cell(key).cloned().unwrap_or_default()
    }

    /// Whether a command has been here before.
    pub fn recall(&self, identity: Idempotency) -> Recall<'_> {
        self.sessions.recall(identity)
    }

    /// Carries out a command and remembers its answer; `None`, and nothing, if it was here before.
    pub fn apply(&mut self, command: &Command) -> Option<Applied> {
        if self.recall(command.identity) != Recall::New {
            return None;
        }
        let request = &command.request;
        let applied = self.table.apply(&request.function, &request.key, &request.argument);
        self.sessions.remember(command.identity, &applied.reply);
        self.version += 1;
        Some(applied)
    }

    /// Makes a key hold what the writer says; `false`, and nothing, if the write was here before.
    pub fn overwrite(&mut self, write: &Overwrite) -> bool {
        if let Some(identity) = write.request.idempotency {
            if self.recall(identity) != Recall::New {
                return false;
            }
            self.sessions.remember(identity, &write.applied.reply);
        }
        self.table.put(&write.request.key, write.cell.clone());
        self.version += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wrack_history::Value;
    use wrack_sim::{Idempotency, NodeId, Reply, Request, Tag};

    use super::State;
    use crate::sessions::Recall;
    use crate::single_writer::message::Command;

    /// The `sequence`-th increment of session 1.
    fn increment(sequence: u64) -> Command {
        let identity = Idempotency { session: 1, sequence };
        let request = Request {
            tag: Tag::of(sequence),
            client: NodeId(9),
            number: sequence,
            idempotency: Some(identity),
            key: "k".into(),
            function: "increment".into(),
            argument: Value::Integer(1),
        };
        Command { identity, request: Arc::new(request) }
    }

    #[test]
    fn a_command_takes_effect_once_and_its_answer_is_remembered() {
        let mut state = State::default();
        assert_eq!(state.apply(&increment(3)).unwrap().reply, Reply::Ok(1.into()));
        assert_eq!(state.apply(&increment(3)), None);
        let identity = increment(3).identity;
        assert_eq!(state.recall(identity), Recall::Answered(&Reply::Ok(1.into())));
        assert_eq!((state.read(&"k".into()), state.version()), (1.into(), 1));
    }

    #[test]
    fn a_late_copy_of_an_older_command_is_never_carried_out() {
        let mut state = State::default();
        state.apply(&increment(3));
        assert_eq!(state.recall(increment(2).identity), Recall::Superseded);
        assert_eq!(state.apply(&increment(2)), None);
        assert_eq!(state.recall(increment(4).identity), Recall::New);
    }
}
