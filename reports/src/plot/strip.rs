//! Phases and faults over time, what they led to, and who would have been called: the strip above all other
//! charts.

use wrack_history::Run;

use super::band::Band;
use super::rows::{Row, Rows, Segment, draw, reach};
use super::table::Table;
use super::{Backdrop, Chart, Key};
use crate::{alerts, summary, text};

/// More anomalies than this are not marked.
const ANOMALIES_MAX: usize = 100;
/// Faults that overlap stand in rows of their own, at most so many.
const FAULT_ROWS_MAX: usize = 8;

/// The chart; `None` if there are neither phases nor faults.
pub(crate) fn chart(backdrop: &Backdrop<'_>, run: &Run) -> Option<Chart> {
    let mut rows = Vec::from_iter(phases(backdrop));
    rows.extend(faults(backdrop));
    rows.extend(anomalies(run));
    rows.extend(called(backdrop, run));
    if rows.is_empty() {
        return None;
    }
    let caption = "What was wrong with the world, and when; where anomalies became visible, and which alerts \
                   would have fired. The same bands stand behind every chart below.";
    let id = backdrop.id("phases");
    let svg = draw(Rows {
        id: &id,
        title: "Phases and faults",
        description: caption,
        axis: backdrop.axis,
        bands: &[],
        rows,
    });
    Some(Chart {
        id,
        title: "Phases and faults".into(),
        caption: caption.into(),
        legend: legend(run),
        svg,
        table: table(backdrop),
    })
}

fn legend(run: &Run) -> Vec<Key> {
    let mut legend = vec![
        Key::surface("fault", "fault"),
        Key::surface("toothless", "fault that did not bite"),
        Key::surface("quiet", "quiet period: faults are healed"),
    ];
    if run.anomalies().any(|anomaly| anomaly.at_ns.is_some()) {
        legend.push(Key::surface("anomaly", "anomaly"));
    }
    if !alerts::fired(run).is_empty() {
        legend.push(Key::surface("alert", "would have called somebody"));
    }
    legend
}

/// Where anomalies became visible.
fn anomalies(run: &Run) -> Option<Row> {
    let seen = summary::anomalies(run).into_iter().take(ANOMALIES_MAX);
    let mut seen: Vec<_> = seen.filter_map(|anomaly| Some((anomaly.at_ns?, anomaly))).collect();
    seen.sort_by_key(|(ns, _)| *ns);
    let segment = |(ns, anomaly): (u64, &wrack_history::Anomaly)| Segment {
        from_ns: ns,
        to_ns: ns,
        class: "is-anomaly",
        labels: Vec::new(),
        beside: false,
        words: format!(
            "{} at {}: {}",
            text::label(&anomaly.code),
            text::moment(ns),
            text::clip(&anomaly.explanation, 160)
        ),
    };
    let segments: Vec<Segment> = seen.into_iter().map(segment).collect();
    (!segments.is_empty()).then(|| Row { name: "anomalies".into(), key: String::new(), segments })
}

/// A row for each alert that would have fired.
fn called(backdrop: &Backdrop<'_>, run: &Run) -> Vec<Row> {
    let row = |alert: alerts::Fired| {
        let to_ns = alert.over_ns.unwrap_or(backdrop.axis.end_ns);
        let words = format!("the alert over {} {}", alert.windows, alert.verb);
        let segment = Segment {
            from_ns: alert.at_ns,
            to_ns,
            class: "is-alert",
            labels: vec![format!("{} {}", alert.windows, alert.verb), alert.windows],
            beside: true,
            words: format!(
                "{words} at {}, until {}",
                text::moment(alert.at_ns),
                text::moment(to_ns)
            ),
        };
        Row { name: "alerts".into(), key: String::new(), segments: vec![segment] }
    };
    alerts::fired(run).into_iter().map(row).collect()
}

fn phases(backdrop: &Backdrop<'_>) -> Option<Row> {
    let segments: Vec<Segment> = backdrop
        .axis
        .phases()
        .into_iter()
        .map(|(name, from_ns, to_ns)| Segment {
            from_ns,
            to_ns,
            class: if name == "quiet" { "is-quiet" } else { "is-phase" },
            labels: vec![name.into()],
            beside: false,
            words: format!("{name}: {} to {}", text::moment(from_ns), text::moment(to_ns)),
        })
        .collect();
    (!segments.is_empty()).then(|| Row { name: "phase".into(), key: String::new(), segments })
}

/// Each fault in the first row where it touches no other.
fn faults(backdrop: &Backdrop<'_>) -> Vec<Row> {
    let mut rows: Vec<(f64, Row)> = Vec::new();
    let mut bands: Vec<&Band> = backdrop.bands.iter().collect();
    bands.sort_by_key(|band| band.from_ns);
    for band in bands {
        let segment = segment(band);
        let (from, to) = reach(backdrop.axis, &segment);
        let free = rows.iter().position(|(taken, _)| *taken <= from);
        let index = free.unwrap_or_else(|| rows.len().min(FAULT_ROWS_MAX - 1));
        if index == rows.len() {
            let name = if index == 0 { "faults" } else { "" };
            let row = Row { name: name.into(), key: String::new(), segments: Vec::new() };
            rows.push((0.0, row));
        }
        let (taken, row) = &mut rows[index];
        *taken = taken.max(to);
        row.segments.push(segment);
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn segment(band: &Band) -> Segment {
    Segment {
        from_ns: band.from_ns,
        to_ns: band.to_ns,
        class: if band.bit { "is-fault" } else { "is-toothless" },
        labels: vec![format!("{} {}", band.label, band.kind), band.label.clone()],
        beside: true,
        words: band.words.clone(),
    }
}

fn table(backdrop: &Backdrop<'_>) -> Table {
    let row = |what: String, from, to| vec![what, text::moment(from), text::moment(to)];
    let phases = backdrop.axis.phases().into_iter();
    let phases = phases.map(|(name, from, to)| row(format!("phase: {name}"), from, to));
    let bands = backdrop.bands.iter();
    let faults = bands.map(|band| row(band.words.clone(), band.from_ns, band.to_ns));
    Table::new(vec!["what", "from", "to"], phases.chain(faults), 300)
}
