//! Decides one level.
//!
//! What is known is tried first, and mostly enough: a cycle of it breaks the level. Where versions have
//! no known order an order is tried straight on; only where that gets stuck are consequences drawn, and
//! only what these leave open goes to the SAT solver.

use super::finding::Step;
use super::graph::{Edge, Graph, Kind, NONE};
use super::level::Level;
use super::relations::{Readers, Relations, View};
use super::saturation::{Pair, Saturated, edges, pairs, saturate};
use super::schedule::{Patience, schedule};
use super::search::{Found, PROPOSALS_MAX, Wanted, overwritten, path_back, search};
use super::transactions::Transactions;
use super::visibility::{self, Visibility};
use super::zones::Zones;

/// What came of it.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It holds, by this order.
    Holds(Order),
    /// It does not.
    Broken(Broken),
    /// A bound was met.
    Unknown(String),
}

/// An order that explains a history: of transactions, or of their starts and commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Transactions, or twice a transaction for its start and one more for its commit.
    pub events: Vec<u32>,
    pub split: bool,
}

/// Why a level does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// These transactions come before one another in a circle.
    Cycle(Vec<Step>),
    /// Whichever of two writes comes first, there is a circle.
    Both {
        key: u32,
        /// The writers.
        writers: [u32; 2],
        /// The circle if the first one comes first, and if the other one does.
        cycles: [Vec<Step>; 2],
    },
    /// Two transactions read the same version of a key, and both overwrote it.
    LostUpdate { key: u32, writers: [u32; 2] },
    /// No order of versions is without a circle.
    NoOrder,
}

/// Decides a level of a history in which every read is of a known version.
pub fn decide(history: &Transactions<'_>, level: Level) -> Decision {
    match level {
        Level::ReadUncommitted | Level::ReadCommitted => known(history, level),
        Level::ReadCommittedAxiomatic | Level::ReadAtomic | Level::Causal => {
            visible(history, level)
        }
        Level::ParallelSnapshotIsolation => parallel(history),
        _ => ordered(history, level),
    }
}

/// What breaks a level of which it is known that it is broken, if that can be seen at once.
pub fn cycle(history: &Transactions<'_>, level: Level) -> Option<Broken> {
    let decision = match level {
        Level::ReadCommittedAxiomatic | Level::ReadAtomic | Level::Causal => {
            visible(history, level)
        }
        _ => known(history, level),
    };
    match decision {
        Decision::Broken(broken) => Some(broken),
        Decision::Holds(_) | Decision::Unknown(_) => None,
    }
}

/// The order of a graph's nodes as one of its transactions.
fn order_of(nodes: &[u32], relations: &Relations) -> Order {
    let split = relations.view.split;
    let events = nodes.iter().copied().filter(|node| relations.owners[*node as usize] != NONE);
    Order { events: events.collect(), split }
}

/// A cycle, if there is one, or an order of the graph.
fn cycle_or_order(relations: &Relations, graph: &Graph) -> Decision {
    let order = graph.topological();
    if order.len() == graph.nodes() {
        return Decision::Holds(order_of(&order, relations));
    }
    let knots = graph.knots();
    let cycles = knots.iter().take(KNOTS_MAX).map(|knot| graph.shortest_cycle(knot));
    let shortest = cycles.min_by_key(Vec::len).expect("what has no order has a knot");
    Decision::Broken(Broken::Cycle(relations.steps(&shortest)))
}

/// Knots in which a shortest cycle is looked for.
const KNOTS_MAX: usize = 20;

/// Versions without an order can be put into that of the graph.
fn known(history: &Transactions<'_>, level: Level) -> Decision {
    let relations = Relations::known(history, View::of(level));
    cycle_or_order(&relations, &relations.graph())
}

/// The graph of reads and sessions.
fn past(history: &Transactions<'_>) -> Relations {
    let mut relations = Relations::known(history, View::of(Level::Causal));
    relations.arcs.retain(|arc| matches!(arc.kind, Kind::WriteRead | Kind::Session));
    relations
}

fn visible(history: &Transactions<'_>, level: Level) -> Decision {
    let relations = past(history);
    let graph = relations.graph();
    let order = graph.topological();
    if order.len() < graph.nodes() {
        return cycle_or_order(&relations, &graph);
    }
    match visibility::decide(history, level, &graph, &order) {
        Visibility::Holds(graph) => {
            Decision::Holds(Order { events: graph.topological(), split: false })
        }
        Visibility::Broken(steps) => Decision::Broken(Broken::Cycle(steps)),
    }
}

