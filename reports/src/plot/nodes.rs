//! What each node was over time: its role and term, up, crashed or paused.

use wrack_history::{Fact, FactRecord, Run, SmolStr};

use super::rows::{Row, Rows, Segment, draw};
use super::table::Table;
use super::time::TimeAxis;
use super::{Backdrop, Chart, Key};
use crate::text;

const NODES_MAX: usize = 24;
const TABLE_ROWS_MAX: usize = 300;
/// So many segments are legible in all lanes together; states in a row that are shorter than their
/// share are drawn as one "changing".
const SEGMENTS_LEGIBLE: u64 = 1_500;
/// Roles that somebody has alone.
pub(crate) const LEADING: [&str; 8] =
    ["leader", "primary", "owner", "holder", "coordinator", "operator", "active", "master"];

/// The chart; `None` if no node noted anything.
pub(crate) fn chart(run: &Run, backdrop: &Backdrop<'_>) -> Option<Chart> {
    let axis = backdrop.axis;
    let servers = run.nodes.len().saturating_sub(run.clients as usize);
    let lanes: Vec<(&SmolStr, Vec<Span>)> = (0..)
        .zip(&run.nodes[..servers])
        .take(NODES_MAX)
        .map(|(index, name)| (name, spans(&run.facts, index, axis.end_ns)))
        .collect();
    if lanes.iter().all(|(_, spans)| spans.is_empty()) {
        return None;
    }
    let caption = caption(servers);
    let id = backdrop.id("nodes-over-time");
    let svg = draw(Rows {
        id: &id,
        title: "Nodes over time",
        description: &caption,
        axis,
        bands: backdrop.bands,
        rows: rows(&lanes, axis),
    });
    Some(Chart {
        id,
        title: "Role and state".into(),
        caption,
        legend: vec![
            Key::surface("leading", "leads (role and term)"),
            Key::surface("following", "any other role"),
            Key::surface("crashed", "crashed"),
            Key::surface("paused", "paused"),
        ],
        svg,
        table: table(&lanes),
    })
}

fn caption(servers: usize) -> String {
    let words = "What each node believed to be, and whether it ran. A number is the term or epoch \
                 in which it holds its role.";
    match servers.saturating_sub(NODES_MAX) {
        0 => words.into(),
        left_out => format!("{words} {} more nodes are not drawn.", text::count(left_out as u64)),
    }
}

/// What a node was for a while.
struct Span {
    from_ns: u64,
    to_ns: u64,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Up,
    Role(SmolStr, u64),
    Crashed,
    Paused,
    Changing,
}

/// The states of one node, from its first fact to the end.
fn spans(facts: &[FactRecord], node: u16, end_ns: u64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut before_pause = State::Up;
    for record in facts.iter().filter(|record| record.node == node) {
        let now = spans.last().map_or(State::Up, |span| span.state.clone());
        let state = match &record.fact {
            Fact::Booted { .. } => State::Up,
            Fact::Crashed => State::Crashed,
            Fact::Paused => {
                // A node that is paused twice goes on as what it was before the first time.
                if now != State::Paused {
                    before_pause = now;
                }
                State::Paused
            }
            Fact::Resumed => before_pause.clone(),
            Fact::Role { role, epoch } => State::Role(role.clone(), *epoch),
            _ => continue,
        };
        if let Some(last) = spans.last_mut() {
            if last.state == state {
                continue;
            }
            last.to_ns = record.ns.max(last.from_ns);
        }
        spans.push(Span { from_ns: record.ns, to_ns: end_ns, state });
    }
    spans.retain(|span| span.from_ns < span.to_ns);
    spans
}

/// Several short states in a row are one span that says so.
fn legible(spans: &[Span], least_ns: u64) -> Vec<Span> {
    let mut legible: Vec<Span> = Vec::new();
    for span in spans {
        let short = span.to_ns - span.from_ns < least_ns;
        match legible.last_mut() {
            Some(last) if short && last.to_ns - last.from_ns < least_ns => {
                last.to_ns = span.to_ns;
                last.state = State::Changing;
            }
            _ => legible.push(Span {
                from_ns: span.from_ns,
                to_ns: span.to_ns,
                state: span.state.clone(),
            }),
        }
    }
    legible
}

