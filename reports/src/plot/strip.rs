//! Phases and faults over time: the strip above all other charts.

use super::band::Band;
use super::rows::{Row, Rows, Segment, draw, reach};
use super::table::Table;
use super::{Backdrop, Chart, Key};
use crate::text;

/// Faults that overlap stand in rows of their own, at most so many.
const FAULT_ROWS_MAX: usize = 8;

/// The chart; `None` if there are neither phases nor faults.
pub(crate) fn chart(backdrop: &Backdrop<'_>) -> Option<Chart> {
    let mut rows = Vec::from_iter(phases(backdrop));
    rows.extend(faults(backdrop));
    if rows.is_empty() {
        return None;
    }
    let caption = "What was wrong with the world, and when. The same bands stand behind every \
                   chart below.";
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
        legend: vec![
            Key::surface("fault", "fault"),
            Key::surface("toothless", "fault that did not bite"),
            Key::surface("quiet", "quiet period: faults are healed"),
        ],
        svg,
        table: table(backdrop),
    })
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
