//! What transactions must have seen: read committed (axiomatic), read atomic, causal.
//!
//! All three say: if t3 reads x of t1, and t2 writes x too and is *visible* to t3, then t2 comes before
//! t1. They differ in who is visible: whom t3 read from before; whom it read from at all, and its
//! session's past; and everything before these in turn. So each such triple forces an edge from t2 to
//! t1, and the level holds iff these edges, those of reads, sessions and known versions have no cycle:
//! any order of the graph is then an order of commits. No choice is left, so this is no search.
//!
//! For the causal past a transaction has a clock: of each lane, the last transaction before it. Lanes
//! are taken 64 at a time, which bounds memory by 256 bytes a transaction.
//!
//! Source: Biswas and Enea, OOPSLA 2019, for the axioms and that saturation decides them; Møldrup and
//! Pavlogiannis, AWDIT, 2025, for the last writer of each session being enough. Theirs misses reads of
//! the initial value that somebody visible had overwritten; here the initial version is older than all.

use rustc_hash::FxHashMap;

use super::finding::Step;
use super::graph::{Arc, Graph, Kind, NONE};
use super::level::Level;
use super::relations::{Relations, View};
use super::rows::Rows;
use super::transactions::{Access, Transactions};

/// What came of it.
pub enum Visibility {
    /// It holds; the graph is that of the level with what it forces.
    Holds(Graph),
    /// It does not, by this cycle.
    Broken(Vec<Step>),
}

/// A transaction that reads of a key, and another writer of the key that is visible to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triple {
    pub reader: u32,
    pub read: Access,
    /// The visible writer.
    pub seen: u32,
    /// What it wrote.
    pub written: u32,
}

/// Decides a level of the three. `past` is the graph of reads and sessions, `order` a topological order
/// of it; at a level whose past has a cycle nobody needs to ask.
pub fn decide(history: &Transactions<'_>, level: Level, past: &Graph, order: &[u32]) -> Visibility {
    let mut relations = Relations::known(history, View::of(level));
    let mut broken = None;
    let forced = forced(history, level, order, &mut broken);
    if let Some(triple) = broken {
        return Visibility::Broken(shown(history, level, past, &triple));
    }
    relations.arcs.extend(forced.iter().map(|triple| {
        let to = history.writer(triple.read.version);
        Arc { from: triple.seen, to, kind: Kind::Forced }
    }));
    let graph = relations.graph();
    match graph.knots().first() {
        None => Visibility::Holds(graph),
        Some(knot) => {
            let steps = relations.steps(&graph.shortest_cycle(knot));
            Visibility::Broken(with_readers(history, level, order, steps))
        }
    }
}

/// The triples that force an order of two writers that is not known yet; `broken` is the first one that
/// contradicts a known order.
pub fn forced(
    history: &Transactions<'_>,
    level: Level,
    order: &[u32],
    broken: &mut Option<Triple>,
) -> Vec<Triple> {
    let mut forced = Vec::new();
    triples(history, level, order, &mut |triple| {
        if history.is_older(triple.read.version, triple.written) {
            if broken.is_none_or(|before: Triple| triple.reader < before.reader) {
                *broken = Some(triple);
            }
        } else if !history.is_older(triple.written, triple.read.version) {
            forced.push(triple);
        }
    });
    forced
}

fn triples(history: &Transactions<'_>, level: Level, order: &[u32], take: &mut dyn FnMut(Triple)) {
    match level {
        Level::ReadCommittedAxiomatic => (0..history.len() as u32).for_each(|reader| {
            read_before(history, reader, take);
        }),
        Level::ReadAtomic => read_or_session(history, take),
        _ => causal(history, order, take),
    }
}

/// Passes on a triple, unless the writer is whom was read from.
fn pass(
    history: &Transactions<'_>,
    reader: u32,
    read: Access,
    (seen, written): (u32, u32),
    take: &mut dyn FnMut(Triple),
) {
    if seen != history.writer(read.version) && seen != reader {
        take(Triple { reader, read, seen, written });
    }
}

/// Reads of a transaction up to which pairs are tried one by one.
const FEW: usize = 16;