fn rows(lanes: &[(&SmolStr, Vec<Span>)], axis: &TimeAxis) -> Vec<Row> {
    let least_ns = axis.end_ns / (SEGMENTS_LEGIBLE / lanes.len() as u64);
    let row = |(name, spans): &(&SmolStr, Vec<Span>)| Row {
        name: name.to_string(),
        key: name.to_string(),
        segments: legible(spans, least_ns).iter().map(|span| segment(name, span)).collect(),
    };
    lanes.iter().map(row).collect()
}

fn segment(name: &str, span: &Span) -> Segment {
    let words = words(&span.state);
    Segment {
        from_ns: span.from_ns,
        to_ns: span.to_ns,
        class: class(&span.state),
        words: format!(
            "{}: {words}, {} to {}",
            text::label(name),
            text::moment(span.from_ns),
            text::moment(span.to_ns)
        ),
        labels: match &span.state {
            // Where there is no room for both, the epoch says more than the role.
            State::Role(_, epoch) if *epoch > 0 => vec![words, epoch.to_string()],
            _ => vec![words],
        },
        beside: false,
    }
}

fn class(state: &State) -> &'static str {
    match state {
        State::Up | State::Changing => "is-up",
        State::Role(role, _) if LEADING.contains(&role.as_str()) => "is-leading",
        State::Role(..) => "is-following",
        State::Crashed => "is-crashed",
        State::Paused => "is-paused",
    }
}

fn words(state: &State) -> String {
    match state {
        State::Up => "up".into(),
        // A role that nobody is elected to has no epoch.
        State::Role(role, 0) => text::label(role),
        State::Role(role, epoch) => format!("{} {epoch}", text::label(role)),
        State::Crashed => "crashed".into(),
        State::Paused => "paused".into(),
        State::Changing => "changing".into(),
    }
}

fn table(lanes: &[(&SmolStr, Vec<Span>)]) -> Table {
    let rows = lanes.iter().flat_map(|(name, spans)| {
        spans.iter().map(|span| {
            vec![
                text::label(name),
                words(&span.state),
                text::moment(span.from_ns),
                text::moment(span.to_ns),
            ]
        })
    });
    Table::new(vec!["node", "state", "from", "to"], rows, TABLE_ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::{State, legible, spans};
    use wrack_history::{Fact, FactRecord};

    fn role(ns: u64, role: &str, epoch: u64) -> FactRecord {
        let fact = Fact::Role { role: role.into(), epoch };
        FactRecord { ns, node: 0, fact }
    }

    fn fact(ns: u64, fact: Fact) -> FactRecord {
        FactRecord { ns, node: 0, fact }
    }

    #[test]
    fn a_resumed_node_is_what_it_was_and_a_rebooted_one_is_not() {
        let facts = [
            fact(0, Fact::Booted { boot: 0 }),
            role(10, "leader", 1),
            fact(20, Fact::Paused),
            fact(30, Fact::Resumed),
            fact(40, Fact::Crashed),
            fact(50, Fact::Booted { boot: 1 }),
        ];
        let states: Vec<State> = spans(&facts, 0, 60).into_iter().map(|span| span.state).collect();
        let leader = State::Role("leader".into(), 1);
        let expected =
            [State::Up, leader.clone(), State::Paused, leader, State::Crashed, State::Up];
        assert_eq!(states, expected);
    }

    #[test]
    fn short_states_in_a_row_are_one_that_says_so() {
        let facts: Vec<FactRecord> = (0..1_000).map(|ns| role(ns, "candidate", ns)).collect();
        let spans = spans(&facts, 0, 10_000);
        let legible = legible(&spans, 40);
        assert!(legible.len() < 60, "{}", legible.len());
        assert_eq!(legible[0].state, State::Changing);
        assert_eq!(legible.last().unwrap().to_ns, 10_000);
    }
}
