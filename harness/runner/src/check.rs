//! Judging a history that somebody else recorded.

use wrack_checkers::{Evidence, Guarantee};
use wrack_history::catalogue::ParameterKind;
use wrack_history::certificate::Linearization;
use wrack_history::check::Check;
use wrack_history::import::Imported;
use wrack_history::run::Phases;
use wrack_history::{History, Judgement, Moment, Run, Setting, Settings, Value, Verdict, duration};
use wrack_sequential::{Model, ModelError, Specification, Visitor};

use crate::catalogue::Own;

/// A guarantee, and how it is held to it.
pub type Asked = (&'static Guarantee, Settings);

/// What a history is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The sequential model, by name.
    pub model: &'a str,
    /// The guarantees that it is held to; if there are none, what the model is about.
    pub guarantees: &'a [Asked],
    /// The isolation level that it is held to, by name.
    pub consistency: Option<&'a str>,
    /// Bounds every search: configurations per key.
    pub states_max: u64,
    /// Whether orders are looked for that show a linearizable history.
    pub certify: bool,
    /// Models and guarantees beside those that Wrack has.
    pub own: &'a Own,
}

/// Whether there is a model of this name, and its objects can start there.
///
/// Errors: what is wrong, for whoever named them.
pub fn verify_model(model: &str, initial: Option<&Value>, own: &Own) -> Result<(), ModelError> {
    struct Start<'a>(Specification<'a>);
    impl Visitor for Start<'_> {
        type Output = Result<(), ModelError>;

        fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
            self.0.started(new()).map(drop)
        }
    }
    let (initial, own) = (initial.unwrap_or(&Value::Nil), own.models());
    let specification = Specification { model, initial, own };
    specification.visit(Start(specification)).flatten()
}

/// Judges a history that was read from the file `path`.
pub fn check(path: &str, imported: Imported, question: &Question<'_>) -> Check {
    let real_time = imported.has_times();
    let Imported { history, initial, assumed, .. } = imported;
    let guarantees = guarantees(question, &history, &initial);
    let evidence = Evidence {
        initial: &initial,
        states_max: question.states_max,
        own_models: question.own.models(),
        real_time,
        ..Evidence::of_history(&history, question.model)
    };
    let judge = |(guarantee, settings): &Asked| guarantee.judge(&evidence, settings);
    let mut judgements: Vec<_> = guarantees.iter().map(judge).collect();
    let mut levels = Vec::new();
    let mut orders = Vec::new();
    if wrack_checkers::is_transactional(question.model) && guarantees.is_empty() {
        let judged = wrack_checkers::levels(&evidence, question.consistency);
        (judgements, orders) = (judged.judgements, judged.orders);
    }
    let is_linearizable =
        |judgement: &Judgement| judgement.code == "LIN" && judgement.verdict == Verdict::Valid;
    let (mut linearizations, mut uncertified) = (Vec::new(), Vec::new());
    if question.certify && judgements.iter().any(is_linearizable) {
        for (key, witness) in wrack_checkers::witnesses(&evidence) {
            match witness {
                Ok(operations) => linearizations.push(Linearization { key, operations }),
                Err(reason) => uncertified.push(format!("{key:?}: {reason}")),
            }
        }
    }
    for (name, code) in wrack_checkers::level_names() {
        let judged = judgements.iter().find(|judgement| judgement.code == code);
        levels.extend(judged.map(|judgement| (name, holds(judgement.verdict))));
    }
    if question.consistency.is_none() && !real_time {
        // Where there is no time, that nobody can know about it is no doubt about the history.
        judgements
            .retain(|judgement| judgement.code != "SSER" || judgement.verdict != Verdict::Unknown);
    }
    let verdict = judgements.iter().map(|judgement| judgement.verdict).max();
    let moments = history.operations.iter().flat_map(|one| [one.invoke, one.complete]);
    let end = moments.filter(|moment| *moment != Moment::NEVER).map(|moment| moment.ns).max();
    let run = Run {
        verdict: verdict.unwrap_or(Verdict::Unknown),
        expected: "valid".to_owned(),
        counts: history.counts(),
        phases: Phases { end_ns: end.unwrap_or(0), ..Phases::default() },
        judgements,
        history,
        ..Run::default()
    };
    Check { path: path.to_owned(), assumed, levels, orders, linearizations, uncertified, run }
}

