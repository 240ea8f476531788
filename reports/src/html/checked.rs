//! The head of a check: did the promise hold, of which file, and what was assumed?

use askama::Template;
use wrack_history::Verdict;
use wrack_history::check::Check;

use super::mark::Mark;
use super::panel::{Audience, Panel};
use crate::{summary, text};

#[derive(Template)]
#[template(path = "checked.html")]
struct Checked<'a> {
    path: &'a str,
    headline: Mark,
    statement: String,
    details: Vec<String>,
    evidence: String,
    assumed: Vec<(&'a str, &'a str)>,
}

/// The panel; it brings the page's own heading.
pub(crate) fn panel(check: &Check) -> Panel {
    Panel::new("verdict", "", Audience::Executive, Checked::of(check))
}

impl<'a> Checked<'a> {
    fn of(check: &'a Check) -> Self {
        let run = &check.run;
        Self {
            path: &check.path,
            headline: Mark { word: summary::headline(run.verdict), ..Mark::verdict(run.verdict) },
            statement: summary::statement(run),
            details: match run.verdict {
                Verdict::Valid => Vec::new(),
                Verdict::Unknown => summary::doubts(run),
                Verdict::Invalid => {
                    let first = summary::first_anomaly(run).into_iter();
                    first.map(|anomaly| text::sentence(&anomaly.explanation)).collect()
                }
            },
            evidence: summary::examined_of(run),
            assumed: check.assumed.iter().map(|a| (a.name, a.words.as_str())).collect(),
        }
    }
}