/// Whom a transaction read from before each of its reads.
fn read_before(history: &Transactions<'_>, reader: u32, take: &mut dyn FnMut(Triple)) {
    let reads = history.reads.row(reader);
    let mut earlier: Vec<u32> = Vec::new();
    let mut by_key = FxHashMap::<u32, Vec<(u32, u32)>>::default();
    for read in reads {
        if reads.len() <= FEW {
            for seen in &earlier {
                if let Some(written) = history.written(*seen, read.key) {
                    pass(history, reader, *read, (*seen, written), take);
                }
            }
        } else {
            for seen in by_key.get(&read.key).into_iter().flatten() {
                pass(history, reader, *read, *seen, take);
            }
        }
        let writer = history.writer(read.version);
        if writer != NONE && !earlier.contains(&writer) {
            earlier.push(writer);
            if reads.len() > FEW {
                for write in history.writes.row(writer) {
                    by_key.entry(write.key).or_default().push((writer, write.version));
                }
            }
        }
    }
}

/// Whom a transaction read from at all, and the last writer of each key in its session before it.
fn read_or_session(history: &Transactions<'_>, take: &mut dyn FnMut(Triple)) {
    let mut last = FxHashMap::<(u32, u32), (u32, u32)>::default();
    let mut sources: Vec<u32> = Vec::new();
    for reader in 0..history.len() as u32 {
        let reads = history.reads.row(reader);
        let writers = reads.iter().map(|read| history.writer(read.version));
        sources.clear();
        sources.extend(writers.filter(|writer| *writer != NONE));
        sources.sort_unstable();
        sources.dedup();
        let lane = history.lanes[reader as usize];
        if reads.len() <= FEW {
            for read in reads {
                for seen in &sources {
                    if let Some(written) = history.written(*seen, read.key) {
                        pass(history, reader, *read, (*seen, written), take);
                    }
                }
            }
        } else {
            by_key(history, reader, &sources, take);
        }
        for read in reads {
            if let Some(seen) = last.get(&(lane, read.key)) {
                pass(history, reader, *read, *seen, take);
            }
        }
        for write in history.writes.row(reader) {
            last.insert((lane, write.key), (reader, write.version));
        }
    }
}

/// The same for a transaction with many reads.
fn by_key(history: &Transactions<'_>, reader: u32, sources: &[u32], take: &mut dyn FnMut(Triple)) {
    let mut reads = FxHashMap::<u32, Vec<Access>>::default();
    for read in history.reads.row(reader) {
        reads.entry(read.key).or_default().push(*read);
    }
    for seen in sources {
        for write in history.writes.row(*seen) {
            for read in reads.get(&write.key).into_iter().flatten() {
                pass(history, reader, *read, (*seen, write.version), take);
            }
        }
    }
}

/// How many lanes are taken at a time.
const BATCH: usize = 64;

/// The writers of a key in one lane, in order.
#[derive(Clone, Copy)]
struct Group {
    lane: u32,
    start: u32,
    end: u32,
}

/// Writers by key and lane.
struct Writers {
    groups: Rows<Group>,
    /// Transaction and version.
    all: Vec<(u32, u32)>,
}

impl Writers {
    fn of(history: &Transactions<'_>) -> Self {
        let mut all: Vec<(u32, u32, u32, u32)> = Vec::with_capacity(history.writes.all().len());
        for writer in 0..history.len() as u32 {
            let lane = history.lanes[writer as usize];
            let writes = history.writes.row(writer);
            all.extend(writes.iter().map(|write| (write.key, lane, writer, write.version)));
        }
        all.sort_unstable();
        let mut groups: Vec<(u32, Group)> = Vec::new();
        for (place, (key, lane, ..)) in all.iter().enumerate() {
            let place = place as u32;
            match groups.last_mut() {
                Some((same, group)) if same == key && group.lane == *lane => group.end = place + 1,
                _ => groups.push((*key, Group { lane: *lane, start: place, end: place + 1 })),
            }
        }
        let groups = Rows::new(history.keys.len(), groups);
        let all = all.into_iter().map(|(_, _, writer, version)| (writer, version)).collect();
        Self { groups, all }
    }

