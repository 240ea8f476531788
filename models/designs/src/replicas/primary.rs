//! The primary: it orders all writes, and hands them on once they are durable.

use std::sync::Arc;

use wrack_history::Value;
use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Request, Wire};

use super::message::{Message, Peer};
use crate::authority::{Authority, Recall};
use crate::command::is_read;

/// At most so many writes go to a replica at once.
const WRITES_MAX: usize = 1_000;

/// The primary.
pub struct Primary {
    replicas: Vec<NodeId>,
    authority: Authority,
    /// Every write, by position from 1.
    writes: Vec<Arc<Request>>,
    /// The boot of the gateway that asked last. It may be told of a commit that a former boot asked
    /// for: when that is sent, no session has seen anything newer.
    boot: u64,
}

impl Primary {
    /// A primary that has not looked at its disk yet.
    pub fn new(replicas: Vec<NodeId>) -> Self {
        Self { replicas, authority: Authority::default(), writes: Vec::new(), boot: 0 }
    }

    fn asked(&mut self, from: NodeId, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        if is_read(&request.function) {
            let value = self.authority.row(&request.key).value;
            let position = self.authority.version();
            return self.answer(from, (request, value, position), cx);
        }
        match self.authority.recall(&request) {
            Recall::New => self.authority.append(from, request, cx),
            Recall::Committed(position) => {
                self.answer(from, (request, Value::Nil, position), cx);
            }
            Recall::Pending | Recall::Superseded => {}
        }
    }

    fn answer(&self, to: NodeId, told: (Arc<Request>, Value, u64), cx: &mut Cx<'_, Self>) {
        let (request, value, position) = told;
        let boot = self.boot;
        cx.send(to, Wire::Peer(Peer::Answer { request, boot, value, position }));
    }

    fn replicate(&self, to: NodeId, after: u64, cx: &mut Cx<'_, Self>) {
        let writes = self.writes.get(after as usize..).unwrap_or_default();
        let writes = writes[..writes.len().min(WRITES_MAX)].to_vec();
        if !writes.is_empty() {
            cx.send(to, Wire::Peer(Peer::Replicate { after, writes }));
        }
    }
}

impl Node for Primary {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        (self.authority, self.writes) = Authority::recover(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Peer(Peer::Ask { request, boot, .. }) => {
                self.boot = boot;
                self.asked(from, request, cx);
            }
            Wire::Peer(Peer::Pull { after }) => self.replicate(from, after, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        let after = self.writes.len() as u64;
        let commits = self.authority.on_synced(result, cx);
        self.writes.extend(commits.iter().map(|commit| Arc::clone(&commit.request)));
        cx.failpoint("primary.committed");
        for replica in &self.replicas {
            self.replicate(*replica, after, cx);
        }
        for commit in commits {
            self.answer(commit.from, (commit.request, Value::Nil, commit.version), cx);
        }
    }
}
