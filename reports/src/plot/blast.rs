//! How much of what clients do was touched, over time.

use plotters::prelude::{PathElement, Polygon};
use plotters::style::Color;

use super::table::Table;
use super::time::tick_label;
use super::{Backdrop, Chart, FINE, Ink, Key, NEVER_FAILS, Name, Upward, draw};
use crate::blast::{Blast, Touched};
use crate::plot::bins::Bins;
use crate::text;

/// The chart; `None` if there were no operations.
pub(crate) fn chart(backdrop: &Backdrop<'_>, bins: &Bins, blast: &Blast) -> Option<Chart> {
    if blast.whole.operations == 0 {
        return None;
    }
    let caption = caption(bins, blast);
    let id = backdrop.id("blast");
    let name = Name { id: &id, title: "Blast radius over time", description: &caption };
    let end_ns = backdrop.axis.end_ns;
    let svg = draw(&name, backdrop, &upward(), |plane| {
        for (ink, of) in [(Ink::Info, slow as fn(&Touched) -> u64), (Ink::Fail, failed)] {
            let mut outline = steps(bins, blast, of, end_ns);
            outline.extend([(end_ns, 0), (0, 0)]);
            plane.draw_series([Polygon::new(outline, ink.color())]).expect(NEVER_FAILS);
        }
        for (ink, of) in [(Ink::P50, clients as fn(&Touched) -> u64), (Ink::P95, keys)] {
            let style = ink.color().stroke_width(2 * FINE);
            let path = PathElement::new(steps(bins, blast, of, end_ns), style);
            plane.draw_series([path]).expect(NEVER_FAILS);
        }
    });
    let whole = &blast.whole;
    Some(Chart {
        id,
        title: "Share of what was touched".into(),
        caption,
        legend: vec![
            Key::surface("fail", format!("{} operations not ok", text::count(whole.failed))),
            Key::surface("info", format!("{} slow", text::count(whole.slow))),
            Key::line("p50", format!("clients: {} of {}", whole.clients, whole.clients_all)),
            Key::line("p95", format!("keys: {} of {}", whole.keys, whole.keys_all)),
        ],
        svg,
        table: table(bins, blast),
    })
}

fn caption(bins: &Bins, blast: &Blast) -> String {
    let slow = match blast.slow_ns {
        Some(ns) => format!(
            "Slow is what took longer than {}, three times the 99th percentile before the first fault.",
            text::short_duration(ns)
        ),
        None => "Too little happened before the first fault to say what is slow.".into(),
    };
    format!(
        "Of the operations that were invoked in each {}: the share that did not end ok, and above it the \
         share that was slow. Lines: the share of clients and of keys with one such operation. {slow}",
        tick_label(bins.width_ns)
    )
}

fn share(part: u64, whole: u64) -> u64 {
    part * 1_000 / whole.max(1)
}

fn failed(touched: &Touched) -> u64 {
    share(touched.failed, touched.operations)
}

fn slow(touched: &Touched) -> u64 {
    touched.share_per_mille()
}

fn clients(touched: &Touched) -> u64 {
    share(touched.clients, touched.clients_all)
}

fn keys(touched: &Touched) -> u64 {
    share(touched.keys, touched.keys_all)
}

fn upward() -> Upward<'static> {
    Upward {
        from: 0,
        to: 1_040,
        ticks: vec![0, 250, 500, 750, 1_000],
        label: Box::new(|mille| format!("{}%", mille / 10)),
    }
}

fn steps(bins: &Bins, blast: &Blast, of: fn(&Touched) -> u64, end_ns: u64) -> Vec<(u64, u64)> {
    let level = |(place, touched): (usize, &Touched)| {
        let from = place as u64 * bins.width_ns;
        [from, from + bins.width_ns].map(|ns| (ns.min(end_ns), of(touched)))
    };
    blast.bins.iter().enumerate().flat_map(level).collect()
}

fn table(bins: &Bins, blast: &Blast) -> Table {
    let rows = blast.bins.iter().enumerate().map(|(place, touched)| {
        let Touched { failed, slow, operations, clients, clients_all, keys, keys_all } = touched;
        vec![
            tick_label(place as u64 * bins.width_ns),
            text::count(*operations),
            text::count(*failed),
            text::count(*slow),
            format!("{clients} of {clients_all}"),
            format!("{keys} of {keys_all}"),
        ]
    });
    Table::new(vec!["from", "operations", "not ok", "slow", "clients", "keys"], rows, 200)
}
