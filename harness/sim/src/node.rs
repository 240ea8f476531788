//! The waist: a node is a pure reaction, without thread, socket, file, clock or chance of its own.
//!
//! A callback reads its [`Context`] and leaves one ordered list of effects in it. Whoever carries
//! the node (the simulator, turmoil, madsim, real sockets) carries out that list; a node cannot
//! tell the difference.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::Location;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slab::Slab;
use wrack_history::{Fact, FactRecord, NodeIndex, Operation, Outcome, Settings, SmolStr, Value};

use crate::chance::Stream;
use crate::clock::Reading;
use crate::disk::{self, Disk, DiskError};

/// A place in somebody's source, without the folders above its package.
fn place_in_source(place: &Location<'_>) -> SmolStr {
    let file = place.file();
    let within = file.rfind("/src/").map_or(file, |start| &file[start + 1..]);
    format!("{within}:{}", place.line()).into()
}

/// A node's position in its cluster: servers first, then clients.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct NodeId(pub NodeIndex);

impl NodeId {
    /// The position as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What can travel between nodes: plain data that can be copied, shown and written down.
pub trait Payload: Clone + Debug + Serialize + DeserializeOwned + 'static {}

impl<M: Clone + Debug + Serialize + DeserializeOwned + 'static> Payload for M {}

/// Which way a message goes, for faults that treat requests and responses apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageClass {
    /// Between nodes: the design's own name for this kind, such as `invalidation`; empty if it
    /// gives it none.
    Peer(&'static str),
    /// From a client.
    Request,
    /// To a client.
    Response,
}

/// A member of a cluster, as a pure reaction to what happens to it.
///
/// Every boot makes a fresh value: what is not on the disk is forgotten.
pub trait Node {
    /// What nodes send each other.
    type Message: Payload;
    /// What a timer is for; arming the same one again moves it.
    type Timer: TimerCode;

    /// The node boots: the disk is as the last crash left it.
    fn start(&mut self, cx: &mut Context<'_, Self::Message, Self::Timer>);

    /// A message arrives.
    fn on_message(
        &mut self,
        from: NodeId,
        message: Self::Message,
        cx: &mut Context<'_, Self::Message, Self::Timer>,
    );

    /// A timer that was armed is due.
    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Context<'_, Self::Message, Self::Timer>);

    /// A sync came back. After an error everything that was not durable is gone from the disk.
    fn on_synced(
        &mut self,
        tag: u64,
        result: Result<(), DiskError>,
        cx: &mut Context<'_, Self::Message, Self::Timer>,
    ) {
        let _ = (tag, result, cx);
    }

    /// Somebody outside asks something of the node: at the moment it is asked, again whenever the
    /// node boots while it holds, and once more when it is over.
    fn on_control(&mut self, control: &Control, cx: &mut Context<'_, Self::Message, Self::Timer>) {
        let _ = (control, cx);
    }

    /// Which way a message goes, and of what kind it is.
    fn class(message: &Self::Message) -> MessageClass {
        let _ = message;
        MessageClass::Peer("")
    }

    /// A timer in words, for a trace.
    fn timer_text(&self, code: u64) -> String {
        format!("{:?}", Self::Timer::from_code(code))
    }
}

/// What an operator, a deployment or a load asks of a node, by a name that its design declares:
/// `evict`, `ttl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its name.
    pub name: &'static str,
    /// With what, all filled in.
    pub settings: Settings,
    /// Whether it no longer holds.
    pub is_over: bool,
}

/// What a timer is for, as a number that is unique within its node. Write the enum with
/// [`timers!`](crate::timers).
pub trait TimerCode: Copy + Debug + 'static {
    /// As a number.
    fn code(self) -> u64;
    /// From the number that [`TimerCode::code`] gave.
    fn from_code(code: u64) -> Self;
}

impl TimerCode for u64 {
    fn code(self) -> u64 {
        self
    }

