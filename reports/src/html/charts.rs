//! Charts over time, each with its legend, how to read it, and its numbers.

use askama::Template;

use crate::plot::Chart;

/// The body of a panel.
#[derive(Template)]
#[template(path = "charts.html")]
pub(crate) struct Charts<'a> {
    /// What they have in common, one sentence.
    pub(crate) lead: &'a str,
    /// One below the other; none where the sentence says it all.
    pub(crate) charts: Vec<Chart>,
}
