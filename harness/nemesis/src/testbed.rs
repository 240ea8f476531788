//! A small chatty cluster on the engine, to see what a fault does to traffic.
//!
//! Five servers `n1` to `n5` write to each other every 10 ms; two clients ask every server every
//! 10 ms and are answered. Whoever hears a message logs it on its disk and syncs. An operation is
//! open all the time, so that every effect counts.

use std::cell::RefCell;
use std::rc::Rc;

use wrack_history::fault::ResolvedFault;
use wrack_history::load::Environment;
use wrack_history::setting::Delay;
use wrack_history::{
    Fact, Moment, Operation, ScheduledFault, Setting, SmolStr, Target, Value, When,
};
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::{
    Control, Cx, DiskError, Engine, EngineConfig, MessageClass, Node, NodeId, Recording, TraceLevel,
};

use crate::Nemesis;

pub(crate) const MS: u64 = 1_000_000;
/// Everything is healed then.
pub(crate) const HEAL_MS: u64 = 1_000;
/// The run ends then.
pub(crate) const END_MS: u64 = 1_100;
const SERVERS: u16 = 5;
const CLIENTS: u16 = 2;

/// A message that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub from: NodeId,
    pub to: NodeId,
    pub class: MessageClass,
    pub number: u64,
    pub sent_ns: u64,
    pub at_ns: u64,
    /// What the clocks of the receiver showed.
    pub local_ns: u64,
    wall_ns: u64,
}

impl Heard {
    pub fn took_ns(&self) -> u64 {
        self.at_ns - self.sent_ns
    }

    pub fn wall_offset_ns(&self) -> i64 {
        self.wall_ns as i64 - (WALL_EPOCH_NS + self.local_ns) as i64
    }
}

/// A sync that came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Synced {
    pub node: NodeId,
    pub asked_ns: u64,
    pub took_ns: u64,
    pub ok: bool,
}

/// What nodes put down, with true times added from the facts in the end.
#[derive(Default)]
struct Log {
    heard: Vec<Heard>,
    /// Sender, receiver and time of each message, by its number.
    sent: Vec<(NodeId, NodeId, u64)>,
    beats: Vec<NodeId>,
}

/// A member of the cluster.
struct Chatter {
    id: NodeId,
    claims: Vec<Claim>,
    log: Rc<RefCell<Log>>,
}

/// At so many milliseconds a node claims a role in an epoch.
pub(crate) type Claim = (u64, u16, &'static str, u64);

const BEAT: u64 = u64::MAX;

impl Chatter {
    fn is_client(&self) -> bool {
        self.id.0 >= SERVERS
    }

    fn send(&self, to: NodeId, class: u8, cx: &mut Cx<'_, Self>) {
        let number = self.log.borrow().sent.len() as u64;
        self.log.borrow_mut().sent.push((self.id, to, 0));
        note(cx, "sent", number);
        cx.send(to, (class, number));
    }
}

fn note(cx: &mut Cx<'_, Chatter>, name: &'static str, value: u64) {
    cx.note(Fact::Custom { name: SmolStr::new_static(name), value: Value::Integer(value as i64) });
}

impl Node for Chatter {
    /// Class and number.
    type Message = (u8, u64);
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let (now, first) = (cx.now(), cx.random().between(0, 10 * MS));
        cx.arm(BEAT, first);
        for (place, (at_ms, ..)) in self.claims.iter().enumerate() {
            if at_ms * MS >= now {
                cx.arm(place as u64, at_ms * MS - now);
            }
        }
        if self.id.0 == SERVERS {
            cx.invoke(endless());
        }
    }

    fn on_message(&mut self, from: NodeId, (class, number): (u8, u64), cx: &mut Cx<'_, Self>) {
        let place = self.log.borrow().heard.len() as u64;
        note(cx, "heard", place);
        self.log.borrow_mut().heard.push(Heard {
            from,
            to: self.id,
            class: Self::class(&(class, number)),
            number,
            sent_ns: 0,
            at_ns: 0,
            local_ns: cx.now(),
            wall_ns: cx.wall(),
        });
        if class == 1 {
            self.send(from, 2, cx);
        }
        cx.append(&number);
        cx.sync(place);
        if !self.is_client() {
            cx.failpoint("heard");
        }
        note(cx, "handled", number);
    }

    fn on_timer(&mut self, timer: u64, cx: &mut Cx<'_, Self>) {
        if let Some((_, _, role, epoch)) = self.claims.get(timer as usize).copied() {
            let role = SmolStr::new_static(role);
            return cx.note(Fact::Role { role, epoch });
        }
        note(cx, "beat", self.log.borrow().beats.len() as u64);
        self.log.borrow_mut().beats.push(self.id);
        for to in (0..SERVERS).map(NodeId).filter(|to| *to != self.id) {
            self.send(to, u8::from(self.is_client()), cx);
        }
        cx.arm(BEAT, 10 * MS);
    }

    fn on_synced(&mut self, place: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        note(cx, if result.is_ok() { "synced" } else { "failed" }, place);
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        if control.is_over {
            return note(cx, "over", 0);
        }
        note(cx, control.name, 0);
        cx.touched(control.name, 3);
    }

    fn class((class, number): &(u8, u64)) -> MessageClass {
        match class {
            1 => MessageClass::Request,
            2 => MessageClass::Response,
            _ if number % 2 == 0 => MessageClass::Peer("invalidation"),
            _ => MessageClass::Peer("replication"),
        }
    }
}

