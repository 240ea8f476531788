//! The operations of one anomaly on a time line: a lane per process, a bar from invoke to complete.
//!
//! Source: the interval diagrams of Herlihy and Wing 1990, with faults as bands behind them. Long
//! stretches in which nothing of the anomaly happens are cut out and marked.

mod axis;
mod lanes;

use askama::Template;
use std::collections::BTreeMap;

use wrack_history::verdict::Counterexample;
use wrack_history::{Moment, Operation, Run};

use crate::plot::band::Band;
use crate::plot::rows::{px, text_width};
use crate::text;
use axis::CutAxis;

/// So many operations of one anomaly are drawn and listed.
pub(crate) const OPERATIONS_MAX: usize = 40;
/// So many bands are drawn behind one anomaly.
const BANDS_MAX: usize = 20;

const WIDTH: u32 = 1_000;
const LEFT: u32 = 92;
const RIGHT: u32 = 24;
const HEAD: u32 = 22;
const FOOT: u32 = 30;

#[derive(Template)]
#[template(path = "timeline.html")]
struct Drawing {
    id: String,
    title: String,
    description: String,
    width: u32,
    height: u32,
    left: u32,
    right: u32,
    head: u32,
    floor: u32,
    bands: Vec<DrawnBand>,
    cuts: Vec<Cut>,
    ticks: Vec<Tick>,
    lanes: Vec<lanes::Lane>,
}

struct DrawnBand {
    x: String,
    width: String,
    label_x: String,
    label: String,
    words: String,
}

struct Cut {
    x: String,
    width: String,
    middle: String,
    words: String,
}

struct Tick {
    x: String,
    text: String,
}

/// What is known beside the operations.
pub(crate) struct Behind<'a> {
    /// Whose clients they are.
    pub(crate) run: &'a Run,
    /// Faults.
    pub(crate) bands: &'a [Band],
    /// How far a legal order goes, and what cannot come next.
    pub(crate) found: Option<&'a Counterexample>,
}

/// Draws operations, which are in order of invocation; `None` if there are none.
pub(crate) fn draw(
    id: &str,
    title: &str,
    operations: &[&Operation],
    behind: &Behind<'_>,
) -> Option<String> {
    let axis = CutAxis::over(operations, LEFT, WIDTH - RIGHT)?;
    let with_key = operations.iter().any(|operation| operation.key != operations[0].key);
    let (lanes, floor) =
        lanes::lanes(behind.run, operations, &axis, with_key, &points(operations, behind.found));
    let drawing = Drawing {
        id: id.into(),
        title: title.into(),
        description: description(operations, with_key),
        width: WIDTH,
        height: floor + FOOT,
        left: LEFT,
        right: WIDTH - RIGHT,
        head: HEAD,
        floor,
        bands: drawn_bands(&axis, behind.bands),
        cuts: axis.cuts().map(cut).collect(),
        ticks: ticks(&axis),
        lanes,
    };
    Some(drawing.render().expect("a template renders into memory"))
}

/// Where an operation stands in the legal order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// It takes effect then, as the so manieth from 1.
    Legal { number: usize, ns: u64 },
    /// It would have to come next and cannot.
    Blocked,
}

/// The points of a legal order, each within its operation and none before the one that comes before it.
fn points(operations: &[&Operation], found: Option<&Counterexample>) -> BTreeMap<u64, Point> {
    let Some(found) = found else { return BTreeMap::new() };
    let by_id = |id: &u64| operations.iter().find(|operation| operation.id == *id);
    let mut points: BTreeMap<u64, Point> =
        found.blocked.iter().map(|id| (*id, Point::Blocked)).collect();
    let mut at_ns = 0;
    for (number, operation) in (1..).zip(found.legal.iter().filter_map(by_id)) {
        let earliest = operation.invoke.ns.max(at_ns);
        let latest = match operation.complete {
            Moment::NEVER => earliest,
            complete => complete.ns,
        };
        // A third of the way: a point at the very edge looks like the edge.
        at_ns = earliest + latest.saturating_sub(earliest) / 3;
        points.insert(operation.id, Point::Legal { number, ns: at_ns });
    }
    points
}

/// The drawing in words: each operation with its process and interval.
fn description(operations: &[&Operation], with_key: bool) -> String {
    let words = |operation: &&Operation| {
        format!(
            "Process {}: {}, {} to {}.",
            operation.process,
            text::operation(operation, with_key),
            text::moment(operation.invoke.ns),
            text::moment(operation.complete.ns)
        )
    };
    operations.iter().map(words).collect::<Vec<_>>().join(" ")
}

fn drawn_bands(axis: &CutAxis, bands: &[Band]) -> Vec<DrawnBand> {
    const LABEL_GAP: f64 = 4.0;
    let mut free = 0.0;
    let mut drawn = Vec::new();
    for band in bands {
        let Some((x, end)) = axis.span(band.from_ns, band.to_ns) else {
            continue;
        };
        let label_x = f64::max(x + LABEL_GAP, free);
        free = label_x + text_width(&band.label) + LABEL_GAP;
        drawn.push(DrawnBand {
            x: px(x),
            width: px((end - x).max(2.0)),
            label_x: px(label_x),
            label: band.label.clone(),
            words: band.words.clone(),
        });
    }
    drawn.truncate(BANDS_MAX);
    drawn
}

fn cut((x, end, left_out_ns): (f64, f64, u64)) -> Cut {
    Cut {
        x: px(x),
        width: px(end - x),
        middle: px((x + end) / 2.0),
        words: text::short_duration(left_out_ns),
    }
}

fn ticks(axis: &CutAxis) -> Vec<Tick> {
    let ticks = axis.ticks().into_iter();
    ticks.map(|(x, text)| Tick { x: px(x), text }).collect()
}
