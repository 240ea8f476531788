//! The head of a check: did the promise hold, of which file, and what was assumed?

use askama::Template;
use wrack_history::Verdict;
use wrack_history::check::Check;

use super::mark::Mark;
use crate::{summary, text};

#[derive(Template)]
#[template(path = "checked.html")]
pub(crate) struct Checked<'a> {
    path: &'a str,
    headline: Mark,
    statement: String,
    details: Vec<String>,
    evidence: String,
    assumed: Vec<(&'a str, &'a str)>,
}

impl<'a> Checked<'a> {
    pub(crate) fn of(check: &'a Check) -> Self {
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