/// An operation that stays open.
fn endless() -> Operation {
    Operation {
        id: 0,
        process: 0,
        session: 0,
        key: SmolStr::default(),
        function: "read".into(),
        argument: Value::Nil,
        result: Value::Nil,
        outcome: wrack_history::Outcome::Info,
        invoke: Moment::NEVER,
        complete: Moment::NEVER,
        details: None,
    }
}

/// The cluster, and what is fixed for a run.
#[derive(Clone, Default)]
pub(crate) struct Testbed {
    pub seed: u64,
    pub stays_down: Vec<SmolStr>,
    pub claims: Vec<Claim>,
}

/// What came of a run.
pub(crate) struct Outcome {
    pub heard: Vec<Heard>,
    pub syncs: Vec<Synced>,
    pub faults: Vec<ResolvedFault>,
    pub recording: Recording,
    beats: Vec<(NodeId, u64)>,
    sent: Vec<(NodeId, NodeId, u64)>,
    durable: Vec<usize>,
}

/// Runs these faults on the usual cluster.
pub(crate) fn run(faults: &[Scheduled]) -> Outcome {
    Testbed::default().run(faults)
}

impl Testbed {
    pub fn run(&self, faults: &[Scheduled]) -> Outcome {
        let schedule = faults.iter().map(|fault| fault.0.clone()).collect::<Vec<_>>();
        let mut nemesis = Nemesis::new(&schedule, self.seed, HEAL_MS * MS, &self.stays_down);
        let log = Rc::new(RefCell::new(Log::default()));
        let mut engine = Engine::new(self.config(), self.boot(&log), &mut ());
        engine.run(END_MS * MS, &mut nemesis, &mut ()).unwrap();
        let durable = (0..SERVERS).map(|node| engine.disk(NodeId(node)).durable_len());
        let durable = durable.collect();
        let recording = engine.finish();
        let faults = nemesis.finish(&recording.effects);
        Outcome::new(&mut log.borrow_mut(), recording, faults, durable)
    }

    fn boot(&self, log: &Rc<RefCell<Log>>) -> Box<dyn Fn(NodeId, u32) -> Chatter> {
        let (claims, log) = (self.claims.clone(), Rc::clone(log));
        Box::new(move |id, _| Chatter {
            id,
            claims: claims.iter().filter(|claim| claim.1 == id.0).copied().collect(),
            log: Rc::clone(&log),
        })
    }

    fn config(&self) -> EngineConfig {
        let servers = (1..=SERVERS).map(|number| format!("n{number}").into());
        let clients = (1..=CLIENTS).map(|number| format!("client-{number}").into());
        EngineConfig {
            seed: self.seed,
            names: servers.chain(clients).collect(),
            servers: usize::from(SERVERS),
            environment: Environment {
                peer_latency: Delay::uniform(MS, 4 * MS),
                client_latency: Delay::uniform(MS, 4 * MS),
                sync_latency: Delay::constant(MS),
            },
            trace: TraceLevel::Hash,
            keep_all_facts: true,
        }
    }
}

impl Outcome {
    fn new(
        log: &mut Log,
        recording: Recording,
        faults: Vec<ResolvedFault>,
        durable: Vec<usize>,
    ) -> Self {
        let mut outcome = Self {
            heard: std::mem::take(&mut log.heard),
            sent: std::mem::take(&mut log.sent),
            beats: log.beats.iter().map(|node| (*node, 0)).collect(),
            syncs: Vec::new(),
            faults,
            recording,
            durable,
        };
        outcome.add_true_times();
        outcome
    }

    /// Nodes do not know the true time; the facts do.
    fn add_true_times(&mut self) {
        for record in &self.recording.facts {
            let Fact::Custom { name, value } = &record.fact else {
                continue;
            };
            let place = value.as_integer().unwrap() as usize;
            match name.as_str() {
                "sent" => self.sent[place].2 = record.ns,
                "beat" => self.beats[place].1 = record.ns,
                "heard" => {
                    let heard = &mut self.heard[place];
                    heard.at_ns = record.ns;
                    heard.sent_ns = self.sent[heard.number as usize].2;
                }
                "synced" | "failed" => self.syncs.push(Synced {
                    node: NodeId(record.node),
                    asked_ns: self.heard[place].at_ns,
                    took_ns: record.ns - self.heard[place].at_ns,
                    ok: name == "synced",
                }),
                _ => {}
            }
        }
    }

