//! The coordinator: it asks, decides, writes the decision down, and tells it until everybody knows.
//!
//! ```text
//! Prepare ──▶ all votes yes ──▶ { commit } fsync ──▶ ok to the client, Decision ──▶ all acknowledged
//!    └── a vote against, or none in time ──▶ abort: nothing is written
//! ```
//! Only commits are written down. Of a transaction that it does not know it says that it was aborted:
//! its numbers begin with that of a boot, which is durable before the first is used, so no number comes
//! twice, and one that was not written down was never told to anybody.
//! Source: Mohan, Lindsay, Obermarck 1986 (presumed abort).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};
use wrack_sim::{FlowContext, NodeId, Reply, Request, Response, Wire};

use super::Rules;
use super::message::{Message, Part, Peer, Vote};
use crate::command::is_read;

/// One record of the log.
#[derive(Serialize, Deserialize)]
enum Record {
    /// A boot: the numbers of its transactions begin with this.
    Epoch(u64),
    /// The transaction is committed, and these shards must learn it.
    Commit(u64, Vec<NodeId>),
    /// All of them know.
    End(u64),
}

/// How often a transaction begins anew before its client is told that nobody knows.
const TRIES_MAX: u32 = 12;

/// A transaction that is not decided.
struct Running {
    request: Arc<Request>,
    parts: BTreeMap<NodeId, Arc<Part>>,
    votes: BTreeMap<NodeId, Vote>,
    began_ns: u64,
    tries: u32,
}

/// A committed one that somebody may not know of.
struct Committed {
    waiting: BTreeSet<NodeId>,
    /// Whether it changes anything, as far as is known since the boot.
    changes: bool,
    told_ns: u64,
}

struct Coordinator {
    cx: FlowContext<Message>,
    rules: Rules,
    epoch: u64,
    /// How many transactions this boot has begun.
    count: u64,
    running: BTreeMap<u64, Running>,
    committed: BTreeMap<u64, Committed>,
    /// Requests that wait before they are tried again: when, and how often they were.
    again: Vec<(u64, u32, Arc<Request>)>,
}

/// The coordinator, as a flow: one batch after the other, and a look around in between.
pub async fn coordinator(cx: FlowContext<Message>, rules: Rules) {
    let mut this = Coordinator {
        cx,
        rules,
        epoch: 0,
        count: 0,
        running: BTreeMap::new(),
        committed: BTreeMap::new(),
        again: Vec::new(),
    };
    this.recover().await;
    loop {
        let batch = this.cx.within(rules.tick_ns, this.cx.recv_all()).await;
        let mut ready = Vec::new();
        for (from, message) in batch.unwrap_or_default() {
            ready.extend(this.hear(from, message));
        }
        this.commit(ready).await;
        this.look_around();
    }
}

impl Coordinator {
    async fn recover(&mut self) {
        if self.rules.volatile_coordinator {
            // It has nothing to go on from, so it takes any number.
            self.epoch = self.cx.random(|stream| 1 + stream.below(1 << 30));
            return;
        }
        let log = self.cx.recover::<Record>();
        if log.torn {
            self.cx.truncate(log.records.len());
        }
        for record in log.records {
            match record {
                Record::Epoch(epoch) => self.epoch = epoch,
                Record::Commit(transaction, parties) => {
                    let waiting = parties.into_iter().collect();
                    self.committed
                        .insert(transaction, Committed { waiting, changes: true, told_ns: 0 });
                }
                Record::End(transaction) => _ = self.committed.remove(&transaction),
            }
        }
        if !self.committed.is_empty() {
            self.cx.sometimes("a coordinator that comes back finds a commit to tell");
        }
        self.epoch += 1;
        loop {
            self.cx.append(&Record::Epoch(self.epoch));
            if self.cx.sync().await.is_ok() {
                return;
            }
            self.cx.sleep(self.rules.tick_ns).await;
        }
    }

