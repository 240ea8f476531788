//! Judging a history that somebody else recorded.

use wrack_checkers::{Evidence, Guarantee};
use wrack_history::check::Check;
use wrack_history::import::Imported;
use wrack_history::run::Phases;
use wrack_history::{History, Moment, Run, Settings, Verdict};

/// What a history is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The sequential model, by name.
    pub model: &'a str,
    /// The guarantees that it is held to; if there are none, what the model is about.
    pub guarantees: &'a [&'static Guarantee],
    /// Bounds every search: configurations per key.
    pub states_max: u64,
}

/// Judges a history that was read from the file `path`.
pub fn check(path: &str, imported: Imported, question: &Question<'_>) -> Check {
    let Imported { history, initial, assumed, .. } = imported;
    let guarantees = guarantees(question, &history);
    let evidence = Evidence {
        initial: &initial,
        states_max: question.states_max,
        ..Evidence::of_history(&history, question.model)
    };
    let judge = |guarantee: &&Guarantee| guarantee.judge(&evidence, &Settings::default());
    let judgements: Vec<_> = guarantees.iter().map(judge).collect();
    let verdict = judgements.iter().map(|judgement| judgement.verdict).max();
    let moments = history.operations.iter().flat_map(|one| [one.invoke, one.complete]);
    let end = moments.filter(|moment| *moment != Moment::NEVER).map(|moment| moment.ns).max();
    let run = Run {
        verdict: verdict.unwrap_or(Verdict::Unknown),
        counts: history.counts(),
        phases: Phases { end_ns: end.unwrap_or(0), ..Phases::default() },
        judgements,
        history,
        ..Run::default()
    };
    Check { path: path.to_owned(), assumed, run }
}

/// The guarantees that were named, or those that the model is about: a bank conserves its money, and
/// identifiers are unique, whether or not the history tells what an order could be checked by.
fn guarantees(question: &Question<'_>, history: &History) -> Vec<&'static Guarantee> {
    if !question.guarantees.is_empty() {
        return question.guarantees.to_vec();
    }
    let moves = history.operations.iter().any(|operation| operation.function == "transfer");
    let codes: &[&str] = match question.model {
        "bank" if moves => &["CONS", "LIN"],
        "bank" => &["CONS"],
        "unique-ids" => &["UNIQ"],
        _ => &["LIN"],
    };
    codes.iter().filter_map(|code| wrack_checkers::by_code(code)).collect()
}

/// The guarantees of these codes; a code that nothing has is an error.
pub fn guarantees_of(codes: &[String]) -> Result<Vec<&'static Guarantee>, &str> {
    codes.iter().map(|code| wrack_checkers::by_code(code).ok_or(code.as_str())).collect()
}
