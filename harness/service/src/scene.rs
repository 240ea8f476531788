//! What hosts, clients and the nemesis of one run share: one recorder, and who does what to whom.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use wrack_history::{Fact, FactRecord, SmolStr, TraceKind};
use wrack_sim::chance::Digest;
use wrack_sim::network::{FaultHandle, LinkRule};
use wrack_sim::record::traced;
use wrack_sim::{NodeId, Recorder};

/// Shared by everything on the thread of a run.
pub(crate) type Shared = Rc<RefCell<Scene>>;

pub(crate) struct Scene {
    pub recorder: Recorder,
    /// The last time that something was written down at: hosts of one tick run one after the other.
    last_ns: u64,
    /// Nodes, then clients.
    pub names: Vec<SmolStr>,
    pub servers: usize,
    /// Rules on links, by number.
    pub rules: BTreeMap<u32, (FaultHandle, LinkRule)>,
    pub next_rule: u32,
    /// The faults that keep a host down.
    pub down: Vec<BTreeSet<FaultHandle>>,
    /// Hosts that are to boot when the nemesis is done.
    pub boots: Vec<NodeId>,
    pub booted: Vec<u32>,
    pub roles: Vec<Option<(SmolStr, u64)>>,
    /// Calls that are open at each host.
    pub calls: Vec<u64>,
    /// The faults that count uses of a host's wall clock.
    pub clocks: Vec<BTreeSet<FaultHandle>>,
    /// Facts that the nemesis has not seen yet.
    pub fresh: VecDeque<FactRecord>,
    /// Why a valid verdict would say too much.
    pub doubts: BTreeSet<String>,
    /// Clients that have run all their operations.
    pub done: usize,
}

impl Scene {
    pub fn new(recorder: Recorder, names: Vec<SmolStr>, servers: usize) -> Self {
        let members = names.len();
        Self {
            recorder,
            last_ns: 0,
            names,
            servers,
            rules: BTreeMap::new(),
            next_rule: 0,
            down: vec![BTreeSet::new(); members],
            boots: Vec::new(),
            booted: vec![0; members],
            roles: vec![None; members],
            calls: vec![0; members],
            clocks: vec![BTreeSet::new(); members],
            fresh: VecDeque::new(),
            doubts: BTreeSet::new(),
            done: 0,
        }
    }

    /// The time to write something down at: never before what was written last.
    pub fn at(&mut self, ns: u64) -> u64 {
        self.last_ns = self.last_ns.max(ns);
        self.last_ns
    }

    /// The place of a member by its name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    pub fn note(&mut self, ns: u64, node: NodeId, fact: Fact) {
        let ns = self.at(ns);
        let digest = Digest::of(&fact);
        let text = || format!("notes {fact:?}").into();
        self.recorder.trace(traced(TraceKind::Note, ns, (node, node), digest), text);
        let record = FactRecord { ns, node: node.0, fact };
        self.fresh.push_back(record.clone());
        self.recorder.fact(record);
    }

    /// The software of a host did what it never should.
    pub fn fail(&mut self, ns: u64, host: u16, name: &str, message: &str) {
        let fact = Fact::AssertionFailed { name: name.into(), message: message.into() };
        self.note(ns, NodeId(host), fact);
    }

    pub fn touch(&mut self, faults: impl IntoIterator<Item = FaultHandle>, count: u64, ns: u64) {
        let ns = self.at(ns);
        for fault in faults {
            self.recorder.touch(fault, count, ns);
        }
    }

    /// Whether a message may be lost to a fault now.
    pub fn loses(&self) -> bool {
        !self.rules.is_empty() || self.down.iter().any(|faults| !faults.is_empty())
    }

    /// A message is sent to a member: lost, if it is down.
    pub fn sent(&mut self, to: NodeId) {
        let ns = self.last_ns;
        let keep_down: Vec<_> = self.down[to.index()].iter().copied().collect();
        self.touch(keep_down, 1, ns);
    }

    /// A message between two members was lost or held by the rules on their link.
    pub fn stopped(&mut self, from: NodeId, to: NodeId) {
        let on_link =
            |rule: &&(FaultHandle, LinkRule)| rule.1.from.contains(from) && rule.1.to.contains(to);
        let faults: BTreeSet<_> = self.rules.values().filter(on_link).map(|rule| rule.0).collect();
        let ns = self.last_ns;
        self.touch(faults, 1, ns);
    }
}
