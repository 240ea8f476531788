//! Several numbers over time as lines: lag, backlog, clocks, what is left of a budget.

use std::borrow::Cow;

use plotters::prelude::PathElement;
use plotters::style::Color;
use wrack_history::gate::Unit;

use super::table::Table;
use super::time::tick_label;
use super::{Backdrop, Chart, FINE, Ink, Key, NEVER_FAILS, Name, Upward, draw, round_step};
use crate::text;

/// So many lines are told apart by colour and dashes; more are counted.
const LINES_MAX: usize = 6;
/// So many rows of a table.
const ROWS_MAX: usize = 300;
const INKS: [Ink; LINES_MAX] = [Ink::L1, Ink::L2, Ink::L3, Ink::L4, Ink::L5, Ink::L6];
const CLASSES: [&str; LINES_MAX] = ["l1", "l2", "l3", "l4", "l5", "l6"];

/// One line.
pub(crate) struct Line<'a> {
    /// What it is of.
    pub(crate) name: String,
    /// Times, rising, and the number from then on.
    pub(crate) points: Cow<'a, [(u64, i64)]>,
}

/// What is drawn.
pub(crate) struct Lines<'a> {
    /// Unique in the page, before its prefix.
    pub(crate) id: &'a str,
    /// What it shows.
    pub(crate) title: &'a str,
    /// How to read it.
    pub(crate) caption: &'a str,
    /// What all lines count.
    pub(crate) unit: Unit,
    /// A level to be seen beside them, with its name.
    pub(crate) limit: Option<(i64, String)>,
    /// The lines; without one there is no chart.
    pub(crate) lines: Vec<Line<'a>>,
}

/// The chart; `None` if no line has a point.
pub(crate) fn chart(backdrop: &Backdrop<'_>, lines: Lines<'_>) -> Option<Chart> {
    let drawn: Vec<&Line<'_>> =
        lines.lines.iter().filter(|line| !line.points.is_empty()).take(LINES_MAX).collect();
    let left_out = lines.lines.len().saturating_sub(LINES_MAX);
    if drawn.is_empty() {
        return None;
    }
    let limit = lines.limit.as_ref().map(|(limit, _)| *limit);
    let values =
        drawn.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value)).chain(limit);
    let (low, high) = values.fold((0, 0), |(low, high), value| (value.min(low), value.max(high)));
    // plotters draws whole numbers upwards from 0: everything is moved up by what is below.
    let scale = Scale::over(low, high, lines.unit);
    let id = backdrop.id(lines.id);
    let name = Name { id: &id, title: lines.title, description: lines.caption };
    let end_ns = backdrop.axis.end_ns;
    let svg = draw(&name, backdrop, &scale.upward(), |plane| {
        if let Some(limit) = limit {
            let ends = vec![(0, scale.up(limit)), (end_ns, scale.up(limit))];
            let style = Ink::Limit.color().stroke_width(FINE);
            plane.draw_series([PathElement::new(ends, style)]).expect(NEVER_FAILS);
        }
        for (line, ink) in drawn.iter().zip(INKS).rev() {
            let style = ink.color().stroke_width(2 * FINE);
            let path = PathElement::new(steps(&line.points, &scale, end_ns), style);
            plane.draw_series([path]).expect(NEVER_FAILS);
        }
    });
    let mut legend: Vec<Key> = drawn
        .iter()
        .zip(CLASSES)
        .map(|(line, class)| Key::line(class, format!("{}{}", line.name, most(line, lines.unit))))
        .collect();
    legend.extend(lines.limit.as_ref().map(|(_, name)| Key::line("limit", name.clone())));
    let more = match left_out {
        0 => String::new(),
        more => format!(" {more} more are in the result and not drawn."),
    };
    Some(Chart {
        id,
        title: lines.title.into(),
        caption: format!("{}{more}", lines.caption),
        legend,
        svg,
        table: table(&drawn, lines.unit),
    })
}

fn most(line: &Line<'_>, unit: Unit) -> String {
    let most = line.points.iter().map(|(_, value)| *value).max_by_key(|value| value.unsigned_abs());
    most.map(|most| format!(", at most {}", written(most, unit))).unwrap_or_default()
}

/// Where a number stands, above what is below 0.
struct Scale {
    below: u64,
    to: u64,
    step: u64,
    unit: Unit,
}

impl Scale {
    fn over(low: i64, high: i64, unit: Unit) -> Self {
        let span = high.abs_diff(low).max(1);
        let step = round_step(span, 5);
        let below = low.unsigned_abs().div_ceil(step) * step;
        let high = high.max(0) as u64;
        Self { below, to: below + (high + span / 20).max(step), step, unit }
    }

    fn up(&self, value: i64) -> u64 {
        let up = i128::from(self.below) + i128::from(value);
        u64::try_from(up.clamp(0, i128::from(self.to))).expect("it is within the scale")
    }

    fn upward(&self) -> Upward<'_> {
        Upward {
            from: 0,
            to: self.to,
            ticks: (0..=self.to / self.step).map(|tick| tick * self.step).collect(),
            label: Box::new(|up| written(up as i64 - self.below as i64, self.unit)),
        }
    }
}

/// A number with its unit.
pub(crate) fn written(value: i64, unit: Unit) -> String {
    let sign = if value < 0 { "−" } else { "" };
    let size = value.unsigned_abs();
    match unit {
        Unit::Ns if size == 0 => "0".into(),
        Unit::Ns => format!("{sign}{}", trimmed(size)),
        Unit::Count => format!("{sign}{}", text::count(size)),
        Unit::PerMillion => format!("{sign}{}%", text::count(size / 10_000)),
    }
}

/// A duration as an axis writes it: round ones without decimals.
fn trimmed(ns: u64) -> String {
    let short = tick_label(ns);
    if short.len() <= 8 { short } else { text::short_duration(ns) }
}

/// Level from each point to the next, and from the last to the end.
fn steps(points: &[(u64, i64)], scale: &Scale, end_ns: u64) -> Vec<(u64, u64)> {
    let mut path: Vec<(u64, u64)> = Vec::with_capacity(2 * points.len() + 1);
    for (ns, value) in points {
        let (ns, up) = ((*ns).min(end_ns), scale.up(*value));
        if let Some((_, before)) = path.last().copied().filter(|(_, before)| *before != up) {
            path.push((ns, before));
        }
        path.push((ns, up));
    }
    path.extend(path.last().map(|(_, up)| (end_ns, *up)));
    path
}

fn table(lines: &[&Line<'_>], unit: Unit) -> Table {
    let rows = lines.iter().flat_map(|line| {
        line.points.iter().map(move |(ns, value)| {
            vec![text::moment(*ns), line.name.clone(), written(*value, unit)]
        })
    });
    Table::new(vec!["from", "of", "value"], rows, ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::{Scale, written};
    use wrack_history::gate::Unit;

    #[test]
    fn what_is_below_nothing_stands_below_it() {
        let scale = Scale::over(-250, 900, Unit::Count);
        assert!(scale.up(-250) < scale.up(0) && scale.up(0) < scale.up(900));
        assert_eq!((scale.up(-10_000), scale.up(10_000)), (0, scale.to));
        assert_eq!((scale.upward().label)(scale.up(0)), "0");
    }

    #[test]
    fn numbers_are_written_with_their_unit() {
        let all = [
            (-250_000_000, Unit::Ns),
            (0, Unit::Ns),
            (1_200, Unit::Count),
            (-500_000, Unit::PerMillion),
        ];
        let texts = all.map(|(value, unit)| written(value, unit));
        assert_eq!(texts, ["−250 ms", "0", "1,200", "−50%"]);
    }
}
