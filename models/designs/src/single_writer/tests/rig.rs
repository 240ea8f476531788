//! Runs the design on the engine: clients with a simple plan, and a script of faults.

use wrack_history::catalogue::defaults;
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::load::{Environment, Pace, RetryKey, RetryPolicy};
use wrack_history::setting::Delay;
use wrack_history::{FactRecord, SmolStr, Value};
use wrack_sim::chance::Purpose;
use wrack_sim::client::{Argument, ClientPlan};
use wrack_sim::network::{LinkAction, LinkRule, Messages, NodeSet};
use wrack_sim::world::{DiskFault, DiskTrouble, FailpointAction, TailChance, Trap};
use wrack_sim::{
    Client, Cluster, Controller, Design, Engine, EngineConfig, Member, NodeId, PlannedOperation,
    Recording, Stream, TraceLevel, Watched, World,
};

use crate::single_writer::{INFO, SingleWriter, names};

pub const OWNERS: [NodeId; 2] = [NodeId(0), NodeId(1)];
pub const LEASE: NodeId = NodeId(2);
pub const STORE: NodeId = NodeId(3);
const SERVERS: usize = 4;

/// Clients ask until here.
const ASK_NS: u64 = 55 * SECOND;
/// The last client reads every key from here on.
const READ_NS: u64 = 75 * SECOND;
const END_NS: u64 = 80 * SECOND;

/// What a run is made of.
pub struct Rig {
    pub variant: &'static str,
    pub seed: u64,
    pub function: &'static str,
    pub clients: u32,
    pub keys: u64,
    pub think_ns: u64,
    pub reads_per_million: u32,
    pub sync_latency: Delay,
}

impl Rig {
    pub fn new(variant: &'static str, seed: u64) -> Self {
        Self {
            variant,
            seed,
            function: "add",
            clients: 5,
            keys: 1,
            think_ns: 100 * MILLISECOND,
            reads_per_million: 200_000,
            sync_latency: Delay::uniform(MILLISECOND, 3 * MILLISECOND),
        }
    }

    /// A stream for the script.
    pub fn chance(&self) -> Stream {
        Stream::new(self.seed, Purpose::Fault, 0, 0)
    }

    pub fn entries(&self) -> Vec<NodeId> {
        SingleWriter::entries(&self.cluster())
    }

    /// Runs the script; the last operations of the history are the final reads.
    pub fn run(&self, mut script: Script) -> Recording {
        let cluster = self.cluster();
        let plans: Vec<_> = (0..=self.clients).map(|client| self.plan(client)).collect();
        let config = EngineConfig {
            seed: self.seed,
            names: (0..SERVERS + plans.len()).map(|place| format!("m{place}").into()).collect(),
            servers: SERVERS,
            environment: Environment {
                peer_latency: Delay::uniform(MILLISECOND, 3 * MILLISECOND),
                client_latency: Delay::uniform(MILLISECOND, 5 * MILLISECOND),
                sync_latency: self.sync_latency.clone(),
            },
            trace: TraceLevel::Hash,
            keep_all_facts: false,
        };
        let boot = move |id: NodeId, _| match id.index().checked_sub(SERVERS) {
            Some(client) => Member::<SingleWriter>::Client(Client::new(plans[client].clone())),
            None => Member::Server(SingleWriter::boot(&cluster, id)),
        };
        let mut engine = Engine::new(config, Box::new(boot), &mut ());
        script.steps.sort_by_key(|(at, _)| *at);
        engine.run(END_NS, &mut script, &mut ()).unwrap();
        engine.finish()
    }

    fn cluster(&self) -> Cluster {
        let settings = defaults(INFO.parameters);
        Cluster { names: names(&settings), settings, variant: self.variant.into() }
    }

    fn plan(&self, client: u32) -> ClientPlan {
        let operations = match client == self.clients {
            true => (0..self.keys).map(|key| self.final_read(key)).collect(),
            false => (0..(ASK_NS / self.think_ns) as u32)
                .map(|number| self.operation(client, number))
                .collect(),
        };
        ClientPlan {
            client,
            clients: self.clients + 1,
            operations,
            pace: Pace::Open,
            policy: policy(),
            stops_ns: u64::MAX,
            surge: None,
            entries: self.entries(),
        }
    }

    fn operation(&self, client: u32, number: u32) -> PlannedOperation {
        let name = (u64::from(client), u64::from(number));
        let mut stream = Stream::new(self.seed, Purpose::Workload, name.0, name.1);
        let is_read = stream.chance(self.reads_per_million);
        let unique = u64::from(number) * u64::from(self.clients) + u64::from(client) + 1;
        let argument = match self.function {
            _ if is_read => Value::Nil,
            "increment" => Value::Integer(1),
            _ => Value::Integer(unique as i64),
        };
        PlannedOperation {
            number,
            due_ns: u64::from(number) * self.think_ns + stream.below(self.think_ns),
            key: key(stream.below(self.keys)),
            function: SmolStr::new_static(if is_read { "read" } else { self.function }),
            argument: Argument::Value(argument),
            to: None,
        }
    }

    fn final_read(&self, place: u64) -> PlannedOperation {
        PlannedOperation {
            number: place as u32,
            due_ns: READ_NS,
            key: key(place),
            function: "read".into(),
            argument: Argument::Value(Value::Nil),
            to: None,
        }
    }
}

fn key(place: u64) -> SmolStr {
    format!("k{place}").into()
}