    /// Takes a message; gives the transaction that can be committed now.
    fn hear(&mut self, from: NodeId, message: Message) -> Option<u64> {
        match message {
            Wire::Request(request) => self.ask(request),
            Wire::Peer(Peer::Vote(transaction, vote)) => return self.vote(from, transaction, vote),
            Wire::Peer(Peer::Acknowledge(transaction)) => self.acknowledged(from, transaction),
            Wire::Peer(Peer::Inquire(transaction)) => self.answer(from, transaction),
            _ => {}
        }
        None
    }

    /// A retry of what is under way changes nothing.
    fn ask(&mut self, request: Arc<Request>) {
        let same =
            |other: &Request| (other.client, other.number) == (request.client, request.number);
        let known = self.running.values().any(|running| same(&running.request))
            || self.again.iter().any(|(_, _, other)| same(other));
        if !known {
            self.begin(request, 0);
        }
    }

    fn begin(&mut self, request: Arc<Request>, tries: u32) {
        let Some(parts) = self.rules.parts(&request) else {
            let why =
                SmolStr::new_static("a transfer takes [from, to, amount], a read its accounts");
            return self.respond(&request, Reply::Fail(why));
        };
        self.count += 1;
        let transaction = (self.epoch << 32) | self.count;
        for (shard, part) in &parts {
            self.cx.send(*shard, Wire::Peer(Peer::Prepare(transaction, Arc::clone(part))));
        }
        let (votes, began_ns) = (BTreeMap::new(), self.cx.now());
        self.running.insert(transaction, Running { request, parts, votes, began_ns, tries });
    }

    fn vote(&mut self, from: NodeId, transaction: u64, vote: Vote) -> Option<u64> {
        let running = self.running.get_mut(&transaction)?;
        if running.votes.len() == running.parts.len() {
            // All have voted, and the commit is about to be written: this is a copy.
            return None;
        }
        match vote {
            Vote::Yes(_) | Vote::Done(_) => {
                running.votes.insert(from, vote);
                if running.votes.len() < running.parts.len() {
                    return None;
                }
                let yes = |vote: &&Vote| matches!(vote, Vote::Yes(_));
                match running.votes.values().filter(yes).count() {
                    yes if yes == running.parts.len() => return Some(transaction),
                    0 => self.done_before(transaction),
                    // Somebody carried it out a moment ago, and somebody will.
                    _ => self.try_again(transaction),
                }
            }
            Vote::Busy => self.try_again(transaction),
            Vote::Refused => {
                let running = self.abort(transaction);
                self.respond(&running.request, Reply::Ok(Value::Bool(false)));
            }
            Vote::Stale => drop(self.abort(transaction)),
        }
        None
    }

    fn done_before(&mut self, transaction: u64) {
        self.cx.sometimes("a retried transaction is recognised");
        let running = self.running.remove(&transaction).expect("it was running");
        if let Some(Vote::Done(reply)) = running.votes.values().next() {
            self.respond(&running.request, reply.clone());
        }
    }

    /// Nobody has promised anything in vain: all are told to drop it, or will ask.
    fn abort(&mut self, transaction: u64) -> Running {
        let running = self.running.remove(&transaction).expect("it was running");
        for shard in running.parts.keys() {
            self.cx.send(*shard, Wire::Peer(Peer::Decision(transaction, false)));
        }
        running
    }

    fn try_again(&mut self, transaction: u64) {
        let Running { request, tries, .. } = self.abort(transaction);
        if tries >= TRIES_MAX {
            self.cx.sometimes("a transaction met locks too often");
            return self
                .respond(&request, Reply::Unknown(SmolStr::new_static("accounts are busy")));
        }
        let longest_ns = self.rules.tick_ns << tries.min(4);
        let wait_ns = self.cx.random(|stream| stream.between(longest_ns / 4, longest_ns));
        self.again.push((self.cx.now() + wait_ns, tries + 1, request));
    }

