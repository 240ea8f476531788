//! Lanes of processes, and where the bars and labels of their operations stand.

use std::collections::BTreeMap;

use wrack_history::{Moment, Operation, Outcome, Run};

use super::axis::CutAxis;
use super::{HEAD, Point};
use crate::plot::rows::{px, text_width};
use crate::text;

/// Height of one bar with its label above.
const LEVEL_HEIGHT: u32 = 38;
const LANE_GAP: u32 = 8;
const BAR_HEIGHT: u32 = 12;
/// Labels of operations are bold, and so much wider than others.
const BOLD: f64 = 1.14;
const BAR_WIDTH_MIN: f64 = 4.0;
/// There is room for so much of a name before a lane.
const CLIENT_CHARS_MAX: usize = 13;

/// The operations of one process.
pub(super) struct Lane {
    pub(super) name: String,
    /// Whose process it is, where that is known.
    pub(super) client: Option<String>,
    pub(super) y: u32,
    pub(super) height: u32,
    pub(super) middle: u32,
    pub(super) bars: Vec<Bar>,
}

/// One operation.
pub(super) struct Bar {
    /// `ok`, `fail` or `info`.
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) y: u32,
    pub(super) width: String,
    pub(super) height: u32,
    /// Where it leaves the drawing, if nobody knows when it takes effect.
    pub(super) open_to: Option<Open>,
    pub(super) label_x: String,
    pub(super) label_y: u32,
    /// `start` or `end`.
    pub(super) anchor: &'static str,
    pub(super) label: String,
    pub(super) words: String,
    /// Where it takes effect in a legal order: a place and a number.
    pub(super) legal: Option<(String, usize)>,
    /// Whether it cannot come next.
    pub(super) blocked: bool,
    /// Its id in the history.
    pub(super) operation: u64,
}

/// An arrow to the right edge.
pub(super) struct Open {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) y: u32,
}

/// The lanes in order of their processes, and where the last one ends.
pub(super) fn lanes(
    run: &Run,
    operations: &[&Operation],
    axis: &CutAxis,
    with_key: bool,
    points: &BTreeMap<u64, Point>,
) -> (Vec<Lane>, u32) {
    let mut by_process = BTreeMap::<u32, Vec<&Operation>>::new();
    for operation in operations {
        by_process.entry(operation.process).or_default().push(operation);
    }
    let mut y = HEAD;
    let mut lanes = Vec::with_capacity(by_process.len());
    for (process, operations) in by_process {
        let mut lane = lane(process, &operations, axis, with_key, y);
        lane.client =
            text::client(run, operations[0]).map(|name| text::clip(&name, CLIENT_CHARS_MAX));
        for bar in &mut lane.bars {
            match points.get(&bar.operation) {
                Some(Point::Legal { number, ns }) => bar.legal = Some((px(axis.x(*ns)), *number)),
                Some(Point::Blocked) => bar.blocked = true,
                None => {}
            }
        }
        y += lane.height + LANE_GAP;
        lanes.push(lane);
    }
    (lanes, y)
}

fn lane(process: u32, operations: &[&Operation], axis: &CutAxis, with_key: bool, y: u32) -> Lane {
    let mut taken: Vec<f64> = Vec::new();
    let mut bars = Vec::with_capacity(operations.len());
    for operation in operations {
        let place = Place::of(operation, axis, with_key);
        let free = taken.iter().position(|taken| *taken <= place.from);
        let level = free.unwrap_or(taken.len());
        if level == taken.len() {
            taken.push(0.0);
        }
        taken[level] = place.to;
        bars.push(place.bar(operation, axis, y + level as u32 * LEVEL_HEIGHT));
    }
    let height = taken.len() as u32 * LEVEL_HEIGHT;
    let (name, middle) = (format!("process {process}"), y + height / 2);
    Lane { name, client: None, y, height, middle, bars }
}

/// What room an operation takes: its bar, its label above, and its way out if it stays open.
struct Place {
    x: f64,
    end: f64,
    from: f64,
    to: f64,
    label_at_end: bool,
    label: String,
}

impl Place {
    fn of(operation: &Operation, axis: &CutAxis, with_key: bool) -> Self {
        const GAP: f64 = 10.0;
        let x = axis.x(operation.invoke.ns);
        let end = match operation.complete {
            Moment::NEVER => axis.right(),
            complete => axis.x(complete.ns).max(x + BAR_WIDTH_MIN),
        };
        let label = text::operation(operation, with_key);
        let width = text_width(&label) * BOLD;
        let label_at_end = x + width > axis.right() + f64::from(super::RIGHT);
        let reach = if operation.is_info() { axis.right() } else { end };
        Self {
            x,
            end,
            from: if label_at_end { (end - width).min(x) } else { x },
            to: reach.max(if label_at_end { end } else { x + width }) + GAP,
            label_at_end,
            label,
        }
    }

    fn bar(self, operation: &Operation, axis: &CutAxis, y: u32) -> Bar {
        let (label_x, anchor) = match self.label_at_end {
            true => (self.end, "end"),
            false => (self.x, "start"),
        };
        let bar_y = y + LEVEL_HEIGHT - BAR_HEIGHT - 4;
        let open = operation.outcome == Outcome::Info && self.end < axis.right();
        Bar {
            class: text::outcome(operation.outcome),
            x: px(self.x),
            y: bar_y,
            width: px(self.end - self.x),
            height: BAR_HEIGHT,
            open_to: (operation.outcome == Outcome::Info).then(|| Open {
                from: px(if open { self.end } else { axis.right() - 8.0 }),
                to: px(axis.right() + 12.0),
                y: bar_y + BAR_HEIGHT / 2,
            }),
            label_x: px(label_x),
            label_y: bar_y - 5,
            anchor,
            words: words(operation, &self.label),
            legal: None,
            blocked: false,
            operation: operation.id,
            label: self.label,
        }
    }
}

fn words(operation: &Operation, label: &str) -> String {
    let end = match operation.complete {
        Moment::NEVER => "never completed".into(),
        complete => format!("completed {}", text::moment(complete.ns)),
    };
    format!(
        "operation {} of process {}: {label}, invoked {}, {end}",
        operation.id,
        operation.process,
        text::moment(operation.invoke.ns)
    )
}
