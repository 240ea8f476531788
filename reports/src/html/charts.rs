//! Charts over time, each with its legend, how to read it, and its numbers.

use askama::Template;

use crate::plot::Chart;

/// The body of a panel.
#[derive(Template)]
#[template(path = "charts.html")]
pub(crate) struct Charts<'a> {
    /// What they have in common, one sentence.
    pub(crate) lead: &'a str,
    /// At least one.
    pub(crate) charts: Vec<Chart>,
}
