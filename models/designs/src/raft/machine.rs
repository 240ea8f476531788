//! The replicated state machine, with the sessions of its clients (§8; thesis §6.3). It knows neither
//! terms nor messages, so that another implementation of Raft replicates the same one.

use wrack_history::{SmolStr, Value};
use wrack_sim::disk::{frame, read};
use wrack_sim::{Context, Reply, Request};

use crate::command::Table;
use crate::sessions::{Recall, Sessions};

/// Applies committed entries in order.
#[derive(Debug)]
pub struct Machine {
    applied: u64,
    table: Table,
    dedupe: bool,
    sessions: Sessions,
}

impl Machine {
    /// An empty machine; `dedupe` says whether it looks at sessions.
    pub fn new(dedupe: bool) -> Self {
        Self { applied: 0, table: Table::default(), dedupe, sessions: Sessions::default() }
    }

    /// Index of the last entry that was applied.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The value under a key.
    pub fn read(&self, key: &SmolStr) -> Value {
        self.table.read(key)
    }

    /// The whole state as the nodes that applied the same entries all encode it. The sessions are a
    /// part of it (thesis §6.3), unless a variant leaves them out.
    pub fn encode(&self, with_sessions: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let none = Sessions::default();
        let sessions = if with_sessions { &self.sessions } else { &none };
        frame(&(&self.table, sessions), &mut bytes);
        bytes
    }

    /// Takes over the state that was encoded after the entry at `index`.
    pub fn restore(&mut self, index: u64, state: &[u8]) {
        let state = read(state).expect("a snapshot is what a machine encoded");
        (self.table, self.sessions) = state;
        self.applied = index;
    }

    /// The entry at `index` asks for nothing.
    pub fn pass(&mut self, index: u64) -> Reply {
        self.applied = index;
        Reply::Ok(Value::Nil)
    }

    /// Applies the command at `index`. One that its session has seen is answered as it was then, and
    /// does nothing; one whose client has moved on has no answer any more. Whoever `tells` notes the
    /// effect, at the index as its position.
    pub fn apply<M, T>(
        &mut self,
        index: u64,
        command: &Request,
        tells: bool,
        cx: &mut Context<'_, M, T>,
    ) -> Option<Reply> {
        self.applied = index;
        let identity = command.idempotency.filter(|_| self.dedupe);
        match identity.map_or(Recall::New, |identity| self.sessions.recall(identity)) {
            Recall::New => {}
            Recall::Answered(reply) => {
                cx.sometimes("a retried command is recognised");
                return Some(reply.clone());
            }
            Recall::Superseded => return None,
        }
        let applied = self.table.apply(&command.function, &command.key, &command.argument);
        if tells && let Some(value) = &applied.change {
            cx.effect(command.tag, &command.key, value, index);
        }
        if let Some(identity) = identity {
            self.sessions.remember(identity, &applied.reply);
        }
        Some(applied.reply)
    }
}
