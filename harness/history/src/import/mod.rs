//! Histories that others recorded, read into the same plain data as our own.
//!
//! A format is one file here and one line in [`ALL`]. Each reads text and says what stood where; what
//! it means for a model is decided once for all formats: which function is which, whether
//! `[key value]` values are independent keys, where objects start, what a failed cas and a read of
//! nil say. Such decisions flip verdicts, so each of them is handed back as an [`Assumption`].
//!
//! Files may be compressed with gzip or zstd. They are read as a stream: what is held is one
//! operation's text and the operations read so far. Nothing here opens a file.

mod awdit;
mod dbcop;
mod edn;
mod etcd;
mod forms;
mod interpret;
mod jepsen_edn;
mod jepsen_json;
mod jepsen_log;
mod kafka;
mod plume;
mod porcupine_kv;
mod recorder;
mod sessions;
mod source;
mod synth_lin;
mod synth_txn;
mod transactions;
mod vocabulary;
mod wrack;

use std::fmt;
use std::io::{self, BufRead};

use crate::codec::CodecError;
use crate::history::History;
use crate::value::Value;
use interpret::interpret;
use recorder::Recorder;
use source::{Place, Source};
use vocabulary::Vocabulary;

/// Every format, in the order in which they are tried on a file that does not say: a format that asks
/// for more stands before one that asks for less.
pub const ALL: &[&Format] = &[
    &wrack::FORMAT,
    &synth_txn::FORMAT,
    &synth_lin::FORMAT,
    &etcd::FORMAT,
    &jepsen_log::FORMAT,
    &plume::FORMAT,
    &dbcop::FORMAT,
    &awdit::FORMAT,
    &porcupine_kv::FORMAT,
    &jepsen_json::FORMAT,
    &jepsen_edn::FORMAT,
];

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name).copied()
}

/// A format that others record histories in.
#[derive(Debug)]
pub struct Format {
    /// What the command line calls it.
    pub name: &'static str,
    /// What such a file looks like, in a sentence.
    pub doc: &'static str,
    /// Whether a file that begins with these bytes is of this format.
    recognises: fn(&[u8]) -> bool,
    read: Read,
    /// What a failed cas means where nobody says; `None`: what its error says.
    failed_cas: Option<FailedCas>,
    /// Where registers and keys start where nobody says; `Nil` where the model says.
    initial: Value,
}

/// How a format is read.
#[derive(Clone, Copy, Debug)]
enum Read {
    /// It says itself what everything means.
    Plain(fn(&mut Source<'_>) -> Result<History, Stop>),
    /// It says what stood where; [`interpret`] says what it means.
    Recorded(fn(&mut Source<'_>, &mut Recorder) -> Result<(), Stop>),
}

/// What a cas that ended `fail` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedCas {
    /// It ran and found another value than it expected. Where its error says something else, such as
    /// that a node was not the leader, it only had no effect.
    Observed,
    /// It had no effect, and says nothing of the value.
    Ignored,
}

impl FailedCas {
    /// As the command line writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Ignored => "ignored",
        }
    }
}

/// What a history is read for, and what is known about it beforehand.
#[derive(Clone, Debug, Default)]
pub struct Reading<'a> {
    /// The model that it will be judged by. Functions are called as that model calls them; a model
    /// that is not one of Wrack's own sees them as they were recorded.
    pub model: &'a str,
    /// Where every object starts; `None` where the format or the model says.
    pub initial: Option<Value>,
    /// What a failed cas says; `None` where the format says.
    pub failed_cas: Option<FailedCas>,
    /// The format; `None` to recognise it.
    pub from: Option<&'static Format>,
}

/// A history as it was read, and what was assumed on the way.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The history, in the words of the model.
    pub history: History,
    /// The format that it was read in.
    pub format: &'static Format,
    /// Where every object starts; `Nil` where the model says.
    pub initial: Value,
    /// Everything that another reader might have decided otherwise.
    pub assumed: Vec<Assumption>,
}

/// Something that the file does not say, and that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// What it is about: `format`, `model`, `initial`, `failed_cas`, `nil_reads`, `keys`, `times`
    /// (see [`SESSIONS_ONLY`]), `processes`, `writes`,
    /// `nemesis`.
    pub name: &'static str,
    /// What was assumed.
    pub value: Value,
    /// The same as a sentence.
    pub words: String,
}

/// The value of the assumption `times` of a history of which nothing but the order within each session
/// is known: its sessions are its processes, and that one operation completes before another one of
/// another process begins says nothing.
pub const SESSIONS_ONLY: &str = "sessions";