/// Levels that ask for an order without a cycle.
fn ordered(history: &Transactions<'_>, level: Level) -> Decision {
    let view = View::of(level);
    let mut relations = Relations::known(history, view);
    let readers = Readers::of(history);
    let choice = history.has_choice();
    if choice {
        if view.writers_see
            && let Some(broken) = lost_update(history)
        {
            return Decision::Broken(broken);
        }
        updates(history, &mut relations, &readers);
    }
    let zones = (choice && view.real_time).then(|| Zones::of(history, &readers));
    let zones = zones.as_ref();
    if let Some(zones) = zones {
        zones.tell(history, &mut relations, &readers);
    }
    let graph = relations.graph();
    let straight = cycle_or_order(&relations, &graph);
    if !choice || matches!(straight, Decision::Broken(_)) {
        return straight;
    }
    if let Some(holds) = scheduled(history, &relations, &graph, &readers, zones, Patience::Short) {
        return holds;
    }
    // Where time is known, what follows from it says that and more.
    if level.has_sessions()
        && zones.is_none()
        && let Some(decided) = from_the_past(history, &mut relations, &readers)
    {
        return decided;
    }
    let is_open = |one, other| zones.is_none_or(|zones| !zones.has_order(one, other));
    let Some(pairs) = pairs(history, &is_open) else {
        return too_large();
    };
    match saturate(history, &mut relations, &readers, pairs) {
        Saturated::TooLarge => too_large(),
        Saturated::Broken(pair) => Decision::Broken(both(history, &mut relations, &readers, pair)),
        Saturated::Open(open) => choose(history, &relations, &readers, zones, &open),
    }
}

/// What an order that is tried straight on shows, if it comes to an end.
fn scheduled(
    history: &Transactions<'_>,
    relations: &Relations,
    graph: &Graph,
    readers: &Readers,
    zones: Option<&Zones>,
    patience: Patience,
) -> Option<Decision> {
    let order = schedule(history, relations, graph, readers, zones, patience)?;
    Some(Decision::Holds(order_of(&order, relations)))
}

fn too_large() -> Decision {
    Decision::Unknown("too many writes have no known order".into())
}

/// What consequences leave open.
fn choose(
    history: &Transactions<'_>,
    relations: &Relations,
    readers: &Readers,
    zones: Option<&Zones>,
    open: &[Pair],
) -> Decision {
    let graph = relations.graph();
    let straight = cycle_or_order(relations, &graph);
    if open.is_empty() || matches!(straight, Decision::Broken(_)) {
        return straight;
    }
    if let Some(holds) = scheduled(history, relations, &graph, readers, zones, Patience::Long) {
        return holds;
    }
    match search(history, relations, readers, open, Wanted::NoCycle, PROPOSALS_MAX) {
        Found::Unknown => Decision::Unknown("the SAT solver did not come to an end".into()),
        Found::Nothing => Decision::Broken(Broken::NoOrder),
        Found::Orders(orders) => {
            let arcs = with_orders(history, relations, readers, open, &orders);
            let graph = Graph::new(relations.owners.len(), &arcs);
            Decision::Holds(order_of(&graph.topological(), relations))
        }
    }
}

fn with_orders(
    history: &Transactions<'_>,
    relations: &Relations,
    readers: &Readers,
    open: &[Pair],
    orders: &[bool],
) -> Vec<super::graph::Arc> {
    let mut arcs = relations.arcs.clone();
    for (pair, first) in open.iter().zip(orders) {
        let order = if *first { (pair.one, pair.other) } else { (pair.other, pair.one) };
        arcs.extend(edges(history, relations.view, readers, order, Kind::WriteWrite));
    }
    arcs
}

/// The two circles that speak against either order of a pair.
fn both(
    history: &Transactions<'_>,
    relations: &mut Relations,
    readers: &Readers,
    pair: Pair,
) -> Broken {
    let graph = relations.graph();
    let circle = |older: u32, newer: u32| {
        let arcs = edges(history, relations.view, readers, (older, newer), Kind::WriteWrite);
        let back = |arc: &super::graph::Arc| {
            let mut path = match arc.from == arc.to {
                true => Vec::new(),
                false => graph.path(arc.to, arc.from, usize::MAX, &|_: u32, _: Edge| true)?,
            };
            path.insert(0, *arc);
            Some(path)
        };
        let shortest = arcs.iter().filter_map(back).min_by_key(Vec::len);
        relations.steps(&shortest.expect("this order closes a cycle"))
    };
    let cycles = [circle(pair.one, pair.other), circle(pair.other, pair.one)];
    let writers = [history.writer(pair.one), history.writer(pair.other)];
    Broken::Both { key: pair.key, writers, cycles }
}

