//! Events as they stand in a file, paired into operations.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::source::Place;
use super::{Assumption, Stop};
use crate::duration::MILLISECOND;
use crate::history::History;
use crate::operation::{Moment, Operation, Outcome};
use crate::value::Value;

/// What an event says of its operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Kind {
    /// As Jepsen writes it.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "invoke" => Some(Self::Invoke),
            "ok" => Some(Self::Ok),
            "fail" => Some(Self::Fail),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

/// Who is the subject of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    Client(u32),
    /// A client of which the file does not say who it is.
    Unnamed,
    /// The nemesis, or whoever else is no client.
    #[default]
    Nemesis,
}

/// One event as it stands in a file.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub kind: Kind,
    pub subject: Subject,
    /// Empty in a completion that does not repeat it.
    pub function: SmolStr,
    pub value: Value,
    pub key: Option<Value>,
    /// Nanoseconds, where the file has them.
    pub ns: Option<u64>,
    /// What went wrong, as it stands there.
    pub error: Option<SmolStr>,
}

/// An event of a file that is not in order of time.
#[derive(Debug)]
pub struct Timed {
    /// What it is sorted by; of equal times invocations come first, then as in the file.
    pub rank: u64,
    pub place: Place,
    pub event: Event,
}

/// Pairs invocations with completions.
#[derive(Debug, Default)]
pub struct Recorder {
    /// The operations as they stand in the file: an argument is the value of the invocation, a result
    /// that of the `ok` completion. Errors stand in their details.
    pub history: History,
    /// Where each operation was invoked.
    pub places: Vec<Place>,
    /// The keys that stand beside the values; empty, or as many as there are operations.
    pub keys: Vec<Value>,
    /// Events of the nemesis, which are left out.
    pub nemesis: u64,
    /// Events with a time, and without.
    pub timed: u64,
    pub untimed: u64,
    /// Nothing but the order within each session is known: see [`super::sessions`].
    pub sessions_only: bool,
    /// Where the file itself says that objects start; `None` where the format says.
    pub initial: Option<Value>,
    /// What else was assumed while reading.
    pub assumed: Vec<Assumption>,
    /// Events that are recorded once all of them are there, in order of time.
    pub later: Vec<Timed>,
    /// The function of an operation that does not name one.
    implied: Option<&'static str>,
    /// Operations of clients that have no name, each of which is a process of its own.
    unnamed: u32,
    index: u64,
    ns: u64,
    /// The last operation of each client.
    last: FxHashMap<u32, usize>,
}

impl Recorder {
    /// One whose operations are transactions, or what this function is, where they do not say it.
    pub fn with_implied(implied: Option<&'static str>) -> Self {
        Self { implied, ..Self::default() }
    }

