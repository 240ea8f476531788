//! Carrying out the effects of a callback, in their order.

use wrack_history::{Operation, Outcome, TraceKind};

use super::{Digest, Effect, Effects, Engine, Flight, Node, NodeId, Sync, Timed, timer_due};
use crate::network::Routed;
use crate::node::{Bytes, Completed, Place};
use crate::queue::Due;
use crate::record::traced;
use crate::timers::Wanted;
use crate::world::{FailpointAction, TailChance};

impl<N: Node> Engine<N> {
    /// Carries out everything in `self.effects`; a trap at a failpoint cuts the list.
    ///
    /// Each effect is a call: lists are short, and what a compiler moves in front of the loop costs more
    /// than calls do.
    pub(super) fn apply(&mut self, id: NodeId) {
        // Only the list is moved out: moving all of the effects costs more than carrying them out.
        let mut list = std::mem::take(&mut self.effects.list);
        let mut rest = list.iter();
        while let Some(effect) = rest.next() {
            match effect {
                Effect::Send { to, message } => self.send(id, *to, *message),
                Effect::Arm { timer, after_ns } => self.arm(id, *timer, *after_ns),
                Effect::Note => self.note_next(),
                Effect::Failpoint(name) => {
                    if let Some(sprung) = self.spring(id, name) {
                        let list = list.split_off(list.len() - rest.len());
                        let rest = self.effects.split_off(list);
                        self.cut(id, rest, sprung);
                        return;
                    }
                }
                effect => self.carry_out(id, effect),
            }
        }
        self.effects.carried_out(list);
    }

    /// Carries out one of the rarer effects.
    #[inline(never)]
    fn carry_out(&mut self, id: NodeId, effect: &Effect) {
        let member = &mut self.members[id.index()];
        let bytes = |range: &Bytes| &self.effects.bytes[range.start as usize..range.end as usize];
        match effect {
            Effect::Send { .. } | Effect::Arm { .. } | Effect::Note | Effect::Failpoint(_) => {
                unreachable!("these are carried out where they stand")
            }
            Effect::Disarm { timer } => member.timers.disarm(timer),
            Effect::Append(range) => {
                self.record.write();
                member.disk.append(bytes(range));
            }
            Effect::Put(cell, range) => {
                self.record.write();
                member.disk.put(cell, bytes(range));
            }
            Effect::Truncate(records) => member.disk.truncate(*records),
            Effect::Discard(records) => member.disk.discard(*records),
            Effect::Sync { tag } => self.sync(id, *tag),
            Effect::Invoke(place) => {
                let operation = self.effects.operations.take(*place);
                self.invoke(id, operation);
            }
            Effect::Touch(name, count) => {
                let asked = member.controls.iter().filter(|(_, control)| control.name == *name);
                for (fault, _) in asked {
                    self.record.touch(*fault, *count, self.now);
                }
            }
            Effect::Complete(place) => {
                let completed = self.effects.completions.take(*place);
                self.complete(id, completed);
            }
        }
    }

    #[inline]
    fn invoke(&mut self, id: NodeId, operation: Operation) {
        let digest = Digest::of(&(operation.id, &operation.argument));
        self.record.trace(traced(TraceKind::Invoke, self.now, (id, id), digest), || {
            let Operation { function, key, argument, .. } = &operation;
            format!("{} invokes {function} {key} {argument}", self.names[id.index()]).into()
        });
        self.record.invoke(operation, self.now);
    }

    fn complete(&mut self, id: NodeId, completed: Completed) {
        let digest = Digest::of(&(completed.operation, &completed.result));
        self.record.trace(traced(TraceKind::Complete, self.now, (id, id), digest), || {
            let outcome = match completed.outcome {
                Outcome::Ok => "ok",
                Outcome::Fail => "fail",
                Outcome::Info => "info",
            };
            let who = &self.names[id.index()];
            format!("{who} completes {outcome} {}", completed.result).into()
        });
        self.record.complete(completed, self.now);
    }

