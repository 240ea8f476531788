//! Orders of versions that nobody saw, decided by a SAT solver.
//!
//! A variable says which of two versions of a key is the older one. The solver proposes an order of
//! everything; each cycle that closes becomes a clause that not all of its choices hold together. That
//! goes on until no cycle is left, and the level holds, or the solver finds that nothing is, and it does
//! not. Orders need no clauses of their own to be orders: three versions in a circle are a cycle.
//!
//! Parallel snapshot isolation asks for something else than no cycle: that nobody who overwrote what a
//! transaction read is before it. A path that says otherwise becomes a clause in the same way.

use batsat::{BasicSolver, Lit, SolverInterface, lbool};
use rustc_hash::FxHashMap;

use super::graph::{Arc, Graph, Kind};
use super::relations::{Readers, Relations};
use super::saturation::{Pair, edges};
use super::schedule::likely;
use super::transactions::{Overwriter, Transactions};

/// What came of it.
pub enum Found {
    /// For each pair, whether the first is the older one.
    Orders(Vec<bool>),
    /// There are none.
    Nothing,
    /// It took too long.
    Unknown,
}

/// What is asked of an order of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// No cycle.
    NoCycle,
    /// No cycle of reads and overwritings, and nobody who overwrote a read is before the reader.
    NoSingle,
}

/// Clauses that are learned from one proposal at most.
const CLAUSES_MAX: usize = 200;
/// Edges that are looked at at most, over all proposals of the solver.
const EDGES_MAX: usize = 500_000_000;

/// Proposals of the solver that are enough for all that can be decided.
pub const PROPOSALS_MAX: usize = 20_000;

/// Looks for orders of these pairs, among so many proposals of the solver at most. At a level of
/// [`Wanted::NoSingle`] the relations are those of reads and overwritings alone.
pub fn search(
    history: &Transactions<'_>,
    relations: &Relations,
    readers: &Readers,
    pairs: &[Pair],
    wanted: Wanted,
    proposals_max: usize,
) -> Found {
    let mut search = Search {
        history,
        relations,
        readers,
        pairs,
        known: relations.arcs.iter().map(|arc| (arc.from, arc.to)).collect(),
        solver: BasicSolver::default(),
        literals: Vec::with_capacity(pairs.len()),
    };
    search.known.sort_unstable();
    search.known.dedup();
    let likely = likely(history, &relations.owners, &relations.graph());
    let place = |version: u32| likely[relations.view.commit(history.writer(version)) as usize];
    for pair in pairs {
        // The first proposal is as good as an order of time is: few cycles are left to speak against.
        let first = place(pair.one) < place(pair.other);
        let variable = search.solver.new_var(lbool::from(first), true);
        search.literals.push(Lit::new(variable, true));
    }
    for _ in 0..proposals_max.min(EDGES_MAX / relations.arcs.len().max(1)) {
        if search.solver.solve_limited(&[]) != lbool::TRUE {
            return Found::Nothing;
        }
        let orders: Vec<bool> = (0..pairs.len())
            .map(|place| search.solver.value_lit(search.literals[place]) == lbool::TRUE)
            .collect();
        let clauses = search.refute(&orders, wanted);
        if clauses.is_empty() {
            return Found::Orders(orders);
        }
        for mut clause in clauses {
            search.solver.add_clause_reuse(&mut clause);
        }
    }
    Found::Unknown
}

struct Search<'a> {
    history: &'a Transactions<'a>,
    relations: &'a Relations,
    readers: &'a Readers,
    pairs: &'a [Pair],
    /// Edges that hold whatever is chosen, sorted.
    known: Vec<(u32, u32)>,
    solver: BasicSolver,
    /// For each pair: the first is the older one.
    literals: Vec<Lit>,
}

/// The choice that an edge follows from.
type Reasons = FxHashMap<(u32, u32), Lit>;

