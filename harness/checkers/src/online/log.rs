//! LOG, entry by entry: what [`crate::log`] asks of a whole history, as it comes in.
//!
//! A conflict, a duplicate, a phantom, what is handed out of order and what is skipped show as soon as the
//! last of the operations is over that show it: who passed over an offset is remembered, so that an
//! entry that is told there later shows it, too. Whether an entry is lost shows only at the end: another
//! reader may still find it.
//!
//! What is held: appends that no read has found yet, and of each log the entries at the last offsets.
//! Of older ones it is known that their values were appended ([`super::written`]), but not where they
//! stood: whoever is handed one of them again, or polls from there, is a doubt.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wrack_history::duration::seconds;
use wrack_history::{Anomaly, Operation, Outcome, SmolStr, Value};

use super::written::Written;
use super::{Note, Online, anomaly};
use crate::log::polls::{Entry, Handed, entries};
use crate::log::{is_append, name};
use crate::words::{done_at, noun, short};

/// A log has so many entries before the older half of them is forgotten.
const ENTRIES_MAX: usize = 1 << 16;
/// So many offsets behind a poll's last one are looked at, as in [`crate::log`].
const PASSED_MAX: i64 = 1_000;
/// So many gaps of a log are remembered.
const GAPS_MAX: usize = 1_024;

/// Logs by key.
pub(super) struct Logs {
    initial: Vec<Value>,
    entries_max: usize,
    keys: FxHashMap<SmolStr, Log>,
    /// Where a process is in each log: an offset, and when it was handed that.
    reached: FxHashMap<(u32, SmolStr), (i64, Note, u64)>,
    /// When each process began anew.
    begun: FxHashMap<u32, u64>,
    /// Values of entries that were forgotten, of all logs.
    forgotten: Written,
    forgot: bool,
    doubt: Option<String>,
}

#[derive(Default)]
struct Log {
    at: BTreeMap<i64, (Value, Note)>,
    values: FxHashMap<Value, Appended>,
    /// Offsets that polls passed over: the first, the one behind them, and who did.
    gaps: Vec<(i64, i64, Note)>,
    furthest: Option<(i64, Note)>,
    /// The last read of the whole: when it was invoked, and by whom.
    whole: Option<(u64, Note)>,
    /// Entries up to this offset are forgotten.
    upto: Option<i64>,
}

/// A value and its appends.
#[derive(Default)]
struct Appended {
    /// How many may have taken effect.
    times: u32,
    /// Ok ones: when they were over, where they were told that it stands, and who they were.
    told: Vec<(u64, Option<i64>, Note)>,
    found: Option<Note>,
    /// Whether it may have been appended before, and found, and that was forgotten.
    again: bool,
    /// The first place that was told of, and another one.
    place: Option<(i64, Note)>,
    other: Option<(i64, Note)>,
}

/// What is wrong, and who else shows it.
type Broken = (String, Vec<u64>);

impl Logs {
    pub fn new(initial: &Value) -> Self {
        let initial = initial.as_list().unwrap_or_default().to_vec();
        let (keys, reached, begun, forgotten) = Default::default();
        let (entries_max, forgot, doubt) = (ENTRIES_MAX, false, None);
        Self { initial, entries_max, keys, reached, begun, forgotten, forgot, doubt }
    }

    #[cfg(test)]
    pub fn holding(initial: &Value, entries_max: usize) -> Self {
        Self { entries_max, ..Self::new(initial) }
    }

    fn append(&mut self, append: &Operation) -> Result<(), Broken> {
        let log = self.keys.get_mut(&append.key).expect("it was invoked");
        let (note, value) = (Note::of(append), &append.argument);
        let offset = append.result.as_integer();
        let Some(appended) = log.values.get_mut(value) else { return Ok(()) };
        match append.outcome {
            Outcome::Info => Ok(()),
            Outcome::Ok => {
                appended.told.push((append.complete.index, offset, note));
                offset.map_or(Ok(()), |offset| self.learn(&append.key, offset, value, note))
            }
            Outcome::Fail => {
                appended.times -= 1;
                if appended.times == 0 && appended.told.is_empty() && appended.found.is_none() {
                    log.values.remove(value);
                    if self.forgot {
                        // Values that are as dense as they were written take little memory.
                        self.forgotten.insert(value);
                    }
                    return Ok(());
                }
                if let (0, Some(found), false) =
                    (appended.times, appended.found, self.initial.contains(value))
                {
                    let why = format!(
                        "phantom: {} to {} failed at {}, but process {} had been handed {} at {}",
                        noun(append),
                        name(&append.key),
                        done_at(append),
                        found.process,
                        short(value),
                        seconds(found.ns)
                    );
                    return Err((why, vec![found.id]));
                }
                appended.is_once(&append.key, value)
            }
        }
    }

