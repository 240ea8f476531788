//! The engine without its loop: somebody else moves time and messages.
//!
//! What happens to a node is decided and done by the code that [`Engine::run`] uses: disks, clocks,
//! links, pauses, traps, controls. So every fault has one implementation, and means the same
//! whoever carries the nodes. Three things are left to a carrier: what time it is, whose turn it
//! is, and bringing the bytes of a message from one member to another.
//!
//! A link decides when a message arrives, as it does in the simulator. A carrier may bring it
//! earlier, then it waits at its receiver, or later, then it is late; carriers keep the order of
//! the messages of a pair.

use std::ops::{Index, IndexMut};

use serde::Serialize;
use wrack_history::SmolStr;

use super::{Boot, Engine, EngineConfig, Flight, LimitError, Node, NodeId, Place, Timed};
use crate::chance::finish;
use crate::disk::encode;
use crate::queue::{Due, Queue};
use crate::world::{Controller, Observer, Watched};

/// A message in front of the bytes of its content: sender, number and due time.
const HEADER_BYTES: usize = 2 + 8 + 8;

/// What a member has to send: frames in order, one behind the other in the same memory.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// To whom, and where the frame ends.
    frames: Vec<(NodeId, usize)>,
}

impl Outbox {
    /// Hands every frame to `send`, in order, with its receiver: what [`Carried::receive`] takes there.
    pub fn empty(&mut self, mut send: impl FnMut(NodeId, &[u8])) {
        let mut start = 0;
        for (to, end) in self.frames.drain(..) {
            send(to, &self.bytes[start..end]);
            start = end;
        }
        self.bytes.clear();
    }

    /// Puts a message behind the others.
    fn put(&mut self, Flight { from, number, to }: Flight, due_ns: u64, message: &impl Serialize) {
        self.bytes.extend_from_slice(&from.0.to_be_bytes());
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self.bytes.extend_from_slice(&due_ns.to_be_bytes());
        encode(message, &mut self.bytes);
        self.frames.push((to, self.bytes.len()));
    }
}

/// What became of a member's life since it was last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifeChange {
    /// Whose.
    pub member: NodeId,
    /// Whether it runs now; a member that crashed and booted at once changes twice.
    pub is_up: bool,
}

/// Something that is due at a member.
#[derive(Clone, Copy)]
enum Item {
    Message(Place),
    Timed(Timed),
}

/// What waits at one member.
struct Port {
    /// What is due there, and when.
    agenda: Queue<Item>,
    /// What it sends.
    outbox: Outbox,
    /// Whether it ran when the carrier was last told, and how often it had booted by then.
    was_up: bool,
    boots: u32,
    /// Whether its carrier brings messages now.
    is_carried: bool,
    /// Whether something came that its carrier does not know of.
    is_stirred: bool,
}

/// What waits at all members.
struct Ports {
    ports: Vec<Port>,
    /// Those that are stirred.
    stirred: Vec<NodeId>,
}

impl Ports {
    /// Of members that run and that nobody carries yet.
    fn new(members: usize) -> Self {
        let port = |_| Port {
            agenda: Queue::default(),
            outbox: Outbox::default(),
            was_up: true,
            boots: 1,
            is_carried: false,
            is_stirred: false,
        };
        Self { ports: (0..members).map(port).collect(), stirred: Vec::new() }
    }

    fn stir(&mut self, member: NodeId) {
        if !std::mem::replace(&mut self[member].is_stirred, true) {
            self.stirred.push(member);
        }
    }
}

impl Index<NodeId> for Ports {
    type Output = Port;

    fn index(&self, member: NodeId) -> &Port {
        &self.ports[member.index()]
    }
}

impl IndexMut<NodeId> for Ports {
    fn index_mut(&mut self, member: NodeId) -> &mut Port {
        &mut self.ports[member.index()]
    }
}

/// A cluster whose time and messages are moved by a carrier, in one thread.
///
/// Units: every `now_ns` is nanoseconds since the run began. A carrier whose members lag behind
/// each other gets one order all the same: what is executed first happened first, and time never
/// goes back.
pub struct Carried<N: Node, C, O> {
    engine: Engine<N>,
    controller: C,
    observer: O,
    ports: Ports,
    changes: Vec<LifeChange>,
    /// The turnover of the engine for which they are known.
    seen_turnover: u64,
    limit: Option<LimitError>,
}

impl<N: Node, C: Controller, O: Observer> Carried<N, C, O> {
    /// A cluster with all members booted at time 0.
    pub fn new(config: EngineConfig, boot: Boot<N>, controller: C, mut observer: O) -> Self {
        let mut engine = Engine::new(config, boot, &mut observer);
        engine.watched = controller.watched();
        if engine.watched == Watched::Nothing {
            engine.fresh_facts.clear();
        }
        let ports = Ports::new(engine.names.len());
        let (changes, seen_turnover) = (Vec::new(), engine.turnover);
        let mut carried =
            Self { engine, controller, observer, ports, changes, seen_turnover, limit: None };
        carried.attempt(None, |engine, controller, _| {
            engine.tell(controller);
            Ok(())
        });
        carried
    }

