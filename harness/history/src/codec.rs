//! Histories as JSON Lines: one event a line, streamed in both directions.
//!
//! ```text
//! {"format":"wrack-history","version":1}
//! {"event":"invoke","ns":12,"id":0,"process":3,"session":3,"key":"k1","function":"write","argument":7}
//! {"event":"ok","ns":20,"id":0}
//! {"event":"inject","ns":25,"fault":0,"occurrence":0,"name":"partition","detail":"n3 from the others"}
//! {"event":"end","operations":1}
//! ```
//! The order of the lines is the order of the history. The last line says how many operations there
//! were, so that a history that was cut off at the end of a line is noticed too. Fields that are
//! absent are `null`, 0 for `session`, and empty for `key`. The first line of a generated history
//! carries its `truth` (see [`Truth`]). Reading is strict: a field that is
//! unknown, missing or out of place is an error with its line and column.

use std::io::{self, BufRead, Write};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::history::{History, NemesisEvent};
use crate::operation::{Details, Moment, Operation, Outcome};
use crate::truth::Truth;
use crate::value::Value;

/// The name in the first line.
pub const FORMAT: &str = "wrack-history";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// A longer line is refused.
pub const LINE_BYTES_MAX: usize = 1 << 24;

/// One event of a history.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A client invoked an operation: result, outcome and completion are not known yet.
    Invoke(Operation),
    /// A client completed an operation.
    Complete(Completion),
    /// The nemesis acted.
    Nemesis(NemesisEvent),
}

/// How an operation was completed.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The operation.
    pub id: u64,
    /// When.
    pub at: Moment,
    /// How it ended.
    pub outcome: Outcome,
    /// What the client learned.
    pub result: Value,
    /// What else is known.
    pub details: Option<Box<Details>>,
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// A line is not what it must be.
    #[error("line {line}, column {column}: {message}")]
    Malformed {
        /// From 1.
        line: u64,
        /// From 1, in bytes.
        column: usize,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The file ends in the middle of a line.
    #[error(
        "line {line}, column {column}: the history ends in the middle of a line: it was cut off"
    )]
    EndsMidLine {
        /// From 1.
        line: u64,
        /// Where it ends.
        column: usize,
    },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A history as it was read, and how it ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The history; operations that were never completed are `info`.
    pub history: History,
    /// Operations that were never completed: the recorder stopped in the middle of them.
    pub open: u64,
    /// Whether the last line says that the recorder finished.
    pub finished: bool,
    /// What is known of it by the way in which it was made.
    pub truth: Option<Truth>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    format: std::borrow::Cow<'a, str>,
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    truth: Option<Truth>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
    Inject,
    Heal,
    End,
}

/// One line, flat; [`Line::check`] says which fields belong to which kind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    event: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Value::is_nil")]
    argument: Value,
    #[serde(default, skip_serializing_if = "Value::is_nil")]
    result: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Box<Details>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occurrence: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operations: Option<u64>,
}

impl Line {
    fn new(event: Kind) -> Self {
        Self {
            event,
            ns: None,
            id: None,
            process: None,
            session: None,
            key: None,
            function: None,
            argument: Value::Nil,
            result: Value::Nil,
            details: None,
            fault: None,
            occurrence: None,
            name: None,
            detail: None,
            operations: None,
        }
    }

    /// The first field that does not belong to this kind of line.
    fn misplaced(&self) -> Option<&'static str> {
        let invoke = self.event == Kind::Invoke;
        let completion = matches!(self.event, Kind::Ok | Kind::Fail | Kind::Info);
        let nemesis = matches!(self.event, Kind::Inject | Kind::Heal);
        [
            (self.ns.is_some(), invoke || completion || nemesis, "ns"),
            (self.id.is_some(), invoke || completion, "id"),
            (self.process.is_some(), invoke, "process"),
            (self.session.is_some(), invoke, "session"),
            (self.key.is_some(), invoke, "key"),
            (self.function.is_some(), invoke, "function"),
            (!self.argument.is_nil(), invoke, "argument"),
            (!self.result.is_nil(), self.event == Kind::Ok, "result"),
            (self.details.is_some(), invoke || completion, "details"),
            (self.fault.is_some(), nemesis, "fault"),
            (self.occurrence.is_some(), nemesis, "occurrence"),
            (self.name.is_some(), nemesis, "name"),
            (self.detail.is_some(), nemesis, "detail"),
            (self.operations.is_some(), self.event == Kind::End, "operations"),
        ]
        .into_iter()
        .find_map(|(present, belongs, name)| (present && !belongs).then_some(name))
    }
}

