//! The driver: carries one node on whatever moves messages and time.
//!
//! It does what the engine does, in the same order: boot, then messages, timers and syncs as they
//! come due, and after each callback its effects in their order. It knows no simulator; a
//! [`Carrier`] is all that it needs of one.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wrack_history::{Fact, FactRecord, SmolStr, TraceKind};
use wrack_sim::chance::{Digest, Purpose};
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::disk::SyncPoint;
use wrack_sim::engine::{EVENTS_PER_INSTANT_MAX, panic_message};
use wrack_sim::node::{Effects, LazyStream, TimerCode};
use wrack_sim::{Context, Cx, Disk, LimitError, Node, NodeId, Stream};

use crate::alarms::Alarms;
use crate::config::{Boot, CarrierConfig};
use crate::journal::Journal;

/// What a driver needs of the simulator that carries its node.
pub trait Carrier {
    /// Nanoseconds of virtual time since the run began.
    fn now_ns(&self) -> u64;
    /// Waits until then; a carrier may cut time coarsely and come back later, never before.
    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<Self>;
    /// Sends a datagram: it may be lost, late or overtaken, and nobody waits for it.
    fn send(&mut self, to: NodeId, bytes: &[u8]);
    /// Waits for the next datagram. Giving up loses none.
    fn recv(&mut self) -> impl Future<Output = (NodeId, Vec<u8>)>;
}

/// A driver without anything to wait for looks up this often, in nanoseconds.
const IDLE_NS: u64 = 3_600_000_000_000;

/// A sync that is under way.
pub(crate) struct Sync {
    pub tag: u64,
    pub done_ns: u64,
    pub point: SyncPoint,
}

/// One node and all that it rests on.
pub(crate) struct Driver<N: Node, C> {
    pub id: NodeId,
    pub carrier: C,
    pub journal: Journal,
    pub disk: Disk,
    pub alarms: Alarms,
    pub syncs: VecDeque<Sync>,
    pub sync_stream: Stream,
    pub config: CarrierConfig,
    pub effects: Effects<N::Message>,
    node: N,
    stream: LazyStream,
    /// Callbacks at one instant.
    instant: (u64, u64),
}

impl<N: Node, C: Carrier> Driver<N, C> {
    /// A driver for the first boot of a member.
    pub fn new(
        id: NodeId,
        carrier: C,
        boot: &Boot<N>,
        (config, journal): (CarrierConfig, Journal),
    ) -> Self {
        let (seed, name) = (config.engine.seed, u64::from(id.0));
        Self {
            id,
            carrier,
            journal,
            disk: Disk::default(),
            alarms: Alarms::default(),
            syncs: VecDeque::new(),
            sync_stream: Stream::new(seed, Purpose::Disk, name, 0),
            config,
            effects: Effects::default(),
            node: boot(id, 0),
            stream: LazyStream::new(seed, Purpose::Node, name, 0),
            instant: (0, 0),
        }
    }

    /// Carries the node until it goes down: its design panicked, or it spins.
    pub async fn run(mut self) {
        self.note(self.carrier.now_ns(), Fact::Booted { boot: 0 });
        let mut going = self.callback(|node, cx| node.start(cx));
        while going.is_continue() {
            let due_ns = self.next_due_ns().unwrap_or(self.carrier.now_ns() + IDLE_NS);
            let due = self.carrier.sleep_until(due_ns);
            going = tokio::select! {
                biased;
                () = due => self.come_due(),
                (from, bytes) = self.carrier.recv() => self.receive(from, &bytes),
            };
        }
    }

    fn next_due_ns(&self) -> Option<u64> {
        let synced_ns = self.syncs.front().map(|sync| sync.done_ns);
        self.alarms.next_ns().into_iter().chain(synced_ns).min()
    }

    /// Everything happens that is due by now, in order of time.
    fn come_due(&mut self) -> ControlFlow<()> {
        let now = self.carrier.now_ns();
        while let Some(due_ns) = self.next_due_ns().filter(|due_ns| *due_ns <= now) {
            match self.alarms.next_ns() {
                Some(timer_ns) if timer_ns == due_ns => self.fire()?,
                _ => self.synced()?,
            }
        }
        ControlFlow::Continue(())
    }

    fn fire(&mut self) -> ControlFlow<()> {
        let timer = self.alarms.pop().expect("a timer is due");
        self.trace(TraceKind::Timer, self.id, timer);
        self.callback(|node, cx| node.on_timer(N::Timer::from_code(timer), cx))
    }

    /// The oldest sync comes back; disks neither fill up nor fail here.
    fn synced(&mut self) -> ControlFlow<()> {
        let Sync { tag, point, .. } = self.syncs.pop_front().expect("a sync is done");
        self.disk.make_durable(point);
        self.trace(TraceKind::Synced, self.id, tag);
        self.callback(|node, cx| node.on_synced(tag, Ok(()), cx))
    }

    fn receive(&mut self, from: NodeId, bytes: &[u8]) -> ControlFlow<()> {
        let message = postcard::from_bytes(bytes).expect("only drivers of this run send here");
        self.trace(TraceKind::Deliver, from, Digest::of(&bytes));
        self.callback(|node, cx| node.on_message(from, message, cx))
    }

    /// Runs a callback and carries out its effects; a panic in it takes down its node.
    fn callback(&mut self, call: impl FnOnce(&mut N, &mut Cx<'_, N>)) -> ControlFlow<()> {
        let now = self.carrier.now_ns();
        self.count_callback(now)?;
        let Self { id, stream, disk, effects, node, .. } = self;
        let mut cx = Context::new(*id, (now, WALL_EPOCH_NS + now), stream, disk, effects);
        match catch_unwind(AssertUnwindSafe(|| call(node, &mut cx))) {
            Ok(()) => {
                self.apply(now);
                ControlFlow::Continue(())
            }
            Err(panic) => {
                let message = panic_message(panic.as_ref()).into();
                let name = SmolStr::new_static("panic");
                self.note(now, Fact::AssertionFailed { name, message });
                self.note(now, Fact::Crashed);
                ControlFlow::Break(())
            }
        }
    }

    /// Notices when time stands still.
    fn count_callback(&mut self, now: u64) -> ControlFlow<()> {
        let (since, count) = self.instant;
        self.instant = if since == now { (now, count + 1) } else { (now, 1) };
        if self.instant.1 <= EVENTS_PER_INSTANT_MAX {
            return ControlFlow::Continue(());
        }
        let nodes = self.config.name(self.id).into();
        self.journal.limit(LimitError::Spin { ns: now, nodes });
        ControlFlow::Break(())
    }

    /// Notes a fact.
    pub fn note(&self, now: u64, fact: Fact) {
        let (node, digest) = (self.id, Digest::of(&fact));
        self.journal.write(now, |recorder, ns| {
            let text = || format!("notes {fact:?}").into();
            recorder.trace(TraceKind::Note, ns, node, node, digest, text);
            recorder.fact(FactRecord { ns, node: node.0, fact: fact.clone() });
        });
    }

    fn trace(&self, kind: TraceKind, peer: NodeId, detail: u64) {
        let node = self.id;
        self.journal.write(self.carrier.now_ns(), |recorder, ns| {
            recorder.trace(kind, ns, node, peer, detail, SmolStr::default);
        });
    }
}
