//! Rows of labelled segments over the common time axis: phases, faults, states of nodes.

use askama::Template;

use super::band::Band;
use super::time::{LEFT, RIGHT, TimeAxis, WIDTH, tick_label};
use crate::text;

const ROW_HEIGHT: u32 = 22;
const ROW_GAP: u32 = 6;
const TOP: u32 = 4;
const FOOT: u32 = 26;
/// Width of a character at the size of a label, a little more than it mostly is.
const CHAR_WIDTH: f64 = 6.9;
const PADDING: f64 = 5.0;
const NAME_CHARS_MAX: usize = 11;

/// One row.
pub(crate) struct Row {
    /// Who or what it is about.
    pub(crate) name: String,
    /// The node that it is about, to find it again; empty if it is about none.
    pub(crate) key: String,
    /// What is drawn in it.
    pub(crate) segments: Vec<Segment>,
}

/// Something that lasted.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
    /// How it looks.
    pub(crate) class: &'static str,
    /// What may be written in it, the longest first; the first that fits is.
    pub(crate) labels: Vec<String>,
    /// Whether the first label stands beside it if none fits.
    pub(crate) beside: bool,
    /// Everything about it, for a tooltip.
    pub(crate) words: String,
}

/// What is drawn, and what it is called.
pub(crate) struct Rows<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) axis: &'a TimeAxis,
    /// Faults to show behind the rows.
    pub(crate) bands: &'a [Band],
    pub(crate) rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "rows.html")]
struct Drawing<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    width: u32,
    height: u32,
    left: u32,
    right: u32,
    floor: u32,
    behind: Vec<Surface>,
    ticks: Vec<Tick>,
    rows: Vec<DrawnRow>,
}

struct Surface {
    class: &'static str,
    x: String,
    width: String,
}

/// A time with its place on the axis.
pub(crate) struct Tick {
    pub(crate) x: String,
    pub(crate) text: String,
}

struct DrawnRow {
    name: String,
    key: String,
    y: u32,
    middle: u32,
    height: u32,
    segments: Vec<DrawnSegment>,
}

struct DrawnSegment {
    class: &'static str,
    x: String,
    width: String,
    words: String,
    label: Option<DrawnLabel>,
}

struct DrawnLabel {
    x: String,
    /// `start` or `end`.
    anchor: &'static str,
    /// Whether it stands beside its segment, on the page's ground.
    beside: bool,
    text: String,
}

/// Draws the rows.
pub(crate) fn draw(rows: Rows<'_>) -> String {
    let axis = rows.axis;
    let floor = TOP + rows.rows.len() as u32 * (ROW_HEIGHT + ROW_GAP);
    let drawing = Drawing {
        id: rows.id,
        title: rows.title,
        description: rows.description,
        width: WIDTH,
        height: floor + FOOT,
        left: LEFT,
        right: WIDTH - RIGHT,
        floor,
        behind: behind(axis, rows.bands),
        ticks: ticks(axis),
        rows: (0..).zip(rows.rows).map(|(index, row)| drawn_row(axis, index, row)).collect(),
    };
    drawing.render().expect("a template renders into memory")
}

/// Writes a coordinate: a tenth of a unit is finer than a screen.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// How wide a text is, about.
pub(crate) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHAR_WIDTH
}

fn behind(axis: &TimeAxis, bands: &[Band]) -> Vec<Surface> {
    let quiet = axis.quiet().map(|(from, to)| ("in-quiet", from, to));
    let faults = bands.iter().map(|band| {
        let (from, to) = axis.visible(band.from_ns, band.to_ns);
        ("in-fault", from, to)
    });
    quiet
        .into_iter()
        .chain(faults)
        .map(|(class, from, to)| Surface {
            class,
            x: px(axis.x(from)),
            width: px(axis.x(to) - axis.x(from)),
        })
        .collect()
}

/// The round times of an axis.
pub(crate) fn ticks(axis: &TimeAxis) -> Vec<Tick> {
    let tick = |ns| Tick { x: px(axis.x(ns)), text: tick_label(ns) };
    axis.ticks().into_iter().map(tick).collect()
}

fn drawn_row(axis: &TimeAxis, index: u32, row: Row) -> DrawnRow {
    let y = TOP + index * (ROW_HEIGHT + ROW_GAP) + ROW_GAP / 2;
    DrawnRow {
        name: text::clip(&row.name, NAME_CHARS_MAX),
        key: text::label(&row.key),
        y,
        middle: y + ROW_HEIGHT / 2,
        height: ROW_HEIGHT,
        segments: row.segments.into_iter().map(|segment| drawn_segment(axis, segment)).collect(),
    }
}

fn drawn_segment(axis: &TimeAxis, segment: Segment) -> DrawnSegment {
    let (from, to) = axis.visible(segment.from_ns, segment.to_ns);
    let (x, end) = (axis.x(from), axis.x(to));
    let label = inside(&segment, x, end).or_else(|| beside(&segment, x, end));
    DrawnSegment {
        class: segment.class,
        x: px(x),
        width: px((end - x).max(1.0)),
        words: segment.words,
        label,
    }
}

fn inside(segment: &Segment, x: f64, end: f64) -> Option<DrawnLabel> {
    let fits = |label: &&String| text_width(label) + 2.0 * PADDING <= end - x;
    let label = segment.labels.iter().find(fits)?;
    Some(DrawnLabel { x: px(x + PADDING), anchor: "start", beside: false, text: label.clone() })
}

fn beside(segment: &Segment, x: f64, end: f64) -> Option<DrawnLabel> {
    let label = segment.labels.first().filter(|_| segment.beside)?;
    let fits_right = end + PADDING + text_width(label) <= f64::from(WIDTH - RIGHT);
    Some(DrawnLabel {
        x: px(if fits_right { end + PADDING } else { x - PADDING }),
        anchor: if fits_right { "start" } else { "end" },
        beside: true,
        text: label.clone(),
    })
}

/// Where a segment begins and ends on the drawing, a label beside it included.
pub(crate) fn reach(axis: &TimeAxis, segment: &Segment) -> (f64, f64) {
    let (from, to) = axis.visible(segment.from_ns, segment.to_ns);
    let (x, end) = (axis.x(from), axis.x(to));
    if inside(segment, x, end).is_some() {
        return (x, end);
    }
    let label = segment.labels.first().map_or(0.0, |label| text_width(label)) + 2.0 * PADDING;
    if end + label <= f64::from(WIDTH - RIGHT) { (x, end + label) } else { (x - label, end) }
}
