//! The messages of Figure 2.

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wrack_sim::Request;
use wrack_sim::chance::Digest;

use super::membership::Members;
use super::snapshot::Snapshot;

/// One entry of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The term in which a leader received it.
    pub term: u64,
    /// What it does.
    pub content: Content,
}

/// What an entry does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Content {
    /// Nothing: a leader begins its term (§8).
    Nothing,
    /// A client's command.
    Command(Arc<Command>),
    /// These are the members from now on.
    Members(Members),
}

impl Entry {
    /// An entry that does nothing.
    pub fn empty(term: u64) -> Self {
        Self { term, content: Content::Nothing }
    }

    /// A digest by which observers compare entries.
    pub fn digest(&self) -> u64 {
        match &self.content {
            Content::Nothing => Digest::of(&(self.term, None::<u64>)),
            Content::Command(command) => {
                Digest::of(&(self.term, Some(command.request.tag.operation())))
            }
            Content::Members(members) => Digest::of(&(self.term, members)),
        }
    }
}

/// What a client asked for, in the form in which it travels and is stored: the leader encodes it
/// once, and nobody again.
#[derive(Debug)]
pub struct Command {
    /// What was asked.
    pub request: Arc<Request>,
    encoded: Vec<u8>,
}

impl Command {
    /// Encodes a request.
    pub fn new(request: Arc<Request>) -> Self {
        Self { encoded: request.encode(), request }
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.encoded)
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let encoded = Vec::<u8>::deserialize(deserializer)?;
        let request = Request::decode(&encoded).map_err(D::Error::custom)?;
        Ok(Self { request: Arc::new(request), encoded })
    }
}

/// What a node asks the others for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Whether they would vote for it (pre-vote).
    Before,
    /// Their votes.
    Vote,
    /// Their votes, because the leader itself wants it to lead.
    Transfer,
}

/// A candidate asks for a vote.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RequestVote {
    /// For what.
    pub ask: Ask,
    /// The candidate's term; the one in which it would stand, if it only asks before.
    pub term: u64,
    /// Index of the candidate's last entry.
    pub last_index: u64,
    /// Term of the candidate's last entry.
    pub last_term: u64,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ballot {
    /// What was asked for.
    pub ask: Ask,
    /// The voter's term; the one that was asked for, where a vote is promised.
    pub term: u64,
    /// Whether it votes for the candidate, or would.
    pub granted: bool,
}

/// A leader replicates entries, or shows that it leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Append {
    /// The leader's term.
    pub term: u64,
    /// Index of the entry before the first of `entries`.
    pub previous_index: u64,
    /// Its term.
    pub previous_term: u64,
    /// What follows it; absent from a heartbeat. Followers that lack the same share it.
    pub entries: Option<Arc<[Entry]>>,
    /// What the leader knows to be committed.
    pub commit: u64,
    /// Which round of the leader's this belongs to: an answer confirms that it led then.
    pub round: u64,
}

/// A leader sends the state itself, because its log no longer holds what the follower lacks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Install {
    /// The leader's term.
    pub term: u64,
    /// The state after a committed entry.
    pub snapshot: Snapshot,
    /// As in [`Append`].
    pub round: u64,
}

/// What nodes say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Rpc {
    /// RequestVote.
    RequestVote(RequestVote),
    /// Its answer.
    Vote(Ballot),
    /// AppendEntries.
    Append(Append),
    /// InstallSnapshot; it is answered like an Append whose entries end where it does.
    Install(Install),
    /// The answer to both.
    Appended {
        /// The follower's term.
        term: u64,
        /// Whether the follower had the previous entry.
        success: bool,
        /// If it had: up to where it has the leader's log on disk. If not: where to try next.
        index: u64,
        /// The round that it answers.
        round: u64,
    },
    /// The leader hands over: the receiver stands for election at once (thesis §3.10).
    TimeoutNow {
        /// The leader's term.
        term: u64,
    },
}

impl Rpc {
    /// The sender's term; 0 where a message speaks of a term that nobody is in yet.
    pub fn term(&self) -> u64 {
        match self {
            Self::RequestVote(RequestVote { ask: Ask::Before, .. })
            | Self::Vote(Ballot { ask: Ask::Before, granted: true, .. }) => 0,
            Self::RequestVote(request) => request.term,
            Self::Vote(ballot) => ballot.term,
            Self::Append(append) => append.term,
            Self::Install(install) => install.term,
            Self::Appended { term, .. } | Self::TimeoutNow { term } => *term,
        }
    }
}
