//! The recorder: history, facts and trace of a run, and the counters of its faults.

use std::collections::BTreeMap;

use wrack_history::history::NemesisEvent;
use wrack_history::{
    Fact, FactRecord, History, Moment, Operation, SmolStr, Trace, TraceEvent, TraceKind,
};

use crate::chance::{Digest, finish};
use crate::network::FaultHandle;
use crate::node::{Completed, NodeId};

/// How much of a trace is kept; its hash always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceLevel {
    /// The hash alone.
    #[default]
    Hash,
    /// Every event.
    Events,
    /// Every event, with its content in words.
    Texts,
}

/// What a fault touched while operations were open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultEffect {
    /// How often.
    pub count: u64,
    /// First and last time, in virtual nanoseconds.
    pub span_ns: Option<(u64, u64)>,
}

/// What a run leaves behind.
#[derive(Debug)]
pub struct Recording {
    /// What clients and the nemesis saw.
    pub history: History,
    /// What nodes noted.
    pub facts: Vec<FactRecord>,
    /// Situations worth reaching, and how often they were.
    pub sometimes: std::collections::BTreeMap<SmolStr, u64>,
    /// The trace, as far as it was kept.
    pub trace: Trace,
    /// A digest of everything that happened.
    pub trace_hash: u64,
    /// Messages sent.
    pub messages: u64,
    /// Records and cells written to disks.
    pub writes: u64,
    /// What each fault touched, by its handle.
    pub effects: Vec<FaultEffect>,
}

/// Everything that is written down while a run goes on, by the engine or by another carrier.
///
/// Units: every `ns` is true time since the run began, and never less than the one before.
#[derive(Debug, Default)]
pub struct Recorder {
    history: History,
    /// Where each operation stands in the history, by its id.
    places: Vec<u32>,
    facts: Vec<FactRecord>,
    keep_all_facts: bool,
    sometimes: BTreeMap<SmolStr, u64>,
    trace: Trace,
    level: TraceLevel,
    /// Outside of these stretches no event is kept; empty means everywhere.
    windows: Vec<(u64, u64)>,
    digest: Digest,
    messages: u64,
    writes: u64,
    faults: Vec<FaultEffect>,
    index: u64,
    open: u64,
    /// Time during which at least one operation was open, up to `open_since`.
    open_ns: u64,
    open_since: u64,
}

/// An event: what happened when and to whom, who the other side is, and what identifies its content.
#[inline]
pub fn traced(kind: TraceKind, ns: u64, (node, peer): (NodeId, NodeId), detail: u64) -> TraceEvent {
    TraceEvent { ns, detail, kind, node: node.0, peer: peer.0 }
}

impl Recorder {
    /// An empty one.
    pub fn new(level: TraceLevel, keep_all_facts: bool) -> Self {
        Self { level, keep_all_facts, ..Self::default() }
    }

    /// Keeps events of the trace within these stretches of time alone; the hash is that of all.
    pub fn keep_within(&mut self, windows: Vec<(u64, u64)>) {
        self.windows = windows;
    }

    /// Makes room for so many operations, and for as many facts.
    pub fn expect_operations(&mut self, operations: usize) {
        self.history.operations.reserve_exact(operations);
        self.places.reserve_exact(operations);
        self.facts.reserve_exact(operations);
    }

    fn moment(&mut self, ns: u64) -> Moment {
        self.index += 1;
        Moment { index: self.index - 1, ns }
    }

    /// A client invokes an operation.
    ///
    /// # Panics
    /// If one with the same id was invoked before.
    #[inline]
    pub fn invoke(&mut self, mut operation: Operation, ns: u64) {
        if self.open == 0 {
            self.open_since = ns;
        }
        self.open += 1;
        operation.invoke = self.moment(ns);
        let id = operation.id as usize;
        if self.places.len() <= id {
            self.places.resize(id + 1, u32::MAX);
        }
        assert_eq!(self.places[id], u32::MAX, "an operation is invoked once");
        self.places[id] = self.history.operations.len() as u32;
        self.history.operations.push(operation);
    }

    /// A client completes an operation.
    ///
    /// # Panics
    /// If it was never invoked, or is completed already.
    pub fn complete(&mut self, completed: Completed, ns: u64) {
        let at = self.moment(ns);
        self.open -= 1;
        if self.open == 0 {
            self.open_ns += ns - self.open_since;
        }
        let place = self.places[completed.operation as usize];
        let operation = &mut self.history.operations[place as usize];
        assert_eq!(operation.complete, Moment::NEVER, "an operation completes once");
        operation.complete = at;
        operation.outcome = completed.outcome;
        operation.result = completed.result;
        if completed.attempts > 1 || !completed.error.is_empty() {
            let details = operation.details_mut();
            details.attempts = Some(completed.attempts);
            details.error = (!completed.error.is_empty()).then_some(completed.error);
        }
    }

