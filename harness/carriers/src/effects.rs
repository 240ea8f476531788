//! Carrying out the effects of a callback, in their order.

use wrack_history::{Operation, TraceKind};
use wrack_sim::Node;
use wrack_sim::chance::Digest;
use wrack_sim::node::{Bytes, Completed, Effect, Effects};

use crate::driver::{Carrier, Driver, Sync};

impl<N: Node, C: Carrier> Driver<N, C> {
    /// Carries out everything that the callback left. Nobody sets traps at failpoints here.
    pub(crate) fn apply(&mut self, now: u64) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in std::mem::take(&mut effects.list) {
            self.carry_out(now, effect, &mut effects);
        }
        effects.clear();
        self.effects = effects;
    }

    fn carry_out(&mut self, now: u64, effect: Effect, effects: &mut Effects<N::Message>) {
        let bytes = |range: Bytes| &effects.bytes[range.start as usize..range.end as usize];
        match effect {
            Effect::Send { to, message } => {
                let message = effects.messages.take(message);
                let bytes = postcard::to_stdvec(&message).expect("a message can be serialised");
                self.journal.write(now, |recorder, _| recorder.send());
                self.carrier.send(to, &bytes);
            }
            Effect::Arm { timer, after_ns } => self.alarms.arm(timer, now.saturating_add(after_ns)),
            Effect::Disarm { timer } => self.alarms.disarm(timer),
            Effect::Append(range) => {
                self.journal.write(now, |recorder, _| recorder.write());
                self.disk.append(bytes(range));
            }
            Effect::Put(cell, range) => {
                self.journal.write(now, |recorder, _| recorder.write());
                self.disk.put(cell, bytes(range));
            }
            Effect::Truncate(records) => self.disk.truncate(records),
            Effect::Discard(records) => self.disk.discard(records),
            Effect::Sync { tag } => self.sync(now, tag),
            Effect::Note(place) => self.note(now, effects.facts.take(place)),
            Effect::Failpoint(_) | Effect::Touch(..) => {}
            Effect::Invoke(place) => self.invoke(now, effects.operations.take(place)),
            Effect::Complete(place) => self.complete(now, effects.completions.take(place)),
        }
    }

    /// A disk finishes its syncs in the order in which they were asked for.
    fn sync(&mut self, now: u64, tag: u64) {
        let took_ns = self.sync_stream.delay(&self.config.engine.environment.sync_latency);
        let last_ns = self.syncs.back().map_or(0, |sync| sync.done_ns);
        let done_ns = (now + took_ns).max(last_ns);
        let point = self.disk.sync_point();
        self.syncs.push_back(Sync { tag, done_ns, point });
    }

    fn invoke(&mut self, now: u64, operation: Operation) {
        let (node, detail) = (self.id, Digest::of(&(operation.id, &operation.argument)));
        self.journal.write(now, |recorder, ns| {
            let text = || format!("invokes {} {}", operation.function, operation.key).into();
            recorder.trace(TraceKind::Invoke, ns, node, node, detail, text);
            recorder.invoke(operation, ns);
        });
    }

    fn complete(&mut self, now: u64, completed: Completed) {
        let (node, detail) = (self.id, Digest::of(&(completed.operation, &completed.result)));
        self.journal.write(now, |recorder, ns| {
            let text = || format!("completes {}", completed.result).into();
            recorder.trace(TraceKind::Complete, ns, node, node, detail, text);
            recorder.complete(completed, ns);
        });
    }
}