    /// What a node heard in this time.
    pub fn heard_by(&self, node: u16, from_ms: u64, to_ms: u64) -> Vec<Heard> {
        let heard = self.heard.iter().filter(|heard| heard.to.0 == node);
        let time = from_ms * MS..to_ms * MS;
        heard.filter(|heard| time.contains(&heard.at_ns)).copied().collect()
    }

    /// Something of every message that arrived in this time.
    pub fn heard_between<T>(&self, from_ms: u64, to_ms: u64, of: impl Fn(&Heard) -> T) -> Vec<T> {
        let time = from_ms * MS..to_ms * MS;
        let heard = self.heard.iter().filter(|heard| time.contains(&heard.at_ns));
        heard.map(of).collect()
    }

    /// Whether a message got from the one to the other in this time.
    pub fn hears(&self, to: u16, from: u16, (from_ms, to_ms): (u64, u64)) -> bool {
        let heard = self.heard_by(to, from_ms, to_ms);
        heard.iter().any(|heard| heard.from.0 == from)
    }

    /// Something of every sync that a node asked for in this time, and that came back.
    pub fn syncs_between<T>(
        &self,
        node: u16,
        from_ms: u64,
        to_ms: u64,
        of: impl Fn(&Synced) -> T,
    ) -> Vec<T> {
        let time = from_ms * MS..to_ms * MS;
        let syncs = self.syncs.iter().filter(|sync| sync.node.0 == node);
        syncs.filter(|sync| time.contains(&sync.asked_ns)).map(of).collect()
    }

    /// Beats of a node in this time.
    pub fn beats(&self, node: u16, from_ms: u64, to_ms: u64) -> usize {
        let time = from_ms * MS..to_ms * MS;
        let beats = self.beats.iter().filter(|beat| beat.0.0 == node);
        beats.filter(|beat| time.contains(&beat.1)).count()
    }

    /// Messages sent from the one to the other.
    pub fn sent(&self, from: u16, to: u16) -> usize {
        self.sent.iter().filter(|sent| (sent.0.0, sent.1.0) == (from, to)).count()
    }

    /// When facts of this name were noted, in milliseconds.
    pub fn times_of(&self, fact: &str) -> Vec<u64> {
        let facts = self.recording.facts.iter();
        facts.filter(|record| record.fact.is_named(fact)).map(|record| record.ns / MS).collect()
    }

    /// Messages that a node got to the end of handling.
    pub fn notes_of(&self, node: u16) -> usize {
        let facts = self.recording.facts.iter().filter(|record| record.node == node);
        facts.filter(|record| record.fact.is_named("handled")).count()
    }

    /// Durable records of a node in the end.
    pub fn engine_disk_durable(&self, node: u16) -> usize {
        self.durable[usize::from(node)]
    }
}

/// A fault of a test's schedule.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled(pub ScheduledFault);

/// A fault of this kind with its defaults, at the beginning and until the heal.
pub(crate) fn fault(kind: &str) -> Scheduled {
    let info = crate::find(kind).unwrap().info;
    Scheduled(ScheduledFault {
        id: 0,
        occurrence: 0,
        when: When::At(0),
        lasts_ns: None,
        every_ns: None,
        times: 1,
        jitter_ns: 0,
        within_ns: 100 * MS,
        min_effect: 1,
        fault: wrack_history::Fault {
            kind: kind.into(),
            settings: wrack_history::catalogue::defaults(info.parameters),
        },
    })
}

impl Scheduled {
    pub fn id(mut self, id: u32) -> Self {
        self.0.id = id;
        self
    }

    pub fn at(mut self, ms: u64) -> Self {
        self.0.when = When::At(ms * MS);
        self
    }

    /// At the nth fact of this name, noted by anybody or by whom it says.
    pub fn on_fact(mut self, fact: &str, nth: u32, by: Option<Target>) -> Self {
        self.0.when = When::OnFact { fact: fact.into(), by, nth, delay_ns: 0 };
        self
    }

    pub fn lasts(mut self, ms: u64) -> Self {
        self.0.lasts_ns = Some(ms * MS);
        self
    }

    pub fn every(mut self, ms: u64, times: u32) -> Self {
        self.0.every_ns = Some(ms * MS);
        self.0.times = times;
        self
    }

    pub fn jitter(mut self, ms: u64) -> Self {
        self.0.jitter_ns = ms * MS;
        self
    }

    pub fn on(self, node: &str) -> Self {
        self.target(Target::Node(node.into()))
    }

    pub fn target(self, target: Target) -> Self {
        self.with("target", Setting::Target(target))
    }

    pub fn with(mut self, name: &str, setting: Setting) -> Self {
        self.0.fault.settings.0.insert(name.into(), setting);
        self
    }

    pub fn remove(&mut self, name: &str) {
        self.0.fault.settings.0.remove(name);
    }
}
