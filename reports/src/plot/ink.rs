//! What plotters lacks: themes and accessibility.
//!
//! plotters writes colours as literals and no title. It therefore draws in stand-in colours, and
//! [`dress`] turns each into a class of the style sheet, and gives the drawing a role, a title and
//! a description.

use askama::Template;
use plotters::prelude::RGBColor;

use super::rows::{Tick, px};
use super::time::{LEFT, RIGHT, WIDTH};

/// A part of a drawing that the style sheet colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Axis,
    Grid,
    Fault,
    Quiet,
    P50,
    P95,
    P99,
    Max,
    Ok,
    Fail,
    Info,
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    Limit,
    Raw,
}

const INKS: [(Ink, &str); 20] = [
    (Ink::Text, "text"),
    (Ink::Axis, "axis"),
    (Ink::Grid, "grid"),
    (Ink::Fault, "fault"),
    (Ink::Quiet, "quiet"),
    (Ink::P50, "p50"),
    (Ink::P95, "p95"),
    (Ink::P99, "p99"),
    (Ink::Max, "max"),
    (Ink::Ok, "ok"),
    (Ink::Fail, "fail"),
    (Ink::Info, "info"),
    (Ink::L1, "l1"),
    (Ink::L2, "l2"),
    (Ink::L3, "l3"),
    (Ink::L4, "l4"),
    (Ink::L5, "l5"),
    (Ink::L6, "l6"),
    (Ink::Limit, "limit"),
    (Ink::Raw, "raw"),
];

impl Ink {
    /// The colour that stands in for it until [`dress`].
    pub(super) fn color(self) -> RGBColor {
        RGBColor(0xA0, 0x57, self as u8)
    }
}

/// What a plot is called, for those who do not see it.
pub(super) struct Name<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

/// The layers of a plot, in stand-in colours, and its axis of time.
pub(super) struct Layers {
    /// Axes and grid.
    pub(super) still: String,
    /// What moves when somebody looks closer.
    pub(super) moving: String,
    pub(super) ticks: Vec<Tick>,
    /// Whether its axis is the one of time that all charts share.
    pub(super) over_time: bool,
    pub(super) height: u32,
    /// Where the axis of time is.
    pub(super) floor: u32,
}

#[derive(Template)]
#[template(path = "drawing.html")]
struct Drawing<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    width: u32,
    height: u32,
    left: u32,
    right: u32,
    floor: u32,
    over_time: bool,
    ticks: &'a [Tick],
    fine: String,
    still: String,
    moving: String,
}

/// Turns stand-in colours into classes, and names the drawing.
pub(super) fn dress(layers: &Layers, name: &Name<'_>) -> String {
    let drawing = Drawing {
        id: name.id,
        title: name.title,
        description: name.description,
        width: WIDTH,
        height: layers.height,
        left: LEFT,
        right: WIDTH - RIGHT,
        floor: layers.floor,
        over_time: layers.over_time,
        ticks: &layers.ticks,
        fine: px(1.0 / f64::from(super::FINE)),
        still: classed(&layers.still),
        moving: classed(&layers.moving),
    };
    drawing.render().expect("a template renders into memory")
}

/// What a drawing holds, with classes instead of colours.
fn classed(svg: &str) -> String {
    let start = svg.find('>').expect("a drawing has an opening tag") + 1;
    let end = svg.rfind("</svg>").expect("a drawing has a closing tag");
    let mut content = svg[start..end]
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\"", "");
    for (ink, class) in INKS {
        let RGBColor(red, green, blue) = ink.color();
        for (attribute, prefix) in [("fill", "in"), ("stroke", "by")] {
            let stand_in = format!("{attribute}=\"#{red:02X}{green:02X}{blue:02X}\"");
            content = content.replace(&stand_in, &format!("class=\"{prefix}-{class}\""));
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::{INKS, Ink, Layers, Name, dress};

    #[test]
    fn every_ink_stands_at_its_place() {
        for (position, (ink, _)) in INKS.iter().enumerate() {
            assert_eq!(*ink as usize, position);
        }
        assert_eq!(INKS.len(), Ink::Raw as usize + 1);
    }

    #[test]
    fn a_dressed_drawing_has_classes_and_a_name_instead_of_colours() {
        let name = Name { id: "latency", title: "a < b", description: "c" };
        let svg = "<svg xmlns=\"x\">\n<rect opacity=\"1\" fill=\"#A05703\"/></svg>".to_owned();
        let still = svg.clone();
        let layers =
            Layers { still, moving: svg, ticks: Vec::new(), over_time: true, height: 9, floor: 5 };
        let dressed = dress(&layers, &name);
        assert!(dressed.contains("<rect class=\"in-fault\"/>"), "{dressed}");
        assert!(dressed.contains("role=\"img\"") && dressed.contains("a &#60; b"), "{dressed}");
        assert!(!dressed.contains("xmlns"));
    }
}