fn policy() -> RetryPolicy {
    RetryPolicy {
        timeout_ns: SECOND,
        attempts_max: 5,
        backoff_ns: 50 * MILLISECOND,
        backoff_max_ns: SECOND,
        jitter_per_million: 300_000,
        budget_per_million: None,
        key: RetryKey::Unique,
        late_duplicate_per_million: 0,
        late_duplicate_after_ns: 0,
    }
}

type Step = Box<dyn FnMut(&mut dyn World)>;

/// What is done to the world, and when.
#[derive(Default)]
pub struct Script {
    steps: Vec<(u64, Step)>,
}

impl Script {
    fn at(&mut self, at_ns: u64, act: impl FnMut(&mut dyn World) + 'static) {
        self.steps.push((at_ns, Box::new(act)));
    }

    /// Something that begins, and ends after a while.
    fn during(
        &mut self,
        (at_ns, lasts_ns): (u64, u64),
        begin: impl Fn(&mut dyn World, usize) -> Undo + 'static,
    ) {
        let undo = std::rc::Rc::new(std::cell::RefCell::new(None));
        let kept = std::rc::Rc::clone(&undo);
        self.at(at_ns, move |world| {
            let fault = world.open_fault();
            *kept.borrow_mut() = Some(begin(world, fault));
        });
        self.at(at_ns + lasts_ns, move |world| {
            let undo = undo.borrow_mut().take().expect("it has begun");
            undo(world);
        });
    }

    pub fn crash(&mut self, at_ns: u64, lasts_ns: u64, node: NodeId, tail: TailChance) {
        self.during((at_ns, lasts_ns), move |world, fault| {
            world.crash(fault, node, tail);
            Box::new(move |world| world.release(fault, node))
        });
    }

    pub fn crash_owner(&mut self, at_ns: u64, lasts_ns: u64) {
        self.during((at_ns, lasts_ns), |world, fault| {
            let node = owner(world);
            world.crash(fault, node, TailChance::default());
            Box::new(move |world| world.release(fault, node))
        });
    }

    pub fn pause_owner(&mut self, at_ns: u64, lasts_ns: u64, clock_stops: bool) {
        self.during((at_ns, lasts_ns), move |world, fault| {
            let node = owner(world);
            world.pause(fault, node, clock_stops);
            Box::new(move |world| world.release(fault, node))
        });
    }

    pub fn disk(
        &mut self,
        at_ns: u64,
        lasts_ns: u64,
        node: NodeId,
        trouble: DiskTrouble,
        per_million: u32,
    ) {
        self.during((at_ns, lasts_ns), move |world, fault| {
            let what = DiskFault { id: u64::from(node.0), per_million, trouble: trouble.clone() };
            world.add_disk_fault(fault, node, what);
            Box::new(move |world| world.remove_disk_fault(fault, node))
        });
    }

    /// No message passes between the two groups.
    pub fn cut(&mut self, at_ns: u64, lasts_ns: u64, left: &[NodeId], right: &[NodeId]) {
        for (from, to) in [(left, right), (right, left)] {
            let (from, to) = (from.iter().copied().collect(), to.iter().copied().collect());
            self.rule((at_ns, lasts_ns), (from, to), LinkAction::Cut);
        }
    }

    /// These clients do not reach who stands by at that time.
    pub fn cut_from_standby(&mut self, at_ns: u64, lasts_ns: u64, clients: &[NodeId]) {
        let clients: NodeSet = clients.iter().copied().collect();
        self.during((at_ns, lasts_ns), move |world, fault| {
            let owner = owner(world);
            let rule = LinkRule {
                id: 0,
                from: clients.clone(),
                to: OWNERS.into_iter().filter(|node| *node != owner).collect(),
                messages: Messages::All,
                action: LinkAction::Cut,
            };
            let rule = world.add_rule(fault, rule);
            Box::new(move |world| world.remove_rule(rule))
        });
    }

    /// Every link is bad from the beginning on.
    pub fn everywhere(&mut self, until_ns: u64, action: LinkAction) {
        let everyone: NodeSet = (0..100).map(NodeId).collect();
        self.rule((0, until_ns), (everyone.clone(), everyone), action);
    }

    fn rule(&mut self, time: (u64, u64), (from, to): (NodeSet, NodeSet), action: LinkAction) {
        self.during(time, move |world, fault| {
            let (from, to, action) = (from.clone(), to.clone(), action.clone());
            let rule = LinkRule { id: 0, from, to, messages: Messages::All, action };
            let rule = world.add_rule(fault, rule);
            Box::new(move |world| world.remove_rule(rule))
        });
    }

    /// Springs once, at the next hit of the failpoint on any node.
    pub fn trap(&mut self, at_ns: u64, failpoint: &'static str, action: FailpointAction) {
        self.at(at_ns, move |world| {
            let fault = world.open_fault();
            let trap = Trap {
                id: at_ns,
                failpoint: failpoint.into(),
                node: None,
                nth: 1,
                per_million: 1_000_000,
                times: 1,
                action: action.clone(),
            };
            world.set_trap(fault, trap);
        });
    }
}

type Undo = Box<dyn FnOnce(&mut dyn World)>;

/// Who owns now, or did last; the first if nobody does.
fn owner(world: &dyn World) -> NodeId {
    let claim = |node: &NodeId| {
        let role = world.role(*node).filter(|(role, _)| role == "owner");
        role.map(|(_, epoch)| epoch)
    };
    let newest = OWNERS.into_iter().max_by_key(claim);
    newest.expect("there are owners")
}

impl Controller for Script {
    fn next_ns(&self) -> Option<u64> {
        self.steps.first().map(|(at, _)| *at)
    }

    fn act(&mut self, world: &mut dyn World) {
        (self.steps.remove(0).1)(world);
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}
