//! The causal order, as vector clocks.
//!
//! What stands before an access is, of every *line* (a session, or a write in doubt by itself), a
//! first part: so a clock of one number a line says it all.

use rustc_hash::FxHashMap;

use crate::unique::{Source, Unique};

/// More numbers than this in all clocks are not kept: 512 MB.
const CELLS_MAX: usize = 1 << 27;
/// No access.
pub(crate) const NONE: u32 = u32::MAX;

/// What is in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// What one session does.
    Session,
    /// What one process does.
    Process,
}

/// A read or a write with what comes right before it.
pub(crate) struct Node {
    pub access: u32,
    pub key: u32,
    /// Its line, and its place in that, from 1.
    pub line: u32,
    pub place: u32,
    /// The node before it in its session.
    before: u32,
    /// What it is, by nodes.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A write.
    Write,
    /// A read of what this node wrote.
    ReadOf(u32),
    /// A read of the initial value.
    ReadInitial,
    /// A read of what nobody wrote.
    ReadNowhere,
}

/// The writes of one key by line, each by place and node.
type Writes = Vec<(u32, Vec<(u32, u32)>)>;

/// Accesses that are, or may have been, in causal order.
pub(crate) struct Graph {
    pub nodes: Vec<Node>,
    pub lines: usize,
    /// The writes of each key.
    pub writes: Vec<Writes>,
}

/// A cycle, by accesses.
pub(crate) type Cycle = Vec<u32>;

impl Graph {
    /// The graph of a history.
    ///
    /// Errors: a session whose ok operations overlap, or more lines and operations than clocks are
    /// kept for.
    pub fn new(unique: &Unique<'_>, unit: Unit) -> Result<Self, String> {
        let is_read = unique.is_read();
        let mut nodes = Vec::<Node>::new();
        let mut node_of = vec![NONE; unique.accesses.len()];
        let mut sessions = FxHashMap::<u32, Vec<u32>>::default();
        let mut lines = 0;
        let mut line_of = FxHashMap::<u32, u32>::default();
        let mut new_line = || {
            lines += 1;
            lines - 1
        };
        for (access, one) in (0u32..).zip(&unique.accesses) {
            let operation = one.operation;
            if !operation.is_ok() && !is_read[access as usize] {
                continue;
            }
            let number = match unit {
                Unit::Session => operation.session,
                Unit::Process => operation.process,
            };
            let session = sessions.entry(number).or_default();
            let done = session.partition_point(|node| {
                let before: &Node = &nodes[*node as usize];
                let before = unique.accesses[before.access as usize].operation;
                before.id == operation.id || before.precedes(operation)
            });
            let before = done.checked_sub(1).map_or(NONE, |last| session[last]);
            let (line, place) = match operation.is_ok() {
                true if done < session.len() => {
                    let what = if unit == Unit::Session { "session" } else { "process" };
                    return Err(format!("{what} {number} has ok operations that overlap"));
                }
                true => (*line_of.entry(number).or_insert_with(&mut new_line), done as u32 + 1),
                false => (new_line(), 1),
            };
            let node = nodes.len() as u32;
            if operation.is_ok() {
                session.push(node);
            }
            node_of[access as usize] = node;
            let kind = match (one.is_read, one.source) {
                (false, _) => Kind::Write,
                (true, Source::Write(write)) => Kind::ReadOf(write),
                (true, Source::Initial) => Kind::ReadInitial,
                (true, Source::Nowhere) => Kind::ReadNowhere,
            };
            nodes.push(Node { access, key: one.key, line, place, before, kind });
        }
        let lines = lines as usize;
        if nodes.len().saturating_mul(lines) > CELLS_MAX {
            let operations = nodes.len();
            return Err(format!(
                "{operations} operations in {lines} lines are too many for clocks"
            ));
        }
        for node in &mut nodes {
            if let Kind::ReadOf(write) = &mut node.kind {
                *write = node_of[*write as usize];
            }
        }
        let writes = writes(&nodes, unique.keys);
        Ok(Self { nodes, lines, writes })
    }

