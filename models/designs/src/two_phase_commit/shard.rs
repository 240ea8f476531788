//! A shard: it keeps accounts, promises, and then waits to be told.
//!
//! ```text
//! Prepare ──▶ { prepared } fsync ──▶ Vote yes ── in doubt ──▶ Decision ──▶ { settled } fsync
//! ```
//! A vote of yes is a promise that outlives a crash: the part is durable before it is given. From then on
//! the shard is in doubt: it may neither do its part nor drop it, and whatever needs the same accounts
//! is turned away. It asks the coordinator until it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{FlowContext, Idempotency, NodeId, Reply, Wire};

use super::message::{Message, Part, Peer, Vote};
use super::{COORDINATOR, Rules};
use crate::sessions::{Recall, Sessions};

/// One record of the log; the state is a fold over them.
#[derive(Serialize, Deserialize)]
enum Record {
    /// It has promised to do this.
    Prepared(u64, Arc<Part>),
    /// It has done it (`true`), or dropped it.
    Settled(u64, bool),
    /// It has told this client that there is too little money.
    Refused(Idempotency),
}

/// A part that it has promised to do.
struct Prepared {
    part: Arc<Part>,
    since_ns: u64,
    asked_ns: u64,
}

struct Shard {
    cx: FlowContext<Message>,
    rules: Rules,
    balances: BTreeMap<SmolStr, i64>,
    prepared: BTreeMap<u64, Prepared>,
    sessions: Sessions,
}

/// A shard, as a flow: one message after the other, and a look around in between.
pub async fn shard(cx: FlowContext<Message>, rules: Rules) {
    let mut this = Shard {
        cx,
        rules,
        balances: BTreeMap::new(),
        prepared: BTreeMap::new(),
        sessions: Sessions::default(),
    };
    this.recover();
    loop {
        let batch = this.cx.within(rules.inquire_ns, this.cx.recv_all()).await;
        for (from, message) in batch.unwrap_or_default() {
            if let Wire::Peer(peer) = message {
                this.hear(from, peer).await;
            }
        }
        this.look_around().await;
    }
}

impl Shard {
    /// Folds the log. A crash may have come between a sync and the facts about it, so they are noted
    /// again: the same transaction is the same fact.
    fn recover(&mut self) {
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in &log.records {
            self.apply(record);
        }
        if !self.prepared.is_empty() {
            self.cx.sometimes("a shard comes back in doubt");
        }
        for (transaction, prepared) in &self.prepared {
            self.note_prepared(*transaction, &prepared.part);
        }
    }

    async fn hear(&mut self, from: NodeId, peer: Peer) {
        match peer {
            Peer::Prepare(transaction, part) => {
                if let Some(vote) = self.prepare(transaction, part).await {
                    let promised = matches!(vote, Vote::Yes(_));
                    self.cx.send(from, Wire::Peer(Peer::Vote(transaction, vote)));
                    if promised {
                        self.cx.failpoint("shard.voted");
                    }
                }
            }
            Peer::Decision(transaction, committed) => {
                let settled = self.settle(transaction, committed).await;
                // What it does not know, it did before.
                if committed && settled {
                    self.cx.send(from, Wire::Peer(Peer::Acknowledge(transaction)));
                }
            }
            _ => {}
        }
    }

