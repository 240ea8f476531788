//! Blank fields for people: what a machine cannot know.

use askama::Template;

use super::panel::{Audience, Panel};

#[derive(Template)]
#[template(path = "notes.html")]
struct Notes {
    prefix: String,
    actions: std::ops::RangeInclusive<u32>,
}

/// The panel. What is written into it stays in the browser until the page is printed.
pub(crate) fn panel(prefix: &str) -> Panel {
    let body = Notes { prefix: prefix.into(), actions: 1..=4 };
    Panel::new(format!("{prefix}notes"), "Your notes", Audience::OnCall, body)
}
