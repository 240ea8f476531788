//! The bad patterns.

use super::graph::{Clocks, Cycle, Further, Graph, Kind, NONE};

/// More numbers of clocks than this are not computed for causal memory.
const WORK_MAX: usize = 1 << 32;

/// What no causally consistent store can show, and the accesses that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub name: &'static str,
    pub accesses: Vec<u32>,
}

impl Pattern {
    /// What it means.
    pub fn meaning(&self) -> &'static str {
        match self.name {
            "ThinAirRead" => "the value was never written",
            "CyclicCO" => "each of these is a cause of the next, and the last of the first",
            "WriteCOInitRead" => {
                "the write is a cause of the read, which returned the initial value"
            }
            "WriteCORead" => {
                "the second write overwrote the first, and is a cause of the read, which returned the \
                 first"
            }
            "CyclicCF" => {
                "each of these is before the next, as a cause or as a write that a reader of the next \
                 knew of, and the last before the first"
            }
            "CyclicOrder" => {
                "each of these must stand before the next, and the last before the first"
            }
            "CyclicHB" => {
                "as one session saw it, each of these is before the next, and the last before the first"
            }
            _ => {
                "as its session saw it, the write is before the read, which returned the initial value"
            }
        }
    }
}

/// The bad patterns of a level: `cc`, `ccv` or `cm`.
///
/// Errors: more work than is done for causal memory.
pub(crate) fn find(graph: &Graph, level: &str) -> Result<Vec<Pattern>, String> {
    let clocks = match graph.clocks(&Further::default()) {
        Ok(clocks) => clocks,
        Err(accesses) => return Ok(vec![Pattern { name: "CyclicCO", accesses }]),
    };
    let mut patterns = of_causal_order(graph, &clocks);
    if patterns.is_empty() {
        match level {
            "ccv" => patterns.extend(of_conflicts(graph, &clocks)),
            "cm" => patterns = of_sessions(graph)?,
            _ => (),
        }
    }
    Ok(patterns)
}

/// ThinAirRead, WriteCOInitRead and WriteCORead: of each read the first.
///
/// Why the last write of each line is enough: what is before an earlier write of a line is also before
/// the last one.
fn of_causal_order(graph: &Graph, clocks: &Clocks) -> Vec<Pattern> {
    let pattern =
        |name, nodes: &[u32]| Pattern { name, accesses: graph.accesses(nodes.iter().copied()) };
    let read = |(number, node): (u32, &super::graph::Node)| {
        let mut known = graph.last_writes(clocks, number, node.key);
        match node.kind {
            Kind::Write => None,
            Kind::ReadNowhere => Some(pattern("ThinAirRead", &[number])),
            Kind::ReadInitial => {
                known.next().map(|write| pattern("WriteCOInitRead", &[write, number]))
            }
            Kind::ReadOf(write) => known
                .find(|other| *other != write && graph.is_before(clocks, write, *other))
                .map(|other| pattern("WriteCORead", &[write, other, number])),
        }
    };
    (0u32..).zip(&graph.nodes).filter_map(read).collect()
}

/// The writes that must stand before the one that a read returned, because the read knew of them.
fn conflicts<'a>(
    graph: &'a Graph,
    clocks: &'a Clocks,
    read: u32,
) -> impl Iterator<Item = (u32, u32)> + 'a {
    let node = &graph.nodes[read as usize];
    let write = match node.kind {
        Kind::ReadOf(write) => write,
        _ => NONE,
    };
    graph
        .last_writes(clocks, read, node.key)
        .filter(move |other| write != NONE && *other != write)
        .filter(move |other| !graph.is_before(clocks, *other, write))
        .map(move |other| (other, write))
}

/// CyclicCF.
fn of_conflicts(graph: &Graph, clocks: &Clocks) -> Option<Pattern> {
    let mut further = Further::default();
    for read in 0..graph.nodes.len() as u32 {
        for (before, write) in conflicts(graph, clocks, read) {
            further.add(before, write);
        }
    }
    let cycle = graph.clocks(&further).err()?;
    Some(Pattern { name: "CyclicCF", accesses: cycle })
}