    /// The engine: what it knows of members, operations and time.
    pub fn engine(&self) -> &Engine<N> {
        &self.engine
    }

    /// Makes room for so many operations.
    pub fn expect_operations(&mut self, operations: usize) {
        self.engine.expect_operations(operations);
    }

    /// How many members there are: servers, then clients.
    pub fn members(&self) -> usize {
        self.ports.ports.len()
    }

    /// The names of all members.
    pub fn names(&self) -> &[SmolStr] {
        &self.engine.names
    }

    /// Whether a bound was met: the run says nothing, and need not go on.
    pub fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// When something is due at a member next.
    pub fn next_due_ns(&self, member: NodeId) -> Option<u64> {
        let due = self.ports[member].agenda.next_due();
        (due != Due::NEVER).then_some(due.ns)
    }

    /// When [`Carried::manage`] has something to do: the controller wants to act, or something is
    /// due at a member that is down.
    pub fn next_managed_ns(&self) -> u64 {
        let down = self.ports.ports.iter().filter(|port| !port.was_up);
        let down_ns = down.map(|port| port.agenda.next_due().ns).min().unwrap_or(u64::MAX);
        down_ns.min(self.engine.acts_at_ns)
    }

    /// The carrier of a member listens from now on, until the member crashes. Before that nobody would
    /// hear what is sent to it: messages go by themselves.
    pub fn listen(&mut self, member: NodeId) {
        let port = &mut self.ports[member];
        port.is_carried = port.was_up;
    }

    /// What a member has to send. Its carrier sends it in this order.
    pub fn outbox(&mut self, member: NodeId) -> &mut Outbox {
        &mut self.ports[member].outbox
    }

    /// Members for whom something came up while another had its turn; their carriers look again.
    pub fn take_stirred(&mut self, mut stir: impl FnMut(NodeId)) {
        let Ports { ports, stirred } = &mut self.ports;
        for member in stirred.drain(..) {
            ports[member.index()].is_stirred = false;
            stir(member);
        }
    }

    /// Who crashed and booted, in order. Whatever the carrier ran for a member that is down ends.
    pub fn take_changes(&mut self) -> Vec<LifeChange> {
        std::mem::take(&mut self.changes)
    }

    /// It is a member's turn: everything happens that is due there by now.
    pub fn turn(&mut self, member: NodeId, now_ns: u64) {
        self.attempt(Some(member), |engine, controller, ports| {
            engine.catch_up(now_ns, controller)?;
            turn(engine, member, controller, ports)
        });
    }

    /// A frame reaches a member, and waits there until it is due.
    ///
    /// Errors: it is none; whoever listens on real sockets may hear others.
    pub fn receive(&mut self, member: NodeId, frame: &[u8]) -> Result<(), NotAFrame> {
        insert(&mut self.engine, &mut self.ports, member, frame)
    }

    /// Lets the controller act if its time has come, and everything happen that is due at members
    /// that are down: nobody else gives them a turn.
    pub fn manage(&mut self, now_ns: u64) {
        let down = (0..).map(NodeId).zip(&self.ports.ports).filter(|(_, port)| !port.was_up);
        let down: Vec<_> = down.map(|(member, _)| member).collect();
        self.attempt(None, |engine, controller, ports| {
            engine.catch_up(now_ns, controller)?;
            down.iter().try_for_each(|member| turn(engine, *member, controller, ports))
        });
    }

    /// Ends the run at `now_ns`, and gives everything back.
    pub fn finish(mut self, now_ns: u64) -> (Engine<N>, C, O, Option<LimitError>) {
        self.engine.now = self.engine.now.max(now_ns);
        (self.engine, self.controller, self.observer, self.limit)
    }

    /// Does something with the engine, and sorts out what came of it.
    fn attempt(
        &mut self,
        member: Option<NodeId>,
        mut work: impl FnMut(&mut Engine<N>, &mut C, &mut Ports) -> Result<(), LimitError>,
    ) {
        if self.limit.is_some() {
            return;
        }
        let Self { engine, controller, ports, .. } = self;
        let outcome = engine.guarded(|engine| work(engine, controller, ports));
        if let Err(error) = outcome {
            self.limit = Some(self.named(error, member));
        }
        sort_out(&mut self.engine, &mut self.ports, member);
        self.see_changes();
        if !self.engine.effects.facts.noted().is_empty() {
            self.engine.hand_over(&mut self.observer);
        }
    }

    /// The queues of the engine are empty here, so it cannot say who spins: whose turn it is.
    fn named(&self, error: LimitError, member: Option<NodeId>) -> LimitError {
        match (error, member) {
            (LimitError::Spin { ns, .. }, Some(member)) => {
                LimitError::Spin { ns, nodes: self.engine.names[member.index()].to_string() }
            }
            (error, _) => error,
        }
    }

