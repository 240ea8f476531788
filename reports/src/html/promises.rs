//! What was promised, and what each checker says of it.

use askama::Template;
use wrack_history::{Judgement, Run, Verdict};

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::{margin, summary, text};

#[derive(Template)]
#[template(path = "promises.html")]
struct Promises<'a> {
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
    margin: String,
    examined: String,
    algorithm: &'a str,
    reason: String,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let run = sheet.run;
    let held = run.judgements.iter().filter(|j| j.verdict == Verdict::Valid).count();
    let mut judgements: Vec<&Judgement> = run.judgements.iter().collect();
    judgements.sort_by_key(|judgement| std::cmp::Reverse(judgement.verdict));
    let rows = judgements.into_iter().map(|judgement| row(run, judgement)).collect();
    let body = Promises { rows };
    sheet
        .panel("promises", "Promises", Audience::Executive, body)
        .counted(format!("{held} of {} held", run.judgements.len()))
}

fn row<'a>(run: &Run, judgement: &'a Judgement) -> Row<'a> {
    let or_dash = |text: &'a Option<String>| text.as_deref().unwrap_or("–");
    let margin = match (&judgement.bound, &judgement.observed) {
        (Some(bound), Some(observed)) => margin::of_promise(bound, observed),
        _ => None,
    };
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
        margin: margin.unwrap_or_default(),
        examined: match judgement.examined.is_empty() {
            true => "nothing".into(),
            false => summary::examined_counts(judgement),
        },
        algorithm: judgement.algorithm.as_deref().unwrap_or(""),
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
