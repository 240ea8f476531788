//! Service level objectives, judged.

use askama::Template;
use wrack_history::Run;
use wrack_history::run::Slo;

use super::mark::Mark;
use crate::text;

#[derive(Template)]
#[template(path = "slos.html")]
pub(crate) struct Slos<'a> {
    count: String,
    rows: Vec<(Mark, &'a Slo)>,
}

impl<'a> Slos<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        let met = run.slos.iter().filter(|slo| slo.met == Some(true)).count();
        let mark = |slo: &Slo| match slo.met {
            Some(true) => Mark::good("met"),
            Some(false) => Mark::bad("missed"),
            None => Mark::doubt("too little data"),
        };
        Self {
            count: format!("{met} of {} met", text::count(run.slos.len() as u64)),
            rows: run.slos.iter().map(|slo| (mark(slo), slo)).collect(),
        }
    }
}
