//! The database: it commits, and tells who may have cached what has changed.
//!
//! ```text
//! append ─▶ sync ─▶ announce to every app ─▶ answer the writer
//! ```
//! The announcements are a function of the log: a database that boots has them all again, and an app
//! that missed some asks for them by number. Nothing that was committed can stay unannounced.

use std::sync::Arc;

use wrack_sim::disk::DiskError;
use wrack_sim::{Cx, Node, NodeId, Request, Wire};

use super::class::Class;
use super::message::{Message, News, Peer};
use crate::authority::{Authority, Change, Recall};

/// When the database tells apps what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announces {
    /// Once it is committed.
    Committed,
    /// The variant `invalidate_before_commit`: when it is about to be.
    Early,
    /// The variant `no_invalidation`.
    Never,
}

/// What the database is told at its boot.
#[derive(Clone, Debug)]
pub struct Rules {
    /// When it announces.
    pub announces: Announces,
    /// Whether there are keys of the class `quiet`.
    pub quiet_keys: bool,
    /// Whom it tells.
    pub apps: Vec<NodeId>,
}

/// The database.
pub struct Database {
    rules: Rules,
    authority: Authority,
    /// What was announced, by number from 1.
    announced: Vec<Change>,
}

impl Database {
    /// A database that has not looked at its disk yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, authority: Authority::default(), announced: Vec::new() }
    }

    fn commit(&mut self, from: NodeId, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        match self.authority.recall(&request) {
            Recall::New => {
                if self.rules.announces == Announces::Early {
                    // All that it knows now is which version will be replaced.
                    let version = self.authority.version();
                    self.announce(Change { key: request.key.clone(), version }, cx);
                }
                cx.failpoint("database.received");
                self.authority.append(from, request, cx);
            }
            Recall::Committed(version) => {
                cx.sometimes("a retried write is recognised");
                cx.send(from, Wire::Peer(Peer::Committed(request, version)));
            }
            Recall::Pending | Recall::Superseded => {}
        }
    }

    fn is_announced(&self, change: &Change) -> bool {
        self.rules.announces != Announces::Never
            && Class::of(&change.key, self.rules.quiet_keys) == Class::Announced
    }

    fn announce(&mut self, change: Change, cx: &mut Cx<'_, Self>) {
        if !self.is_announced(&change) {
            return;
        }
        self.announced.push(change.clone());
        let number = self.announced.len() as u64;
        for app in &self.rules.apps {
            cx.send(*app, Wire::Peer(Peer::Invalidation(number, change.clone())));
        }
    }

    fn news(&self, after: Option<u64>, asked_ns: u64) -> Peer {
        let upto = self.announced.len() as u64;
        let changes = after.and_then(|after| self.announced.get(after as usize..));
        let (as_of, changes) = (self.authority.version(), changes.unwrap_or_default().to_vec());
        Peer::News(News { after, asked_ns, upto, as_of, changes })
    }
}

impl Node for Database {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let (authority, writes) = Authority::recover(cx);
        self.authority = authority;
        let changes = (1..)
            .zip(writes)
            .map(|(version, request)| Change { key: request.key.clone(), version });
        self.announced = changes.filter(|change| self.is_announced(change)).collect();
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        let Wire::Peer(peer) = message else { return };
        match peer {
            Peer::Commit(request) => self.commit(from, request, cx),
            Peer::Fetch { request, asked_ns } => {
                let (row, as_of) = (self.authority.row(&request.key), self.authority.version());
                cx.send(from, Wire::Peer(Peer::Fetched { request, asked_ns, row, as_of }));
            }
            Peer::Watch { after, asked_ns } => {
                cx.send(from, Wire::Peer(self.news(after, asked_ns)));
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, _: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        for commit in self.authority.on_synced(result, cx) {
            let (key, version) = (commit.request.key.clone(), commit.version);
            cx.failpoint("database.committed");
            if self.rules.announces == Announces::Committed {
                self.announce(Change { key, version }, cx);
            }
            cx.failpoint("database.announced");
            cx.send(commit.from, Wire::Peer(Peer::Committed(commit.request, version)));
        }
    }
}