fn holds(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Valid => Some(true),
        Verdict::Invalid => Some(false),
        Verdict::Unknown => None,
    }
}

/// The guarantees that were named, or those that the model is about: a bank conserves its money, and
/// identifiers are unique, whether or not it is known what an order could be checked by.
fn guarantees(question: &Question<'_>, history: &History, initial: &Value) -> Vec<Asked> {
    let level = wrack_checkers::level_names()
        .find(|(name, _)| question.consistency == Some(*name))
        .and_then(|(_, code)| wrack_checkers::by_code(code));
    if !question.guarantees.is_empty() {
        let level = level.map(|guarantee| (guarantee, Settings::default()));
        return question.guarantees.iter().cloned().chain(level).collect();
    }
    if wrack_checkers::is_transactional(question.model) {
        return Vec::new();
    }
    let moves = history.operations.iter().any(|operation| operation.function == "transfer");
    let polled = history.operations.iter().any(|operation| operation.function == "poll");
    let codes: &[&str] = match question.model {
        "bank" if moves && !initial.is_nil() => &["CONS", "LIN"],
        "bank" => &["CONS"],
        // A poll may come back with less than there is: no order of single operations says that.
        "log" if polled => &["LOG"],
        "unique-ids" => &["UNIQ"],
        _ => &["LIN"],
    };
    let asked = |code: &&str| Some((wrack_checkers::by_code(code)?, Settings::default()));
    codes.iter().filter_map(asked).collect()
}

/// Reads a guarantee as it is named on a command line: `LIN`, or with settings `STALE:bound=500ms`.
///
/// Errors: there is no such guarantee, or it has no such setting.
pub fn asked(text: &str, own: &Own) -> Result<Asked, String> {
    let (code, settings) = text.split_once(':').unwrap_or((text, ""));
    let guarantee = own
        .guarantee(code)
        .ok_or_else(|| format!("there is no guarantee \"{code}\": see `wrack list guarantees`"))?;
    let mut chosen = Settings::default();
    for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').ok_or("a setting is written name=value")?;
        let known = guarantee.info.parameters.iter().find(|parameter| parameter.name == name);
        let known = known.ok_or_else(|| {
            format!("{code} has no setting \"{name}\": see `wrack explain {code}`")
        })?;
        chosen = chosen.with(known.name, read_setting(known.kind, value)?);
    }
    Ok((guarantee, chosen))
}

fn read_setting(kind: ParameterKind, text: &str) -> Result<Setting, String> {
    match kind {
        ParameterKind::Duration => Ok(Setting::Duration(duration::parse(text)?)),
        ParameterKind::Integer { min, max } => {
            let number = text.parse().ok().filter(|number| (min..=max).contains(number));
            number.map(Setting::Integer).ok_or_else(|| format!("{text} is not from {min} to {max}"))
        }
        ParameterKind::Flag => {
            text.parse().map(Setting::Flag).map_err(|_| format!("{text} is not true or false"))
        }
        ParameterKind::Choice(choices) => match choices.contains(&text) {
            true => Ok(Setting::Choice(text.into())),
            false => Err(format!("{text} is none of {}", choices.join(", "))),
        },
        _ => Err("this setting is for scenario files".into()),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings};

    use super::Asked;
    use crate::catalogue::Own;

    fn asked(text: &str) -> Result<Asked, String> {
        super::asked(text, &Own::default())
    }

    #[test]
    fn a_guarantee_is_named_with_its_settings() {
        let (guarantee, settings) = asked("SUM:reads=settled").unwrap();
        assert_eq!(guarantee.info.code, "SUM");
        let expected = Settings::default().with("reads", Setting::Choice("settled".into()));
        assert_eq!(settings, expected);
        assert_eq!(asked("LIN").unwrap().1, Settings::default());
    }

    #[test]
    fn what_is_no_guarantee_or_setting_says_so() {
        let refused = |text: &str| asked(text).err().expect("it is refused");
        assert!(refused("NONE").contains("there is no guarantee \"NONE\""));
        assert!(refused("LIN:bound=1s").contains("LIN has no setting \"bound\""));
        assert!(refused("SUM:reads=some").contains("some is none of"));
        assert!(refused("SUM:reads").contains("name=value"));
    }
}
