//! What a session has seen and done, at each of its reads.

use std::collections::BTreeMap;

use wrack_history::Operation;

use crate::versions::{Version, Versioned};

/// A read of a session that returned an older version than one that the session knew before.
pub(crate) struct Older<'a> {
    pub read: &'a Operation,
    /// What it knew it from.
    pub known: &'a Operation,
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
pub(crate) fn older_reads<'a>(key: &Versioned<'a>, knows: Knows) -> Vec<Older<'a>> {
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
