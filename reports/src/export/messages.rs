//! Which message came of what, as far as a trace tells.
//!
//! A node sends within a callback, so what it sends came of what it was called for: an operation that
//! it invoked, or a message that it got. What it sends when a timer fires or a sync comes back came
//! of something that a trace does not name, and nothing is guessed; a client has at most one
//! operation open, so what its timers send belongs to that one.

use std::collections::BTreeMap;

use wrack_history::{NodeIndex, Run, Trace, TraceEvent, TraceKind};

/// What made a node send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An operation, by its place in the history.
    Operation(usize),
    /// A message, by its place among them.
    Message(usize),
    /// A timer, a sync, a boot: nobody says of what.
    Unknown,
}

/// A message of a run.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Unique among the messages of the run.
    pub number: u64,
    pub from: NodeIndex,
    pub to: NodeIndex,
    pub sent_ns: u64,
    /// When it was delivered, each time.
    pub delivered_ns: Vec<u64>,
    /// When it was lost.
    pub lost_ns: Option<u64>,
    pub cause: Cause,
    /// The operation that it belongs to, by its place in the history.
    pub operation: Option<usize>,
    /// What it says, in words, if the trace has words.
    pub words: String,
}

/// The messages of a run, and what they answered.
#[derive(Default)]
pub(crate) struct Messages {
    pub list: Vec<Message>,
    /// For an operation, by its place, the message whose arrival completed it.
    pub answers: BTreeMap<usize, usize>,
}

impl Messages {
    /// What the trace of a run says; nothing if there is no trace, or not of these operations.
    pub fn of(run: &Run) -> Self {
        let Some(trace) = &run.trace else { return Self::default() };
        let invoked = trace.events.iter().filter(|event| event.kind == TraceKind::Invoke).count();
        match invoked == run.history.operations.len() {
            true => Reading::over(trace, run.nodes.len()),
            false => Self::default(),
        }
    }
}

struct Reading {
    messages: Messages,
    /// Where a message stands, by its number.
    places: BTreeMap<u64, usize>,
    /// For each node, what it was called for last.
    causes: Vec<Cause>,
    /// For each node, its open operation.
    open: Vec<Option<usize>>,
    invoked: usize,
}

impl Reading {
    fn over(trace: &Trace, nodes: usize) -> Messages {
        let (messages, places) = Default::default();
        let (causes, open) = (vec![Cause::Unknown; nodes], vec![None; nodes]);
        let mut reading = Self { messages, places, causes, open, invoked: 0 };
        for (place, event) in trace.events.iter().enumerate() {
            let words = trace.texts.get(place).map_or("", |words| words.as_str());
            reading.take(event, words);
        }
        reading.messages
    }

    fn take(&mut self, event: &TraceEvent, words: &str) {
        let node = event.node as usize;
        match event.kind {
            TraceKind::Invoke => {
                self.open[node] = Some(self.invoked);
                self.causes[node] = Cause::Operation(self.invoked);
                self.invoked += 1;
            }
            TraceKind::Complete => {
                if let (Some(done), Cause::Message(answer)) =
                    (self.open[node].take(), self.causes[node])
                {
                    self.messages.answers.insert(done, answer);
                }
            }
            TraceKind::Send => self.send(event, words),
            TraceKind::Deliver => {
                self.causes[node] = Cause::Unknown;
                if let Some(place) = self.places.get(&event.detail) {
                    self.messages.list[*place].delivered_ns.push(event.ns);
                    self.causes[node] = Cause::Message(*place);
                }
            }
            TraceKind::Drop => {
                if let Some(place) = self.places.get(&event.detail) {
                    self.messages.list[*place].lost_ns = Some(event.ns);
                }
            }
            TraceKind::Timer => {
                self.causes[node] = self.open[node].map_or(Cause::Unknown, Cause::Operation);
            }
            TraceKind::Synced | TraceKind::Boot | TraceKind::Resume | TraceKind::Control => {
                self.causes[node] = Cause::Unknown;
            }
            TraceKind::Crash | TraceKind::Pause | TraceKind::Note | TraceKind::Nemesis => (),
        }
    }

    fn send(&mut self, event: &TraceEvent, words: &str) {
        let cause = self.causes[event.node as usize];
        let operation = match cause {
            Cause::Operation(operation) => Some(operation),
            Cause::Message(place) => self.messages.list[place].operation,
            Cause::Unknown => None,
        };
        self.places.insert(event.detail, self.messages.list.len());
        self.messages.list.push(Message {
            number: event.detail,
            from: event.node,
            to: event.peer,
            sent_ns: event.ns,
            delivered_ns: Vec::new(),
            lost_ns: None,
            cause,
            operation,
            words: words.split_once(": ").map_or(words, |(_, words)| words).into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Outcome, Run, Trace, TraceEvent, TraceKind, Value};

    use super::{Cause, Messages};

    fn event(kind: TraceKind, node: u16, peer: u16, detail: u64) -> TraceEvent {
        TraceEvent { ns: 0, detail, kind, node, peer }
    }

    fn operation(id: u64) -> Operation {
        let moment = wrack_history::Moment { index: id, ns: 0 };
        Operation {
            id,
            process: 0,
            session: 0,
            key: "k".into(),
            function: "read".into(),
            argument: Value::Nil,
            result: Value::Nil,
            outcome: Outcome::Ok,
            invoke: moment,
            complete: moment,
            details: None,
        }
    }

    fn read(events: &[TraceEvent], operations: u64) -> Messages {
        let mut run = Run { nodes: vec!["n1".into(), "client-1".into()], ..Run::default() };
        run.history.operations = (0..operations).map(operation).collect();
        run.trace = Some(Trace { events: events.to_vec(), texts: Vec::new() });
        Messages::of(&run)
    }

    /// The client (1) asks the node (0), which answers; then a timer of the node sends something.
    fn asked_and_answered() -> Vec<TraceEvent> {
        vec![
            event(TraceKind::Invoke, 1, 1, 7),
            event(TraceKind::Send, 1, 0, 1),
            event(TraceKind::Deliver, 0, 1, 1),
            event(TraceKind::Send, 0, 1, 2),
            event(TraceKind::Timer, 0, 0, 3),
            event(TraceKind::Send, 0, 1, 3),
            event(TraceKind::Deliver, 1, 0, 2),
            event(TraceKind::Complete, 1, 1, 7),
        ]
    }

    #[test]
    fn a_message_comes_of_what_its_sender_was_called_for() {
        let messages = read(&asked_and_answered(), 1);
        let causes: Vec<Cause> = messages.list.iter().map(|one| one.cause).collect();
        assert_eq!(causes, [Cause::Operation(0), Cause::Message(0), Cause::Unknown]);
        let of: Vec<_> = messages.list.iter().map(|one| one.operation).collect();
        assert_eq!(of, [Some(0), Some(0), None]);
        assert_eq!(messages.answers, [(0, 1)].into());
    }

    #[test]
    fn a_trace_of_other_operations_says_nothing() {
        assert!(read(&asked_and_answered(), 2).list.is_empty());
        assert!(Messages::of(&Run::default()).list.is_empty());
    }
}