    /// Somebody tells of an entry.
    fn learn(&mut self, key: &SmolStr, at: i64, value: &Value, by: Note) -> Result<(), Broken> {
        let log = self.keys.entry(key.clone()).or_default();
        if log.upto.is_some_and(|upto| at <= upto) {
            let why = || format!("offset {at} of {} was forgotten", name(key));
            self.doubt.get_or_insert_with(why);
            return Ok(());
        }
        let (process, when) = (by.process, seconds(by.ns));
        if let Some((known, before)) = log.at.get(&at) {
            if known != value {
                let why = format!(
                    "conflict: at offset {at} of {} process {} learned of {} at {} and process \
                     {process} of {} at {when}",
                    name(key),
                    before.process,
                    short(known),
                    seconds(before.ns),
                    short(value),
                );
                return Err((why, vec![before.id, by.id]));
            }
            return Ok(());
        }
        log.at.insert(at, (value.clone(), by));
        if let Some((.., poll)) = log.gaps.iter().find(|(from, to, _)| (*from..*to).contains(&at)) {
            let why = format!(
                "skipped: process {} passed over offset {at} of {} at {}, where {} stands, as process \
                 {process} learned at {when}",
                poll.process,
                name(key),
                seconds(poll.ns),
                short(value),
            );
            return Err((why, vec![poll.id, by.id]));
        }
        let appended = log.values.entry(value.clone()).or_default();
        match appended.place {
            None => appended.place = Some((at, by)),
            Some(_) => {
                appended.other.get_or_insert((at, by));
                appended.is_once(key, value)?;
            }
        }
        if log.at.len() > self.entries_max {
            self.forgot = true;
            log.forget(&mut self.forgotten);
        }
        Ok(())
    }

    /// An entry was handed out.
    fn find(&mut self, entry: &Entry<'_>, by: &Operation) -> Result<(), Broken> {
        let (key, note) = (SmolStr::from(entry.key), Note::of(by));
        let (value, at) = (entry.value, entry.offset);
        let log = self.keys.entry(key.clone()).or_default();
        if log.furthest.is_none_or(|(furthest, _)| furthest < at) {
            log.furthest = Some((at, note));
        }
        let times = log.values.get(value).map_or(0, |appended| appended.times);
        if times == 0 && !self.initial.contains(value) {
            if self.forgotten.has(value) != Some(false) {
                let why = || {
                    let name = name(&key);
                    format!("{} may have stood in {name} before, and was forgotten", short(value))
                };
                self.doubt.get_or_insert_with(why);
                return Ok(());
            }
            let (process, name, value) = (by.process, name(&key), short(value));
            let why = format!(
                "phantom: process {process} was handed {value} at offset {at} of {name} at {}, which \
                 nobody had begun to append",
                done_at(by)
            );
            return Err((why, Vec::new()));
        }
        log.values.entry(value.clone()).or_default().found.get_or_insert(note);
        self.learn(&key, at, value, note)
    }

    /// A poll goes on where its process was.
    fn advance(&mut self, entry: &Entry<'_>, poll: &Operation) -> Result<(), Broken> {
        let (offset, note) = (entry.offset, Note::of(poll));
        let key = SmolStr::from(entry.key);
        let since = self.begun.get(&poll.process).copied().unwrap_or(0);
        let now = (offset, note, poll.invoke.index);
        let before = self.reached.insert((poll.process, key.clone()), now);
        let Some((reached, before, _)) = before.filter(|(.., invoke)| *invoke >= since) else {
            return Ok(());
        };
        let (process, at, name) = (poll.process, done_at(poll), name(&key));
        let handed = format!(
            "process {process} was handed offset {offset} of {name} at {at}, after offset {reached} at {}",
            seconds(before.ns)
        );
        if offset <= reached {
            return Err((format!("reordered: {handed}"), vec![before.id]));
        }
        let Some(from) = reached.checked_add(1).filter(|from| *from < offset) else {
            return Ok(());
        };
        let to = offset.min(from.saturating_add(PASSED_MAX));
        let log = self.keys.get_mut(&key).expect("an entry of it was handed out");
        if let Some((passed, (value, by))) = log.at.range(from..to).next() {
            let value = short(value);
            let why = format!("skipped: {handed}, and so passed over {value} at offset {passed}");
            return Err((why, vec![before.id, by.id]));
        }
        let forgot = log.upto.is_some_and(|upto| from <= upto);
        if forgot || log.gaps.len() == GAPS_MAX {
            let why = || format!("process {process} passed over offsets of {name} at {at}");
            self.doubt.get_or_insert_with(why);
        } else {
            log.gaps.push((from, to, note));
        }
        Ok(())
    }