    /// The clocks of all nodes, with further edges by the node they lead to; or a cycle.
    pub fn clocks(&self, further: &Further) -> Result<Clocks, Cycle> {
        let mut clocks =
            Clocks { lines: self.lines, cells: vec![0; self.nodes.len() * self.lines] };
        let mut waits = vec![0u32; self.nodes.len()];
        let mut after = vec![Vec::<u32>::new(); self.nodes.len()];
        for node in 0..self.nodes.len() as u32 {
            for before in self.before(node, further) {
                waits[node as usize] += 1;
                after[before as usize].push(node);
            }
        }
        let mut ready: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|node| waits[*node as usize] == 0).collect();
        let mut done = 0;
        while let Some(node) = ready.pop() {
            done += 1;
            let Node { line, place, .. } = self.nodes[node as usize];
            for &next in &after[node as usize] {
                clocks.join(next, node, (line, place));
                waits[next as usize] -= 1;
                if waits[next as usize] == 0 {
                    ready.push(next);
                }
            }
        }
        if done < self.nodes.len() { Err(self.cycle(&waits, further)) } else { Ok(clocks) }
    }

    /// What comes right before a node.
    fn before<'a>(&'a self, node: u32, further: &'a Further) -> impl Iterator<Item = u32> + 'a {
        let this = &self.nodes[node as usize];
        let write = match this.kind {
            Kind::ReadOf(write) => write,
            _ => NONE,
        };
        let further = further.0.get(&node).into_iter().flatten().copied();
        [this.before, write].into_iter().filter(|node| *node != NONE).chain(further)
    }

    /// A cycle among the nodes that still wait.
    ///
    /// Why: each of them waits for another one, so going back from any comes to one twice.
    fn cycle(&self, waits: &[u32], further: &Further) -> Cycle {
        let waiting = |node: u32| waits[node as usize] > 0;
        let start = (0..self.nodes.len() as u32).find(|node| waiting(*node)).expect("one waits");
        let mut place = FxHashMap::<u32, usize>::default();
        let (mut path, mut node) = (Vec::new(), start);
        while !place.contains_key(&node) {
            place.insert(node, path.len());
            path.push(node);
            let before = self.before(node, further).find(|before| waiting(*before));
            node = before.expect("it waits for one that waits");
        }
        let mut cycle = path.split_off(place[&node]);
        cycle.reverse();
        self.accesses(cycle)
    }

    /// The accesses of these nodes.
    pub fn accesses(&self, nodes: impl IntoIterator<Item = u32>) -> Vec<u32> {
        nodes.into_iter().map(|node| self.nodes[node as usize].access).collect()
    }

    /// Of each line the last write of a key that is before a node.
    pub fn last_writes<'a>(
        &'a self,
        clocks: &'a Clocks,
        node: u32,
        key: u32,
    ) -> impl Iterator<Item = u32> + 'a {
        self.writes[key as usize].iter().filter_map(move |(line, writes)| {
            let upto = clocks.of(node, *line);
            let known = writes.partition_point(|(place, _)| *place <= upto);
            Some(writes[known.checked_sub(1)?].1)
        })
    }

    /// Whether one node is before another.
    pub fn is_before(&self, clocks: &Clocks, one: u32, other: u32) -> bool {
        let Node { line, place, .. } = self.nodes[one as usize];
        clocks.of(other, line) >= place
    }
}

fn writes(nodes: &[Node], keys: usize) -> Vec<Writes> {
    let mut by_line = FxHashMap::<(u32, u32), usize>::default();
    let mut writes = vec![Writes::new(); keys];
    for (number, node) in (0u32..).zip(nodes).filter(|(_, node)| node.kind == Kind::Write) {
        let of_key = &mut writes[node.key as usize];
        let place = *by_line.entry((node.key, node.line)).or_insert_with(|| {
            of_key.push((node.line, Vec::new()));
            of_key.len() - 1
        });
        of_key[place].1.push((node.place, number));
    }
    writes
}

/// Edges beside those of the causal order: the nodes before each node.
#[derive(Default)]
pub(crate) struct Further(pub FxHashMap<u32, Vec<u32>>);

impl Further {
    pub fn add(&mut self, before: u32, node: u32) {
        self.0.entry(node).or_default().push(before);
    }
}

/// Of each node, how much of each line is before it.
pub(crate) struct Clocks {
    lines: usize,
    cells: Vec<u32>,
}

impl Clocks {
    pub fn of(&self, node: u32, line: u32) -> u32 {
        self.cells[node as usize * self.lines + line as usize]
    }

    /// A node, which is at this line and place, is before the next.
    fn join(&mut self, next: u32, node: u32, (line, place): (u32, u32)) {
        let (next, node) = (next as usize * self.lines, node as usize * self.lines);
        let (one, other) = match next < node {
            true => {
                let (head, tail) = self.cells.split_at_mut(node);
                (&mut head[next..next + self.lines], &tail[..self.lines])
            }
            false => {
                let (head, tail) = self.cells.split_at_mut(next);
                (&mut tail[..self.lines], &head[node..node + self.lines])
            }
        };
        for (mine, other) in one.iter_mut().zip(other) {
            *mine = (*mine).max(*other);
        }
        one[line as usize] = one[line as usize].max(place);
    }
}