    /// Records, in order of time, the events that were put off until now.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let mut later = std::mem::take(&mut self.later);
        later.sort_by_key(|timed| (timed.rank, timed.event.kind != Kind::Invoke));
        later.into_iter().try_for_each(|timed| self.event(timed.place, timed.event))
    }

    /// Takes the next event, which stands at `place`.
    pub fn event(&mut self, place: Place, mut event: Event) -> Result<(), Stop> {
        let process = match event.subject {
            Subject::Client(process) if self.unnamed == 0 => process,
            Subject::Client(_) => return Err(partly_named(place)),
            Subject::Unnamed => self.unnamed(place, event.kind)?,
            Subject::Nemesis => {
                self.nemesis += 1;
                return Ok(());
            }
        };
        if let (Kind::Invoke, true, Some(implied)) =
            (event.kind, event.function.is_empty(), self.implied)
        {
            event.function = implied.into();
        }
        match event.ns {
            // A clock that jumps back does not take the order of the file back.
            Some(ns) => {
                self.ns = self.ns.max(ns);
                self.timed += 1;
            }
            None => {
                self.untimed += 1;
                if self.timed == 0 {
                    self.ns += MILLISECOND;
                }
            }
        }
        let at = Moment { index: self.index, ns: self.ns };
        self.index += 1;
        match event.kind {
            Kind::Invoke => self.invoke(place, process, at, event),
            kind => self.complete(place, process, at, kind, event),
        }
    }

    /// Events without a process can be paired only if every operation completes before the next.
    fn unnamed(&mut self, place: Place, kind: Kind) -> Result<u32, Stop> {
        if self.implied.is_none() {
            return Err(Stop::at(place, "this operation has no process"));
        }
        if self.unnamed == 0 && !self.last.is_empty() {
            return Err(partly_named(place));
        }
        if kind == Kind::Invoke {
            self.unnamed += 1;
            let before = self.last.get(&self.unnamed.saturating_sub(2));
            let open = before.map(|last| &self.history.operations[*last]);
            if open.is_some_and(|operation| operation.complete == Moment::NEVER) {
                let reason = "operations have no process, and one begins before the last one ends";
                return Err(Stop::at(place, reason).suggest("say which process each one is of"));
            }
        }
        Ok(self.unnamed.saturating_sub(1))
    }

    /// What to say of clients that have no name.
    pub fn processes(&self) -> Option<Assumption> {
        (self.unnamed > 0).then(|| Assumption {
            name: "processes",
            value: "none".into(),
            words: "the file does not say who did what: every operation is a process of its own"
                .into(),
        })
    }

    fn invoke(&mut self, place: Place, process: u32, at: Moment, event: Event) -> Result<(), Stop> {
        let id = self.history.operations.len();
        if let Some(last) = self.last.insert(process, id) {
            let last = &self.history.operations[last];
            if last.complete == Moment::NEVER {
                let reason = format!("process {process} invokes, but has an operation open");
                return Err(Stop::at(place, reason)
                    .suggest("a process waits for its operation to complete; give each client a process of its own"));
            }
            if last.is_info() {
                let reason = format!("process {process} invokes, but its last outcome is info");
                return Err(Stop::at(place, reason).suggest(
                    "that operation may be open still; go on under a process of another number",
                ));
            }
        }
        if event.function.is_empty() {
            return Err(Stop::at(place, "this operation has no function (`f`)"));
        }
        if let Some(key) = event.key {
            self.keys.resize(id, Value::Nil);
            self.keys.push(key);
        }
        self.places.push(place);
        self.history.operations.push(Operation {
            id: id as u64,
            process,
            session: process,
            key: SmolStr::default(),
            function: event.function,
            argument: event.value,
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke: at,
            complete: Moment::NEVER,
            details: None,
        });
        Ok(())
    }

    fn complete(
        &mut self,
        place: Place,
        process: u32,
        at: Moment,
        kind: Kind,
        event: Event,
    ) -> Result<(), Stop> {
        let open = self.last.get(&process).map(|last| &mut self.history.operations[*last]);
        let Some(operation) = open.filter(|operation| operation.complete == Moment::NEVER) else {
            let reason = format!("process {process} completes an operation, but has none open");
            return Err(Stop::at(place, reason));
        };
        if !event.function.is_empty() && event.function != operation.function {
            let reason = format!(
                "process {process} completes \"{}\", but its open operation is \"{}\"",
                event.function, operation.function
            );
            return Err(Stop::at(place, reason));
        }
        operation.complete = at;
        operation.outcome = match kind {
            Kind::Ok => Outcome::Ok,
            Kind::Fail => Outcome::Fail,
            Kind::Invoke | Kind::Info => Outcome::Info,
        };
        if kind == Kind::Ok {
            operation.result = event.value;
        }
        if let Some(error) = event.error {
            operation.details_mut().error = Some(error);
        }
        Ok(())
    }
}

fn partly_named(place: Place) -> Stop {
    Stop::at(place, "some operations have a process, and some have none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, process: u32, function: &str, value: i64) -> Event {
        Event {
            kind,
            subject: Subject::Client(process),
            function: function.into(),
            value: value.into(),
            ..Event::default()
        }
    }

    fn record(events: Vec<Event>) -> Result<Recorder, String> {
        let mut recorder = Recorder::default();
        for (index, event) in events.into_iter().enumerate() {
            let place = Place { line: index as u64 + 1, column: 1 };
            recorder.event(place, event).map_err(|stop| stop.in_file("f").to_string())?;
        }
        Ok(recorder)
    }

    #[test]
    fn events_are_paired_by_process() {
        let recorder = record(vec![
            event(Kind::Invoke, 0, "write", 1),
            event(Kind::Invoke, 7, "read", 0),
            event(Kind::Ok, 7, "read", 1),
            event(Kind::Info, 0, "", 0),
            event(Kind::Invoke, 7, "read", 0),
        ])
        .unwrap();
        let [write, read, open] = &recorder.history.operations[..] else { panic!("three") };
        assert!(write.is_info() && write.complete.index == 3 && write.argument == 1.into());
        assert!(read.is_ok() && read.complete.index == 2 && read.result == 1.into());
        assert!(open.is_info() && open.complete == Moment::NEVER);
    }

    #[test]
    fn what_no_client_does_is_refused() {
        let check = |events, expected: &str| assert_eq!(record(events).unwrap_err(), expected);
        let invoke = || event(Kind::Invoke, 3, "read", 0);
        check(
            vec![invoke(), invoke()],
            "f:2:1: process 3 invokes, but has an operation open: a process waits for its operation \
             to complete; give each client a process of its own",
        );
        check(
            vec![invoke(), event(Kind::Info, 3, "read", 0), invoke()],
            "f:3:1: process 3 invokes, but its last outcome is info: that operation may be open \
             still; go on under a process of another number",
        );
        check(
            vec![event(Kind::Ok, 3, "read", 0)],
            "f:1:1: process 3 completes an operation, but has none open",
        );
        check(
            vec![invoke(), event(Kind::Ok, 3, "write", 0)],
            "f:2:1: process 3 completes \"write\", but its open operation is \"read\"",
        );
        check(vec![event(Kind::Invoke, 3, "", 0)], "f:1:1: this operation has no function (`f`)");
    }
}
