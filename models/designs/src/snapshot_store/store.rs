//! The store: all versions of all objects, and who may add the next ones.
//!
//! - *A snapshot is a number.* Every commit has the next one; what a transaction reads is what was there
//!   after the commit of its snapshot, however much came since.
//! - *Who commits first, wins.* A commit is refused if somebody has committed since its snapshot what it
//!   writes, or has read: then all that it did can be moved to the moment of its commit.
//! - *The answer with the effect.* What was answered is in the same record as the versions.
//!
//! Source: Berenson et al. 1995 (snapshot isolation); Kung and Robinson 1981 (validation of reads).

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{Fact, Value};
use wrack_sim::{FlowContext, Reply, Request, Wire};

use super::Validate;
use super::message::{Attempt, Commit, Message, Peer};
use super::micros::micros;
use crate::sessions::{Recall, Sessions};

struct Store {
    cx: FlowContext<Message>,
    validate: Validate,
    /// The number of the last commit.
    last: u64,
    /// What each object held after which commit, in their order.
    versions: BTreeMap<Value, Vec<(u64, Value)>>,
    sessions: Sessions,
}

/// The store, as a flow.
pub async fn store(cx: FlowContext<Message>, validate: Validate) {
    let (versions, sessions) = (BTreeMap::new(), Sessions::default());
    let mut store = Store { cx, validate, last: 0, versions, sessions };
    store.recover();
    loop {
        let (from, message) = store.cx.recv().await;
        if let Wire::Peer(peer) = message
            && let Some(answer) = store.serve(peer).await
        {
            store.cx.send(from, Wire::Peer(answer));
        }
    }
}

impl Store {
    /// Folds the log. A crash may have come between a sync and the facts about it, so the effects are
    /// noted again: the same place is the same effect.
    fn recover(&mut self) {
        let log = self.cx.recover::<Arc<Commit>>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for commit in &log.records {
            self.apply(commit);
        }
    }

    async fn serve(&mut self, peer: Peer) -> Option<Peer> {
        match peer {
            Peer::Begin(attempt) => match self.recall(&attempt.request) {
                Some(answer) => answer,
                None => Some(Peer::Began(attempt, self.last)),
            },
            Peer::Read(attempt, snapshot) => Some(self.read(attempt, snapshot)),
            Peer::Commit(commit) => match self.recall(&commit.attempt.request) {
                Some(answer) => answer,
                None => self.commit(commit).await,
            },
            _ => None,
        }
    }

    /// What to say to a request that was here before; `None` if it is new.
    fn recall(&self, request: &Arc<Request>) -> Option<Option<Peer>> {
        match self.sessions.recall(request.idempotency?) {
            Recall::New => None,
            Recall::Superseded => Some(None),
            Recall::Answered(reply) => {
                self.cx.sometimes("a retried transaction is recognised");
                Some(Some(Peer::Done(Arc::clone(request), reply.clone())))
            }
        }
    }

    fn read(&self, attempt: Arc<Attempt>, snapshot: u64) -> Peer {
        let objects = micros(&attempt.request.argument).unwrap_or_default();
        let found = objects.into_iter().filter_map(|(object, _)| {
            let versions = self.versions.get(object)?;
            let place = versions.partition_point(|(commit, _)| *commit <= snapshot);
            let (_, value) = versions.get(place.checked_sub(1)?)?;
            Some((object.clone(), value.clone()))
        });
        let found = found.collect();
        Peer::Found(attempt, snapshot, found)
    }

    /// Looks for conflicts, writes down, applies and answers; nothing else happens meanwhile.
    async fn commit(&mut self, commit: Arc<Commit>) -> Option<Peer> {
        if self.conflicts(&commit) {
            self.cx.sometimes("a commit meets a newer version");
            return Some(Peer::Conflict(Arc::clone(&commit.attempt)));
        }
        self.cx.append(&commit);
        // What is not durable was never committed: the client asks again.
        self.cx.sync().await.ok()?;
        self.cx.failpoint("store.committed");
        self.apply(&commit);
        let request = &commit.attempt.request;
        self.cx.note(Fact::Acknowledged { operation: request.tag.operation() });
        Some(Peer::Done(Arc::clone(request), Reply::Ok(commit.answer.clone())))
    }

    fn conflicts(&self, commit: &Commit) -> bool {
        let newer = |object: &Value| {
            let last = self.versions.get(object).and_then(|versions| versions.last());
            last.is_some_and(|(number, _)| *number > commit.snapshot)
        };
        let reads = commit.reads.iter().any(newer);
        let writes = commit.writes.iter().any(|(object, _)| newer(object));
        match self.validate {
            Validate::All => reads || writes,
            Validate::Writes => writes,
            Validate::Nothing => false,
        }
    }

    /// Applies a commit that is durable, and notes that it took effect.
    fn apply(&mut self, commit: &Commit) {
        self.last += 1;
        for (object, value) in &commit.writes {
            self.versions.entry(object.clone()).or_default().push((self.last, value.clone()));
        }
        let request = &commit.attempt.request;
        if let Some(identity) = request.idempotency {
            self.sessions.remember(identity, &Reply::Ok(commit.answer.clone()));
        }
        self.cx.effect(request.tag, &request.key, &Value::Nil, self.last);
    }
}
