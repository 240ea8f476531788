//! What plotters lacks: themes and accessibility.
//!
//! plotters writes colours as literals and no title. It therefore draws in stand-in colours, and
//! [`dress`] turns each into a class of the style sheet, and gives the drawing a role, a title and
//! a description.

use askama::Template;
use plotters::prelude::RGBColor;

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
}

const INKS: [(Ink, &str); 12] = [
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

#[derive(Template)]
#[template(path = "drawing.html")]
struct Drawing<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    view: String,
    content: &'a str,
}

/// Turns stand-in colours into classes, and names the drawing.
pub(super) fn dress(svg: &str, name: &Name<'_>, size: (u32, u32)) -> String {
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
    let drawing = Drawing {
        id: name.id,
        title: name.title,
        description: name.description,
        view: format!("0 0 {} {}", size.0, size.1),
        content: &content,
    };
    drawing.render().expect("a template renders into memory")
}

#[cfg(test)]
mod tests {
    use super::{INKS, Ink, Name, dress};

    #[test]
    fn every_ink_stands_at_its_place() {
        for (position, (ink, _)) in INKS.iter().enumerate() {
            assert_eq!(*ink as usize, position);
        }
        assert_eq!(INKS.len(), Ink::Info as usize + 1);
    }

    #[test]
    fn a_dressed_drawing_has_classes_and_a_name_instead_of_colours() {
        let name = Name { id: "latency", title: "a < b", description: "c" };
        let svg = "<svg xmlns=\"x\">\n<rect opacity=\"1\" fill=\"#A05703\"/></svg>";
        let dressed = dress(svg, &name, (2, 1));
        assert!(dressed.contains("<rect class=\"in-fault\"/>"), "{dressed}");
        assert!(dressed.contains("role=\"img\"") && dressed.contains("a &#60; b"), "{dressed}");
        assert!(!dressed.contains("xmlns"));
    }
}
