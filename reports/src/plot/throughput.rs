//! How many operations were asked, over time, by how they ended.

use plotters::prelude::Polygon;

use super::bins::{Bin, Bins};
use super::table::Table;
use super::time::tick_label;
use super::{Backdrop, Chart, Ink, Key, NEVER_FAILS, Name, Upward, draw, rate_label, round_step};
use crate::text;

/// One layer of the stack.
struct Layer {
    ink: Ink,
    of: fn(&Bin) -> u64,
}

/// From the bottom: trouble stands on the ground, where its height can be read.
const LAYERS: [Layer; 3] = [
    Layer { ink: Ink::Info, of: |bin| bin.info },
    Layer { ink: Ink::Fail, of: |bin| bin.fail },
    Layer { ink: Ink::Ok, of: |bin| bin.ok },
];

/// The chart; `None` if there were no operations.
pub(crate) fn chart(backdrop: &Backdrop<'_>, bins: &Bins) -> Option<Chart> {
    if bins.bins.iter().all(|bin| bin.total() == 0) {
        return None;
    }
    let caption = format!(
        "Operations per second by the time of their invocation and by how they ended, stacked, in \
         bins of {}. Those that did not end ok stand at the bottom.",
        tick_label(bins.width_ns),
    );
    let id = backdrop.id("throughput");
    let name = Name { id: &id, title: "Throughput over time", description: &caption };
    let sum = |of: fn(&Bin) -> u64| text::count(bins.bins.iter().map(of).sum());
    let end_ns = backdrop.axis.end_ns;
    let svg = draw(&name, backdrop, &upward(bins), |plane| {
        for (depth, Layer { ink, .. }) in LAYERS.iter().enumerate() {
            let outline = Polygon::new(layer(bins, depth, end_ns), ink.color());
            plane.draw_series([outline]).expect(NEVER_FAILS);
        }
    });
    Some(Chart {
        id,
        title: "Operations per second".into(),
        caption,
        legend: vec![
            Key::surface("ok", format!("{} ok", sum(|bin| bin.ok))),
            Key::surface("fail", format!("{} fail: had no effect", sum(|bin| bin.fail))),
            Key::surface("info", format!("{} info: in doubt", sum(|bin| bin.info))),
        ],
        svg,
        table: table(bins),
    })
}

/// Thousandths of an operation per second.
fn rate(bins: &Bins, operations: u64) -> u64 {
    let rate = u128::from(operations) * 1_000_000_000_000 / u128::from(bins.width_ns);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn upward(bins: &Bins) -> Upward<'static> {
    let highest = bins.bins.iter().map(Bin::total).max().unwrap_or(1);
    let highest = rate(bins, highest).max(1);
    let step = round_step(highest, 5);
    let to = highest.saturating_add(highest / 20).max(step);
    Upward {
        from: 0,
        to,
        ticks: (0..=to / step).map(|index| index * step).collect(),
        label: Box::new(rate_label),
    }
}

/// The outline of one layer: forth along its top, back along its bottom.
fn layer(bins: &Bins, depth: usize, end_ns: u64) -> Vec<(u64, u64)> {
    let mut outline = edge(bins, depth + 1, end_ns);
    outline.extend(edge(bins, depth, end_ns).into_iter().rev());
    outline
}

/// The top of so many layers, level over each bin.
fn edge(bins: &Bins, layers: usize, end_ns: u64) -> Vec<(u64, u64)> {
    let level = |bin: &Bin| rate(bins, LAYERS[..layers].iter().map(|layer| (layer.of)(bin)).sum());
    let ends = |(from, bin): (u64, &Bin)| {
        [from, from + bins.width_ns].map(|ns| (ns.min(end_ns), level(bin)))
    };
    bins.iter().flat_map(ends).collect()
}

fn table(bins: &Bins) -> Table {
    let rows = bins.iter().map(|(from, bin)| {
        let counts = [bin.ok, bin.fail, bin.info].map(text::count);
        let mut row = vec![tick_label(from)];
        row.extend(counts);
        row.push(rate_label(rate(bins, bin.total()) / 10 * 10));
        row
    });
    Table::new(vec!["from", "ok", "fail", "info", "per second"], rows, 200)
}
