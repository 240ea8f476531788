//! The engine as the nemesis sees it.

use wrack_history::SmolStr;
use wrack_history::history::NemesisEvent;

use super::{Control, Engine, Flight, Node, NodeId, SetTrap};
use crate::disk::Damage;
use crate::network::{FaultHandle, LinkRule, RuleId};
use crate::record::FaultEffect;
use crate::world::{ClockUse, DiskFault, DiskTrouble, TailChance, Trap, World};

/// The engine, lent out.
pub(super) struct Outside<'a, N: Node> {
    pub engine: &'a mut Engine<N>,
}

impl<N: Node> Outside<'_, N> {
    /// A fault spoiled something on a disk: that shows later, whether operations are open now or not.
    fn damage(&mut self, fault: FaultHandle, count: u64) {
        let now = self.engine.now;
        self.engine.record.touch_span(fault, count, (now, now));
    }
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
        let held = std::mem::take(&mut engine.held_messages);
        let (mut released, kept) = held.into_iter().partition::<Vec<_>, _>(|(by, _)| *by == rule);
        engine.held_messages = kept;
        // What was under way when the rule was laid was held later than what was sent after it.
        released.sort_by_key(|(_, slot)| engine.effects.messages.flight(*slot).number);
        for (_, slot) in released {
            let Flight { from, to, .. } = engine.effects.messages.flight(slot);
            let (at, tie) = engine.network.route(engine.now, from, to);
            engine.queue_message(at, tie, slot);
        }
    }

    fn crash(&mut self, fault: FaultHandle, node: NodeId, tail: TailChance) {
        if self.is_up(node) {
            let tail = self.engine.draw_tail(node, tail);
            let lost = self.engine.crash_node(node, tail);
            self.touch(fault, lost as u64);
        }
        let hold = self.engine.hold(fault, None, false);
        self.engine.join(node, hold);
    }

    fn pause(&mut self, fault: FaultHandle, node: NodeId, clock_stops: bool) {
        let member = &self.engine.members[node.index()];
        let (is_up, is_paused) = (member.node.is_some(), member.pause.is_some());
        let hold = self.engine.hold(fault, None, clock_stops);
        match (is_up, is_paused) {
            (true, true) => self.engine.join(node, hold),
            (true, false) => self.engine.pause_node(node, hold, None),
            (false, _) => {}
        }
    }

    fn release(&mut self, fault: FaultHandle, node: NodeId) {
        self.engine.let_go(node, fault);
    }

    fn step_clock(&mut self, node: NodeId, offset_ns: i64) {
        self.engine.members[node.index()].clock.step(offset_ns);
    }

    fn watch_clock(&mut self, fault: FaultHandle, node: NodeId, what: ClockUse) {
        self.engine.members[node.index()].clock_faults.push((fault, what));
    }

    fn forget_clock(&mut self, fault: FaultHandle, node: NodeId) {
        self.engine.members[node.index()].clock_faults.retain(|(other, _)| *other != fault);
    }

    fn set_drift(&mut self, fault: FaultHandle, node: NodeId, ppm: i32) {
        let member = &mut self.engine.members[node.index()];
        member.drifts.retain(|(other, _)| *other != fault);
        member.drifts.push((fault, ppm));
        let sum = member.drifts.iter().map(|(_, ppm)| *ppm);
        let sum = sum.fold(0, i32::saturating_add);
        member.clock.set_drift(sum, self.engine.now);
        self.engine.remap_timers(node);
    }

    fn add_disk_fault(&mut self, fault: FaultHandle, node: NodeId, what: DiskFault) {
        let member = &mut self.engine.members[node.index()];
        if let DiskTrouble::Full { spare_bytes } = what.trouble {
            member.disk.limit(Some(spare_bytes));
        }
        member.disk_faults.push((fault, what));
    }

    fn remove_disk_fault(&mut self, fault: FaultHandle, node: NodeId) {
        let member = &mut self.engine.members[node.index()];
        let faults = std::mem::take(&mut member.disk_faults);
        let (gone, kept) = faults.into_iter().partition::<Vec<_>, _>(|(other, _)| *other == fault);
        member.disk_faults = kept;
        let spare = |(_, what): &(_, DiskFault)| match what.trouble {
            DiskTrouble::Full { spare_bytes } => Some(spare_bytes),
            _ => None,
        };
        if gone.iter().any(|fault| spare(fault).is_some()) {
            member.disk.limit(member.disk_faults.iter().filter_map(spare).min());
        }
    }

    fn records(&self, node: NodeId) -> usize {
        self.engine.members[node.index()].disk.len()
    }

    fn damage_record(&mut self, fault: FaultHandle, node: NodeId, record: usize, damage: Damage) {
        let is_another = self.engine.members[node.index()].disk.damage(record, damage);
        self.damage(fault, u64::from(is_another));
    }

    fn replace_disk(&mut self, fault: FaultHandle, node: NodeId) {
        assert!(!self.is_up(node), "the disk of a node that runs is not replaced");
        let held = self.engine.members[node.index()].disk.replace();
        self.damage(fault, held as u64);
    }

    fn control(&mut self, fault: FaultHandle, node: NodeId, control: Control) {
        let controls = &mut self.engine.members[node.index()].controls;
        controls.retain(|(other, _)| *other != fault);
        controls.push((fault, control.clone()));
        self.engine.tell_control(node, control);
    }

    fn end_control(&mut self, fault: FaultHandle, node: NodeId) {
        let member = &mut self.engine.members[node.index()];
        let Some(place) = member.controls.iter().position(|(other, _)| *other == fault) else {
            return;
        };
        let (_, control) = member.controls.remove(place);
        self.engine.tell_control(node, Control { is_over: true, ..control });
    }

    fn set_trap(&mut self, fault: FaultHandle, trap: Trap) {
        let caught = Vec::new();
        self.engine.traps.push(SetTrap { fault, trap, hits: 0, sprung: 0, caught });
        self.engine.effects.failpoints_wanted = true;
    }

    fn remove_traps(&mut self, fault: FaultHandle) {
        let traps = std::mem::take(&mut self.engine.traps);
        let (removed, kept) = traps.into_iter().partition(|set| set.fault == fault);
        self.engine.traps = kept;
        self.engine.effects.failpoints_wanted = !self.engine.traps.is_empty();
        for node in Vec::<SetTrap>::into_iter(removed).flat_map(|set| set.caught) {
            self.engine.let_go(node, fault);
        }
    }
}
