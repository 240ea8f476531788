//! The messages of Figure 2.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use wrack_sim::Request;
use wrack_sim::chance::Digest;

/// One entry of the log. Its command is empty where a leader begins its term (§8).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The term in which a leader received it.
    pub term: u64,
    /// What it does.
    pub command: Option<Arc<Request>>,
}

impl Entry {
    /// A digest by which observers compare entries.
    pub fn digest(&self) -> u64 {
        Digest::of(&(self.term, self.command.as_ref().map(|request| request.tag.operation())))
    }
}

/// A candidate asks for a vote.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RequestVote {
    /// The candidate's term.
    pub term: u64,
    /// Index of the candidate's last entry.
    pub last_index: u64,
    /// Term of the candidate's last entry.
    pub last_term: u64,
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
    /// What follows it; empty for a heartbeat.
    pub entries: SmallVec<[Entry; 2]>,
    /// What the leader knows to be committed.
    pub commit: u64,
    /// Which round of the leader's this belongs to: an answer confirms that it led then.
    pub round: u64,
}

/// What nodes say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Rpc {
    /// RequestVote.
    RequestVote(RequestVote),
    /// Its answer.
    Vote {
        /// The voter's term.
        term: u64,
        /// Whether it votes for the candidate.
        granted: bool,
    },
    /// AppendEntries.
    Append(Append),
    /// Its answer.
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
}

impl Rpc {
    /// The sender's term.
    pub fn term(&self) -> u64 {
        match self {
            Self::RequestVote(ask) => ask.term,
            Self::Append(append) => append.term,
            Self::Vote { term, .. } | Self::Appended { term, .. } => *term,
        }
    }
}