impl Imported {
    /// Whether the order of the history is one of time, so that an operation that completes before
    /// another begins came before it; else only the order within each process counts.
    pub fn has_times(&self) -> bool {
        let sessions_only = Value::from(SESSIONS_ONLY);
        !self.assumed.iter().any(|said| said.name == "times" && said.value == sessions_only)
    }
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not what it must be.
    #[error("{path}:{line}:{column}: {reason}{}", Suggested(suggestion.as_deref()))]
    Malformed {
        /// The file.
        path: String,
        /// From 1; in the text, where the file is compressed.
        line: u64,
        /// From 1, in bytes.
        column: u64,
        /// What is wrong.
        reason: String,
        /// What to do.
        suggestion: Option<String>,
    },
    /// The operating system refused.
    #[error("cannot read {path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        #[source]
        error: io::Error,
    },
}

struct Suggested<'a>(Option<&'a str>);

impl fmt::Display for Suggested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |suggestion| write!(f, ": {suggestion}"))
    }
}

/// An [`ImportError`] that does not know the file's name yet.
#[derive(Debug)]
enum Stop {
    Malformed { place: Place, reason: String, suggestion: Option<String> },
    Io(io::Error),
}

impl Stop {
    fn at(place: Place, reason: impl Into<String>) -> Self {
        Self::Malformed { place, reason: reason.into(), suggestion: None }
    }

    fn suggest(self, what: impl Into<String>) -> Self {
        match self {
            Self::Malformed { place, reason, .. } => {
                Self::Malformed { place, reason, suggestion: Some(what.into()) }
            }
            io => io,
        }
    }

    fn in_file(self, path: &str) -> ImportError {
        let path = path.to_owned();
        match self {
            Self::Malformed { place: Place { line, column }, reason, suggestion } => {
                ImportError::Malformed { path, line, column, reason, suggestion }
            }
            Self::Io(error) => ImportError::Io { path, error },
        }
    }
}

impl From<CodecError> for Stop {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Malformed { line, column, message } => {
                Self::at(Place { line, column: column as u64 }, message)
            }
            CodecError::EndsMidLine { line, column } => Self::at(
                Place { line, column: column as u64 },
                "the history ends in the middle of a line: it was cut off",
            ),
            CodecError::Io(error) => Self::Io(error),
        }
    }
}

/// Reads a history that somebody recorded.
///
/// Shape: `path` is used in errors only. Compression and format are recognised from the content.
/// Operations are in the order of their invocation; an operation without a completion is `info`.
/// Bounds: an operation's text is at most 16 MiB and 128 brackets deep. Memory grows with the
/// operations alone.
/// Errors: [`ImportError::Malformed`] at the place of the first mistake.
///
/// ```
/// use wrack_history::import::{Reading, read};
///
/// let text = "{:process 0 :type :invoke :f :write :value 1}
///             {:process 0 :type :ok     :f :write :value 1}";
/// let reading = Reading { model: "register", ..Reading::default() };
/// let imported = read("history.edn", text.as_bytes(), &reading).unwrap();
/// assert_eq!(imported.format.name, "jepsen-edn");
/// assert_eq!(imported.history.operations[0].function, "write");
/// ```
pub fn read(
    path: &str,
    from: impl BufRead,
    reading: &Reading<'_>,
) -> Result<Imported, ImportError> {
    let mut from = from;
    read_source(&mut from, reading).map_err(|stop| stop.in_file(path))
}

/// Reads one value, in JSON or in EDN: where an object starts, as somebody typed it. `name` says in
/// errors where it stood. Maps become lists of pairs sorted by key.
///
/// ```
/// use wrack_history::import::value;
///
/// assert_eq!(value("--initial", "{:y 0 :x 1}").unwrap().to_string(), r#"[["x", 1], ["y", 0]]"#);
/// assert_eq!(value("--initial", r#"{"x": 1}"#).unwrap().to_string(), r#"[["x", 1]]"#);
/// assert!(value("--initial", "1.5").is_err());
/// ```
pub fn value(name: &str, text: &str) -> Result<Value, ImportError> {
    if let Ok(jepsen_json::Foreign(value)) = serde_json::from_str(text) {
        return Ok(value);
    }
    let form = forms::Form { place: Place::START, text };
    let mut reader = edn::Reader::new(form);
    let value = reader.value().and_then(|value| match reader.is_done() {
        true => Ok(value),
        false => Err(form.wrong(reader.next_word(), "nothing may stand behind the value")),
    });
    value.map_err(|stop| stop.in_file(name))
}