    fn from_code(code: u64) -> Self {
        code
    }
}

/// Declares what the timers of a node are for, as an enum without fields.
#[macro_export]
macro_rules! timers {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $crate::node::TimerCode for $name {
            fn code(self) -> u64 {
                self as u64
            }

            fn from_code(code: u64) -> Self {
                *[$(Self::$variant),+].get(code as usize).expect("the code is one of ours")
            }
        }
    };
}

/// Declares the nodes of a design, where they are of several types, as one type that is a [`Node`]: an
/// enum that hands everything on to whichever it holds.
#[macro_export]
macro_rules! nodes {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident: $message:ty {
        $($(#[$variant_doc:meta])* $variant:ident($node:ty)),+ $(,)?
    }) => {
        $(#[$doc])*
        $visibility enum $name { $($(#[$variant_doc])* $variant($node)),+ }

        impl $crate::Node for $name {
            type Message = $message;
            /// A code: each kind of node knows its own.
            type Timer = u64;

            fn start(&mut self, cx: &mut $crate::Cx<'_, Self>) {
                match self { $(Self::$variant(node) => node.start(&mut cx.for_inner())),+ }
            }

            fn on_message(
                &mut self,
                from: $crate::NodeId,
                message: $message,
                cx: &mut $crate::Cx<'_, Self>,
            ) {
                match self {
                    $(Self::$variant(node) => node.on_message(from, message, &mut cx.for_inner())),+
                }
            }

            fn on_timer(&mut self, timer: u64, cx: &mut $crate::Cx<'_, Self>) {
                use $crate::node::TimerCode;
                match self {
                    $(Self::$variant(node) => {
                        node.on_timer(TimerCode::from_code(timer), &mut cx.for_inner());
                    })+
                }
            }

            fn on_synced(
                &mut self,
                tag: u64,
                result: Result<(), $crate::DiskError>,
                cx: &mut $crate::Cx<'_, Self>,
            ) {
                match self {
                    $(Self::$variant(node) => node.on_synced(tag, result, &mut cx.for_inner())),+
                }
            }

            fn on_control(&mut self, control: &$crate::Control, cx: &mut $crate::Cx<'_, Self>) {
                match self {
                    $(Self::$variant(node) => node.on_control(control, &mut cx.for_inner())),+
                }
            }

            fn timer_text(&self, code: u64) -> String {
                match self { $(Self::$variant(node) => node.timer_text(code)),+ }
            }
        }
    };
}

/// The context of a node's callbacks.
pub type Cx<'a, N> = Context<'a, <N as Node>::Message, <N as Node>::Timer>;

/// Names an operation for the harness. A design carries it along and hands it back in
/// [`Context::effect`]; it cannot compare it, so it cannot recognise a retry by it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Tag(pub(crate) u64);

impl Tag {
    /// The tag of an operation. For clients and drivers, never for designs.
    pub fn of(operation: u64) -> Self {
        Self(operation)
    }

    /// The operation that it names. For drivers and facts, never for a decision of a design.
    pub fn operation(self) -> u64 {
        self.0
    }
}

/// What a callback asks of the world; larger parts stand beside the list, in [`Effects`].
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a message.
    Send {
        /// To whom.
        to: NodeId,
        /// What: its place in [`Effects::messages`].
        message: Place,
    },
    /// Arm a timer, or move it.
    Arm {
        /// What it is for, as a code.
        timer: u64,
        /// How long from now, on the node's monotonic clock.
        after_ns: u64,
    },
    /// Disarm a timer, if it is armed.
    Disarm {
        /// What it is for, as a code.
        timer: u64,
    },
    /// Append a record.
    Append(Bytes),
    /// Write a named cell.
    Put(&'static str, Bytes),
    /// Keep the first records only.
    Truncate(usize),
    /// Forget the first records.
    Discard(usize),
    /// Make durable what was appended before.
    Sync {
        /// Comes back in `on_synced`.
        tag: u64,
    },
    /// Note the next one of [`Effects::facts`].
    Note,
    /// A place where a crash or pause may cut the list.
    Failpoint(&'static str),
    /// The control of this name touched so much.
    Touch(&'static str, u64),
    /// A client invokes the operation at this place of [`Effects::operations`].
    Invoke(Place),
    /// A client completes the operation at this place of [`Effects::completions`].
    Complete(Place),
}

/// A range of [`Effects::bytes`].
pub type Bytes = Range<u32>;

/// Where a part of [`Effects`] stands among its kind.
pub type Place = u32;

/// Parts of a kind, to be taken in their order.
///
/// Each stands in a cell, because whether there is one then has a mark of its own and is not one more kind of
/// part: a part moves in one piece, and not its kind apart from the rest, which whoever reads it next would
/// have to wait for.
pub struct Parts<T> {
    left: VecDeque<Cell<T>>,
    taken: Place,
}

impl<T> Parts<T> {
    fn push(&mut self, part: T) -> Place {
        self.left.push_back(Cell::new(part));
        self.taken + self.left.len() as Place - 1
    }

    /// Takes the part at a place.
    ///
    /// # Panics
    /// If it is not the next one.
    #[inline]
    pub fn take(&mut self, place: Place) -> T {
        assert_eq!(place, self.taken, "parts are taken in order");
        self.taken += 1;
        self.left.pop_front().expect("each part is taken once").into_inner()
    }

    #[inline]
    fn clear(&mut self) {
        self.taken = 0;
        if !self.left.is_empty() {
            self.left.clear();
        }
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { left: VecDeque::new(), taken: 0 }
    }
}

/// Facts that were noted, and behind them those that callbacks ask to be noted: none of them moves until an
/// observer has seen it.
#[derive(Debug, Default)]
pub struct Facts {
    records: Vec<FactRecord>,
    noted: usize,
}

impl Facts {
    pub(crate) fn push(&mut self, node: NodeId, fact: Fact) {
        self.records.push(FactRecord { ns: 0, node: node.0, fact });
    }

    /// Notes the next one, at this true time.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub(crate) fn note(&mut self, ns: u64) -> &FactRecord {
        let record = &mut self.records[self.noted];
        self.noted += 1;
        record.ns = ns;
        record
    }

    /// Those that were noted.
    #[inline]
    pub(crate) fn noted(&self) -> &[FactRecord] {
        &self.records[..self.noted]
    }

    /// Whether none is left to be noted.
    pub(crate) fn are_noted(&self) -> bool {
        self.noted == self.records.len()
    }

    /// Takes those that were noted.
    pub(crate) fn drain_noted(&mut self) -> impl Iterator<Item = FactRecord> {
        self.records.drain(..std::mem::take(&mut self.noted))
    }

    /// Takes those that have yet to be noted.
    fn split_off(&mut self) -> Self {
        Self { records: self.records.split_off(self.noted), noted: 0 }
    }

    /// Takes all that have yet to be noted, in order.
    pub fn into_rest(mut self) -> impl Iterator<Item = Fact> {
        self.split_off().records.into_iter().map(|record| record.fact)
    }

    /// Forgets those that have yet to be noted.
    #[inline]
    fn clear(&mut self) {
        self.records.truncate(self.noted);
    }
}

/// What is known of a message that is under way.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flight {
    pub number: u64,
    pub from: NodeId,
    pub to: NodeId,
}

/// Messages from when they are sent until somebody takes them, without moving in between; in cells, as
/// [`Parts`] are.
pub struct Messages<M>(Slab<(Flight, Cell<M>)>);

impl<M> Messages<M> {
    #[inline]
    pub(crate) fn insert(&mut self, message: M) -> Place {
        self.0.insert((Flight::default(), Cell::new(message))) as Place
    }

    /// Takes the message at a place.
    ///
    /// # Panics
    /// If it was taken before.
    #[inline]
    pub fn take(&mut self, place: Place) -> M {
        self.0.remove(place as usize).1.into_inner()
    }

    /// The message at a place.
    #[inline]
    pub(crate) fn get(&mut self, place: Place) -> &M {
        self.0[place as usize].1.get_mut()
    }

    /// What is known of the message at a place.
    #[inline]
    pub(crate) fn flight(&self, place: Place) -> Flight {
        self.0[place as usize].0
    }

    /// The message at a place is under way.
    #[inline]
    pub(crate) fn dispatch(&mut self, place: Place, flight: Flight) {
        self.0[place as usize].0 = flight;
    }

    /// How many were not taken yet.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<M> Default for Messages<M> {
    fn default() -> Self {
        Self(Slab::new())
    }
}

/// How a client completes an operation.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The operation.
    pub operation: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What the client learned.
    pub result: Value,
    /// How many times it tried.
    pub attempts: u32,
    /// Why it did not end `ok`; empty if it did.
    pub error: SmolStr,
}

/// The ordered list of effects of one callback, with the larger parts beside it.
pub struct Effects<M> {
    /// The list.
    pub list: Vec<Effect>,
    /// Messages, by [`Effect::Send`]: also those of earlier callbacks that are still under way.
    pub messages: Messages<M>,
    /// Facts, by [`Effect::Note`]: also those of earlier callbacks that no observer has seen yet.
    pub facts: Facts,
    /// Records and cells, by [`Effect::Append`] and [`Effect::Put`].
    pub bytes: Vec<u8>,
    /// Operations, by [`Effect::Invoke`].
    pub operations: Parts<Operation>,
    /// Completions, by [`Effect::Complete`].
    pub completions: Parts<Completed>,
    /// Whether failpoints stand in the list: whoever has no traps set need not look at them.
    pub failpoints_wanted: bool,
    /// How often the callback read the monotonic clock.
    pub now_reads: Cell<u32>,
    /// How often it read the wall clock.
    pub wall_reads: Cell<u32>,
}

impl<M> Default for Effects<M> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            messages: Messages::default(),
            facts: Facts::default(),
            bytes: Vec::new(),
            operations: Parts::default(),
            completions: Parts::default(),
            failpoints_wanted: true,
            now_reads: Cell::new(0),
            wall_reads: Cell::new(0),
        }
    }
}

impl<M> Effects<M> {
    /// Forgets everything that is left of the callback, and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        if !self.list.is_empty() {
            self.discard_messages();
            self.list.clear();
        }
        self.facts.clear();
        self.bytes.clear();
        self.operations.clear();
        self.completions.clear();
        self.take_clock_reads();
    }

    /// Everything was carried out: only the memory is left.
    #[inline]
    pub(crate) fn carried_out(&mut self, list: Vec<Effect>) {
        self.list = list;
        self.list.clear();
        self.bytes.clear();
        self.operations.taken = 0;
        self.completions.taken = 0;
        debug_assert!(self.facts.are_noted(), "every fact is noted");
        debug_assert!(self.operations.left.is_empty() && self.completions.left.is_empty());
    }

    /// Takes the messages that the list still sends.
    fn discard_messages(&mut self) {
        for effect in &self.list {
            if let Effect::Send { message, .. } = effect {
                drop(self.messages.take(*message));
            }
        }
    }

    /// Takes out this rest of the list, with all parts but the messages and what was noted, which stay where
    /// they are.
    pub(crate) fn split_off(&mut self, list: Vec<Effect>) -> Self {
        let facts = self.facts.split_off();
        let kept = Self {
            messages: std::mem::take(&mut self.messages),
            facts: std::mem::take(&mut self.facts),
            ..Self::default()
        };
        Self { list, facts, ..std::mem::replace(self, kept) }
    }

    /// Puts back what was split off.
    pub(crate) fn restore(&mut self, mut rest: Self) {
        self.facts.records.append(&mut rest.facts.records);
        *self = Self {
            messages: std::mem::take(&mut self.messages),
            facts: std::mem::take(&mut self.facts),
            ..rest
        };
    }

    /// How often the callback read the monotonic clock and the wall clock; counting starts anew.
    pub fn take_clock_reads(&self) -> (u32, u32) {
        (self.now_reads.take(), self.wall_reads.take())
    }
}

