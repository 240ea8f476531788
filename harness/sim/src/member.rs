//! A member of a cluster: a server of the design, or a client that drives it.

use crate::client::Client;
use crate::disk::DiskError;
use crate::node::{Control, Cx, MessageClass, Node, NodeId, Payload, TimerCode};
use crate::wire::Wire;

/// A server or a client, as one type that an engine can carry.
#[expect(clippy::large_enum_variant, reason = "a box would cost a jump at every event")]
pub enum Member<S, P> {
    /// A node of the design.
    Server(S),
    /// A client.
    Client(Client<P>),
}

impl<S, P> Node for Member<S, P>
where
    P: Payload,
    S: Node<Message = Wire<P>>,
{
    type Message = Wire<P>;
    /// A code: each side knows its own.
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => server.start(&mut cx.for_inner()),
            Self::Client(client) => client.start(&mut cx.for_inner()),
        }
    }

    fn on_message(&mut self, from: NodeId, message: Wire<P>, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => server.on_message(from, message, &mut cx.for_inner()),
            Self::Client(client) => client.on_message(from, message, &mut cx.for_inner()),
        }
    }

    fn on_timer(&mut self, timer: u64, cx: &mut Cx<'_, Self>) {
        match self {
            Self::Server(server) => {
                server.on_timer(S::Timer::from_code(timer), &mut cx.for_inner());
            }
            Self::Client(client) => {
                client.on_timer(TimerCode::from_code(timer), &mut cx.for_inner());
            }
        }
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        if let Self::Server(server) = self {
            server.on_synced(tag, result, &mut cx.for_inner());
        }
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        if let Self::Server(server) = self {
            server.on_control(control, &mut cx.for_inner());
        }
    }

    fn class(message: &Wire<P>) -> MessageClass {
        match message {
            Wire::Request(_) => MessageClass::Request,
            Wire::Response(_) => MessageClass::Response,
            Wire::Peer(_) => S::class(message),
        }
    }

    fn timer_text(&self, code: u64) -> String {
        match self {
            Self::Server(server) => server.timer_text(code),
            Self::Client(client) => client.timer_text(code),
        }
    }
}
