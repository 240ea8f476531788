//! The gateway: it knows how far each session has seen, and sends reads where that much is known.
//!
//! ```text
//! read ─▶ any replica ─▶ has it got as far as the session? ─▶ answer
//!                                    └ no ─▶ the primary
//! ```
//! The token of a session is a position in the primary's order, of all keys together: the last one
//! that it wrote, or as of which it read. It is in memory. A gateway that boots knows no session, and a
//! session that is not known is served by the primary, which has seen everything; answers to what a
//! former boot asked teach nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_sim::{Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::message::{Message, Peer};
use crate::command::is_read;

/// Where reads go, and what sessions remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// To any replica that has got as far as the session has seen.
    Token,
    /// The variant `forgets_what_it_read`: a session remembers what it wrote.
    WrittenToken,
    /// The variant `random_replica`: to any replica.
    Anywhere,
    /// The variant `sticky_only`: to the session's own replica, whatever it has.
    Sticky,
}

/// The gateway.
pub struct Gateway {
    sessions: Sessions,
    primary: NodeId,
    replicas: Vec<NodeId>,
    /// How far each client has seen.
    tokens: BTreeMap<NodeId, u64>,
    /// A number of this boot's own.
    boot: u64,
}

impl Gateway {
    /// A gateway that knows no session.
    pub fn new(sessions: Sessions, primary: NodeId, replicas: Vec<NodeId>) -> Self {
        Self { sessions, primary, replicas, tokens: BTreeMap::new(), boot: 0 }
    }

    /// Whom to ask for a read, and what it must have.
    fn route(&self, client: NodeId, cx: &mut Cx<'_, Self>) -> (NodeId, u64) {
        let replicas = self.replicas.len() as u64;
        let any = self.replicas[cx.random().below(replicas) as usize];
        match self.sessions {
            Sessions::Token | Sessions::WrittenToken => match self.tokens.get(&client) {
                Some(token) => (any, *token),
                None => (self.primary, 0),
            },
            Sessions::Anywhere => (any, 0),
            Sessions::Sticky => (self.replicas[client.index() % self.replicas.len()], 0),
        }
    }

    fn ask(&self, (to, at_least): (NodeId, u64), request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        let boot = self.boot;
        cx.send(to, Wire::Peer(Peer::Ask { request, boot, at_least }));
    }

    /// The session has seen what there was at this position.
    fn learn(&mut self, request: &Request, position: u64) {
        let token = self.tokens.entry(request.client).or_default();
        if self.sessions != Sessions::WrittenToken || !is_read(&request.function) {
            *token = (*token).max(position);
        }
    }
}

impl Node for Gateway {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.boot = cx.random().below(u64::MAX);
    }

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) if is_read(&request.function) => {
                let route = self.route(request.client, cx);
                self.ask(route, request, cx);
            }
            Wire::Request(request) => self.ask((self.primary, 0), request, cx),
            Wire::Peer(Peer::Behind { request, boot }) if boot == self.boot => {
                self.ask((self.primary, 0), request, cx);
            }
            Wire::Peer(Peer::Answer { request, boot, value, position }) if boot == self.boot => {
                self.learn(&request, position);
                let number = request.number;
                let reply = Reply::Ok(value);
                cx.send(request.client, Wire::Response(Response { number, reply }));
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}
}