/// A node's random stream, made when it is first used.
#[derive(Debug)]
pub struct LazyStream {
    key: (u64, crate::chance::Purpose, u64, u64),
    stream: Option<Stream>,
}

impl LazyStream {
    /// A stream that costs nothing until it is used.
    pub fn new(seed: u64, purpose: crate::chance::Purpose, first: u64, second: u64) -> Self {
        Self { key: (seed, purpose, first, second), stream: None }
    }

    /// The stream.
    pub fn get(&mut self) -> &mut Stream {
        let (seed, purpose, first, second) = self.key;
        self.stream.get_or_insert_with(|| Stream::new(seed, purpose, first, second))
    }
}

/// All that a node sees of the world during a callback, and where it leaves its effects.
pub struct Context<'a, M, T> {
    pub(crate) id: NodeId,
    pub(crate) clocks: Reading,
    pub(crate) stream: &'a mut LazyStream,
    pub(crate) disk: &'a Disk,
    pub(crate) effects: &'a mut Effects<M>,
    pub(crate) timer: PhantomData<T>,
}

impl<'a, M, T> Context<'a, M, T> {
    /// A context for a driver other than the simulator.
    ///
    /// Units: `now_ns` on the node's monotonic clock, `wall_ns` since 1970.
    pub fn new(
        id: NodeId,
        (now_ns, wall_ns): (u64, u64),
        stream: &'a mut LazyStream,
        disk: &'a Disk,
        effects: &'a mut Effects<M>,
    ) -> Self {
        Self::at(id, Reading::new(now_ns, wall_ns), stream, disk, effects)
    }