/// CyclicHB and WriteHBInitRead, session by session.
///
/// Why the last operation of a session is enough: what follows from its first operations also follows
/// from all of them.
fn of_sessions(graph: &Graph) -> Result<Vec<Pattern>, String> {
    let mut sessions = vec![Vec::new(); graph.lines];
    for (number, node) in (0u32..).zip(&graph.nodes).filter(|(_, node)| node.kind != Kind::Write) {
        sessions[node.line as usize].push(number);
    }
    let mut work = 0;
    let mut patterns = Vec::new();
    for reads in sessions.iter().filter(|reads| !reads.is_empty()) {
        let mut further = Further::default();
        loop {
            work += graph.nodes.len() * graph.lines;
            if work > WORK_MAX {
                return Err(
                    "there are too many operations to look for patterns of causal memory".into()
                );
            }
            let clocks = match graph.clocks(&further) {
                Ok(clocks) => clocks,
                Err(accesses) => {
                    patterns.push(Pattern { name: "CyclicHB", accesses });
                    break;
                }
            };
            let new: Vec<(u32, u32)> =
                reads.iter().flat_map(|read| conflicts(graph, &clocks, *read)).collect();
            if new.is_empty() {
                patterns.extend(initial(graph, &clocks, reads));
                break;
            }
            new.into_iter().for_each(|(before, write)| further.add(before, write));
        }
    }
    Ok(patterns)
}

/// WriteHBInitRead: the first of a session.
fn initial(graph: &Graph, clocks: &Clocks, reads: &[u32]) -> Option<Pattern> {
    let mut reads =
        reads.iter().filter(|read| graph.nodes[**read as usize].kind == Kind::ReadInitial);
    reads.find_map(|&read| {
        let write = graph.last_writes(clocks, read, graph.nodes[read as usize].key).next()?;
        Some(Pattern { name: "WriteHBInitRead", accesses: graph.accesses([write, read]) })
    })
}

/// An order of the whole history, of which every process sees the same: necessary for it to exist.
///
/// What must stand before what is found by turns: a write that a read knew of is before the one it
/// returned, and a read is before every write that follows what it returned. A cycle is a proof that
/// there is no order; none proves nothing.
///
/// Bounds: so many turns only.
pub(crate) fn contradiction(graph: &Graph) -> Option<Cycle> {
    const TURNS_MAX: usize = 16;
    let mut further = Further::default();
    for _ in 0..TURNS_MAX {
        let clocks = match graph.clocks(&further) {
            Ok(clocks) => clocks,
            Err(cycle) => return Some(cycle),
        };
        let mut grown = false;
        for read in 0..graph.nodes.len() as u32 {
            for (before, write) in conflicts(graph, &clocks, read) {
                further.add(before, write);
                grown = true;
            }
            for write in overwriting(graph, &clocks, read) {
                further.add(read, write);
                grown = true;
            }
        }
        if !grown {
            return None;
        }
    }
    None
}

/// Of each line the first write that follows what a read returned, unless it is known to follow the
/// read.
fn overwriting<'a>(
    graph: &'a Graph,
    clocks: &'a Clocks,
    read: u32,
) -> impl Iterator<Item = u32> + 'a {
    let node = &graph.nodes[read as usize];
    let kind = node.kind;
    let follows = move |write: u32| match kind {
        Kind::ReadOf(returned) => graph.is_before(clocks, returned, write),
        Kind::ReadInitial => true,
        _ => false,
    };
    graph.writes[node.key as usize].iter().filter_map(move |(_, writes)| {
        let first = writes.partition_point(|(_, write)| !follows(*write));
        let write = writes.get(first)?.1;
        (!graph.is_before(clocks, read, write)).then_some(write)
    })
}
