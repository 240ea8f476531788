//! `[client]`: how clients retry.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::load::{RetryKey, RetryPolicy};

use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters::{self, Given};
use crate::scope::Scope;

/// Keys of `[client]`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "timeout",
        ParameterKind::Duration,
        DefaultSetting::Duration(500 * MILLISECOND),
        "How long an attempt waits for its answer.",
    ),
    ParameterInfo::new(
        "attempts",
        ParameterKind::Integer { min: 1, max: 1_000 },
        DefaultSetting::Integer(3),
        "How many attempts at most, the first included.",
    ),
    ParameterInfo::new(
        "backoff",
        ParameterKind::Duration,
        DefaultSetting::Duration(50 * MILLISECOND),
        "The wait before the second attempt; it doubles with each further one.",
    ),
    ParameterInfo::new(
        "backoff_max",
        ParameterKind::Duration,
        DefaultSetting::Duration(SECOND),
        "The wait never exceeds this.",
    ),
    ParameterInfo::new(
        "jitter",
        ParameterKind::PerMillion,
        DefaultSetting::PerMillion(200_000),
        "The wait is moved by up to this share, either way.",
    ),
    ParameterInfo::optional(
        "budget",
        ParameterKind::PerMillion,
        "At most this share of attempts may be retries; no budget if absent.",
    ),
    ParameterInfo::new(
        "key",
        ParameterKind::Choice(&["unique", "none", "colliding"]),
        DefaultSetting::Choice("unique"),
        "What the design may use to recognise a retry.",
    ),
    ParameterInfo::new(
        "late_duplicates",
        ParameterKind::PerMillion,
        DefaultSetting::PerMillion(0),
        "Share of attempts whose message is sent once more, late.",
    ),
    ParameterInfo::new(
        "late_after",
        ParameterKind::Duration,
        DefaultSetting::Duration(2 * SECOND),
        "How late such a message is sent.",
    ),
];

/// Reads the section.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> RetryPolicy {
    let mut fields = root.section("client");
    let given = parameters::read(&mut fields, KEYS, scope);
    given.positive(&fields, &["timeout"]);
    judge_backoff(&fields, &given);
    fields.finish();
    RetryPolicy {
        timeout_ns: given.duration("timeout"),
        attempts_max: given.integer("attempts") as u32,
        backoff_ns: given.duration("backoff"),
        backoff_max_ns: given.duration("backoff_max"),
        jitter_per_million: given.share("jitter"),
        budget_per_million: given.settings.per_million("budget"),
        key: match given.settings.choice("key").as_deref() {
            Some("none") => RetryKey::None,
            Some("colliding") => RetryKey::Colliding,
            _ => RetryKey::Unique,
        },
        late_duplicate_per_million: given.share("late_duplicates"),
        late_duplicate_after_ns: given.duration("late_after"),
    }
}

fn judge_backoff(fields: &Fields, given: &Given) {
    let (first, max) = (given.span("backoff"), given.span("backoff_max"));
    let Some(span) = max.or(first) else { return };
    if given.duration("backoff") > given.duration("backoff_max") {
        let title = "`backoff` is longer than `backoff_max`";
        fields.report(Mistake::new(span, title, "the first wait would already exceed it"));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn a_policy_that_means_nothing_is_refused() {
        check("[client]\ntimeout = «\"0s\"»", "`client.timeout`: must be longer than zero");
        check("[client]\nbackoff = «\"5s\"»", "`backoff` is longer than `backoff_max`");
        check(
            "[client]\nbackoff = \"5s\"\nbackoff_max = «\"2s\"»",
            "`backoff` is longer than `backoff_max`",
        );
    }
}
