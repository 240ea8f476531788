//! Charts over time: one common axis, plotters for curves, and what plotters lacks.
//!
//! plotters draws in the stand-in colours of [`ink`], which turns them into classes afterwards. No
//! text of a run ever goes through plotters.

pub(crate) mod band;
pub(crate) mod bins;
pub(crate) mod blast;
pub(crate) mod cumulative;
mod ink;
pub(crate) mod latency;
pub(crate) mod lines;
pub(crate) mod nodes;
pub(crate) mod rows;
pub(crate) mod strip;
pub(crate) mod table;
pub(crate) mod throughput;
pub(crate) mod time;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::types::RangedCoordu64;
use plotters::prelude::{
    BindKeyPoints, ChartBuilder, DrawingArea, IntoDrawingArea, IntoFont, LabelAreaPosition,
    Rectangle, SVGBackend,
};
use plotters::style::{Color, TextStyle};

use crate::text;
use band::Band;
use ink::{Ink, Layers, Name, dress};
use table::Table;
use time::{LEFT, RIGHT, TimeAxis, WIDTH};

/// plotters draws on whole units: twice as many make a line finer.
const FINE: u32 = 2;
/// Height of the labels below a plot.
const FOOT: u32 = 26;
/// Height of a plot.
const HEIGHT: u32 = 240;
/// Space above the highest value.
const HEAD: u32 = 10;

/// One chart of the page.
pub(crate) struct Chart {
    /// Unique in the page.
    pub(crate) id: String,
    /// What it shows.
    pub(crate) title: String,
    /// How to read it, one sentence.
    pub(crate) caption: String,
    /// What its marks mean.
    pub(crate) legend: Vec<Key>,
    /// The drawing.
    pub(crate) svg: String,
    /// The same as numbers.
    pub(crate) table: Table,
}

/// One entry of a legend.
pub(crate) struct Key {
    /// The class that the mark wears.
    pub(crate) class: &'static str,
    /// Whether it is a line rather than a surface.
    pub(crate) line: bool,
    /// What it means.
    pub(crate) text: String,
}

impl Key {
    fn line(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, line: true, text: text.into() }
    }

    fn surface(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, line: false, text: text.into() }
    }
}

/// What one plot draws on: time to the right, whole numbers upwards.
type Plane<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<WithKeyPoints<RangedCoordu64>, WithKeyPoints<RangedCoordu64>>,
>;

/// The upward axis of a plot.
struct Upward<'a> {
    from: u64,
    to: u64,
    ticks: Vec<u64>,
    label: Box<dyn Fn(u64) -> String + 'a>,
}

/// What every plot shows behind its curves.
pub(crate) struct Backdrop<'a> {
    /// The common axis.
    pub(crate) axis: &'a TimeAxis,
    /// The faults.
    pub(crate) bands: &'a [Band],
    /// Before every id.
    pub(crate) prefix: &'a str,
}

impl Backdrop<'_> {
    /// The id of a chart.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

const NEVER_FAILS: &str = "drawing into memory does not fail";

/// Draws one plot: what stands still when somebody looks closer, and what moves then: faults and what
/// `paint` adds.
fn draw(
    name: &Name<'_>,
    backdrop: &Backdrop<'_>,
    upward: &Upward<'_>,
    paint: impl FnOnce(&mut Plane<'_, '_>),
) -> String {
    let end = backdrop.axis.end_ns;
    let still = layer(end, upward, |plane| draw_axes(plane, upward));
    let moving = layer(end, upward, |plane| {
        draw_bands(plane, backdrop, upward);
        paint(plane);
    });
    let ticks = rows::ticks(backdrop.axis);
    dress(
        &Layers { still, moving, ticks, over_time: true, height: HEIGHT, floor: HEIGHT - FOOT },
        name,
    )
}

/// One drawing of plotters, in stand-in colours.
fn layer(end: u64, upward: &Upward<'_>, paint: impl FnOnce(&mut Plane<'_, '_>)) -> String {
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH * FINE, HEIGHT * FINE)).into_drawing_area();
        let mut plane = plane(&area, end, upward);
        paint(&mut plane);
        area.present().expect(NEVER_FAILS);
    }
    svg
}

fn plane<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    end: u64,
    upward: &Upward<'_>,
) -> Plane<'a, 'b> {
    ChartBuilder::on(area)
        .margin_top(HEAD * FINE)
        .margin_right(RIGHT * FINE)
        .set_label_area_size(LabelAreaPosition::Left, LEFT * FINE)
        .set_label_area_size(LabelAreaPosition::Bottom, FOOT * FINE)
        .build_cartesian_2d(
            (0..end).with_key_points(Vec::new()),
            (upward.from..upward.to).with_key_points(upward.ticks.clone()),
        )
        .expect(NEVER_FAILS)
}

fn draw_bands(plane: &mut Plane<'_, '_>, backdrop: &Backdrop<'_>, upward: &Upward<'_>) {
    let axis = backdrop.axis;
    let wide = |from: u64, to: u64, ink: Ink| {
        let corners = [(from, upward.from), (to, upward.to)];
        Rectangle::new(corners, ink.color().filled())
    };
    let quiet = axis.quiet().map(|(from, to)| wide(from, to, Ink::Quiet));
    let faults = backdrop.bands.iter().map(|band| {
        let (from, to) = axis.visible(band.from_ns, band.to_ns);
        wide(from, to, Ink::Fault)
    });
    plane.draw_series(quiet.into_iter().chain(faults)).expect(NEVER_FAILS);
}

fn draw_axes(plane: &mut Plane<'_, '_>, upward: &Upward<'_>) {
    let ink = Ink::Text.color();
    let words = TextStyle::from(("sans-serif", 15 * FINE).into_font()).color(&ink);
    let axis = Ink::Axis.color().stroke_width(FINE);
    plane
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .disable_x_axis()
        .light_line_style(plotters::style::TRANSPARENT)
        .bold_line_style(Ink::Grid.color().stroke_width(FINE))
        .axis_style(axis)
        .label_style(words)
        .set_all_tick_mark_size(4 * FINE)
        .y_label_formatter(&|value| (upward.label)(*value))
        .draw()
        .expect(NEVER_FAILS);
}

/// Ticks at 1, 2 or 5 times a power of ten, at most `count_max` of them above 0, up to `max`.
pub(crate) fn round_step(max: u64, count_max: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if max / step <= count_max {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A rate in thousandths per second: `250`, `0.5`.
pub(crate) fn rate_label(milli: u64) -> String {
    match milli % 1_000 {
        0 => text::count(milli / 1_000),
        rest => format!("{}.{}", milli / 1_000, format!("{rest:03}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::{rate_label, round_step};

    #[test]
    fn a_step_is_round_and_gives_few_ticks() {
        let steps = [9, 60, 61, 700_000].map(|max| round_step(max, 6));
        assert_eq!(steps, [2, 10, 10, 200_000]);
        assert_eq!(round_step(u64::MAX, 1) % 10, 0);
    }

    #[test]
    fn a_rate_below_one_keeps_its_decimals() {
        assert_eq!(rate_label(500), "0.5");
        assert_eq!(rate_label(2_000_000), "2,000");
    }
}
