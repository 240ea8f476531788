//! What a session has seen and done, at each of its reads.

use std::collections::BTreeMap;

use wrack_history::{Anomaly, Judgement, Operation};

use crate::Evidence;
use crate::versions::{Version, Versioned, versions};
use crate::words::{done_at, sentence};

const ANOMALIES_MAX: usize = 10;

/// Judges a session guarantee: reads that are older than what their session knew. `broken` says what
/// their count counts, `known` what the session knew and from when, behind a comma.
pub(crate) fn judge_reads(
    evidence: &Evidence<'_>,
    mut judgement: Judgement,
    knows: Knows,
    (broken, known): (&str, fn(&Operation) -> String),
) -> Judgement {
    let keys = match versions(evidence) {
        Ok(keys) => keys,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let mut count = 0;
    for key in &keys {
        judgement.examine("keys", 1);
        judgement.examine("reads", key.reads().count() as u64);
        let older = older_reads(key, knows);
        count += older.len();
        if let Some(first) = older.first()
            && judgement.anomalies.len() < ANOMALIES_MAX
        {
            let read = first.read;
            let (what, why) = (sentence(read), known(first.known));
            judgement.contradict(Anomaly {
                explanation: format!("{what} at {}, {why}", done_at(read)),
                operations: vec![first.known.id, read.id],
                key: key.name(),
                at_ns: Some(read.complete.ns),
                ..Anomaly::default()
            });
        }
    }
    judgement.observed = Some(format!("{count} {broken}"));
    judgement
}

/// A read of a session that returned an older version than one that the session knew before.
struct Older<'a> {
    read: &'a Operation,
    /// What it knew it from.
    known: &'a Operation,
}

/// What a session learns versions from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knows {
    /// Its own ok writes.
    Writes,
    /// Its reads.
    Reads,
}

/// The reads that returned less than their session knew when they were invoked, in order of
/// invocation.
///
/// Why: one sweep over the events of a key; what completes raises what the session knows, and a read
/// is held to what it knew when the read was invoked. A session outlives its processes, so one may
/// have operations open that overlap: those say nothing about each other.
fn older_reads<'a>(key: &Versioned<'a>, knows: Knows) -> Vec<Older<'a>> {
    let reads: BTreeMap<u64, (&Operation, Version)> =
        key.reads().map(|(read, version)| (read.id, (read, version))).collect();
    let mut lessons: Vec<(&Operation, Version)> = match knows {
        Knows::Writes => key.writes().collect(),
        Knows::Reads => reads.values().copied().collect(),
    };
    lessons.sort_by_key(|(lesson, _)| lesson.complete.index);
    let mut lessons = lessons.into_iter().peekable();
    let mut known = BTreeMap::<u32, (Version, &Operation)>::new();
    let mut older = Vec::new();
    for read in &key.operations {
        let before =
            |(lesson, _): &(&Operation, Version)| lesson.complete.index < read.invoke.index;
        while let Some((lesson, version)) = lessons.next_if(before) {
            let known = known.entry(lesson.session).or_insert((version, lesson));
            if known.0 < version {
                *known = (version, lesson);
            }
        }
        let (Some((read, version)), Some((newest, lesson))) =
            (reads.get(&read.id), known.get(&read.session))
        else {
            continue;
        };
        if version < newest {
            older.push(Older { read, known: lesson });
        }
    }
    older
}
