//! The engine: one loop that gives every event its time and its turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use wrack_history::load::Environment;
use wrack_history::setting::Delay;
use wrack_history::{Fact, FactRecord, History, SmolStr, TraceKind};

use crate::chance::{Digest, Noise, NoisePurpose, Purpose, delay_of, finish, scale};
use crate::clock::Clock;
use crate::disk::{CrashTail, Disk, DiskError, SyncPoint};
use crate::network::{FaultHandle, Network, RuleId};
use crate::node::{
    Context, Control, Cx, Effect, Effects, Flight, LazyStream, Node, NodeId, Place, TimerCode,
};
use crate::queue::{Due, Queue};
use crate::record::{Recorder, Recording, TraceLevel, traced};
use crate::timers::{Popped, TimerRef, Timers, Wanted};
use crate::world::{
    ClockUse, Controller, DiskFault, DiskTrouble, FailpointAction, Observer, TailChance, Trap,
    Watched,
};

use hold::Hold;

mod apply;
pub mod carried;
mod hold;
mod outside;

/// At most so many events may happen at one virtual instant.
pub const EVENTS_PER_INSTANT_MAX: u64 = 1_000_000;
/// At most so many messages may be under way at once.
pub const MESSAGES_IN_FLIGHT_MAX: usize = 10_000_000;
/// Facts wait for their observer until there are so many: it takes them in one go, while its code
/// and data are at hand.
const NOTED_MAX: usize = 64;

/// What an engine is made for.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The seed of the run.
    pub seed: u64,
    /// Names of servers, then of clients.
    pub names: Vec<SmolStr>,
    /// How many of them are servers.
    pub servers: usize,
    /// How links and disks behave without faults.
    pub environment: Environment,
    /// How much of the trace is kept.
    pub trace: TraceLevel,
    /// Whether facts that only an observer reads in passing are kept too.
    pub keep_all_facts: bool,
}

/// A bound of the engine was met: the run says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Time stands still.
    #[error("more than a million events at {ns} ns: {nodes} spin without letting time pass")]
    Spin {
        /// Where it stands.
        ns: u64,
        /// Who keeps it there.
        nodes: String,
    },
    /// Messages pile up.
    #[error("more than {MESSAGES_IN_FLIGHT_MAX} messages are under way at {ns} ns")]
    Messages {
        /// When.
        ns: u64,
    },
}

/// How the engine makes a member that boots: its id, and how often it booted before.
pub type Boot<N> = Box<dyn Fn(NodeId, u32) -> N>;

#[derive(Clone, Copy)]
enum Timed {
    Timer(NodeId, TimerRef),
    Synced(NodeId, u32),
    Return(NodeId, u32),
}

/// Something that waits until a paused node goes on.
enum Held {
    Message(Place),
    Timer(TimerRef, Due),
    Synced(u64, Result<(), DiskError>),
    Control(Control),
}

struct Sync {
    tag: u64,
    point: SyncPoint,
    result: Result<(), DiskError>,
    lying: bool,
}

struct Pause<M> {
    /// Who keeps the node paused.
    holds: Vec<Hold>,
    /// Effects behind the failpoint that paused the node.
    deferred: Option<Effects<M>>,
    held: VecDeque<Held>,
}

/// One member of the cluster, as the engine keeps it.
struct Member<N: Node> {
    /// Absent while it is down.
    node: Option<N>,
    boots: u32,
    /// Rises with every boot, crash, pause and resume: what was planned before is void.
    life: u32,
    clock: Clock,
    disk: Disk,
    stream: LazyStream,
    timers: Timers<u64>,
    pause: Option<Pause<N::Message>>,
    /// Who keeps it down.
    down: Vec<Hold>,
    role: Option<(SmolStr, u64)>,
    syncs: VecDeque<Sync>,
    sync_done_ns: u64,
    sync_index: (u64, u32),
    disk_faults: Vec<(FaultHandle, DiskFault)>,
    clock_faults: Vec<(FaultHandle, ClockUse)>,
    /// How much faster than true time each fault makes its clocks, in millionths.
    drifts: Vec<(FaultHandle, i32)>,
    /// What is asked of it from outside.
    controls: Vec<(FaultHandle, Control)>,
}

struct SetTrap {
    fault: FaultHandle,
    trap: Trap,
    hits: u32,
    sprung: u32,
    /// Who is down or paused by it.
    caught: Vec<NodeId>,
}

