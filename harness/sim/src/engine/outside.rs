//! The engine as the nemesis sees it.

use wrack_history::SmolStr;
use wrack_history::history::NemesisEvent;

use super::{Engine, Node, NodeId, SetTrap};
use crate::network::{FaultHandle, LinkRule, RuleId};
use crate::record::FaultEffect;
use crate::world::{DiskFault, Observer, TailChance, Trap, World};

/// The engine, with the observer whom its facts go to.
pub(super) struct Outside<'a, N: Node> {
    pub engine: &'a mut Engine<N>,
    pub observer: &'a mut dyn Observer,
}

impl<N: Node> World for Outside<'_, N> {
    fn now_ns(&self) -> u64 {
        self.engine.now
    }

    fn seed(&self) -> u64 {
        self.engine.seed
    }

    fn names(&self) -> &[SmolStr] {
        &self.engine.names
    }

    fn servers(&self) -> usize {
        self.engine.servers
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.engine.members[node.index()].node.is_some()
    }

    fn role(&self, node: NodeId) -> Option<(SmolStr, u64)> {
        self.engine.members[node.index()].role.clone()
    }

    fn open_ns(&self) -> u64 {
        self.engine.record.open_ns(self.engine.now)
    }

    fn open_fault(&mut self) -> FaultHandle {
        self.engine.record.open_fault()
    }

    fn touch(&mut self, fault: FaultHandle, count: u64) {
        self.engine.record.touch(fault, count, self.engine.now);
    }

    fn effect(&self, fault: FaultHandle) -> FaultEffect {
        self.engine.record.effect(fault)
    }

    fn record(&mut self, event: NemesisEvent) {
        self.engine.record.nemesis(event, self.engine.now);
    }

    fn add_rule(&mut self, fault: FaultHandle, rule: LinkRule) -> RuleId {
        self.engine.network.add_rule(fault, rule)
    }

    fn remove_rule(&mut self, rule: RuleId) {
        let engine = &mut *self.engine;
        engine.network.remove_rule(rule);
        let mut held = std::mem::take(&mut engine.held_messages);
        held.retain(|(by, slot)| {
            if *by == rule {
                let envelope = &engine.payloads[*slot];
                let (from, to) = (envelope.from, envelope.to);
                let (at, tie) = engine.network.route(engine.now, from, to);
                engine.requeue_message(at, tie, *slot as u32);
            }
            *by != rule
        });
        engine.held_messages = held;
    }

    fn crash(&mut self, fault: FaultHandle, node: NodeId, tail: TailChance) {
        if !self.is_up(node) {
            return;
        }
        let tail = self.engine.draw_tail(node, tail);
        let lost = self.engine.crash_node(node, tail, self.observer);
        self.engine.members[node.index()].down_by = Some(fault);
        self.touch(fault, lost as u64);
    }

    fn boot(&mut self, node: NodeId) {
        if !self.is_up(node) {
            self.engine.boot_node(node, self.observer);
        }
    }

    fn pause(&mut self, fault: FaultHandle, node: NodeId, clock_stops: bool) {
        let member = &self.engine.members[node.index()];
        if member.node.is_some() && member.pause.is_none() {
            self.engine
                .pause_node(node, (fault, clock_stops), None, self.observer);
        }
    }

    fn resume(&mut self, node: NodeId) {
        self.engine.resume_node(node, self.observer);
    }

    fn step_clock(&mut self, fault: FaultHandle, node: NodeId, offset_ns: i64) {
        self.engine.members[node.index()].clock.step(offset_ns);
        self.touch(fault, 0);
    }

    fn watch_clock(&mut self, fault: FaultHandle, node: NodeId) {
        self.engine.members[node.index()].clock_faults.push(fault);
    }

    fn forget_clock(&mut self, fault: FaultHandle, node: NodeId) {
        self.engine.members[node.index()]
            .clock_faults
            .retain(|other| *other != fault);
    }

    fn set_drift(&mut self, node: NodeId, ppm: i32) {
        self.engine.members[node.index()]
            .clock
            .set_drift(ppm, self.engine.now);
        self.engine.remap_timers(node);
    }

    fn add_disk_fault(&mut self, fault: FaultHandle, node: NodeId, what: DiskFault) {
        let member = &mut self.engine.members[node.index()];
        member.disk.limit(what.capacity);
        member.disk_faults.push((fault, what));
    }

    fn remove_disk_fault(&mut self, fault: FaultHandle, node: NodeId) {
        let member = &mut self.engine.members[node.index()];
        member.disk_faults.retain(|(other, _)| *other != fault);
        member.disk.limit(
            member
                .disk_faults
                .iter()
                .find_map(|(_, what)| what.capacity),
        );
    }

    fn set_trap(&mut self, fault: FaultHandle, trap: Trap) {
        let caught = Vec::new();
        self.engine.traps.push(SetTrap {
            fault,
            trap,
            hits: 0,
            sprung: 0,
            caught,
        });
    }

    fn remove_traps(&mut self, fault: FaultHandle) {
        let traps = std::mem::take(&mut self.engine.traps);
        let (removed, kept) = traps.into_iter().partition(|set| set.fault == fault);
        self.engine.traps = kept;
        for node in Vec::<SetTrap>::into_iter(removed).flat_map(|set| set.caught) {
            let member = &self.engine.members[node.index()];
            let paused_by = member.pause.as_ref().map(|pause| pause.fault);
            if member.down_by == Some(fault) {
                self.boot(node);
            } else if paused_by == Some(fault) {
                self.resume(node);
            }
        }
    }
}
