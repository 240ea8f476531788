//! A time axis without the stretches in which nothing happens.

use wrack_history::duration::{MICROSECOND, MILLISECOND, SECOND};
use wrack_history::{Moment, Operation};

/// A stretch this many times as long as all operations between two cuts is cut out.
const SILENCE_FACTOR: u64 = 2;
/// Width of what is drawn for a stretch that was cut out.
const CUT_WIDTH: f64 = 56.0;
/// More cuts than this would leave too little room.
const CUTS_MAX: usize = 6;
/// Room that the label of a cut takes on either side of it, labels of times included.
const CUT_LABEL_ROOM: f64 = 38.0;
/// Distance between labels.
const TICK_DISTANCE: f64 = 92.0;

/// Pieces of time side by side, all at one scale, with cuts between them.
pub(super) struct CutAxis {
    pieces: Vec<Piece>,
    left: f64,
    right: f64,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    from_ns: u64,
    to_ns: u64,
    x: f64,
    end: f64,
}

impl CutAxis {
    /// The axis that shows these operations between two edges; `None` if there are none.
    pub(super) fn over(operations: &[&Operation], left: u32, right: u32) -> Option<Self> {
        Self::of(joined(&spans(operations)), left, right)
    }

    fn of(spans: Vec<(u64, u64)>, left: u32, right: u32) -> Option<Self> {
        let (left, right) = (f64::from(left), f64::from(right));
        let shown: u64 = spans.iter().map(|(from, to)| to - from).sum();
        if spans.is_empty() {
            return None;
        }
        let cuts = (spans.len() - 1) as f64 * CUT_WIDTH;
        let scale = (right - left - cuts) / shown.max(1) as f64;
        let mut x = left;
        let pieces = spans.into_iter().map(|(from_ns, to_ns)| {
            let piece = Piece { from_ns, to_ns, x, end: x + (to_ns - from_ns) as f64 * scale };
            x = piece.end + CUT_WIDTH;
            piece
        });
        Some(Self { pieces: pieces.collect(), left, right })
    }

    /// The right edge, where what never ends leaves the drawing.
    pub(super) fn right(&self) -> f64 {
        self.right
    }

    /// Where a time stands; what happened in a cut keeps its order there.
    pub(super) fn x(&self, ns: u64) -> f64 {
        let next = self.pieces.iter().position(|piece| ns <= piece.to_ns);
        let Some(next) = next else {
            return self.right;
        };
        let piece = self.pieces[next];
        if ns >= piece.from_ns {
            let length = piece.to_ns - piece.from_ns;
            return between(piece.x, piece.end, ns - piece.from_ns, length);
        }
        match next.checked_sub(1).map(|before| self.pieces[before]) {
            Some(before) => {
                let length = piece.from_ns - before.to_ns;
                between(before.end, piece.x, ns - before.to_ns, length)
            }
            None => self.left,
        }
    }

    /// Where a span is visible, if it is.
    pub(super) fn span(&self, from_ns: u64, to_ns: u64) -> Option<(f64, f64)> {
        let first = self.pieces.first()?.from_ns;
        let last = self.pieces.last()?.to_ns;
        if to_ns < first || from_ns > last {
            return None;
        }
        Some((self.x(from_ns), self.x(to_ns)))
    }

    /// The cuts: from, to, and how long the time is that they leave out.
    pub(super) fn cuts(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        self.pieces.windows(2).map(|pair| (pair[0].end, pair[1].x, pair[1].from_ns - pair[0].to_ns))
    }

    fn is_near_cut(&self, x: f64) -> bool {
        self.cuts().any(|(from, to, _)| from - CUT_LABEL_ROOM < x && x < to + CUT_LABEL_ROOM)
    }