    /// The last writer of a group among the transactions before `end`.
    fn last_before(&self, group: &Group, end: u32) -> Option<(u32, u32)> {
        let writers = &self.all[group.start as usize..group.end as usize];
        let count = writers.partition_point(|(writer, _)| *writer < end);
        count.checked_sub(1).map(|place| writers[place])
    }
}

/// Everything before a transaction, by reads and sessions; of each lane the last writer of a key.
fn causal(history: &Transactions<'_>, order: &[u32], take: &mut dyn FnMut(Triple)) {
    let writers = Writers::of(history);
    let mut clocks = vec![[0u32; BATCH]; history.len()];
    for batch in 0..history.lane_count.div_ceil(BATCH) {
        let first = (batch * BATCH) as u32;
        for &reader in order {
            let clock = clock(history, &clocks, first, reader);
            clocks[reader as usize] = clock;
            for read in history.reads.row(reader) {
                let groups = writers.groups.row(read.key);
                let begin = groups.partition_point(|group| group.lane < first);
                let within = |group: &&Group| group.lane < first + BATCH as u32;
                let source = history.writer(read.version);
                for group in groups[begin..].iter().take_while(within) {
                    let lane = (group.lane - first) as usize;
                    let Some(last) = writers.last_before(group, clock[lane]) else {
                        continue;
                    };
                    // Whom the source itself comes after needs no edge.
                    if source == NONE || clocks[source as usize][lane] <= last.0 {
                        pass(history, reader, *read, last, take);
                    }
                }
            }
        }
    }
}

/// Of each lane of a batch: one more than the last transaction that comes before this one.
fn clock(
    history: &Transactions<'_>,
    clocks: &[[u32; BATCH]],
    first: u32,
    transaction: u32,
) -> [u32; BATCH] {
    let mut clock = [0; BATCH];
    let reads = history.reads.row(transaction).iter().map(|read| history.writer(read.version));
    for before in reads.chain([history.previous[transaction as usize]]) {
        if before == NONE || before == transaction {
            continue;
        }
        for (mine, theirs) in clock.iter_mut().zip(&clocks[before as usize]) {
            *mine = (*mine).max(*theirs);
        }
        let lane = history.lanes[before as usize].wrapping_sub(first) as usize;
        if let Some(mine) = clock.get_mut(lane) {
            *mine = (*mine).max(before + 1);
        }
    }
    clock
}

/// A triple against a known order as a cycle: the reader comes before the visible writer, whom it saw.
fn shown(history: &Transactions<'_>, level: Level, past: &Graph, triple: &Triple) -> Vec<Step> {
    let step = |from, to, kind| Step { from, to, kind, key: None, reader: None };
    let rw =
        Step { key: Some(triple.read.key), ..step(triple.reader, triple.seen, Kind::ReadWrite) };
    let length_max = if level == Level::Causal { usize::MAX } else { 1 };
    let any = |_: u32, edge: super::graph::Edge| edge.to < history.len() as u32;
    let path = past.path(triple.seen, triple.reader, length_max, &any);
    let mut steps = vec![rw];
    match path {
        Some(path) => steps.extend(path.iter().map(|arc| step(arc.from, arc.to, arc.kind))),
        // Within a session, several transactions apart.
        None => steps.push(step(triple.seen, triple.reader, Kind::Session)),
    }
    steps
}

/// Fills in which read forced what.
fn with_readers(
    history: &Transactions<'_>,
    level: Level,
    order: &[u32],
    mut steps: Vec<Step>,
) -> Vec<Step> {
    let wanted = |triple: &Triple, step: &Step| {
        step.kind == Kind::Forced
            && step.from == triple.seen
            && step.to == history.writer(triple.read.version)
    };
    triples(history, level, order, &mut |triple| {
        for step in steps.iter_mut().filter(|step| step.reader.is_none()) {
            if wanted(&triple, step) {
                step.reader = Some(triple.reader);
                step.key = Some(triple.read.key);
            }
        }
    });
    steps
}