/// Reads a history that was recorded in several files, such as one of each client.
///
/// Shape: `parts` are files of one format, each with its path, in any order. `path` is that of the
/// whole, for errors that are about no part.
/// Errors: as [`read`]; a format whose files are not in order of time all together has no parts.
pub fn read_parts<R: BufRead>(
    path: &str,
    parts: impl IntoIterator<Item = (String, R)>,
    reading: &Reading<'_>,
) -> Result<Imported, ImportError> {
    let mut recorder = recorder(reading);
    let mut format = reading.from;
    for (name, mut part) in parts {
        let read = read_part(&mut part, &mut recorder, (format, reading));
        format = Some(read.map_err(|stop| stop.in_file(&name))?);
    }
    let nothing = || Stop::at(Place::START, "there is no file that is part of a history");
    let format = format.ok_or_else(|| nothing().in_file(path))?;
    finish(recorder, format, reading).map_err(|stop| stop.in_file(path))
}

fn read_part(
    from: &mut dyn BufRead,
    recorder: &mut Recorder,
    (format, reading): (Option<&'static Format>, &Reading<'_>),
) -> Result<&'static Format, Stop> {
    let mut source = Source::open(from)?;
    if let Some(format) = format
        && source.chunk()?.is_empty()
    {
        return Ok(format);
    }
    let format = match reading.from {
        Some(format) => format,
        None => recognise(&mut source)?,
    };
    let before = recorder.history.operations.len();
    match format.read {
        Read::Recorded(read) => {
            let outcome = read(&mut source, recorder);
            outcome.map_err(|stop| match stop {
                Stop::Io(error) => source.damage(error),
                stop => stop,
            })?;
        }
        Read::Plain(_) => return Err(no_parts(format)),
    }
    // What was not put off was recorded in the order of this file alone.
    match recorder.history.operations.len() == before {
        true => Ok(format),
        false => Err(no_parts(format)),
    }
}

fn no_parts(format: &Format) -> Stop {
    let reason = format!("a history in the format {} is one file", format.name);
    Stop::at(Place::START, reason).suggest("check the files one by one")
}

fn recorder(reading: &Reading<'_>) -> Recorder {
    Recorder::with_implied(Vocabulary::of(reading.model).and_then(Vocabulary::implied))
}

/// What a recorded history means.
fn finish(
    mut recorder: Recorder,
    format: &'static Format,
    reading: &Reading<'_>,
) -> Result<Imported, Stop> {
    recorder.finish()?;
    if reading.model == "log" {
        kafka::unfold(&mut recorder)?;
    }
    interpret(recorder, format, reading)
}

fn read_source(from: &mut dyn BufRead, reading: &Reading<'_>) -> Result<Imported, Stop> {
    let mut source = Source::open(from)?;
    let outcome = read_format(&mut source, reading);
    // A damaged stream of compressed data is a mistake in the file, wherever a format met it.
    outcome.map_err(|stop| match stop {
        Stop::Io(error) => source.damage(error),
        stop => stop,
    })
}

fn read_format(source: &mut Source<'_>, reading: &Reading<'_>) -> Result<Imported, Stop> {
    let format = match reading.from {
        Some(format) => format,
        None => recognise(source)?,
    };
    match format.read {
        Read::Plain(read) => {
            let history = read(source)?;
            let initial = reading.initial.clone().unwrap_or_default();
            let assumed = interpret::first_assumptions(format, reading.model, &initial);
            Ok(Imported { history, format, initial, assumed })
        }
        Read::Recorded(read) => {
            let mut recorder = recorder(reading);
            read(source, &mut recorder)?;
            finish(recorder, format, reading)
        }
    }
}

fn recognise(source: &mut Source<'_>) -> Result<&'static Format, Stop> {
    let head = source.head()?;
    let found = ALL.iter().find(|format| (format.recognises)(head)).copied();
    found.ok_or_else(|| {
        let reason = match head.iter().all(u8::is_ascii_whitespace) {
            true => "the file is empty, so its format cannot be recognised",
            false => "the format of this file is not known",
        };
        let names = ALL.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
        Stop::at(Place::START, reason).suggest(format!("name it with --from: {names}"))
    })
}

/// Whether a text begins like this, blanks aside.
fn begins_with(head: &[u8], start: &str) -> bool {
    head.trim_ascii_start().starts_with(start.as_bytes())
}

/// Whether `part` stands somewhere in a text.
fn contains(head: &[u8], part: &str) -> bool {
    head.windows(part.len()).any(|window| window == part.as_bytes())
}

#[cfg(test)]
mod tests;
