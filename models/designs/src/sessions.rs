//! What was answered to whom: how a design recognises a retried command.
//!
//! The memory of an answer must change together with what the command did, in one step and in one
//! record on the disk. Kept apart, a crash between the two would carry out a retried command twice.
//! Source: Ongaro, thesis 2014, §6.3 (sessions); Helland, "Life beyond Distributed Transactions",
//! 2007, "remembering messages as state".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wrack_sim::{Idempotency, Reply};

/// The last answer in each session. A client has one operation open at a time, so whatever has a
/// lower sequence is a late copy that nobody waits for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions(BTreeMap<u64, Answer>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    sequence: u64,
    reply: Reply,
}

/// What is remembered of a command.
#[derive(Debug, PartialEq)]
pub enum Recall<'a> {
    /// It has never been here.
    New,
    /// It was the last of its session, and this was the answer.
    Answered(&'a Reply),
    /// Its client has moved on: it must not be carried out any more.
    Superseded,
}

impl Sessions {
    /// Whether a command has been here before.
    pub fn recall(&self, identity: Idempotency) -> Recall<'_> {
        match self.0.get(&identity.session) {
            Some(last) if identity.sequence < last.sequence => Recall::Superseded,
            Some(last) if identity.sequence == last.sequence => Recall::Answered(&last.reply),
            _ => Recall::New,
        }
    }

    /// A command was carried out, and this is its answer.
    pub fn remember(&mut self, identity: Idempotency, reply: &Reply) {
        let answer = Answer { sequence: identity.sequence, reply: reply.clone() };
        self.0.insert(identity.session, answer);
    }
}

#[cfg(test)]
mod tests {
    use wrack_sim::{Idempotency, Reply};

    use super::{Recall, Sessions};

    #[test]
    fn the_last_answer_of_a_session_is_remembered_and_older_commands_are_over() {
        let mut sessions = Sessions::default();
        let third = Reply::Ok(3.into());
        sessions.remember(Idempotency { session: 1, sequence: 3 }, &third);
        let recall = |session, sequence| sessions.recall(Idempotency { session, sequence });
        assert_eq!(recall(1, 3), Recall::Answered(&third));
        assert_eq!(recall(1, 2), Recall::Superseded);
        assert_eq!(recall(1, 4), Recall::New);
        assert_eq!(recall(2, 2), Recall::New);
    }
}
