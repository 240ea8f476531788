//! Who comes before whom, and why, as each level sees it.
//!
//! At most levels a transaction is one point of the graph. Snapshots make two of it, its start and its
//! commit: what it read is of its start and what it wrote of its commit, so that a path that goes from a
//! reader to whoever overwrote that arrives at a commit and cannot go back to a start of the same time.
//! The level holds iff, for some order of the versions that have none yet, there is no cycle.

use super::finding::Step;
use super::graph::{Arc, Graph, Kind, NONE};
use super::level::Level;
use super::rows::Rows;
use super::transactions::{Overwriter, Transactions};

/// What a level looks at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether a transaction has a start and a commit.
    pub split: bool,
    /// Whether a writer sees whom it overwrites: its start, and not only its commit, comes after.
    pub writers_see: bool,
    /// Which relations count.
    pub reads: bool,
    pub overwrites: bool,
    pub sessions: bool,
    pub real_time: bool,
}

impl View {
    /// What this level looks at.
    pub fn of(level: Level) -> Self {
        let whole = Self {
            split: false,
            writers_see: true,
            reads: true,
            overwrites: true,
            sessions: level.has_sessions(),
            real_time: level == Level::StrictSerializable,
        };
        match level {
            Level::ReadUncommitted => Self { reads: false, overwrites: false, ..whole },
            Level::ReadCommitted
            | Level::ReadCommittedAxiomatic
            | Level::ReadAtomic
            | Level::Causal
            | Level::ParallelSnapshotIsolation => Self { overwrites: false, ..whole },
            Level::Prefix => Self { split: true, writers_see: false, ..whole },
            Level::SnapshotIsolation | Level::StrongSessionSnapshotIsolation => {
                Self { split: true, ..whole }
            }
            Level::RepeatableRead
            | Level::Serializable
            | Level::StrongSessionSerializable
            | Level::StrictSerializable => whole,
        }
    }

    /// The node at which a transaction reads.
    pub fn start(self, transaction: u32) -> u32 {
        if self.split { 2 * transaction } else { transaction }
    }

    /// The node at which a transaction writes.
    pub fn commit(self, transaction: u32) -> u32 {
        if self.split { 2 * transaction + 1 } else { transaction }
    }

    /// The edge of a transaction that saw another one.
    pub fn sees(self, from: u32, to: u32, kind: Kind) -> Arc {
        Arc { from: self.commit(from), to: self.start(to), kind }
    }

    /// The edge of a transaction that overwrote what another one wrote.
    pub fn follows(self, from: u32, to: u32, kind: Kind) -> Arc {
        let to = if self.writers_see { self.start(to) } else { self.commit(to) };
        Arc { from: self.commit(from), to, kind }
    }

    /// The edge of a transaction that overwrote what another one read.
    pub fn escapes(self, from: u32, to: u32) -> Arc {
        Arc { from: self.start(from), to: self.commit(to), kind: Kind::ReadWrite }
    }

    /// The edge of a transaction that overwrites another one in every order that explains the history.
    pub fn forces(self, from: u32, to: u32) -> Arc {
        self.follows(from, to, Kind::Forced)
    }
}

/// What is known of a history at a level, edge by edge.
pub struct Relations {
    pub view: View,
    pub arcs: Vec<Arc>,
    /// The transaction of each node, or [`NONE`].
    pub owners: Vec<u32>,
}

impl Relations {
    /// All that is known without deciding anything.
    pub fn known(history: &Transactions<'_>, view: View) -> Self {
        let count = history.len() as u32;
        let owners = match view.split {
            true => (0..2 * count).map(|node| node / 2).collect(),
            false => (0..count).collect(),
        };
        let mut relations = Self { view, arcs: Vec::with_capacity(4 * history.len()), owners };
        if view.split {
            let inner = |t| Arc { from: view.start(t), to: view.commit(t), kind: Kind::Inner };
            relations.arcs.extend((0..count).map(inner));
        }
        relations.versions(history);
        if view.reads {
            relations.reads(history);
        }
        if view.overwrites {
            relations.overwrites(history);
        }
        if view.sessions {
            relations.sessions(history);
        }
        if view.real_time {
            relations.real_time(history);
        }
        relations
    }

    /// The graph of them.
    pub fn graph(&self) -> Graph {
        Graph::new(self.owners.len(), &self.arcs)
    }

    fn node(&mut self) -> u32 {
        self.owners.push(NONE);
        self.owners.len() as u32 - 1
    }

    /// Orders of versions as far as they are known.
    fn versions(&mut self, history: &Transactions<'_>) {
        let view = self.view;
        for (chain, loose) in history.chains.iter().zip(&history.loose) {
            let writer = |version: &u32| history.writer(*version);
            for pair in chain.windows(2) {
                let (from, to) = (writer(&pair[0]), writer(&pair[1]));
                if from != to {
                    self.push(view.follows(from, to, Kind::WriteWrite));
                }
            }
            let Some(last) = chain.last().map(writer) else {
                continue;
            };
            for version in loose.iter().filter(|version| writer(version) != last) {
                self.push(view.follows(last, writer(version), Kind::WriteWrite));
            }
        }
    }

    fn reads(&mut self, history: &Transactions<'_>) {
        let view = self.view;
        for reader in 0..history.len() as u32 {
            for read in history.reads.row(reader) {
                let writer = history.writer(read.version);
                if writer != NONE {
                    self.push(view.sees(writer, reader, Kind::WriteRead));
                }
            }
        }
    }