/// Carries nodes through virtual time: the only source of time, chance and order.
pub struct Engine<N: Node> {
    seed: u64,
    names: Vec<SmolStr>,
    servers: usize,
    now: u64,
    sequence: u32,
    boot: Boot<N>,
    members: Vec<Member<N>>,
    noise: Noise,
    network: Network,
    sync_latency: Delay,
    messages: Queue<Place>,
    timed: Queue<Timed>,
    held_messages: Vec<(RuleId, Place)>,
    traps: Vec<SetTrap>,
    effects: Effects<N::Message>,
    /// Facts of the last callback, for a controller that watches.
    fresh_facts: Vec<FactRecord>,
    watched: Watched,
    record: Recorder,
    /// Who is in a callback: a panic there is the design's.
    in_callback: Option<NodeId>,
    /// Events at this very instant so far.
    events_now: u64,
    /// When the controller wants to act next: it is asked again whenever it was told something.
    acts_at_ns: u64,
    /// Rises with every boot and crash of any member.
    turnover: u64,
}

impl<N: Node> Engine<N> {
    /// An engine with all members booted at time 0, in order of their index.
    pub fn new(config: EngineConfig, boot: Boot<N>, observer: &mut dyn Observer) -> Self {
        let nodes = config.names.len();
        assert!(nodes < usize::from(u16::MAX), "a cluster has at most 65,534 members");
        let noise = Noise::new(config.seed);
        let environment = config.environment;
        let latency = (environment.peer_latency, environment.client_latency);
        let mut engine = Self {
            seed: config.seed,
            servers: config.servers,
            now: 0,
            sequence: 0,
            members: (0..nodes).map(|_| Member::new(config.seed)).collect(),
            boot,
            noise,
            network: Network::new(nodes, config.servers, noise, latency),
            sync_latency: environment.sync_latency,
            names: config.names,
            messages: Queue::default(),
            timed: Queue::default(),
            held_messages: Vec::new(),
            traps: Vec::new(),
            effects: Effects { failpoints_wanted: false, ..Effects::default() },
            fresh_facts: Vec::new(),
            // Whoever watches also wants to know what was noted at the first boot.
            watched: Watched::Everything,
            record: Recorder::new(config.trace, config.keep_all_facts),
            in_callback: None,
            events_now: 0,
            acts_at_ns: u64::MAX,
            turnover: 0,
        };
        engine
            .guarded(|engine| {
                while let Some(next) = engine.members.iter().position(|m| m.boots == 0) {
                    engine.boot_node(NodeId(next as u16));
                }
                Ok(())
            })
            .expect("booting meets no bound");
        engine.hand_over(observer);
        engine
    }

    /// True time, in nanoseconds since the run began.
    pub fn now_ns(&self) -> u64 {
        self.now
    }

    /// Messages sent so far.
    pub fn messages_sent(&self) -> u64 {
        self.record.messages_sent()
    }

    /// The disk of a node.
    pub fn disk(&self, node: NodeId) -> &Disk {
        &self.members[node.index()].disk
    }

    /// A member, if there is one of this index and it is up.
    pub fn member(&self, node: NodeId) -> Option<&N> {
        self.members.get(node.index())?.node.as_ref()
    }

    /// Makes room for so many operations, so that a long history is not moved as it grows.
    pub fn expect_operations(&mut self, operations: usize) {
        self.record.expect_operations(operations);
    }

    /// Keeps events of the trace within these stretches of time alone.
    pub fn keep_trace_within(&mut self, windows: Vec<(u64, u64)>) {
        self.record.keep_within(windows);
    }

    /// How far a node's wall clock is ahead of true time now, in nanoseconds.
    pub fn clock_offset_ns(&self, node: NodeId) -> i64 {
        let shown = self.members[node.index()].clock.wall(self.now);
        let right = crate::clock::WALL_EPOCH_NS + self.now;
        shown.wrapping_sub(right).cast_signed()
    }

    /// Operations that are open now.
    pub fn open_operations(&self) -> u64 {
        self.record.open_operations()
    }

    /// What clients and the nemesis saw so far.
    pub fn history(&self) -> &History {
        self.record.history()
    }

    /// What was recorded; operations that are open end `info` now.
    pub fn finish(self) -> Recording {
        self.record.finish(self.now)
    }

