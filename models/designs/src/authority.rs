//! The authority of designs with copies: registers with versions, on a log that outlives it.
//!
//! ```text
//! recall ─▶ append ─▶ one sync for all that came meanwhile ─▶ apply ─▶ commits
//! ```
//! A version is the place of a write in the order of all writes. What was committed is recognised by
//! its key when it is tried again, because the key stands in the same record as the write. Nothing is
//! applied, read or answered before the disk has it (group commit: DeWitt et al. 1984).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::disk::DiskError;
use wrack_sim::{Context, NodeId, Request};

/// What a key holds; nil of the version 0 before its first write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The value.
    pub value: Value,
    /// The write that made it.
    pub version: u64,
}

/// A key has a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The key.
    pub key: SmolStr,
    /// The version.
    pub version: u64,
}

/// A write that is durable.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Who handed it in.
    pub from: NodeId,
    /// The write.
    pub request: Arc<Request>,
    /// Its version.
    pub version: u64,
}

/// What is remembered of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// It has never been here.
    New,
    /// It is on its way to the disk.
    Pending,
    /// It was the last of its session, and is durable as this version.
    Committed(u64),
    /// Its client has moved on: it must not be carried out any more.
    Superseded,
}

/// The last write of a session: its sequence, and its version once it is durable.
type Last = (u64, Option<u64>);

/// The rows, and what is not durable yet.
#[derive(Debug, Default)]
pub struct Authority {
    rows: BTreeMap<SmolStr, Row>,
    sessions: BTreeMap<u64, Last>,
    version: u64,
    pending: VecDeque<(NodeId, Arc<Request>)>,
    /// How many of the pending ones the sync under way makes durable; 0 if there is none.
    syncing: usize,
}

impl Authority {
    /// Folds the log of a node that boots; also gives all writes, in the order of their versions from 1.
    /// A crash may have come between a sync and the facts about it, so the effects are noted again:
    /// the same place is the same effect.
    pub fn recover<M, T>(cx: &mut Context<'_, M, T>) -> (Self, Vec<Arc<Request>>) {
        let log = cx.disk().recover::<Arc<Request>>();
        if log.torn {
            cx.truncate(log.records.len());
        }
        let mut authority = Self::default();
        for request in &log.records {
            authority.apply(request, cx);
        }
        (authority, log.records)
    }

    /// How many writes were committed: the version of the last one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What a key holds.
    pub fn row(&self, key: &str) -> Row {
        self.rows.get(key).cloned().unwrap_or_default()
    }

    /// Whether a write has been here before.
    pub fn recall(&self, request: &Request) -> Recall {
        let Some(identity) = request.idempotency else {
            return Recall::New;
        };
        match self.sessions.get(&identity.session) {
            Some((last, _)) if identity.sequence < *last => Recall::Superseded,
            Some((last, version)) if identity.sequence == *last => {
                version.map_or(Recall::Pending, Recall::Committed)
            }
            _ => Recall::New,
        }
    }

    /// Takes in a write that is new, and gets it onto the disk.
    pub fn append<M, T>(
        &mut self,
        from: NodeId,
        request: Arc<Request>,
        cx: &mut Context<'_, M, T>,
    ) {
        cx.append(&request);
        if let Some(identity) = request.idempotency {
            self.sessions.insert(identity.session, (identity.sequence, None));
        }
        self.pending.push_back((from, request));
        if self.syncing == 0 {
            self.sync(cx);
        }
    }

    /// The disk answered: gives what is durable now, in its order. After an error nothing of what was
    /// pending ever came.
    pub fn on_synced<M, T>(
        &mut self,
        result: Result<(), DiskError>,
        cx: &mut Context<'_, M, T>,
    ) -> Vec<Commit> {
        let durable = std::mem::take(&mut self.syncing);
        if result.is_err() {
            self.pending.clear();
            self.sessions.retain(|_, (_, version)| version.is_some());
            return Vec::new();
        }
        let durable: Vec<_> = self.pending.drain(..durable).collect();
        let commits = durable.into_iter().map(|(from, request)| {
            let version = self.apply(&request, cx);
            Commit { from, request, version }
        });
        let commits = commits.collect();
        if !self.pending.is_empty() {
            self.sync(cx);
        }
        commits
    }

    fn sync<M, T>(&mut self, cx: &mut Context<'_, M, T>) {
        self.syncing = self.pending.len();
        cx.sync(self.version);
    }

    /// Carries out a write that is durable, and gives its version.
    fn apply<M, T>(&mut self, request: &Request, cx: &mut Context<'_, M, T>) -> u64 {
        self.version += 1;
        let row = Row { value: request.argument.clone(), version: self.version };
        self.rows.insert(request.key.clone(), row);
        if let Some(identity) = request.idempotency {
            let last = self.sessions.entry(identity.session).or_default();
            // The session may have a newer write already, which is pending.
            if last.0 <= identity.sequence {
                *last = (identity.sequence, Some(self.version));
            }
        }
        cx.effect(request.tag, &request.key, &request.argument, self.version);
        self.version
    }
}