    /// From each reader to whoever is known to have overwritten that first.
    fn overwrites(&mut self, history: &Transactions<'_>) {
        let mut gates = vec![NONE; history.keys.len()];
        for reader in 0..history.len() as u32 {
            for read in history.reads.row(reader) {
                match history.overwriter(read.key, read.version) {
                    Overwriter::Known(writer) => self.push(self.view.escapes(reader, writer)),
                    Overwriter::Loose => self.loosely(history, reader, read.key, &mut gates),
                    Overwriter::Unknown => (),
                }
            }
        }
    }

    /// From a reader to every loose writer of a key, through a gate of the key where that is possible.
    fn loosely(&mut self, history: &Transactions<'_>, reader: u32, key: u32, gates: &mut [u32]) {
        let view = self.view;
        let loose = &history.loose[key as usize];
        let writers = || loose.iter().map(|version| history.writer(*version));
        if loose.len() < 3 || history.written(reader, key).is_some() {
            for writer in writers() {
                self.push(view.escapes(reader, writer));
            }
            return;
        }
        if gates[key as usize] == NONE {
            let gate = self.node();
            gates[key as usize] = gate;
            for writer in writers() {
                self.push(Arc { from: gate, to: view.commit(writer), kind: Kind::Inner });
            }
        }
        let from = view.start(reader);
        self.push(Arc { from, to: gates[key as usize], kind: Kind::ReadWrite });
    }

    fn sessions(&mut self, history: &Transactions<'_>) {
        for (next, before) in history.previous.iter().enumerate() {
            if *before != NONE {
                self.push(self.view.sees(*before, next as u32, Kind::Session));
            }
        }
    }

    /// Real time by barriers: what completed since the last barrier comes before the next one, and what
    /// is invoked comes after the last one. No more edges than three for each transaction.
    fn real_time(&mut self, history: &Transactions<'_>) {
        let mut completed: Vec<u32> = Vec::new();
        let mut barrier = NONE;
        for (transaction, is_completion) in moments(history) {
            if is_completion {
                completed.push(transaction);
                continue;
            }
            if !completed.is_empty() {
                let next = self.node();
                let before = completed.drain(..).map(|done| self.view.commit(done));
                let before = before.chain((barrier != NONE).then_some(barrier));
                let arc = |from| Arc { from, to: next, kind: Kind::RealTime };
                let arcs: Vec<Arc> = before.map(arc).collect();
                self.arcs.extend(arcs);
                barrier = next;
            }
            if barrier != NONE {
                let to = self.view.start(transaction);
                self.push(Arc { from: barrier, to, kind: Kind::RealTime });
            }
        }
    }

    fn push(&mut self, arc: Arc) {
        if arc.from != arc.to {
            self.arcs.push(arc);
        }
    }

    /// A path between transactions that are one node each.
    pub fn steps_of_path(&self, path: &[Arc]) -> Vec<Step> {
        let step = |arc: &Arc| Step {
            from: arc.from,
            to: arc.to,
            kind: arc.kind,
            key: None,
            reader: None,
        };
        path.iter().map(step).collect()
    }

    /// A cycle of nodes as one of transactions.
    pub fn steps(&self, cycle: &[Arc]) -> Vec<Step> {
        let owner = |node: u32| self.owners[node as usize];
        let begin = cycle.iter().position(|arc| owner(arc.from) != NONE);
        let begin = begin.expect("no cycle is of barriers and gates alone");
        let mut steps = Vec::new();
        let mut from = owner(cycle[begin].from);
        let mut kind = Kind::Inner;
        for arc in cycle[begin..].iter().chain(&cycle[..begin]) {
            if kind == Kind::Inner {
                kind = arc.kind;
            }
            let to = owner(arc.to);
            if to == NONE {
                continue;
            }
            if to != from {
                steps.push(Step { from, to, kind, key: None, reader: None });
                from = to;
            }
            kind = Kind::Inner;
        }
        steps
    }
}

/// Invocations and completions in their order; those in doubt never complete.
fn moments(history: &Transactions<'_>) -> Vec<(u32, bool)> {
    let mut moments = Vec::with_capacity(2 * history.len());
    for transaction in 0..history.len() as u32 {
        let operation = history.operation(transaction);
        moments.push((operation.invoke.index, false, transaction));
        if operation.is_ok() {
            moments.push((operation.complete.index, true, transaction));
        }
    }
    moments.sort_unstable();
    moments
        .into_iter()
        .map(|(_, is_completion, transaction)| (transaction, is_completion))
        .collect()
}

/// Who read each version; the initial ones come last, by key.
pub struct Readers {
    rows: Rows<u32>,
    versions: u32,
}

impl Readers {
    /// Those of a history.
    pub fn of(history: &Transactions<'_>) -> Self {
        let versions = history.versions.len() as u32;
        let mut readers = Vec::with_capacity(history.reads.all().len());
        for reader in 0..history.len() as u32 {
            for read in history.reads.row(reader) {
                let row = if read.version == NONE { versions + read.key } else { read.version };
                readers.push((row, reader));
            }
        }
        let rows = Rows::sorted(history.versions.len() + history.keys.len(), &readers);
        Self { rows, versions }
    }

    /// Who read this version.
    pub fn of_version(&self, version: u32) -> &[u32] {
        self.rows.row(version)
    }

    /// Who found a key as it was initially.
    pub fn of_initial(&self, key: u32) -> &[u32] {
        self.rows.row(self.versions + key)
    }
}