    fn over(&mut self, operation: &Operation) -> Result<(), Broken> {
        match (operation.function.as_str(), operation.outcome) {
            ("assign" | "subscribe" | "crash", _) => {
                self.begun.insert(operation.process, operation.invoke.index);
            }
            _ if is_append(operation) => return self.append(operation),
            (function, Outcome::Ok) => {
                if function == "read" && operation.argument.is_nil() {
                    let log = self.keys.entry(operation.key.clone()).or_default();
                    let whole = (operation.invoke.index, Note::of(operation));
                    if log.whole.is_none_or(|(last, _)| last < whole.0) {
                        log.whole = Some(whole);
                    }
                }
                let handed = entries(operation);
                for Handed { entry, .. } in &handed {
                    self.find(entry, operation)?;
                }
                if function == "poll" {
                    for Handed { entry, .. } in &handed {
                        self.advance(entry, operation)?;
                    }
                }
            }
            _ => (),
        }
        Ok(())
    }
}

impl Online for Logs {
    fn invoke(&mut self, operation: &Operation) {
        if !is_append(operation) {
            return;
        }
        let log = self.keys.entry(operation.key.clone()).or_default();
        let again = self.forgotten.has(&operation.argument) != Some(false);
        let appended = log.values.entry(operation.argument.clone()).or_default();
        // What was appended before, and forgotten, may stand at two places.
        appended.times += 1 + u32::from(appended.times == 0 && again);
        if again {
            appended.again = true;
            let why = || format!("{} may have been done before", noun(operation));
            self.doubt.get_or_insert_with(why);
        }
    }

    fn complete(&mut self, operation: &Operation) -> Option<Anomaly> {
        let (why, others) = self.over(operation).err()?;
        Some(anomaly("LOG", operation, why, others))
    }

    /// Acknowledged entries that no read found, although it could.
    fn finish(&mut self) -> Option<Anomaly> {
        let mut lost: Option<(u64, Anomaly)> = None;
        for (key, log) in &self.keys {
            let unfound = log.values.iter().filter(|(_, one)| one.found.is_none() && !one.again);
            for (value, appended) in unfound {
                for (over, offset, note) in &appended.told {
                    let behind = log.furthest.filter(|(at, _)| offset.is_some_and(|o| o < *at));
                    let whole = log.whole.filter(|(invoke, _)| over < invoke);
                    let whole = whole.map(|(_, by)| (by, "the whole log"));
                    let read = behind.map(|(_, by)| (by, "entries behind it")).or(whole);
                    let Some((by, what)) = read else { continue };
                    if lost.as_ref().is_some_and(|(first, _)| first < over) {
                        continue;
                    }
                    let explanation = format!(
                        "lost: append {} by process {} to {} was acknowledged at {}, but no read ever \
                         found it; process {} found {what} at {}",
                        short(value),
                        note.process,
                        name(key),
                        seconds(note.ns),
                        by.process,
                        seconds(by.ns)
                    );
                    let mut operations = vec![note.id, by.id];
                    operations.sort_unstable();
                    let (code, at_ns) = ("LOG".into(), Some(note.ns.max(by.ns)));
                    let key = Some(key.clone()).filter(|key| !key.is_empty());
                    let told =
                        Anomaly { code, explanation, operations, key, at_ns, ..Anomaly::default() };
                    lost = Some((*over, told));
                }
            }
        }
        lost.map(|(_, anomaly)| anomaly)
    }

    fn held(&self) -> usize {
        let logs = self.keys.values().map(|log| log.at.len() + log.values.len() + log.gaps.len());
        logs.sum::<usize>() + self.reached.len() + self.begun.len() + self.forgotten.held()
    }

    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }
}

impl Appended {
    /// It stands at one place, or was appended more than once.
    fn is_once(&self, key: &str, value: &Value) -> Result<(), Broken> {
        let (Some((at, by)), Some((other, told))) = (self.place, self.other) else {
            return Ok(());
        };
        if self.times > 1 {
            return Ok(());
        }
        let why = format!(
            "duplicated: {} was appended to {} once, but process {} learned of it at offset {at} at {} \
             and process {} at offset {other} at {}",
            short(value),
            name(key),
            by.process,
            seconds(by.ns),
            told.process,
            seconds(told.ns)
        );
        Err((why, vec![by.id, told.id]))
    }
}

impl Log {
    /// Forgets the older half of the entries, and the values of those that a read has found.
    fn forget(&mut self, forgotten: &mut Written) {
        let offsets: Vec<i64> = self.at.keys().copied().collect();
        let upto = offsets[offsets.len() / 2];
        let later = self.at.split_off(&(upto + 1));
        for (value, _) in std::mem::replace(&mut self.at, later).into_values() {
            let appended = self.values.get(&value);
            if appended
                .is_some_and(|one| one.found.is_some() && one.told.len() >= one.times as usize)
            {
                forgotten.insert(&value);
                self.values.remove(&value);
            }
        }
        self.gaps.retain(|(_, to, _)| *to > upto);
        self.upto = Some(upto);
    }
}
