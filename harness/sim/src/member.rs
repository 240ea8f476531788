//! A member of a cluster: a server of the design, or a client that drives it.

use crate::client::Client;
use crate::design::Design;
use crate::disk::DiskError;
use crate::node::{Control, Cx, MessageClass, Node, NodeId, TimerCode};
use crate::wire::Wire;

/// A server or a client, as one type that an engine can carry.
#[expect(clippy::large_enum_variant, reason = "a box would cost a jump at every event")]
pub enum Member<D: Design> {
    /// A node of the design.
    Server(D::Node),
    /// A client.
    Client(Client<D::Peer>),
}

impl<D: Design> Node for Member<D> {
    type Message = Wire<D::Peer>;
    /// A code: each side knows its own.
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => server.start(&mut cx.for_inner()),
            Self::Client(client) => client.start(&mut cx.for_inner()),
        }
    }

    #[inline(always)]
    fn on_message(&mut self, from: NodeId, message: Wire<D::Peer>, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => server.on_message(from, message, &mut cx.for_inner()),
            Self::Client(client) => client.on_message(from, message, &mut cx.for_inner()),
        }
    }

    #[inline(always)]
    fn on_timer(&mut self, timer: u64, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => {
                server.on_timer(TimerCode::from_code(timer), &mut cx.for_inner());
            }
            Self::Client(client) => {
                client.on_timer(TimerCode::from_code(timer), &mut cx.for_inner());
            }
        }
    }

    #[inline(always)]
    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        if let Self::Server(server) = self {
            server.on_synced(tag, result, &mut cx.for_inner());
        }
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => server.on_control(control, &mut cx.for_inner()),
            Self::Client(client) => client.on_control(control, &mut cx.for_inner()),
        }
    }

    fn class(message: &Wire<D::Peer>) -> MessageClass {
        match message {
            Wire::Request(_) => MessageClass::Request,
            Wire::Response(_) => MessageClass::Response,
            Wire::Peer(message) => MessageClass::Peer(D::kind(message)),
        }
    }

    fn timer_text(&self, code: u64) -> String {
        match self {
            Self::Server(server) => server.timer_text(code),
            Self::Client(client) => client.timer_text(code),
        }
    }
}
