//! Every operation, to be looked for: the script unpacks them; without it the numbers stand elsewhere.

use askama::Template;

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::text;

#[derive(Template)]
#[template(path = "operations.html")]
struct Operations {
    count: String,
    replay: String,
}

/// The panel, if there are operations.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let count = sheet.run.history.operations.len() as u64;
    if count == 0 {
        return None;
    }
    let body = Operations {
        count: text::counted(count, "operations"),
        replay: sheet.run.replay.replacen("wrack run", "wrack replay", 1),
    };
    let panel = sheet.panel("operations", "Every operation", Audience::Debug, body);
    Some(panel.counted(text::count(count)))
}