/// Writes a history event by event.
pub struct Writer<W: Write> {
    to: W,
    operations: u64,
}

impl<W: Write> Writer<W> {
    /// Starts a history with its first line.
    pub fn new(to: W) -> io::Result<Self> {
        Self::with_truth(to, None)
    }

    /// Starts a history whose first line carries what is known of it.
    pub fn with_truth(mut to: W, truth: Option<Truth>) -> io::Result<Self> {
        line(&mut to, &Header { format: FORMAT.into(), version: VERSION, truth })?;
        Ok(Self { to, operations: 0 })
    }

    /// Writes that an operation was invoked.
    pub fn invoke(&mut self, operation: &Operation) -> io::Result<()> {
        self.operations += 1;
        let details = operation.details.as_ref().filter(|_| !operation.complete_is_recorded());
        line(
            &mut self.to,
            &Line {
                ns: Some(operation.invoke.ns),
                id: Some(operation.id),
                process: Some(operation.process),
                session: (operation.session != 0).then_some(operation.session),
                key: (!operation.key.is_empty()).then(|| operation.key.clone()),
                function: Some(operation.function.clone()),
                argument: operation.argument.clone(),
                details: details.cloned(),
                ..Line::new(Kind::Invoke)
            },
        )
    }

    /// Writes that an operation was completed.
    pub fn complete(&mut self, operation: &Operation) -> io::Result<()> {
        let kind = match operation.outcome {
            Outcome::Ok => Kind::Ok,
            Outcome::Fail => Kind::Fail,
            Outcome::Info => Kind::Info,
        };
        line(
            &mut self.to,
            &Line {
                ns: Some(operation.complete.ns),
                id: Some(operation.id),
                result: operation.result.clone(),
                details: operation.details.clone(),
                ..Line::new(kind)
            },
        )
    }

    /// Writes that the nemesis acted.
    pub fn nemesis(&mut self, event: &NemesisEvent) -> io::Result<()> {
        line(
            &mut self.to,
            &Line {
                ns: Some(event.at.ns),
                fault: Some(event.fault),
                occurrence: Some(event.occurrence),
                name: Some(event.name.clone()),
                detail: Some(event.detail.clone()),
                ..Line::new(if event.injected { Kind::Inject } else { Kind::Heal })
            },
        )
    }

    /// Writes the last line and flushes.
    pub fn finish(mut self) -> io::Result<W> {
        let end = Line { operations: Some(self.operations), ..Line::new(Kind::End) };
        line(&mut self.to, &end)?;
        self.to.flush()?;
        Ok(self.to)
    }
}

fn line(to: &mut impl Write, content: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, content)?;
    to.write_all(b"\n")
}

impl Operation {
    fn complete_is_recorded(&self) -> bool {
        self.complete != Moment::NEVER
    }
}

/// Writes a whole history in the order of its events.
pub fn write(history: &History, to: impl Write) -> io::Result<()> {
    write_all(history, Writer::new(to)?)
}

/// Writes a whole history, and in its first line what is known of it.
pub fn write_with_truth(history: &History, truth: Truth, to: impl Write) -> io::Result<()> {
    write_all(history, Writer::with_truth(to, Some(truth))?)
}