    /// Lets everything happen that is due before `until_ns`, and leaves the time there.
    ///
    /// Errors: a bound was met; the recording so far remains.
    pub fn run(
        &mut self,
        until_ns: u64,
        controller: &mut dyn Controller,
        observer: &mut dyn Observer,
    ) -> Result<(), LimitError> {
        self.watched = controller.watched();
        if self.watched == Watched::Nothing {
            self.fresh_facts.clear();
        }
        let outcome = self.guarded(|engine| {
            engine.tell(controller);
            while engine.step(until_ns, controller)? {
                if engine.effects.facts.noted().len() >= NOTED_MAX {
                    engine.hand_over(observer);
                }
            }
            Ok(())
        });
        self.hand_over(observer);
        outcome?;
        self.now = self.now.max(until_ns);
        Ok(())
    }

    /// Runs `work`; a panic inside a callback is an anomaly of the design and takes down its node.
    fn guarded(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<(), LimitError>,
    ) -> Result<(), LimitError> {
        loop {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(self)));
            let Err(panic) = outcome else {
                return outcome.expect("it did not panic");
            };
            let Some(node) = self.in_callback.take() else {
                resume_unwind(panic);
            };
            self.design_panicked(node, &panic_message(panic.as_ref()));
        }
    }

    fn design_panicked(&mut self, node: NodeId, message: &str) {
        self.effects.clear();
        let fact = Fact::AssertionFailed { name: "panic".into(), message: message.into() };
        self.note(node, fact);
        self.crash_node(node, CrashTail::default());
    }

    /// The next event; `false` if none is due before `until`.
    #[inline]
    fn step(&mut self, until: u64, controller: &mut dyn Controller) -> Result<bool, LimitError> {
        let message = self.messages.next_due();
        let timed = self.timed.next_due();
        let next = message.ns.min(timed.ns);
        if self.acts_at_ns <= next && self.acts_at_ns < until {
            self.advance(self.acts_at_ns)?;
            self.control(controller);
            return Ok(true);
        }
        if next >= until {
            return Ok(false);
        }
        self.advance(next)?;
        if message < timed {
            let (_, slot) = self.messages.pop().expect("it was peeked");
            self.arrive(slot);
        } else {
            let (due, item) = self.timed.pop().expect("it was peeked");
            self.come_due(due, item);
        }
        if !self.fresh_facts.is_empty() {
            self.tell(controller);
        }
        Ok(true)
    }

    /// Moves time on, and notices when it stands still.
    #[inline]
    fn advance(&mut self, to: u64) -> Result<(), LimitError> {
        debug_assert!(to >= self.now, "time never goes back");
        if to > self.now {
            self.now = to;
            self.events_now = 0;
        }
        self.events_now += 1;
        if self.events_now > EVENTS_PER_INSTANT_MAX
            || self.effects.messages.len() > MESSAGES_IN_FLIGHT_MAX
        {
            return Err(self.limit());
        }
        Ok(())
    }

    /// The bound that was met.
    #[cold]
    fn limit(&mut self) -> LimitError {
        if self.effects.messages.len() > MESSAGES_IN_FLIGHT_MAX {
            return LimitError::Messages { ns: self.now };
        }
        LimitError::Spin { ns: self.now, nodes: self.spinning() }
    }

    /// Names of those for whom something is due at this very instant.
    fn spinning(&mut self) -> String {
        let mut nodes = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            if self.timed.next_due().ns > self.now {
                break;
            }
            let (Timed::Timer(node, _) | Timed::Synced(node, _) | Timed::Return(node, _)) =
                self.timed.pop().expect("it was peeked").1;
            nodes.insert(node);
        }
        while self.messages.next_due().ns <= self.now && nodes.len() < 10 {
            let (_, slot) = self.messages.pop().expect("it was peeked");
            nodes.insert(self.effects.messages.flight(slot).to);
        }
        nodes.iter().map(|node| self.names[node.index()].as_str()).collect::<Vec<_>>().join(", ")
    }

    /// A message reaches its receiver.
    #[inline(always)]
    fn arrive(&mut self, slot: Place) {
        let flight @ Flight { from, to, .. } = self.effects.messages.flight(slot);
        let class = || N::class(self.effects.messages.get(slot));
        if let Some((rule, fault, hold)) = self.network.stopped((from, to), class) {
            self.record.touch(fault, 1, self.now);
            if hold {
                self.held_messages.push((rule, slot));
            } else {
                self.drop_message(slot);
            }
            return;
        }
        let member = &mut self.members[to.index()];
        if member.node.is_none() {
            if let Some(fault) = member.down.first().and_then(Hold::counts_for) {
                self.record.touch(fault, 1, self.now);
            }
            self.drop_message(slot);
            return;
        }
        if let Some(pause) = &mut member.pause {
            pause.held.push_back(Held::Message(slot));
            return;
        }
        self.deliver(flight, slot);
    }

    #[inline(always)]
    fn deliver(&mut self, Flight { from, to, number }: Flight, slot: Place) {
        let event = |now| traced(TraceKind::Deliver, now, (to, from), number);
        if self.record.digest(event(self.now)) {
            let (names, message) = (&self.names, self.effects.messages.get(slot));
            self.record.keep(event(self.now), || {
                format!("{} → {}: {message:?}", names[from.index()], names[to.index()]).into()
            });
        }
        if let Some((node, mut cx)) = self.enter(to) {
            // It moves once, from where it was sent to the one who takes it.
            node.on_message(from, cx.effects.messages.take(slot), &mut cx);
            self.leave(to);
        }
    }

    fn drop_message(&mut self, slot: Place) {
        let Flight { from, to, number } = self.effects.messages.flight(slot);
        let message = self.effects.messages.take(slot);
        self.record.trace(traced(TraceKind::Drop, self.now, (from, to), number), || {
            format!("lost: {message:?}").into()
        });
    }

    #[inline(always)]
    fn come_due(&mut self, due: Due, item: Timed) {
        match item {
            Timed::Timer(node, entry) => self.timer(node, entry, due),
            Timed::Synced(node, boots) => {
                let member = &self.members[node.index()];
                if member.boots == boots && member.node.is_some() {
                    self.synced(node);
                }
            }
            Timed::Return(node, life) => {
                if self.members[node.index()].life == life {
                    self.come_back(node);
                }
            }
        }
    }

    #[inline(always)]
    fn timer(&mut self, node: NodeId, entry: TimerRef, due: Due) {
        let member = &mut self.members[node.index()];
        // One that was held back is looked at as it was when it came up.
        let due_of = |wanted| timer_due(&self.noise, (node, &member.clock), due.ns, wanted);
        match (member.timers.pop(entry, due, due_of), &mut member.pause) {
            (Popped::Due, None) => {
                let timer = member.timers.fire(entry);
                let event = |now| traced(TraceKind::Timer, now, (node, node), timer);
                if self.record.digest(event(self.now)) {
                    let (name, callee) = (&self.names[node.index()], &member.node);
                    self.record.keep(event(self.now), || {
                        let what = callee.as_ref().map(|callee| callee.timer_text(timer));
                        format!("{name}: {}", what.unwrap_or_default()).into()
                    });
                }
                if let Some((callee, mut cx)) = self.enter(node) {
                    callee.on_timer(N::Timer::from_code(timer), &mut cx);
                    self.leave(node);
                }
            }
            (Popped::Due, Some(pause)) => pause.held.push_back(Held::Timer(entry, due)),
            (Popped::Again(due), _) => self.timed.push(due, Timed::Timer(node, entry)),
            (Popped::Stale, _) => {}
        }
    }

    /// The oldest sync of a node comes back. The device goes on while the node is paused.
    #[inline(always)]
    fn synced(&mut self, node: NodeId) {
        let member = &mut self.members[node.index()];
        let sync = member.syncs.pop_front().expect("a sync comes back once");
        match sync.result {
            Ok(()) if !sync.lying => member.disk.make_durable(sync.point),
            Ok(()) => {}
            Err(_) => {
                member.disk.crash(CrashTail::default());
                member.syncs.iter_mut().for_each(|later| later.result = sync.result);
            }
        }
        match &mut member.pause {
            Some(pause) => pause.held.push_back(Held::Synced(sync.tag, sync.result)),
            None => self.tell_synced(node, sync.tag, sync.result),
        }
    }

    #[inline(always)]
    fn tell_synced(&mut self, node: NodeId, tag: u64, result: Result<(), DiskError>) {
        let event = |now| traced(TraceKind::Synced, now, (node, node), tag);
        if self.record.digest(event(self.now)) {
            let name = &self.names[node.index()];
            self.record.keep(event(self.now), || format!("{name}: sync {tag} {result:?}").into());
        }
        if let Some((callee, mut cx)) = self.enter(node) {
            callee.on_synced(tag, result, &mut cx);
            self.leave(node);
        }
    }

    /// Begins a callback of a node, if it is up; [`Self::leave`] ends it.
    #[inline(always)]
    fn enter(&mut self, id: NodeId) -> Option<(&mut N, Cx<'_, N>)> {
        let Member { node, clock, stream, disk, .. } = &mut self.members[id.index()];
        let node = node.as_mut()?;
        self.in_callback = Some(id);
        Some((node, Context::at(id, clock.read(self.now), stream, disk, &mut self.effects)))
    }

    /// Ends a callback, and carries out its effects.
    #[inline(always)]
    fn leave(&mut self, id: NodeId) {
        self.in_callback = None;
        let (now_reads, wall_reads) = self.effects.take_clock_reads();
        if !self.members[id.index()].clock_faults.is_empty() {
            self.count_clock_use(id, u64::from(now_reads), u64::from(wall_reads));
        }
        if !self.effects.list.is_empty() {
            self.apply(id);
        }
    }

    /// What a callback took from a clock that faults have tampered with.
    fn count_clock_use(&mut self, id: NodeId, now_reads: u64, wall_reads: u64) {
        let is_armed = |effect: &&Effect| matches!(effect, Effect::Arm { .. });
        let timers = self.effects.list.iter().filter(is_armed).count() as u64;
        for (fault, what) in &self.members[id.index()].clock_faults {
            let count = match what {
                ClockUse::Wall => wall_reads,
                ClockUse::Any => wall_reads + now_reads + timers,
            };
            self.record.touch(*fault, count, self.now);
        }
    }

    /// Lets the controller act, and then tells it the facts that came of it.
    fn control(&mut self, controller: &mut dyn Controller) {
        controller.act(&mut outside::Outside { engine: self });
        self.tell(controller);
    }

    fn tell(&mut self, controller: &mut dyn Controller) {
        let mut rounds = 0;
        while !self.fresh_facts.is_empty() {
            for record in std::mem::take(&mut self.fresh_facts) {
                controller.on_fact(&record, &mut outside::Outside { engine: self });
            }
            rounds += 1;
            assert!(rounds < 1_000, "a controller answers facts with facts without end");
        }
        self.acts_at_ns = controller.next_ns().unwrap_or(u64::MAX);
    }

    /// Notes a fact that no callback asked for, when nothing is left that one did.
    fn note(&mut self, node: NodeId, fact: Fact) {
        debug_assert!(self.effects.facts.are_noted(), "another fact would be noted");
        self.effects.facts.push(node, fact);
        self.note_next();
    }

    /// Notes the next fact that a callback asked for.
    #[inline(never)]
    fn note_next(&mut self) {
        let record = self.effects.facts.note(self.now);
        let node = NodeId(record.node);
        if let Fact::Role { role, epoch } = &record.fact {
            self.members[node.index()].role = Some((role.clone(), *epoch));
        }
        let digest = Digest::of(&record.fact);
        let event = |now| traced(TraceKind::Note, now, (node, node), digest);
        if self.record.digest(event(self.now)) {
            let name = &self.names[node.index()];
            self.record.keep(event(self.now), || format!("{name} notes {:?}", record.fact).into());
        }
        if self.watched.covers(&record.fact) {
            self.fresh_facts.push(record.clone());
        }
    }

    /// Hands what was noted over to the observer and the recorder.
    fn hand_over(&mut self, observer: &mut dyn Observer) {
        observer.facts(self.effects.facts.noted());
        for record in self.effects.facts.drain_noted() {
            self.record.fact(record);
        }
    }

    fn boot_node(&mut self, id: NodeId) {
        let boots = self.members[id.index()].boots;
        let node = (self.boot)(id, boots);
        let member = &mut self.members[id.index()];
        assert!(member.node.is_none(), "only a node that is down boots");
        member.node = Some(node);
        member.boots += 1;
        self.turnover += 1;
        member.life += 1;
        member.down.clear();
        let key = (u64::from(id.0), u64::from(boots));
        member.stream = LazyStream::new(self.seed, Purpose::Node, key.0, key.1);
        self.record.trace(traced(TraceKind::Boot, self.now, (id, id), u64::from(boots)), || {
            format!("{} boots", self.names[id.index()]).into()
        });
        self.note(id, Fact::Booted { boot: boots });
        if let Some((node, mut cx)) = self.enter(id) {
            node.start(&mut cx);
            self.leave(id);
        }
        for place in 0..self.members[id.index()].controls.len() {
            let control = self.members[id.index()].controls[place].1.clone();
            self.tell_control(id, control);
        }
    }

    /// Asks something of a node. One that is paused hears it when it goes on, and one that is down
    /// when it boots, if it still holds then.
    fn tell_control(&mut self, id: NodeId, control: Control) {
        let member = &mut self.members[id.index()];
        if let Some(pause) = &mut member.pause {
            pause.held.push_back(Held::Control(control));
            return;
        }
        if member.node.is_none() {
            return;
        }
        let event = traced(TraceKind::Control, self.now, (id, id), u64::from(control.is_over));
        self.record.trace(event, || {
            let (name, settings) = (control.name, &control.settings);
            let over = if control.is_over { " no longer" } else { "" };
            format!("{} is{over} asked to {name} {settings:?}", self.names[id.index()]).into()
        });
        if let Some((node, mut cx)) = self.enter(id) {
            node.on_control(&control, &mut cx);
            self.leave(id);
        }
    }

    /// Takes a node down; returns how many unsynced records its disk lost.
    fn crash_node(&mut self, id: NodeId, tail: CrashTail) -> usize {
        let member = &mut self.members[id.index()];
        if member.node.take().is_none() {
            return 0;
        }
        self.turnover += 1;
        member.life += 1;
        member.timers.clear();
        member.syncs.clear();
        member.sync_done_ns = self.now;
        member.role = None;
        let lost = member.disk.crash(tail);
        let pause = member.pause.take();
        member.clock.go_on(self.now);
        if let Some(pause) = pause {
            self.count_pauses(&pause.holds);
            if let Some(deferred) = pause.deferred {
                self.restore_effects(deferred);
                self.effects.clear();
            }
            for held in pause.held {
                if let Held::Message(slot) = held {
                    self.drop_message(slot);
                }
            }
        }
        self.record.trace(traced(TraceKind::Crash, self.now, (id, id), lost as u64), || {
            format!("{} crashes and loses {lost} unsynced records", self.names[id.index()]).into()
        });
        self.note(id, Fact::Crashed);
        lost
    }

    fn draw_tail(&self, id: NodeId, chance: TailChance) -> CrashTail {
        let member = &self.members[id.index()];
        let name = (u64::from(id.0), u64::from(member.boots));
        let mut stream = crate::chance::Stream::new(self.seed, Purpose::Crash, name.0, name.1);
        chance.draw(&mut stream, member.disk.len() - member.disk.durable_len())
    }

    fn pause_node(&mut self, id: NodeId, hold: Hold, deferred: Option<Effects<N::Message>>) {
        let member = &mut self.members[id.index()];
        member.life += 1;
        if hold.clock_stops {
            member.clock.stop(self.now);
        }
        let held = VecDeque::new();
        member.pause = Some(Pause { holds: vec![hold], deferred, held });
        self.record.trace(traced(TraceKind::Pause, self.now, (id, id), 0), || {
            format!("{} is paused", self.names[id.index()]).into()
        });
        self.note(id, Fact::Paused);
    }

    /// A paused node goes on: first what its failpoint held back, then what came due meanwhile, in
    /// the order in which it did.
    fn resume_node(&mut self, id: NodeId) {
        let member = &mut self.members[id.index()];
        let Some(mut pause) = member.pause.take() else {
            return;
        };
        member.life += 1;
        self.record.trace(traced(TraceKind::Resume, self.now, (id, id), 0), || {
            format!("{} goes on", self.names[id.index()]).into()
        });
        self.note(id, Fact::Resumed);
        if let Some(deferred) = pause.deferred.take() {
            self.restore_effects(deferred);
            self.apply(id);
        }
        while let Some(held) = pause.held.pop_front() {
            let member = &mut self.members[id.index()];
            if let Some(again) = &mut member.pause {
                again.held.push_back(held);
                continue;
            }
            match held {
                Held::Message(slot) if member.node.is_none() => self.drop_message(slot),
                Held::Message(slot) => self.deliver(self.effects.messages.flight(slot), slot),
                Held::Timer(entry, due) => self.timer(id, entry, due),
                Held::Synced(tag, result) => self.tell_synced(id, tag, result),
                Held::Control(control) => self.tell_control(id, control),
            }
        }
    }

    fn restore_effects(&mut self, deferred: Effects<N::Message>) {
        self.effects.restore(deferred);
        self.effects.failpoints_wanted = !self.traps.is_empty();
    }

    /// Deadlines are on the local clock: when its rate changes, they fall due at other true times.
    fn remap_timers(&mut self, id: NodeId) {
        let Self { members, sequence, noise, now, .. } = self;
        let Member { timers, clock, .. } = &mut members[id.index()];
        let moved = timers.remap(|wanted| {
            *sequence = sequence.wrapping_add(1);
            wanted.sequence = *sequence;
            timer_due(noise, (id, clock), *now, *wanted)
        });
        for (due, entry) in moved {
            self.timed.push(due, Timed::Timer(id, entry));
        }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

/// When a timer of a node with this clock is due, seen from true time `now`.
#[inline]
fn timer_due(noise: &Noise, (id, clock): (NodeId, &Clock), now: u64, wanted: Wanted) -> Due {
    let Wanted { deadline_ns, sequence } = wanted;
    let at_ns = clock.true_time(deadline_ns, now);
    let tie = noise.word(id.0, id.0, NoisePurpose::Timer, at_ns, 0) as u32;
    Due::new(at_ns, tie, sequence)
}

/// What a panic said, for the fact that a design panicked.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

impl<N: Node> Member<N> {
    fn new(seed: u64) -> Self {
        Self {
            node: None,
            boots: 0,
            life: 0,
            clock: Clock::default(),
            disk: Disk::default(),
            stream: LazyStream::new(seed, Purpose::Node, 0, 0),
            timers: Timers::default(),
            pause: None,
            down: Vec::new(),
            role: None,
            syncs: VecDeque::new(),
            sync_done_ns: 0,
            sync_index: (0, 0),
            disk_faults: Vec::new(),
            clock_faults: Vec::new(),
            drifts: Vec::new(),
            controls: Vec::new(),
        }
    }
}

/// How a sync that is asked for now will end, and when.
struct SyncPlan {
    done_ns: u64,
    result: Result<(), DiskError>,
    lying: bool,
}

impl<N: Node> Engine<N> {
    /// Draws how a sync ends, faults of the disk considered.
    fn plan_sync(&mut self, id: NodeId, overflowed: bool) -> SyncPlan {
        let bucket = self.now / 1_000_000;
        let member = &mut self.members[id.index()];
        let index = if member.sync_index.0 == bucket { member.sync_index.1 + 1 } else { 0 };
        member.sync_index = (bucket, index);
        let word = self.noise.word(id.0, id.0, NoisePurpose::Latency, bucket, index);
        let mut took = delay_of(&self.sync_latency, word);
        let mut result = if overflowed { Err(DiskError::Full) } else { Ok(()) };
        let mut lying = false;
        for (fault, what) in &member.disk_faults {
            let draw = finish(word ^ finish(what.id + 1));
            let hit = scale(finish(draw), 1_000_000) < u64::from(what.per_million);
            let touches = match &what.trouble {
                DiskTrouble::Full { .. } => overflowed,
                _ if !hit => false,
                DiskTrouble::Slow(delay) => {
                    took += delay_of(delay, draw);
                    true
                }
                DiskTrouble::Lying => {
                    lying = true;
                    true
                }
                DiskTrouble::Error => {
                    result = Err(DiskError::Io);
                    true
                }
            };
            self.record.touch(*fault, u64::from(touches), self.now);
        }
        member.sync_done_ns = (self.now + took).max(member.sync_done_ns);
        SyncPlan { done_ns: member.sync_done_ns, result, lying }
    }

    /// Springs the first trap that this failpoint has for this node.
    fn spring(&mut self, id: NodeId, name: &str) -> Option<(FaultHandle, FailpointAction)> {
        for set in &mut self.traps {
            let trap = &set.trap;
            let wanted = trap.failpoint == name && trap.node.is_none_or(|node| node == id);
            if !wanted || set.sprung >= trap.times {
                continue;
            }
            set.hits += 1;
            if set.hits < trap.nth {
                continue;
            }
            let word = finish(finish(self.seed ^ finish(trap.id)) ^ u64::from(set.hits));
            if scale(word, 1_000_000) < u64::from(trap.per_million) {
                set.sprung += 1;
                set.caught.push(id);
                return Some((set.fault, trap.action.clone()));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