impl Search<'_> {
    /// Clauses that speak against a proposal.
    fn refute(&self, orders: &[bool], wanted: Wanted) -> Vec<Vec<Lit>> {
        let mut arcs = self.relations.arcs.clone();
        let mut reasons = Reasons::default();
        let mut overwritten: Vec<(u32, u32, Option<Lit>)> = Vec::new();
        for ((pair, first), literal) in self.pairs.iter().zip(orders).zip(&self.literals) {
            let (older, newer, literal) = match first {
                true => (pair.one, pair.other, *literal),
                false => (pair.other, pair.one, !*literal),
            };
            let view = self.relations.view;
            for arc in edges(self.history, view, self.readers, (older, newer), Kind::WriteWrite) {
                if self.known.binary_search(&(arc.from, arc.to)).is_err() {
                    reasons.entry((arc.from, arc.to)).or_insert(literal);
                    arcs.push(arc);
                }
            }
            if wanted == Wanted::NoSingle {
                let to = self.history.writer(newer);
                let readers = self.readers.of_version(older).iter().filter(|reader| **reader != to);
                overwritten.extend(readers.map(|reader| (*reader, to, Some(literal))));
            }
        }
        let graph = Graph::new(self.relations.owners.len(), &arcs);
        let mut clauses = self.cycles(&graph, &reasons);
        if clauses.is_empty() && wanted == Wanted::NoSingle {
            overwritten.extend(overwritten_for_sure(self.history));
            self.singles(&graph, &reasons, &overwritten, &mut clauses);
        }
        clauses.sort();
        clauses.dedup();
        clauses
    }

    fn cycles(&self, graph: &Graph, reasons: &Reasons) -> Vec<Vec<Lit>> {
        let mut clauses = Vec::new();
        for knot in graph.knots() {
            let within = |_: u32, edge: super::graph::Edge| knot.binary_search(&edge.to).is_ok();
            let each = CLAUSES_MAX / 10;
            for node in knot.iter().step_by(knot.len().div_ceil(each)) {
                let cycle = graph.path(*node, *node, usize::MAX, &within);
                clauses.push(clause(&cycle.expect("a node of a knot is on a cycle"), reasons));
            }
            if clauses.len() >= CLAUSES_MAX {
                break;
            }
        }
        clauses
    }

    /// Whoever overwrote a read must not be before the reader.
    fn singles(
        &self,
        graph: &Graph,
        reasons: &Reasons,
        overwritten: &[(u32, u32, Option<Lit>)],
        clauses: &mut Vec<Vec<Lit>>,
    ) {
        let ranks = graph.ranks(&graph.topological());
        for (reader, writer, literal) in overwritten {
            if let Some(path) = path_back(graph, &ranks, *writer, *reader) {
                let mut clause = clause(&path, reasons);
                clause.extend(literal.map(|literal| !literal));
                clause.sort();
                clause.dedup();
                clauses.push(clause);
                if clauses.len() >= CLAUSES_MAX {
                    return;
                }
            }
        }
    }
}

/// That not all choices of these edges hold together.
fn clause(arcs: &[Arc], reasons: &Reasons) -> Vec<Lit> {
    let mut clause: Vec<Lit> =
        arcs.iter().filter_map(|arc| reasons.get(&(arc.from, arc.to))).map(|lit| !*lit).collect();
    clause.sort();
    clause.dedup();
    clause
}

/// A path of a graph without cycles, if there is one.
pub fn path_back(graph: &Graph, ranks: &[u32], from: u32, to: u32) -> Option<Vec<Arc>> {
    let limit = ranks[to as usize];
    if ranks[from as usize] >= limit {
        return None;
    }
    graph.path(from, to, usize::MAX, &|_, edge| ranks[edge.to as usize] <= limit)
}

/// Readers, and writers that are known to have overwritten what they read.
fn overwritten_for_sure(history: &Transactions<'_>) -> Vec<(u32, u32, Option<Lit>)> {
    let mut sure = Vec::new();
    overwritten(history, &mut |reader, writer| sure.push((reader, writer, None)));
    sure
}

/// Every reader with every writer that is known to have overwritten first what it read.
pub fn overwritten(history: &Transactions<'_>, take: &mut dyn FnMut(u32, u32)) {
    let mut pass = |reader, writer| {
        if reader != writer {
            take(reader, writer);
        }
    };
    for reader in 0..history.len() as u32 {
        for read in history.reads.row(reader) {
            match history.overwriter(read.key, read.version) {
                Overwriter::Known(writer) => pass(reader, writer),
                Overwriter::Loose => history.loose[read.key as usize]
                    .iter()
                    .for_each(|loose| pass(reader, history.writer(*loose))),
                Overwriter::Unknown => (),
            }
        }
    }
}