    /// Decides, and tells it once the decision is durable.
    async fn commit(&mut self, ready: Vec<u64>) {
        if ready.is_empty() {
            return;
        }
        self.cx.failpoint("coordinator.prepared");
        if !self.rules.volatile_coordinator {
            for transaction in &ready {
                let parties = self.running[transaction].parts.keys().copied().collect();
                self.cx.append(&Record::Commit(*transaction, parties));
            }
            if self.cx.sync().await.is_err() {
                // The disk has dropped what was appended, and nobody was told.
                ready.into_iter().for_each(|transaction| self.try_again(transaction));
                return;
            }
        }
        self.cx.failpoint("coordinator.decided");
        for transaction in ready {
            let running = self.running.remove(&transaction).expect("it was running");
            let (waiting, told_ns) = (running.parts.keys().copied().collect(), self.cx.now());
            let changes = !is_read(&running.request.function);
            let committed = Committed { waiting, changes, told_ns };
            self.tell(transaction, &committed);
            self.committed.insert(transaction, committed);
            self.respond(&running.request, Reply::Ok(result(&running)));
        }
    }

    fn tell(&self, transaction: u64, committed: &Committed) {
        for (place, shard) in committed.waiting.iter().enumerate() {
            if place == 1 && committed.changes {
                self.cx.failpoint("coordinator.told_one");
            }
            self.cx.send(*shard, Wire::Peer(Peer::Decision(transaction, true)));
        }
    }

    fn acknowledged(&mut self, from: NodeId, transaction: u64) {
        let Some(committed) = self.committed.get_mut(&transaction) else {
            return;
        };
        committed.waiting.remove(&from);
        if committed.waiting.is_empty() {
            self.committed.remove(&transaction);
            if !self.rules.volatile_coordinator {
                // It may be lost: then all are told once more.
                self.cx.append(&Record::End(transaction));
            }
        }
    }

    /// What is neither committed nor running was aborted.
    fn answer(&self, from: NodeId, transaction: u64) {
        let committed = self.committed.contains_key(&transaction);
        let ours = transaction >> 32 == self.epoch;
        let unknown = self.rules.volatile_coordinator && !ours;
        if !committed && (unknown || self.running.contains_key(&transaction)) {
            return;
        }
        self.cx.send(from, Wire::Peer(Peer::Decision(transaction, committed)));
    }

    fn look_around(&mut self) {
        let now_ns = self.cx.now();
        let is_late = |running: &Running| now_ns >= running.began_ns + self.rules.prepare_ns;
        let late = self.running.iter().filter(|(_, running)| is_late(running));
        let late: Vec<u64> = late.map(|(transaction, _)| *transaction).collect();
        late.into_iter().for_each(|transaction| self.try_again(transaction));
        let (due, later) =
            std::mem::take(&mut self.again).into_iter().partition(|(due_ns, ..)| *due_ns <= now_ns);
        self.again = later;
        for (_, tries, request) in due {
            self.begin(request, tries);
        }
        let mut committed = std::mem::take(&mut self.committed);
        for (transaction, committed) in &mut committed {
            if now_ns >= committed.told_ns + self.rules.prepare_ns {
                committed.told_ns = now_ns;
                self.tell(*transaction, committed);
            }
        }
        self.committed = committed;
    }

    fn respond(&self, request: &Request, reply: Reply) {
        let number = request.number;
        self.cx.send(request.client, Wire::Response(Response { number, reply }));
    }
}

/// What the client is answered: the balances in the order in which it asked for them.
fn result(running: &Running) -> Value {
    let request = &running.request;
    if !is_read(&request.function) {
        return Value::Nil;
    }
    let found: BTreeMap<&SmolStr, i64> = running
        .votes
        .values()
        .flat_map(|vote| match vote {
            Vote::Yes(balances) => balances.as_slice(),
            _ => &[],
        })
        .map(|(account, balance)| (account, *balance))
        .collect();
    let accounts = request.argument.as_list().unwrap_or_default();
    Value::list(accounts.iter().map(|account| {
        let balance = found[&super::account_name(&request.key, account)];
        Value::pair(account.clone(), balance.into())
    }))
}
