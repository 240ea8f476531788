//! The world as the nemesis sees it, done by turmoil.

use std::collections::BTreeSet;

use turmoil::Sim;
use wrack_history::history::NemesisEvent;
use wrack_history::{Fact, SmolStr, TraceKind};
use wrack_sim::disk::Damage;
use wrack_sim::network::{FaultHandle, LinkAction, LinkRule, Messages, RuleId};
use wrack_sim::record::{FaultEffect, traced};
use wrack_sim::world::{ClockUse, DiskFault, TailChance, Trap};
use wrack_sim::{Control, NodeId, World};

use crate::clock;
use crate::scene::Shared;

/// The simulation between two steps.
pub(crate) struct Hosts<'a, 's> {
    pub sim: &'a mut Sim<'s>,
    pub scene: &'a Shared,
    pub names: &'a [SmolStr],
    pub seed: u64,
}

impl<'a> Hosts<'a, '_> {
    fn name(&self, node: NodeId) -> &'a str {
        &self.names[node.index()]
    }

    /// Turmoil cannot do it: the run says nothing.
    fn cannot(&self, what: &str) {
        let doubt = format!("the engine turmoil cannot do this to a service: {what}");
        self.scene.borrow_mut().doubts.insert(doubt);
    }

    /// Ordered pairs of members that some rule does this to.
    fn pairs(&self, wanted: &LinkAction) -> BTreeSet<(NodeId, NodeId)> {
        let scene = self.scene.borrow();
        let members = || (0..self.names.len() as u16).map(NodeId);
        let all = || members().flat_map(|from| members().map(move |to| (from, to)));
        let covered = |(from, to): &(NodeId, NodeId)| {
            scene.rules.values().any(|(_, rule)| {
                rule.action == *wanted && rule.from.contains(*from) && rule.to.contains(*to)
            })
        };
        all().filter(|(from, to)| from != to).filter(covered).collect()
    }

    /// Changes the rules, and the links where that makes a difference.
    fn change(&mut self, change: impl FnOnce(&mut crate::scene::Scene)) {
        let (cut, held) = (self.pairs(&LinkAction::Cut), self.pairs(&LinkAction::Hold));
        change(&mut self.scene.borrow_mut());
        let (cut_now, held_now) = (self.pairs(&LinkAction::Cut), self.pairs(&LinkAction::Hold));
        for (from, to) in cut_now.difference(&cut) {
            self.sim.partition_oneway(self.name(*from), self.name(*to));
        }
        for (from, to) in cut.difference(&cut_now) {
            self.sim.repair_oneway(self.name(*from), self.name(*to));
        }
        // A link is held both ways or not at all.
        let both = |pairs: &BTreeSet<(NodeId, NodeId)>| -> BTreeSet<_> {
            pairs.iter().map(|(one, other)| (*one.min(other), *one.max(other))).collect()
        };
        let (held, held_now) = (both(&held), both(&held_now));
        for (one, other) in held_now.difference(&held) {
            self.sim.hold(self.name(*one), self.name(*other));
        }
        for (one, other) in held.difference(&held_now) {
            self.sim.release(self.name(*one), self.name(*other));
        }
    }

    /// Boots those whom nothing keeps down any more.
    pub fn boot(&mut self) {
        let boots = std::mem::take(&mut self.scene.borrow_mut().boots);
        for node in boots {
            if !self.is_up(node) {
                continue;
            }
            let name = self.name(node);
            self.sim.bounce(name);
            let now = self.now_ns();
            let mut scene = self.scene.borrow_mut();
            scene.booted[node.index()] += 1;
            let boot = scene.booted[node.index()];
            scene.note(now, node, Fact::Booted { boot });
        }
    }
}

