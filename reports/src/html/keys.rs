//! What was found out about each key.

use askama::Template;
use wrack_history::check::Check;
use wrack_history::{Judgement, Verdict};

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::text;

/// So many keys are listed, the broken ones first.
const KEYS_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    rows: Vec<(String, Mark)>,
    left_out: String,
}

/// The panel, if there are several keys.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let mut keys: Vec<_> = sheet.run.judgements.iter().flat_map(Judgement::keys).collect();
    if keys.len() < 2 {
        return None;
    }
    let broken = keys.iter().filter(|(_, verdict)| *verdict == Verdict::Invalid).count();
    keys.sort_by_key(|(_, verdict)| std::cmp::Reverse(*verdict));
    let left_out = keys.len().saturating_sub(KEYS_MAX) as u64;
    let all = text::counted(keys.len() as u64, "keys");
    let count = format!("{} of {all} broken", text::count(broken as u64));
    let rows = keys.into_iter().take(KEYS_MAX);
    let body = Keys {
        rows: rows.map(|(key, verdict)| (text::label(key), Mark::verdict(verdict))).collect(),
        left_out: if left_out > 0 { text::count(left_out) } else { String::new() },
    };
    Some(sheet.panel("keys", "Keys", Audience::Debug, body).counted(count))
}

#[derive(Template)]
#[template(path = "meaning.html")]
struct Meaning {}

/// What a valid verdict of somebody else's history does not mean.
pub(crate) fn meaning(_: &Check) -> Panel {
    let title = "What a valid verdict does not mean";
    Panel::new("meaning", title, Audience::Executive, Meaning {})
}