    /// Notices crashes and boots. What a member sent before it crashed is sent: its carrier will
    /// not bring it any more, so it goes by itself.
    fn see_changes(&mut self) {
        if self.engine.turnover == self.seen_turnover {
            return;
        }
        self.seen_turnover = self.engine.turnover;
        for index in 0..self.members() {
            let (member, id) = (&self.engine.members[index], NodeId(index as u16));
            let known = &mut self.ports[id];
            let (is_up, boots) = (member.node.is_some(), member.boots);
            if is_up == known.was_up && boots == known.boots {
                continue;
            }
            if known.was_up {
                self.changes.push(LifeChange { member: id, is_up: false });
            }
            if is_up {
                self.changes.push(LifeChange { member: id, is_up });
            }
            (known.was_up, known.boots, known.is_carried) = (is_up, boots, false);
            let mut outbox = std::mem::take(&mut known.outbox);
            outbox.empty(|to, frame| {
                insert(&mut self.engine, &mut self.ports, to, frame).expect("it is ours");
                self.ports.stir(to);
            });
        }
    }
}

/// Bytes that no member of this run sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no message of this run")]
pub struct NotAFrame;

impl<N: Node> Engine<N> {
    /// Moves time on to `now_ns`, letting the controller act whenever it wants to on the way.
    fn catch_up(&mut self, now_ns: u64, controller: &mut dyn Controller) -> Result<(), LimitError> {
        let now_ns = now_ns.max(self.now);
        while self.acts_at_ns <= now_ns {
            self.advance(self.acts_at_ns.max(self.now))?;
            self.control(controller);
        }
        self.advance(now_ns)
    }
}

/// Everything that is due at a member happens, in the order in which it is due.
fn turn<N: Node>(
    engine: &mut Engine<N>,
    member: NodeId,
    controller: &mut dyn Controller,
    ports: &mut Ports,
) -> Result<(), LimitError> {
    loop {
        sort_out(engine, ports, Some(member));
        let agenda = &mut ports[member].agenda;
        if agenda.next_due().ns > engine.now {
            return Ok(());
        }
        engine.advance(engine.now)?;
        let (due, item) = agenda.pop().expect("it was peeked");
        match item {
            Item::Message(slot) => engine.arrive(slot),
            Item::Timed(timed) => engine.come_due(due, timed),
        }
        if !engine.fresh_facts.is_empty() {
            engine.tell(controller);
        }
    }
}

/// Gives every member what the engine has planned for it, and every sender what it has to send.
///
/// A message goes by itself if its sender or its receiver is down or not carried yet.
fn sort_out<N: Node>(engine: &mut Engine<N>, ports: &mut Ports, turn: Option<NodeId>) {
    while let Some((due, slot)) = engine.messages.pop() {
        let flight = engine.effects.messages.flight(slot);
        let Flight { from, to, .. } = flight;
        let is_carried = |member: NodeId| {
            engine.members[member.index()].node.is_some() && ports[member].is_carried
        };
        let who = if is_carried(from) && is_carried(to) {
            let message = engine.effects.messages.take(slot);
            ports[from].outbox.put(flight, due.ns, &message);
            from
        } else {
            ports[to].agenda.push(due, Item::Message(slot));
            to
        };
        if turn != Some(who) {
            ports.stir(who);
        }
    }
    while let Some((due, timed)) = engine.timed.pop() {
        let (Timed::Timer(member, _) | Timed::Synced(member, _) | Timed::Return(member, _)) = timed;
        ports[member].agenda.push(due, Item::Timed(timed));
        if turn != Some(member) {
            ports.stir(member);
        }
    }
}

/// Puts a message back, at its receiver.
fn insert<N: Node>(
    engine: &mut Engine<N>,
    ports: &mut Ports,
    to: NodeId,
    frame: &[u8],
) -> Result<(), NotAFrame> {
    let (header, content) = frame.split_at_checked(HEADER_BYTES).ok_or(NotAFrame)?;
    let (from, times) = header.split_at(2);
    let word = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("it is as long as that"));
    let from = NodeId(u16::from_be_bytes(from.try_into().expect("it is as long as that")));
    let (number, due_ns) = (word(&times[..8]), word(&times[8..]));
    if from.index() >= ports.ports.len() {
        return Err(NotAFrame);
    }
    let message = postcard::from_bytes(content).map_err(|_| NotAFrame)?;
    let slot = engine.effects.messages.insert(message);
    engine.effects.messages.dispatch(slot, Flight { number, from, to });
    // The tie is a draw of its own, the same on every carrier.
    let due = Due::new(due_ns, finish(number) as u32, engine.next_sequence());
    ports[to].agenda.push(due, Item::Message(slot));
    Ok(())
}
