//! How long operations took, over time.

use plotters::prelude::PathElement;
use plotters::style::Color;

use super::bins::{Bins, Quantiles};
use super::table::Table;
use super::time::tick_label;
use super::{Backdrop, Chart, FINE, Ink, Key, NEVER_FAILS, Name, Upward, draw};
use crate::text;

/// One line of the chart.
struct Curve {
    class: &'static str,
    words: &'static str,
    ink: Ink,
    of: fn(&Quantiles) -> u64,
}

/// In the order of the legend; drawn from the last to the first.
const CURVES: [Curve; 4] = [
    Curve { class: "p50", words: "median", ink: Ink::P50, of: |q| q.p50 },
    Curve { class: "p95", words: "p95", ink: Ink::P95, of: |q| q.p95 },
    Curve { class: "p99", words: "p99", ink: Ink::P99, of: |q| q.p99 },
    Curve { class: "max", words: "maximum", ink: Ink::Max, of: |q| q.max },
];

/// The chart; `None` if no operation ended `ok`.
pub(crate) fn chart(backdrop: &Backdrop<'_>, bins: &Bins) -> Option<Chart> {
    let overall = bins.overall?;
    let legend = legend(&overall);
    let numbers: Vec<&str> = legend.iter().map(|key| key.text.as_str()).collect();
    let caption = format!(
        "Operations that ended ok, by the time of their invocation, in bins of {}. Over the whole \
         run: {}. Logarithmic scale.",
        tick_label(bins.width_ns),
        numbers.join(", "),
    );
    let id = backdrop.id("latency");
    let name = Name { id: &id, title: "Latency over time", description: &caption };
    let end_ns = backdrop.axis.end_ns;
    let svg = draw(&name, backdrop, &upward(bins), |plane| {
        for curve in CURVES.iter().rev() {
            let style = curve.ink.color().stroke_width(2 * FINE);
            let paths =
                steps(bins, curve.of, end_ns).into_iter().map(|path| PathElement::new(path, style));
            plane.draw_series(paths).expect(NEVER_FAILS);
        }
    });
    Some(Chart {
        id,
        title: "Latency of ok operations".into(),
        caption,
        legend,
        svg,
        table: table(bins),
    })
}

/// Each curve with its value over the whole run.
fn legend(overall: &Quantiles) -> Vec<Key> {
    let key = |curve: &Curve| {
        let value = text::short_duration((curve.of)(overall));
        Key::line(curve.class, format!("{} {value}", curve.words))
    };
    CURVES.iter().map(key).collect()
}

/// Height of a latency: a thousand for each power of ten, so that plots are integers.
fn height(ns: u64) -> u64 {
    (libm::log10(ns.max(1) as f64) * 1_000.0).round() as u64
}

/// The axis from the round latency below everything to the one above.
fn upward(bins: &Bins) -> Upward<'static> {
    let seen = || bins.bins.iter().filter_map(|bin| bin.latency);
    let lowest = seen().map(|q| q.p50).min().unwrap_or(1).max(1);
    let highest = seen().map(|q| q.max).max().unwrap_or(1);
    let round: Vec<u64> =
        (0..19).flat_map(|power| [1, 2, 5].map(|factor| factor * 10u64.pow(power))).collect();
    let below = round.iter().rposition(|ns| *ns < lowest).unwrap_or(0);
    let above = round.iter().position(|ns| *ns > highest);
    let within = &round[below..=above.unwrap_or(round.len() - 1)];
    // Where there is room for all of them, 2 and 5 are labelled as well as 1.
    let sparse = within.len() > 8;
    let is_power = |ns: &u64| 10u64.pow(ns.ilog10()) == *ns;
    let ticks = within.iter().filter(|ns| !sparse || is_power(ns));
    Upward {
        from: height(within[0]),
        to: height(within[within.len() - 1]),
        ticks: ticks.map(|ns| height(*ns)).collect(),
        label: Box::new(height_label),
    }
}

/// The round latency that stands at this height.
fn height_label(height: u64) -> String {
    let factor = match height % 1_000 {
        0 => 1,
        1..=500 => 2,
        _ => 5,
    };
    tick_label(factor * 10u64.pow((height / 1_000) as u32))
}

/// One level line a bin, broken where a bin has no latency.
fn steps(bins: &Bins, of: fn(&Quantiles) -> u64, end_ns: u64) -> Vec<Vec<(u64, u64)>> {
    let mut paths = vec![Vec::new()];
    for (from, bin) in bins.iter() {
        let Some(quantiles) = &bin.latency else {
            paths.push(Vec::new());
            continue;
        };
        let level = height(of(quantiles));
        let path = paths.last_mut().expect("there is always a path");
        path.extend([(from, level), ((from + bins.width_ns).min(end_ns), level)]);
    }
    paths.retain(|path| !path.is_empty());
    paths
}

fn table(bins: &Bins) -> Table {
    let rows = bins.iter().filter_map(|(from, bin)| {
        let q = bin.latency?;
        let times = [q.p50, q.p95, q.p99, q.max].map(text::short_duration);
        let mut row = vec![tick_label(from), text::count(bin.ok)];
        row.extend(times);
        Some(row)
    });
    Table::new(vec!["from", "ok", "p50", "p95", "p99", "max"], rows, 200)
}

#[cfg(test)]
mod tests {
    use super::{height, height_label};

    #[test]
    fn a_round_latency_is_labelled_as_it_is() {
        for (ns, label) in
            [(1, "1 ns"), (2_000, "2 us"), (5_000_000, "5 ms"), (10_000_000_000, "10 s")]
        {
            assert_eq!(height_label(height(ns)), label);
        }
    }
}
