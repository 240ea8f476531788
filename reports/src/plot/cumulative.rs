//! How large something was: of what was looked at, the share that was at most so large.

use plotters::prelude::PathElement;
use plotters::style::Color;
use wrack_history::gate::Unit;
use wrack_history::verdict::Distribution;

use super::ink::{Layers, dress};
use super::lines::written;
use super::rows::{Tick, px};
use super::table::Table;
use super::time::{LEFT, RIGHT, WIDTH};
use super::{Chart, FINE, FOOT, HEIGHT, Ink, Key, NEVER_FAILS, Name, Upward, draw_axes, layer};
use crate::text;

/// A thousand for each power of ten, so that plots are whole numbers.
const DECADE: f64 = 1_000.0;

/// The chart of a distribution; `None` if nothing was looked at. `id` is unique in the page.
pub(crate) fn chart(id: String, of: &str, distribution: &Distribution) -> Option<Chart> {
    let all = distribution.count();
    if all == 0 {
        return None;
    }
    let unit = if distribution.unit == "ns" { Unit::Ns } else { Unit::Count };
    let title = format!("{of}: {}", text::label(&distribution.name));
    let caption = format!(
        "Of {} that were looked at: the share that was at most so large. Logarithmic scale; the \
         largest was {}.",
        text::count(all),
        written(signed(distribution.max), unit)
    );
    let (low, high) = range(distribution);
    let across = |value: u64| {
        (((libm::log10(value.max(1) as f64) - f64::from(low)) * DECADE).max(0.0)) as u64
    };
    let end = u64::from(high - low) * DECADE as u64;
    let upward = Upward {
        from: 0,
        to: 1_040,
        ticks: vec![0, 250, 500, 750, 1_000],
        label: Box::new(|mille| format!("{}%", mille / 10)),
    };
    let (mut seen, mut path) = (0, vec![(0, 0)]);
    for (bound, count) in &distribution.bins {
        path.push((across((*bound).min(distribution.max)), share(seen, all)));
        seen += count;
        path.push((across((*bound).min(distribution.max)), share(seen, all)));
    }
    path.push((end, 1_000));
    let layers = Layers {
        still: layer(end, &upward, |plane| draw_axes(plane, &upward)),
        moving: layer(end, &upward, |plane| {
            let style = Ink::L1.color().stroke_width(2 * FINE);
            plane.draw_series([PathElement::new(path, style)]).expect(NEVER_FAILS);
        }),
        ticks: ticks(low, high, unit),
        over_time: false,
        height: HEIGHT,
        floor: HEIGHT - FOOT,
    };
    let svg = dress(&layers, &Name { id: &id, title: &title, description: &caption });
    Some(Chart {
        id,
        title,
        caption,
        legend: vec![legend(distribution, unit)],
        svg,
        table: table(distribution, unit),
    })
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn share(part: u64, whole: u64) -> u64 {
    (u128::from(part) * 1_000 / u128::from(whole)) as u64
}

/// The powers of ten below and above everything.
fn range(distribution: &Distribution) -> (u32, u32) {
    let smallest = distribution.bins.iter().map(|(bound, _)| *bound).find(|bound| *bound > 0);
    let low = smallest.unwrap_or(1).ilog10();
    let high = distribution.max.max(1).ilog10() + 1;
    (low, high.max(low + 1))
}

fn ticks(low: u32, high: u32, unit: Unit) -> Vec<Tick> {
    let width = f64::from(WIDTH - LEFT - RIGHT) / f64::from(high - low);
    let tick = |power: u32| Tick {
        x: px(f64::from(LEFT) + width * f64::from(power - low)),
        text: written(signed(10u64.saturating_pow(power)), unit),
    };
    (low..=high).map(tick).collect()
}

const QUANTILES: [(u32, &str); 5] =
    [(500_000, "half"), (900_000, "90%"), (990_000, "99%"), (999_000, "99.9%"), (1_000_000, "all")];

fn legend(distribution: &Distribution, unit: Unit) -> Key {
    let at = |per_million| written(signed(distribution.quantile(per_million)), unit);
    let words = format!("half at most {}, 99% {}, all {}", at(500_000), at(990_000), at(1_000_000));
    Key::line("l1", words)
}

fn table(distribution: &Distribution, unit: Unit) -> Table {
    let row = |(per_million, name): (u32, &str)| {
        vec![name.to_owned(), written(signed(distribution.quantile(per_million)), unit)]
    };
    Table::new(vec!["share", "at most"], QUANTILES.map(row), 10)
}