    /// Operations that are open now.
    pub fn open_operations(&self) -> u64 {
        self.open
    }

    /// What was recorded; operations that are open end `info` now.
    pub fn finish(mut self, ns: u64) -> Recording {
        self.close(ns);
        Recording {
            history: self.history,
            facts: self.facts,
            sometimes: self.sometimes,
            trace: self.trace,
            trace_hash: finish(self.digest.0),
            messages: self.messages,
            writes: self.writes,
            effects: self.faults,
        }
    }

    /// Ends every open operation: nobody will learn what becomes of it.
    fn close(&mut self, ns: u64) {
        for place in 0..self.history.operations.len() {
            if self.history.operations[place].complete == Moment::NEVER {
                self.history.operations[place].complete = self.moment(ns);
            }
        }
    }

    /// The nemesis acts.
    pub fn nemesis(&mut self, mut event: NemesisEvent, ns: u64) {
        event.at = self.moment(ns);
        let detail = Digest::of(&event.detail);
        self.trace(traced(TraceKind::Nemesis, ns, (NodeId(0), NodeId(0)), detail), || {
            let what = if event.injected { "injects" } else { "heals" };
            format!("nemesis {what} {}: {}", event.name, event.detail).into()
        });
        self.history.nemesis.push(event);
    }

    /// Time so far during which at least one operation was open, in nanoseconds.
    pub fn open_ns(&self, now: u64) -> u64 {
        self.open_ns + if self.open > 0 { now - self.open_since } else { 0 }
    }

    /// Messages sent so far.
    pub fn messages_sent(&self) -> u64 {
        self.messages
    }

    /// What clients and the nemesis saw so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The facts that were kept so far, in order.
    pub fn facts(&self) -> &[FactRecord] {
        &self.facts
    }

    /// A message is sent; gives its number, from 1.
    #[inline]
    pub fn send(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    /// A record or cell is written to a disk.
    #[inline]
    pub fn write(&mut self) {
        self.writes += 1;
    }

    /// Starts to count what a fault touches.
    pub fn open_fault(&mut self) -> FaultHandle {
        self.faults.push(FaultEffect::default());
        self.faults.len() - 1
    }

    /// A fault touched something: it counts while operations are open.
    #[inline]
    pub fn touch(&mut self, fault: FaultHandle, count: u64, ns: u64) {
        if self.open > 0 {
            self.touch_span(fault, count, (ns, ns));
        }
    }

    /// A fault touched something between these two times, operations open or not.
    pub fn touch_span(&mut self, fault: FaultHandle, count: u64, (from, to): (u64, u64)) {
        if count == 0 {
            return;
        }
        let effect = &mut self.faults[fault];
        effect.count += count;
        let (first, last) = effect.span_ns.unwrap_or((from, to));
        effect.span_ns = Some((first.min(from), last.max(to)));
    }

    /// What a fault touched so far.
    pub fn effect(&self, fault: FaultHandle) -> FaultEffect {
        self.faults[fault]
    }

    /// Writes a fact down; those that only an observer reads in passing are not kept.
    pub fn fact(&mut self, record: FactRecord) {
        match record.fact {
            Fact::Sometimes { name } => {
                *self.sometimes.entry(name).or_default() += 1;
                return;
            }
            Fact::Appended { .. } | Fact::Committed { .. } | Fact::Applied { .. }
                if !self.keep_all_facts =>
            {
                return;
            }
            _ => {}
        }
        self.facts.push(record);
    }

    /// Something happened; `text` says it in words, if they are kept.
    #[inline]
    pub fn trace(&mut self, event: TraceEvent, text: impl FnOnce() -> SmolStr) {
        if self.digest(event) {
            self.keep(event, text);
        }
    }

    /// The same for what happens most often: says whether the event is to be [kept](Self::keep), so that
    /// nobody makes ready for a text in vain.
    #[inline]
    pub(crate) fn digest(&mut self, event: TraceEvent) -> bool {
        let TraceEvent { ns, detail, kind, node, peer } = event;
        // A send shows in the number of every later delivery.
        if kind != TraceKind::Send {
            let who = (kind as u64) << 32 | u64::from(node) << 16 | u64::from(peer);
            self.digest.push(Digest::mix([ns, who, detail]));
        }
        self.level >= TraceLevel::Events
    }

    /// Keeps an event, where it is to be kept.
    #[cold]
    #[inline(never)]
    pub(crate) fn keep(&mut self, event: TraceEvent, text: impl FnOnce() -> SmolStr) {
        let within = |(from, to): &(u64, u64)| (*from..=*to).contains(&event.ns);
        if !self.windows.is_empty() && !self.windows.iter().any(within) {
            return;
        }
        self.trace.events.push(event);
        if self.level == TraceLevel::Texts {
            self.trace.texts.push(text());
        }
    }
}
