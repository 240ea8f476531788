//! What was found out about each key.

use askama::Template;
use wrack_history::check::Check;
use wrack_history::{Judgement, Verdict};

use super::mark::Mark;
use crate::text;

/// So many keys are listed, the broken ones first.
const KEYS_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "keys.html")]
pub(crate) struct Keys {
    count: String,
    rows: Vec<(String, Mark)>,
    left_out: String,
}

impl Keys {
    pub(crate) fn of(check: &Check) -> Self {
        let mut keys: Vec<_> = check.run.judgements.iter().flat_map(Judgement::keys).collect();
        let broken = keys.iter().filter(|(_, verdict)| *verdict == Verdict::Invalid).count();
        keys.sort_by_key(|(_, verdict)| std::cmp::Reverse(*verdict));
        let left_out = keys.len().saturating_sub(KEYS_MAX) as u64;
        Self {
            count: format!(
                "{} of {} broken",
                text::count(broken as u64),
                text::counted(keys.len() as u64, "keys")
            ),
            rows: keys
                .into_iter()
                .take(KEYS_MAX)
                .map(|(key, verdict)| (text::label(key), Mark::verdict(verdict)))
                .collect(),
            left_out: if left_out > 0 { text::count(left_out) } else { String::new() },
        }
    }
}