    #[inline(never)]
    fn send(&mut self, from: NodeId, to: NodeId, slot: Place) {
        let number = self.record.send();
        let event = |now| traced(TraceKind::Send, now, (from, to), number);
        if self.record.digest(event(self.now)) {
            let (names, message) = (&self.names, self.effects.messages.get(slot));
            self.record.keep(event(self.now), || {
                format!("{} ⇒ {}: {message:?}", names[from.index()], names[to.index()]).into()
            });
        }
        self.effects.messages.dispatch(slot, Flight { number, from, to });
        if self.network.calm(from, to) {
            let (at, tie) = self.network.route(self.now, from, to);
            self.queue_message(at, tie, slot);
        } else {
            self.send_by_rules(from, to, slot);
        }
    }

    #[inline(never)]
    fn send_by_rules(&mut self, from: NodeId, to: NodeId, slot: Place) {
        let class = N::class(self.effects.messages.get(slot));
        let Routed { deliveries, held_by, touched } =
            self.network.route_with_rules(self.now, from, to, class);
        for fault in touched {
            self.record.touch(fault, 1, self.now);
        }
        if let Some(rule) = held_by {
            self.held_messages.push((rule, slot));
            return;
        }
        let Some(((at, tie), copies)) = deliveries.split_first() else {
            self.drop_message(slot);
            return;
        };
        for (at, tie) in copies {
            let copy = self.effects.messages.get(slot).clone();
            let copy = self.effects.messages.insert(copy);
            self.effects.messages.dispatch(copy, self.effects.messages.flight(slot));
            self.queue_message(*at, *tie, copy);
        }
        self.queue_message(*at, *tie, slot);
    }

    #[inline]
    pub(super) fn queue_message(&mut self, at: u64, tie: u32, slot: Place) {
        let due = Due::new(at, tie, self.next_sequence());
        self.messages.push(due, slot);
    }

    #[inline(always)]
    fn arm(&mut self, id: NodeId, timer: u64, after_ns: u64) {
        let sequence = self.next_sequence();
        let member = &mut self.members[id.index()];
        let deadline_ns = member.clock.monotonic(self.now).saturating_add(after_ns);
        let wanted = Wanted { deadline_ns, sequence };
        if !member.timers.postpone(&timer, wanted) {
            self.queue_timer(id, timer, wanted);
        }
    }

    /// Arms a timer that no entry of the queue stands for.
    #[inline(never)]
    fn queue_timer(&mut self, id: NodeId, timer: u64, wanted: Wanted) {
        let member = &mut self.members[id.index()];
        let due = timer_due(&self.noise, (id, &member.clock), self.now, wanted);
        let entry = member.timers.arm(timer, wanted);
        self.timed.push(due, Timed::Timer(id, entry));
    }

    fn sync(&mut self, id: NodeId, tag: u64) {
        let point = self.members[id.index()].disk.sync_point();
        let plan = self.plan_sync(id, point.overflowed);
        let member = &mut self.members[id.index()];
        member.syncs.push_back(Sync { tag, point, result: plan.result, lying: plan.lying });
        let boots = member.boots;
        let due = Due::new(plan.done_ns, 0, self.next_sequence());
        self.timed.push(due, Timed::Synced(id, boots));
    }

    /// A trap at a failpoint sprang: a crash drops the rest of the effects, a pause defers them.
    fn cut(
        &mut self,
        id: NodeId,
        rest: Effects<N::Message>,
        (fault, action): (usize, FailpointAction),
    ) {
        self.record.touch_span(fault, 1, (self.now, self.now));
        match action {
            FailpointAction::Crash { down_ns } => {
                self.restore_effects(rest);
                self.effects.clear();
                let tail = self.draw_tail(id, TailChance::default());
                self.crash_node(id, tail);
                let until_ns = self.now + down_ns;
                self.join(id, self.hold(fault, Some(until_ns), false));
                self.plan_return(id, until_ns);
            }
            FailpointAction::Pause { pause_ns, clock_stops } => {
                let until_ns = self.now + pause_ns;
                let hold = self.hold(fault, Some(until_ns), clock_stops);
                self.pause_node(id, hold, Some(rest));
                self.plan_return(id, until_ns);
            }
        }
    }
}
