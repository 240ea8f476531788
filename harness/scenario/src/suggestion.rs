//! "Did you mean": the nearest of the names that exist, and the list of them.

use crate::diagnostic::Span;
use crate::mistake::Mistake;

/// More names than this are not listed in a message.
const LISTED_MAX: usize = 24;

/// A name that is not among `names`; `what` is `fault`, or `role of `raft``.
pub(crate) fn unknown(what: &str, name: &str, span: Span, names: &[&str]) -> Mistake {
    let (noun, of) = what.split_at(what.find(" of ").unwrap_or(what.len()));
    let title = format!("unknown {noun} `{name}`{of}");
    suggest(Mistake::new(span, title, format!("no such {noun}")), name, names)
}

/// Adds the nearest name, if one is near, and the names that exist.
pub(crate) fn suggest(mut mistake: Mistake, name: &str, names: &[&str]) -> Mistake {
    if let Some(near) = nearest(name, names) {
        mistake = mistake.help(format!("did you mean `{near}`?"));
    }
    if names.is_empty() { mistake.help("there is none") } else { mistake.help(there_is(names)) }
}

/// `there are: …`, or `there is only …`.
fn there_is(names: &[&str]) -> String {
    match names {
        [one] => format!("there is only `{one}`"),
        names => format!("there are: {}", quoted(names)),
    }
}

/// The names in backticks, as many as a message can hold.
pub(crate) fn quoted(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED_MAX).map(|name| format!("`{name}`"));
    let text = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// The name that `name` was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let name = plain(name);
    let likeness = |other: &str| {
        let other = plain(other);
        let edits = strsim::normalized_damerau_levenshtein(&name, &other);
        let edits = edits.max(strsim::jaro_winkler(&name, &other) - 0.2);
        let part = other.split('_').any(|part| part == name) || name.starts_with(&other);
        if part { edits.max(0.7) } else { edits }
    };
    let rated = names.iter().map(|other| (likeness(other), *other));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.6).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let names = ["partition", "crash", "clock_step", "LIN", "stale_local_read"];
        assert_eq!(nearest("partitoin", &names), Some("partition"));
        assert_eq!(nearest("clock-step", &names), Some("clock_step"));
        assert_eq!(nearest("lin", &names), Some("LIN"));
        assert_eq!(nearest("stale_read", &names), Some("stale_local_read"));
        assert_eq!(nearest("step", &names), Some("clock_step"));
        assert_eq!(nearest("banana", &names), None);
        assert_eq!(nearest("", &names), None);
    }
}