    /// What it votes; nothing if its disk fails, and then it has promised nothing.
    async fn prepare(&mut self, transaction: u64, part: Arc<Part>) -> Option<Vote> {
        if self.prepared.contains_key(&transaction) {
            return Some(Vote::Yes(self.found(&part)));
        }
        let recall = part.identity.map_or(Recall::New, |identity| self.sessions.recall(identity));
        match recall {
            Recall::New => {}
            Recall::Superseded => return Some(Vote::Stale),
            Recall::Answered(Reply::Ok(Value::Bool(false))) => return Some(Vote::Refused),
            Recall::Answered(reply) => return Some(Vote::Done(reply.clone())),
        }
        if self.prepared.values().any(|other| other.part.conflicts(&part)) {
            self.cx.sometimes("a part meets a lock");
            return Some(Vote::Busy);
        }
        if self.is_short(&part) {
            let Some(identity) = part.identity else {
                return Some(Vote::Refused);
            };
            let refused = self.write(&Record::Refused(identity)).await;
            return refused.then_some(Vote::Refused);
        }
        let vote = Vote::Yes(self.found(&part));
        let record = Record::Prepared(transaction, Arc::clone(&part));
        if self.rules.no_prepare_fsync {
            self.cx.append(&record);
            self.apply(&record);
        } else if !self.write(&record).await {
            return None;
        }
        self.note_prepared(transaction, &part);
        self.cx.failpoint("shard.prepared");
        Some(vote)
    }

    /// Does or drops what it has promised; `false` if its disk fails.
    async fn settle(&mut self, transaction: u64, committed: bool) -> bool {
        !self.prepared.contains_key(&transaction)
            || self.write(&Record::Settled(transaction, committed)).await
    }

    /// Makes a record durable, and then folds it in.
    async fn write(&mut self, record: &Record) -> bool {
        self.cx.append(record);
        let durable = self.cx.sync().await.is_ok();
        if durable {
            self.apply(record);
        }
        durable
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::Prepared(transaction, part) => {
                let now_ns = self.cx.now();
                let part = Arc::clone(part);
                let prepared = Prepared { part, since_ns: now_ns, asked_ns: now_ns };
                self.prepared.insert(*transaction, prepared);
            }
            Record::Settled(transaction, committed) => {
                if let Some(Prepared { part, .. }) = self.prepared.remove(transaction) {
                    self.settled(*transaction, &part, *committed);
                }
            }
            Record::Refused(identity) => {
                self.sessions.remember(*identity, &Reply::Ok(Value::Bool(false)));
            }
        }
    }

    fn settled(&mut self, transaction: u64, part: &Part, committed: bool) {
        let operation = part.tag.operation();
        self.cx.note(Fact::Settled { operation, transaction, committed });
        if !committed || part.changes.is_empty() {
            return;
        }
        for (account, change) in &part.changes {
            *self.balances.entry(account.clone()).or_insert(self.rules.balance) += change;
            // The transfer as a whole is one effect: that of the shard which gives the money.
            if *change < 0 {
                self.cx.effect(part.tag, account, &Value::Integer(*change), transaction);
            }
        }
        if let Some(identity) = part.identity {
            self.sessions.remember(identity, &Reply::Ok(Value::Nil));
        }
    }

    async fn look_around(&mut self) {
        let now_ns = self.cx.now();
        let mut given_up = Vec::new();
        for (transaction, prepared) in &mut self.prepared {
            if now_ns >= prepared.asked_ns + self.rules.inquire_ns {
                prepared.asked_ns = now_ns;
                self.cx.send(COORDINATOR, Wire::Peer(Peer::Inquire(*transaction)));
            }
            let patient = self.rules.give_up_ns.is_none_or(|ns| now_ns < prepared.since_ns + ns);
            if !patient {
                given_up.push(*transaction);
            }
        }
        for transaction in given_up {
            self.settle(transaction, false).await;
        }
    }

    fn note_prepared(&self, transaction: u64, part: &Part) {
        self.cx.note(Fact::Prepared { operation: part.tag.operation(), transaction });
    }

    fn balance(&self, account: &SmolStr) -> i64 {
        self.balances.get(account).copied().unwrap_or(self.rules.balance)
    }

    fn found(&self, part: &Part) -> Vec<(SmolStr, i64)> {
        part.reads.iter().map(|account| (account.clone(), self.balance(account))).collect()
    }

    /// Whether an account would hold less than nothing.
    fn is_short(&self, part: &Part) -> bool {
        part.changes
            .iter()
            .any(|(account, change)| *change < 0 && self.balance(account) + change < 0)
    }
}