    /// A context at the instant at which the node's clocks show this.
    #[inline]
    pub(crate) fn at(
        id: NodeId,
        clocks: Reading,
        stream: &'a mut LazyStream,
        disk: &'a Disk,
        effects: &'a mut Effects<M>,
    ) -> Self {
        Self { id, clocks, stream, disk, effects, timer: PhantomData }
    }

    /// The same context for a node inside this one, whose timers are of another type.
    pub fn for_inner<Inner>(&mut self) -> Context<'_, M, Inner> {
        let Self { id, clocks, stream, disk, effects, .. } = self;
        Context::at(*id, *clocks, stream, disk, effects)
    }

    /// Who the node is.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The monotonic clock, in nanoseconds: it may drift, and never goes back.
    pub fn now(&self) -> u64 {
        let reads = &self.effects.now_reads;
        reads.set(reads.get() + 1);
        self.clocks.now_ns()
    }

    /// The wall clock, in nanoseconds since 1970: it may be wrong, and may jump either way.
    pub fn wall(&self) -> u64 {
        let reads = &self.effects.wall_reads;
        reads.set(reads.get() + 1);
        self.clocks.wall_ns()
    }

    /// The node's own random stream, new at every boot.
    pub fn random(&mut self) -> &mut Stream {
        self.stream.get()
    }

    /// The seed of the run. For clients, whose streams are keyed by operation.
    pub(crate) fn seed(&self) -> u64 {
        self.stream.key.0
    }

    /// The disk as it stood when the callback began.
    pub fn disk(&self) -> &Disk {
        self.disk
    }

    /// Sends a message. It may be lost, late, doubled or overtaken.
    #[inline]
    pub fn send(&mut self, to: NodeId, message: M) {
        let message = self.effects.messages.insert(message);
        self.effects.list.push(Effect::Send { to, message });
    }

    /// Arms a timer, or moves it if it is armed; the delay is on the node's monotonic clock.
    #[inline(always)]
    pub fn arm(&mut self, timer: T, after_ns: u64)
    where
        T: TimerCode,
    {
        self.effects.list.push(Effect::Arm { timer: timer.code(), after_ns });
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: T)
    where
        T: TimerCode,
    {
        self.effects.list.push(Effect::Disarm { timer: timer.code() });
    }

    /// Appends a record to the log; a crash before the next sync comes back may lose it.
    pub fn append(&mut self, record: &impl Serialize) {
        let bytes = self.framed(record);
        self.effects.list.push(Effect::Append(bytes));
    }

    /// Writes a named cell; a crash before the next sync comes back may lose it.
    pub fn put(&mut self, cell: &'static str, value: &impl Serialize) {
        let bytes = self.framed(value);
        self.effects.list.push(Effect::Put(cell, bytes));
    }

    /// Keeps the first `records` of the log, as a node does after it found a torn one.
    pub fn truncate(&mut self, records: usize) {
        self.effects.list.push(Effect::Truncate(records));
    }

    /// Forgets the first `records` of the log, as a node does that keeps what they said elsewhere.
    /// It is durable at once.
    pub fn discard(&mut self, records: usize) {
        self.effects.list.push(Effect::Discard(records));
    }

    /// Asks for everything appended so far to be made durable; `tag` comes back in `on_synced`.
    pub fn sync(&mut self, tag: u64) {
        self.effects.list.push(Effect::Sync { tag });
    }

    /// Notes a fact, for observers and checkers. No node ever sees it.
    #[inline]
    pub fn note(&mut self, fact: Fact) {
        self.effects.facts.push(self.id, fact);
        self.effects.list.push(Effect::Note);
    }

    /// Notes that the operation took effect: `position` is its place in the authority's order.
    pub fn effect(&mut self, tag: Tag, key: &SmolStr, value: &Value, position: u64) {
        let (key, value) = (key.clone(), value.clone());
        self.note(Fact::Effect { operation: tag.0, key, value, position });
    }

    /// A named place where the nemesis may cut the list of effects: a crash keeps what stands
    /// before and drops the rest, a pause releases the rest when the node goes on.
    pub fn failpoint(&mut self, name: &'static str) {
        if self.effects.failpoints_wanted {
            self.effects.list.push(Effect::Failpoint(name));
        }
    }

    /// Says how much the control of this name touched: keys evicted, requests refused. Without it
    /// the fault behind the control counts as one that did nothing.
    pub fn touched(&mut self, control: &'static str, count: u64) {
        self.effects.list.push(Effect::Touch(control, count));
    }

    /// States what must hold; if it does not, the run has the anomaly ASSERT, which names the place of
    /// this call in the source.
    #[track_caller]
    #[inline]
    pub fn always(&mut self, name: &'static str, condition: bool) {
        if !condition {
            let message = place_in_source(Location::caller());
            self.note(Fact::AssertionFailed { name: SmolStr::new_static(name), message });
        }
    }

    /// States that a situation worth reaching was reached: one that the design declares.
    pub fn sometimes(&mut self, name: &'static str) {
        self.note(Fact::Sometimes { name: SmolStr::new_static(name) });
    }

    /// Records that an operation is invoked. For clients.
    pub fn invoke(&mut self, operation: Operation) {
        let operation = self.effects.operations.push(operation);
        self.effects.list.push(Effect::Invoke(operation));
    }

    /// Records that an operation is completed. For clients.
    pub fn complete(&mut self, completed: Completed) {
        let completed = self.effects.completions.push(completed);
        self.effects.list.push(Effect::Complete(completed));
    }

    fn framed(&mut self, record: &impl Serialize) -> Bytes {
        let start = self.effects.bytes.len() as u32;
        disk::frame(record, &mut self.effects.bytes);
        start..self.effects.bytes.len() as u32
    }
}
