//! What was promised, and what each checker says of it.

use askama::Template;
use wrack_history::{Judgement, Run, Verdict};

use super::mark::Mark;
use crate::{summary, text};

#[derive(Template)]
#[template(path = "promises.html")]
pub(crate) struct Promises<'a> {
    count: String,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    code: &'a str,
    name: &'static str,
    expected: String,
    verdict: Mark,
    found: String,
    bound: &'a str,
    observed: &'a str,
    examined: String,
    algorithm: &'a str,
    reason: String,
}

impl<'a> Promises<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        let held = run.judgements.iter().filter(|j| j.verdict == Verdict::Valid).count();
        Self {
            count: format!("{held} of {} held", run.judgements.len()),
            rows: run.judgements.iter().map(|judgement| row(run, judgement)).collect(),
        }
    }
}

fn row<'a>(run: &Run, judgement: &'a Judgement) -> Row<'a> {
    let or_dash = |text: &'a Option<String>| text.as_deref().unwrap_or("–");
    Row {
        code: &judgement.code,
        name: text::guarantee(&judgement.code),
        expected: expected(run, judgement),
        verdict: Mark::verdict(judgement.verdict),
        found: match judgement.anomalies.len() as u64 {
            0 => String::new(),
            found => text::counted(found, "anomalies"),
        },
        bound: or_dash(&judgement.bound),
        observed: or_dash(&judgement.observed),
        examined: match judgement.examined.is_empty() {
            true => "nothing".into(),
            false => summary::examined_counts(judgement),
        },
        algorithm: or_dash(&judgement.algorithm),
        reason: text::paragraph(judgement.reason.as_deref().unwrap_or("")),
    }
}

/// What the scenario expects of this promise; a class that follows from the expected one may break.
fn expected(run: &Run, judgement: &Judgement) -> String {
    if judgement.code == run.expected {
        return "invalid".into();
    }
    let broken = judgement.verdict == Verdict::Invalid;
    if broken && run.expected != "valid" && !run.foreign.contains(&judgement.code) {
        return format!("may follow from {}", text::label(&run.expected));
    }
    "valid".into()
}