fn write_all(history: &History, mut writer: Writer<impl Write>) -> io::Result<()> {
    enum Item<'a> {
        Invoke(&'a Operation),
        Complete(&'a Operation),
        Nemesis(&'a NemesisEvent),
    }
    let operations = &history.operations;
    let mut items = Vec::with_capacity(2 * operations.len() + history.nemesis.len());
    for operation in operations {
        items.push((operation.invoke.index, Item::Invoke(operation)));
        if operation.complete_is_recorded() {
            items.push((operation.complete.index, Item::Complete(operation)));
        }
    }
    items.extend(history.nemesis.iter().map(|event| (event.at.index, Item::Nemesis(event))));
    items.sort_unstable_by_key(|(index, _)| *index);
    for (_, item) in items {
        match item {
            Item::Invoke(operation) => writer.invoke(operation)?,
            Item::Complete(operation) => writer.complete(operation)?,
            Item::Nemesis(event) => writer.nemesis(event)?,
        }
    }
    writer.finish()?;
    Ok(())
}

/// Reads a history event by event; it holds one line at a time, and who has an operation open.
pub struct Reader<R: BufRead> {
    from: R,
    buffer: Vec<u8>,
    line: u64,
    index: u64,
    operations: u64,
    /// Open operations, and the process of each.
    open: FxHashMap<u64, u32>,
    /// What each process is at.
    processes: FxHashMap<u32, ProcessState>,
    finished: bool,
    truth: Option<Truth>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ProcessState {
    Idle,
    Open,
    Retired,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    pub fn new(from: R) -> Result<Self, CodecError> {
        let mut reader = Self {
            from,
            buffer: Vec::new(),
            line: 0,
            index: 0,
            operations: 0,
            open: FxHashMap::default(),
            processes: FxHashMap::default(),
            finished: false,
            truth: None,
        };
        if !reader.next_line()? {
            reader.line = 1;
            return Err(reader.malformed(1, "the history is empty: its first line is missing"));
        }
        let header = serde_json::from_slice::<Header<'_>>(&reader.buffer)
            .map_err(|error| reader.syntax(&error))?;
        let known = header.format == FORMAT && (1..=VERSION).contains(&header.version);
        if !known {
            let message = format!(
                "format \"{}\" version {} is not known: this version reads \"{FORMAT}\" version {VERSION}",
                header.format, header.version
            );
            return Err(reader.malformed(1, message));
        }
        reader.truth = header.truth;
        Ok(reader)
    }

    /// What the first line says of how the history was made.
    pub fn truth(&self) -> Option<&Truth> {
        self.truth.as_ref()
    }

    /// Operations that are open now: at the end, those that the recorder stopped in the middle of.
    pub fn open(&self) -> u64 {
        self.open.len() as u64
    }

    /// Whether the last line has been read.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// The next event, or `None` at the end.
    pub fn next_event(&mut self) -> Result<Option<Event>, CodecError> {
        if !self.next_line()? {
            return Ok(None);
        }
        if self.finished {
            return Err(self.malformed(1, "nothing may stand behind the end event"));
        }
        let line = serde_json::from_slice::<Line>(&self.buffer).map_err(|e| self.syntax(&e))?;
        if let Some(field) = line.misplaced() {
            return Err(self.at_field(field, format!("`{field}` does not belong to this event")));
        }
        let event = match line.event {
            Kind::Invoke => self.invoke(line).map(Event::Invoke),
            Kind::Ok => self.complete(line, Outcome::Ok).map(Event::Complete),
            Kind::Fail => self.complete(line, Outcome::Fail).map(Event::Complete),
            Kind::Info => self.complete(line, Outcome::Info).map(Event::Complete),
            Kind::Inject => self.nemesis(line, true).map(Event::Nemesis),
            Kind::Heal => self.nemesis(line, false).map(Event::Nemesis),
            Kind::End => return self.end(&line).map(|()| None),
        }?;
        self.index += 1;
        Ok(Some(event))
    }

    fn invoke(&mut self, line: Line) -> Result<Operation, CodecError> {
        let id = self.required(line.id, "id")?;
        let process = self.required(line.process, "process")?;
        match self.processes.insert(process, ProcessState::Open) {
            None | Some(ProcessState::Idle) => {}
            Some(ProcessState::Open) => {
                let message = format!("process {process} invokes, but has an operation open");
                return Err(self.at_field("process", message));
            }
            Some(ProcessState::Retired) => {
                let message = format!("process {process} invokes, but its last outcome is info");
                return Err(self.at_field("process", message));
            }
        }
        if self.open.insert(id, process).is_some() {
            return Err(self.at_field("id", format!("operation {id} is open already")));
        }
        self.operations += 1;
        Ok(Operation {
            id,
            process,
            session: line.session.unwrap_or(0),
            key: line.key.clone().unwrap_or_default(),
            function: self.required(line.function, "function")?,
            argument: line.argument,
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke: self.moment(line.ns)?,
            complete: Moment::NEVER,
            details: line.details,
        })
    }

    fn complete(&mut self, line: Line, outcome: Outcome) -> Result<Completion, CodecError> {
        let id = self.required(line.id, "id")?;
        let Some(process) = self.open.remove(&id) else {
            let message = format!("operation {id} is completed, but it is not open");
            return Err(self.at_field("id", message));
        };
        let retired = outcome == Outcome::Info;
        let state = if retired { ProcessState::Retired } else { ProcessState::Idle };
        self.processes.insert(process, state);
        let at = self.moment(line.ns)?;
        Ok(Completion { id, at, outcome, result: line.result, details: line.details })
    }

    fn nemesis(&mut self, line: Line, injected: bool) -> Result<NemesisEvent, CodecError> {
        Ok(NemesisEvent {
            at: self.moment(line.ns)?,
            fault: self.required(line.fault, "fault")?,
            occurrence: self.required(line.occurrence, "occurrence")?,
            name: self.required(line.name, "name")?,
            injected,
            detail: line.detail.unwrap_or_default(),
        })
    }

    fn end(&mut self, line: &Line) -> Result<(), CodecError> {
        let operations = self.required(line.operations, "operations")?;
        if operations != self.operations {
            let message = format!(
                "the end event counts {operations} operations, but {} were invoked",
                self.operations
            );
            return Err(self.at_field("operations", message));
        }
        self.finished = true;
        Ok(())
    }

    fn moment(&self, ns: Option<u64>) -> Result<Moment, CodecError> {
        Ok(Moment { index: self.index, ns: self.required(ns, "ns")? })
    }

    fn required<T>(&self, field: Option<T>, name: &str) -> Result<T, CodecError> {
        field.ok_or_else(|| self.malformed(1, format!("this event needs `{name}`")))
    }

    /// Reads one line into the buffer; `false` at the end of the input.
    fn next_line(&mut self) -> Result<bool, CodecError> {
        self.buffer.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let count = io::Read::take(&mut self.from, limit).read_until(b'\n', &mut self.buffer)?;
        if count == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            return Ok(true);
        }
        let column = self.buffer.len() + 1;
        if count > LINE_BYTES_MAX {
            return Err(self.malformed(column, "the line is longer than 16 MiB"));
        }
        Err(CodecError::EndsMidLine { line: self.line, column })
    }

    fn malformed(&self, column: usize, message: impl Into<String>) -> CodecError {
        CodecError::Malformed { line: self.line, column, message: message.into() }
    }

    /// An error at the place where the line names `field`.
    fn at_field(&self, field: &str, message: String) -> CodecError {
        let name = format!("\"{field}\"");
        let place = self.buffer.windows(name.len()).position(|part| part == name.as_bytes());
        self.malformed(place.map_or(1, |place| place + 1), message)
    }

    fn syntax(&self, error: &serde_json::Error) -> CodecError {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        self.malformed(error.column().max(1), message)
    }
}

/// Reads a whole history.
pub fn read(from: impl BufRead) -> Result<Recorded, CodecError> {
    let mut reader = Reader::new(from)?;
    let mut history = History::default();
    let mut places = FxHashMap::<u64, usize>::default();
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Invoke(operation) => {
                places.insert(operation.id, history.operations.len());
                history.operations.push(operation);
            }
            Event::Complete(completion) => {
                let place = places.remove(&completion.id).expect("the reader knows it as open");
                let operation = &mut history.operations[place];
                operation.outcome = completion.outcome;
                operation.complete = completion.at;
                operation.result = completion.result;
                operation.details = completion.details.or(operation.details.take());
            }
            Event::Nemesis(event) => history.nemesis.push(event),
        }
    }
    let (open, finished) = (reader.open(), reader.finished());
    Ok(Recorded { history, open, finished, truth: reader.truth })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: &str = "{\"format\":\"wrack-history\",\"version\":1}\n";
    const INVOKE: &str =
        "{\"event\":\"invoke\",\"ns\":1,\"id\":0,\"process\":0,\"function\":\"read\"}\n";

    fn check(lines: &str, expected: &str) {
        let error = read(format!("{START}{lines}").as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    fn written(history: &History) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(history, &mut bytes).unwrap();
        bytes
    }

    /// A history of `processes` that each go on until an info.
    fn arbitrary_history() -> impl Strategy<Value = History> {
        let step = (0..4u32, 0..4u8, -3..3i64, any::<bool>());
        proptest::collection::vec(step, 0..60).prop_map(|steps| {
            let mut history = History::default();
            let mut open = [None::<usize>; 4];
            let mut process = [0, 1, 2, 3u32];
            for (index, (client, how, value, detailed)) in steps.into_iter().enumerate() {
                let at = Moment { index: index as u64, ns: index as u64 * 10 };
                let slot = client as usize;
                let Some(place) = open[slot].take() else {
                    open[slot] = Some(history.operations.len());
                    history.operations.push(Operation {
                        id: history.operations.len() as u64,
                        process: process[slot],
                        session: client,
                        key: "k".into(),
                        function: "cas".into(),
                        argument: Value::pair(value.into(), Value::Nil),
                        result: Value::Nil,
                        outcome: Outcome::Info,
                        invoke: at,
                        complete: Moment::NEVER,
                        details: None,
                    });
                    continue;
                };
                let operation = &mut history.operations[place];
                operation.complete = at;
                operation.outcome = [Outcome::Ok, Outcome::Fail, Outcome::Info][how as usize % 3];
                if operation.is_ok() {
                    operation.result = value.into();
                }
                if operation.is_info() {
                    process[slot] += 4;
                }
                if detailed {
                    operation.details_mut().epoch = Some(7);
                }
            }
            history
        })
    }

    proptest! {
        #[test]
        fn a_history_reads_back_as_it_was_written(history in arbitrary_history()) {
            let recorded = read(written(&history).as_slice()).unwrap();
            prop_assert_eq!(&recorded.history, &history);
            prop_assert!(recorded.finished);
        }

        #[test]
        fn a_history_that_is_cut_anywhere_is_noticed(
            history in arbitrary_history(),
            cut in any::<prop::sample::Index>(),
        ) {
            let bytes = written(&history);
            let cut = cut.index(bytes.len());
            match read(&bytes[..cut]) {
                Err(_) => {}
                Ok(recorded) => prop_assert!(!recorded.finished),
            }
        }

        #[test]
        fn mutated_bytes_never_panic(
            history in arbitrary_history(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = written(&history);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read(bytes.as_slice());
        }
    }

    #[test]
    fn an_operation_that_was_never_completed_is_counted_as_open() {
        let recorded = read(format!("{START}{INVOKE}").as_bytes()).unwrap();
        assert_eq!((recorded.open, recorded.finished), (1, false));
        assert!(recorded.history.operations[0].is_info());
    }

    #[test]
    fn a_malformed_line_is_an_error_with_its_line_and_column() {
        check("{\"event\":\"invoke\",\"ns\":x}\n", "line 2, column 24: expected value");
        check(
            "{\"event\":\"ok\",\"ns\":1,\"id\":7}\n",
            "line 2, column 22: operation 7 is completed, but it is not open",
        );
        check(
            &format!("{INVOKE}{INVOKE}"),
            "line 3, column 33: process 0 invokes, but has an operation open",
        );
        check(
            "{\"event\":\"heal\",\"ns\":1,\"id\":7}\n",
            "line 2, column 24: `id` does not belong to this event",
        );
        check(
            "{\"event\":\"invoke\",\"ns\":1,\"id\":0,\"process\":0}\n",
            "line 2, column 1: this event needs `function`",
        );
        check(
            &format!("{INVOKE}{{\"event\":\"end\",\"operations\":2}}\n"),
            "line 3, column 16: the end event counts 2 operations, but 1 were invoked",
        );
        check(
            "{\"event\":\"ok\",",
            "line 2, column 15: the history ends in the middle of a line: it was cut off",
        );
    }

    #[test]
    fn a_process_is_never_reused_after_info() {
        let info = "{\"event\":\"info\",\"ns\":2,\"id\":0}\n";
        let again = INVOKE.replace("\"id\":0", "\"id\":1");
        check(
            &format!("{INVOKE}{info}{again}"),
            "line 4, column 33: process 0 invokes, but its last outcome is info",
        );
    }

    #[test]
    fn another_format_or_version_is_refused() {
        let error = read("{\"format\":\"wrack-history\",\"version\":9}\n".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("version 9 is not known"));
        let error = read("".as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1, column 1: the history is empty: its first line is missing"
        );
    }
}
