//! The smallest cluster that does work: a leader copies what a client asks to its followers.
//!
//! ```text
//!   client ── ask ──▶ leader ── copy ──▶ 4 followers      1 + 4
//!   client ◀─ answer ─  leader ◀─ copied ──                4 + 1      10 messages an operation
//! ```

use serde::{Deserialize, Serialize};
use wrack_history::{Moment, Operation, Outcome, SmolStr, Value};
use wrack_sim::node::Completed;
use wrack_sim::{Cx, DiskError, Node, NodeId};

/// The leader; the followers come behind it.
pub const LEADER: NodeId = NodeId(0);
/// Servers: the leader and its followers.
pub const SERVERS: usize = 5;
/// Who asks.
pub const CLIENT: NodeId = NodeId(SERVERS as u16);

/// What travels, with the number of the operation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Message {
    Ask(u32),
    Copy(u32),
    Copied(u32),
    Answer(u32),
}

/// How much work there is, and how much of the simulator it exercises.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Operations that the client keeps open, at most 64.
    pub outstanding: u32,
    /// Operations in all.
    pub operations: u32,
    /// So many followers must have copied before the leader answers.
    pub quorum: u8,
    /// Whether followers sync every copy, and the client records a history.
    pub recorded: bool,
}

/// A member of the cluster.
pub enum Ping {
    Leader { work: Work, copies: [u8; 64] },
    Follower { recorded: bool },
    Client { work: Work, next: u32 },
}

impl Ping {
    /// The member at this place of the cluster.
    pub fn member(id: NodeId, work: Work) -> Self {
        match id {
            LEADER => Self::Leader { work, copies: [0; 64] },
            CLIENT => Self::Client { work, next: 0 },
            _ => Self::Follower { recorded: work.recorded },
        }
    }
}

impl Node for Ping {
    type Message = Message;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        if let Self::Client { work, next } = self {
            (0..work.outstanding).for_each(|_| ask(work, next, cx));
        }
    }

    #[inline]
    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match (self, message) {
            (Self::Leader { copies, .. }, Message::Ask(number)) => {
                copies[number as usize % 64] = 0;
                for follower in 1..SERVERS as u16 {
                    cx.send(NodeId(follower), Message::Copy(number));
                }
            }
            (Self::Follower { recorded: true }, Message::Copy(number)) => {
                cx.append(&number);
                cx.sync(u64::from(number));
            }
            (Self::Follower { recorded: false }, Message::Copy(number)) => {
                cx.send(from, Message::Copied(number));
            }
            (Self::Leader { work, copies }, Message::Copied(number)) => {
                let copied = &mut copies[number as usize % 64];
                *copied += 1;
                if *copied == work.quorum {
                    cx.send(CLIENT, Message::Answer(number));
                }
            }
            (Self::Client { work, next }, Message::Answer(number)) => {
                if work.recorded {
                    cx.complete(completed(number));
                }
                ask(work, next, cx);
            }
            (_, message) => unreachable!("nobody sends {message:?} here"),
        }
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_synced(&mut self, tag: u64, _: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        cx.send(LEADER, Message::Copied(tag as u32));
    }
}

/// The client's next operation, if there is one.
#[inline]
fn ask(work: &Work, next: &mut u32, cx: &mut Cx<'_, Ping>) {
    if *next < work.operations {
        if work.recorded {
            cx.invoke(invoked(*next));
        }
        cx.send(LEADER, Message::Ask(*next));
        *next += 1;
    }
}

fn invoked(number: u32) -> Operation {
    Operation {
        id: u64::from(number),
        process: 0,
        session: 0,
        key: SmolStr::new_static("k0"),
        function: SmolStr::new_static("write"),
        argument: Value::Integer(i64::from(number)),
        result: Value::Nil,
        outcome: Outcome::Info,
        invoke: Moment::NEVER,
        complete: Moment::NEVER,
        details: None,
    }
}

fn completed(number: u32) -> Completed {
    Completed {
        operation: u64::from(number),
        outcome: Outcome::Ok,
        result: Value::Nil,
        attempts: 1,
        error: SmolStr::default(),
    }
}