/// Transactions that read a version of a key and overwrote it, by version.
fn updaters(history: &Transactions<'_>) -> Vec<(u32, u32, u32)> {
    let mut updaters = Vec::new();
    for writer in 0..history.len() as u32 {
        for write in history.writes.row(writer) {
            let reads = history.reads.row(writer).iter().filter(|read| read.key == write.key);
            updaters.extend(reads.map(|read| (read.key, read.version, writer)));
        }
    }
    updaters.sort_unstable();
    updaters.dedup();
    updaters
}

/// Two transactions that read the same version of a key and overwrote it.
pub fn lost_update(history: &Transactions<'_>) -> Option<Broken> {
    let updaters = updaters(history);
    let same = |pair: &&[(u32, u32, u32)]| pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1;
    let pair = updaters.windows(2).find(same)?;
    Some(Broken::LostUpdate { key: pair[0].0, writers: [pair[0].2, pair[1].2] })
}

/// Whoever overwrote a version that it had read comes after all others who read it.
fn updates(history: &Transactions<'_>, relations: &mut Relations, readers: &Readers) {
    for (key, version, writer) in updaters(history) {
        let row = match version {
            NONE => readers.of_initial(key),
            version => readers.of_version(version),
        };
        let others = row.iter().filter(|reader| **reader != writer);
        relations.arcs.extend(others.map(|reader| relations.view.escapes(*reader, writer)));
    }
}

/// At levels that keep sessions, what the causal past forces holds too; it may be enough to decide.
fn from_the_past(
    history: &Transactions<'_>,
    relations: &mut Relations,
    readers: &Readers,
) -> Option<Decision> {
    let past = past(history);
    let graph = past.graph();
    let order = graph.topological();
    if order.len() < graph.nodes() {
        return Some(cycle_or_order(&past, &graph));
    }
    let view = relations.view;
    let mut broken = None;
    for forced in visibility::forced(history, Level::Causal, &order, &mut broken) {
        relations.arcs.push(view.forces(forced.seen, history.writer(forced.read.version)));
        if view.overwrites {
            let newer = history.writer(forced.read.version);
            let others = readers.of_version(forced.written).iter().filter(|one| **one != newer);
            relations.arcs.extend(others.map(|reader| view.escapes(*reader, newer)));
        }
    }
    let graph = relations.graph();
    let straight = cycle_or_order(relations, &graph);
    if matches!(straight, Decision::Broken(_)) {
        return Some(straight);
    }
    scheduled(history, relations, &graph, readers, None, Patience::Short)
}

/// Parallel snapshot isolation: no cycle has fewer than two read-write steps.
fn parallel(history: &Transactions<'_>) -> Decision {
    let relations = Relations::known(history, View::of(Level::ParallelSnapshotIsolation));
    let graph = relations.graph();
    let straight = cycle_or_order(&relations, &graph);
    if matches!(straight, Decision::Broken(_)) {
        return straight;
    }
    let ranks = graph.ranks(&graph.topological());
    let mut single = None;
    overwritten(history, &mut |reader, writer| {
        if single.is_none()
            && let Some(path) = path_back(&graph, &ranks, writer, reader)
        {
            let mut steps = relations.steps_of_path(&path);
            let kind = Kind::ReadWrite;
            steps.insert(0, Step { from: reader, to: writer, kind, key: None, reader: None });
            single = Some(steps);
        }
    });
    if let Some(steps) = single {
        return Decision::Broken(Broken::Cycle(steps));
    }
    if !history.has_choice() {
        return straight;
    }
    if let Some(broken) = lost_update(history) {
        return Decision::Broken(broken);
    }
    let Some(pairs) = pairs(history, &|_, _| true) else {
        return too_large();
    };
    let readers = Readers::of(history);
    match search(history, &relations, &readers, &pairs, Wanted::NoSingle, PROPOSALS_MAX) {
        Found::Unknown => Decision::Unknown("the SAT solver did not come to an end".into()),
        Found::Nothing => Decision::Broken(Broken::NoOrder),
        Found::Orders(orders) => {
            let arcs = with_orders(history, &relations, &readers, &pairs, &orders);
            let graph = Graph::new(relations.owners.len(), &arcs);
            Decision::Holds(order_of(&graph.topological(), &relations))
        }
    }
}