    /// Round times with their labels, where there is room for them.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let shown: u64 = self.pieces.iter().map(|piece| piece.to_ns - piece.from_ns).sum();
        let room = ((self.right - self.left) / TICK_DISTANCE) as u64;
        let step = crate::plot::round_step(shown, room.max(1));
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for piece in &self.pieces {
            let first = piece.from_ns.div_ceil(step);
            for ns in (first..=piece.to_ns / step).map(|index| index * step) {
                let x = self.x(ns);
                let near = |(last, _): &(f64, String)| x - last < TICK_DISTANCE * 0.8;
                if !ticks.last().is_some_and(near) && !self.is_near_cut(x) {
                    ticks.push((x, tick_label(ns, step)));
                }
            }
        }
        ticks
    }
}

/// So far on the way from one place to another.
fn between(from: f64, to: f64, part: u64, whole: u64) -> f64 {
    from + (to - from) * (part as f64 / whole.max(1) as f64)
}

/// A time with as many decimals of a second as the step between labels needs.
fn tick_label(ns: u64, step: u64) -> String {
    let decimals = match step {
        SECOND.. => return format!("{} s", ns / SECOND),
        MILLISECOND..SECOND => 3,
        MICROSECOND..MILLISECOND => 6,
        _ => 9,
    };
    let fraction = ns % SECOND / 10u64.pow(9 - decimals);
    format!("{}.{fraction:0width$} s", ns / SECOND, width = decimals as usize)
}

/// The interval of each operation; what never completed is as long as it needs to be seen.
fn spans(operations: &[&Operation]) -> Vec<(u64, u64)> {
    let length = |operation: &&Operation| match operation.complete {
        Moment::NEVER => None,
        complete => Some(complete.ns.saturating_sub(operation.invoke.ns)),
    };
    let longest = operations.iter().filter_map(length).max().unwrap_or(MILLISECOND);
    let margin = longest / 8 + 1;
    operations
        .iter()
        .map(|operation| {
            let from = operation.invoke.ns;
            let to = from.saturating_add(length(operation).unwrap_or(longest));
            (from.saturating_sub(margin), to.saturating_add(margin))
        })
        .collect()
}

/// Spans with only short silence between them become one; at most [`CUTS_MAX`] silences stay.
fn joined(spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut union: Vec<(u64, u64)> = Vec::new();
    for (from, to) in sorted {
        match union.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => union.push((from, to)),
        }
    }
    let busy: u64 = union.iter().map(|(from, to)| to - from).sum();
    let mut silences: Vec<u64> = union.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
    silences.sort_unstable_by_key(|silence| std::cmp::Reverse(*silence));
    let rank = silences.get(CUTS_MAX).copied().unwrap_or(0);
    let longest_kept = busy.saturating_mul(SILENCE_FACTOR).max(rank);
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in union {
        match joined.last_mut() {
            Some(last) if from - last.1 <= longest_kept => last.1 = to,
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::{CutAxis, joined};

    #[test]
    fn a_long_silence_is_cut_out_and_a_short_one_is_not() {
        assert_eq!(joined(&[(0, 10), (15, 20)]), [(0, 20)]);
        assert_eq!(joined(&[(1_000, 1_010), (0, 10)]), [(0, 10), (1_000, 1_010)]);
        assert_eq!(joined(&[(0, 100), (5, 10)]), [(0, 100)]);
    }

    #[test]
    fn cuts_are_few() {
        let spans: Vec<(u64, u64)> =
            (0..100).map(|i| (i * 10_000_000, i * 10_000_000 + 1)).collect();
        assert!(joined(&spans).len() <= super::CUTS_MAX + 1);
    }

    #[test]
    fn time_never_runs_backwards_on_the_drawing() {
        let spans = [(1_000, 1_010), (5_000, 5_040), (5_020, 5_050)];
        let axis = CutAxis::of(joined(&spans), 100, 900).unwrap();
        let places: Vec<f64> = (0..6_000).map(|ns| axis.x(ns)).collect();
        assert!(places.is_sorted());
        assert_eq!((places[0], places[5_999]), (100.0, 900.0));
        assert_eq!(axis.cuts().count(), 1);
    }

    #[test]
    fn without_operations_there_is_no_axis() {
        assert!(CutAxis::over(&[], 0, 100).is_none());
    }
}