impl World for Hosts<'_, '_> {
    fn now_ns(&self) -> u64 {
        self.sim.elapsed().as_nanos() as u64
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn names(&self) -> &[SmolStr] {
        self.names
    }

    fn servers(&self) -> usize {
        self.scene.borrow().servers
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.scene.borrow().down[node.index()].is_empty()
    }

    fn role(&self, node: NodeId) -> Option<(SmolStr, u64)> {
        self.scene.borrow().roles[node.index()].clone()
    }

    fn open_ns(&self) -> u64 {
        let now = self.now_ns();
        let mut scene = self.scene.borrow_mut();
        let now = scene.at(now);
        scene.recorder.open_ns(now)
    }

    fn open_fault(&mut self) -> FaultHandle {
        self.scene.borrow_mut().recorder.open_fault()
    }

    fn touch(&mut self, fault: FaultHandle, count: u64) {
        let now = self.now_ns();
        self.scene.borrow_mut().touch([fault], count, now);
    }

    fn effect(&self, fault: FaultHandle) -> FaultEffect {
        self.scene.borrow().recorder.effect(fault)
    }

    fn record(&mut self, event: NemesisEvent) {
        let now = self.now_ns();
        let mut scene = self.scene.borrow_mut();
        let now = scene.at(now);
        scene.recorder.nemesis(event, now);
    }

    fn add_rule(&mut self, fault: FaultHandle, rule: LinkRule) -> RuleId {
        if rule.messages != Messages::All {
            self.cannot("a fault on some kinds of messages alone");
        }
        if !matches!(rule.action, LinkAction::Cut | LinkAction::Hold) {
            self.cannot("messages that are delayed, lost, doubled or moved by chance");
        }
        let number = self.scene.borrow().next_rule;
        self.change(|scene| {
            scene.next_rule += 1;
            scene.rules.insert(number, (fault, rule));
        });
        RuleId::new(number)
    }

    fn remove_rule(&mut self, rule: RuleId) {
        self.change(|scene| {
            scene.rules.remove(&rule.number());
        });
    }

    fn crash(&mut self, fault: FaultHandle, node: NodeId, tail: TailChance) {
        if tail != TailChance::default() {
            self.cannot("a crash that leaves part of what was not synced");
        }
        let (was_up, now) = (self.is_up(node), self.now_ns());
        let mut scene = self.scene.borrow_mut();
        scene.down[node.index()].insert(fault);
        let open = scene.calls[node.index()];
        scene.touch([fault], open, now);
        if was_up {
            scene.roles[node.index()] = None;
            scene.note(now, node, Fact::Crashed);
            let now = scene.at(now);
            scene
                .recorder
                .trace(traced(TraceKind::Crash, now, (node, node), 0), || "crashes".into());
            drop(scene);
            let name = self.name(node);
            self.sim.crash(name);
        }
    }

    fn pause(&mut self, _: FaultHandle, _: NodeId, _: bool) {
        self.cannot("a pause");
    }

    fn release(&mut self, fault: FaultHandle, node: NodeId) {
        let scene = &mut *self.scene.borrow_mut();
        if scene.down[node.index()].remove(&fault) && scene.down[node.index()].is_empty() {
            scene.boots.push(node);
        }
    }

    fn step_clock(&mut self, node: NodeId, offset_ns: i64) {
        if !clock::is_asked() {
            self.cannot("a wrong clock, unless `main` or the test calls wrack_clock::install");
        }
        clock::step(node.index(), offset_ns);
    }

    fn watch_clock(&mut self, fault: FaultHandle, node: NodeId, _: ClockUse) {
        clock::take_reads(node.index());
        self.scene.borrow_mut().clocks[node.index()].insert(fault);
    }

    fn forget_clock(&mut self, fault: FaultHandle, node: NodeId) {
        self.scene.borrow_mut().clocks[node.index()].remove(&fault);
    }

    fn set_drift(&mut self, _: FaultHandle, _: NodeId, _: i32) {
        self.cannot("a clock that drifts");
    }

    fn add_disk_fault(&mut self, _: FaultHandle, _: NodeId, _: DiskFault) {
        self.cannot("a fault of a disk");
    }

    fn remove_disk_fault(&mut self, _: FaultHandle, _: NodeId) {}

    fn records(&self, _: NodeId) -> usize {
        0
    }

    fn damage_record(&mut self, _: FaultHandle, _: NodeId, _: usize, _: Damage) {
        self.cannot("bit rot");
    }

    fn replace_disk(&mut self, _: FaultHandle, _: NodeId) {
        self.cannot("the loss of a disk");
    }

    fn control(&mut self, _: FaultHandle, _: NodeId, _: Control) {
        self.cannot("a control");
    }

    fn end_control(&mut self, _: FaultHandle, _: NodeId) {}

    fn set_trap(&mut self, _: FaultHandle, _: Trap) {
        self.cannot("a trap at a failpoint");
    }

    fn remove_traps(&mut self, _: FaultHandle) {}
}
