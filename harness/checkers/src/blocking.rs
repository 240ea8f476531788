//! BLOCK: nobody stays in doubt for ever.
//!
//! Valid: the coordinator crashes, comes back, and tells its shards what it decided.
//! ```text
//! shard   prepared 7 ──────────────────────────── committed 7
//!            coordinator ✗ ………………… back
//! ```
//! Invalid, because it comes back and does not know:
//! ```text
//! shard   prepared 7 ──────────────────────────────────────────▶
//!            coordinator ✗ ………………… back               │ bound
//! ```
//! The definition: no part that a node has promised is in doubt for longer than the bound after the
//! faults are healed, or after the promise if that comes later. A promise that the node forgot is no
//! doubt (see [`crate::atomicity`]), and while faults last a doubt may last.
//!
//! Source: Bernstein, Hadzilacos, Goodman 1987, §7.3 (AC5: all failures repaired, a decision comes);
//! Skeen 1981 (blocking).

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, NodeIndex, Settings, duration};

use crate::promised::{Part, transactions};
use crate::words::noun;
use crate::{Evidence, Guarantee, Judge};

/// No transaction in doubt for ever.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "BLOCK",
        name: "no lasting doubt",
        doc: "A node that has promised its part of a transaction learns what became of it, once the \
              faults are healed, within the bound.\n\n\
              Nodes note when they promise and when they have done or dropped their part; between \
              the two they can decide nothing, and whatever they have locked stays locked. While a \
              fault lasts that may take long: that is the price of the protocol. Afterwards it may \
              take no longer than `within`.\n\n\
              The usual ways to break it: a coordinator that keeps its decisions in memory; a \
              decision that is told once and never again; nobody who asks; a lock whose owner is \
              gone.",
        parameters: &[ParameterInfo::new(
            "within",
            ParameterKind::Duration,
            DefaultSetting::Duration(3 * duration::SECOND),
            "How long a node may stay in doubt after the heal.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let within = settings.duration("within").expect("it has a default");
    judgement.bound = Some(duration::format(within));
    let transactions = transactions(evidence.facts);
    if transactions.is_empty() {
        judgement.doubt("no node noted a promise");
    }
    let (mut longest, mut early) = (0, 0_u64);
    for (number, transaction) in &transactions {
        for (node, part) in &transaction.parts {
            judgement.examine("parts", 1);
            let Some((from, until)) = doubt(part, evidence.phases.end_ns) else {
                continue;
            };
            longest = longest.max(until - from);
            let counted = from.max(evidence.phases.heal_ns);
            let open = part.settled.is_none();
            if until.saturating_sub(counted) <= within {
                // It may still have been settled in time, had the run gone on.
                early += u64::from(open && until < counted.saturating_add(within));
                continue;
            }
            if judgement.anomalies.len() < ANOMALIES_MAX {
                let place = (*number, *node);
                judgement.contradict(anomaly(
                    evidence,
                    place,
                    transaction.operation,
                    (from, until),
                ));
            }
        }
    }
    judgement.observed = Some(format!("in doubt for {} at most", duration::seconds(longest)));
    if early > 0 && evidence.phases.end_ns < evidence.phases.heal_ns.saturating_add(within) {
        judgement.doubt("the run ended before the bound had passed");
    }
    judgement
}

/// From when until when a node could not decide.
fn doubt(part: &Part, end_ns: u64) -> Option<(u64, u64)> {
    let (from, _) = part.prepared?;
    let settled = part.settled.map(|(ns, _)| ns);
    let until = part.forgotten.into_iter().chain(settled).min().unwrap_or(end_ns);
    Some((from, until.max(from)))
}

fn anomaly(
    evidence: &Evidence<'_>,
    (number, node): (u64, NodeIndex),
    operation: u64,
    (from, until): (u64, u64),
) -> Anomaly {
    let who = match evidence.nodes.get(usize::from(node)) {
        Some(name) => name.to_string(),
        None => format!("node {node}"),
    };
    let what = match evidence.history.operation(operation) {
        Some(operation) => noun(operation),
        None => format!("transaction {number}"),
    };
    let settled = match until == evidence.phases.end_ns {
        true => "it was so still when the run ended",
        false => "that is when it learned the outcome",
    };
    Anomaly {
        explanation: format!(
            "{who} promised its part of {what} at {}, and was in doubt until {}, although the faults \
             were healed at {}: {settled}",
            duration::seconds(from),
            duration::seconds(until),
            duration::seconds(evidence.phases.heal_ns),
        ),
        operations: vec![operation],
        at_ns: Some(until),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::run::Phases;
    use wrack_history::{Setting, Settings, Verdict};

    use super::GUARANTEE;
    use crate::Evidence;
    use crate::promised::testing::facts;
    use crate::story::history;

    const MILLISECOND: u64 = 1_000_000;

    /// Faults are healed at 100 ms, the bound is 50 ms.
    fn check(text: &str, end_ms: u64, expected: (Verdict, Option<&str>)) {
        let (history, facts) = (history("p1 transfer - [1,2,3] 1..?"), facts(text));
        let phases = Phases {
            heal_ns: 100 * MILLISECOND,
            quiet_end_ns: end_ms * MILLISECOND,
            end_ns: end_ms * MILLISECOND,
        };
        let evidence = Evidence { facts: &facts, phases, ..Evidence::of_history(&history, "bank") };
        let settings = Settings::default().with("within", Setting::Duration(50 * MILLISECOND));
        let judgement = GUARANTEE.judge(&evidence, &settings);
        let told = judgement.anomalies.first().map(|anomaly| anomaly.explanation.as_str());
        assert_eq!((judgement.verdict, told), expected, "{text}");
    }

    #[test]
    fn a_doubt_may_last_as_long_as_the_faults_and_the_bound_after_them() {
        check("1 n1 prepared 0\n140 n1 committed 0", 300, (Verdict::Valid, None));
        check("260 n1 prepared 0", 300, (Verdict::Valid, None));
        check("1 n1 prepared 0\n2 n1 booted", 300, (Verdict::Valid, None));
        check("1 n1 prepared 0", 120, (Verdict::Unknown, None));
        check("", 300, (Verdict::Unknown, None));
    }

    #[test]
    fn a_doubt_that_lasts_longer_is_an_anomaly() {
        let promised = "node 1 promised its part of transfer [1, 2, 3] by process 1 at 0.001 s, and \
                        was in doubt until";
        let healed = "although the faults were healed at 0.100 s";
        check(
            "1 n1 prepared 0\n50 n1 booted\n51 n1 prepared 0",
            300,
            (
                Verdict::Invalid,
                Some(&format!("{promised} 0.300 s, {healed}: it was so still when the run ended")),
            ),
        );
        check(
            "1 n1 prepared 0\n200 n1 aborted 0",
            300,
            (
                Verdict::Invalid,
                Some(&format!("{promised} 0.200 s, {healed}: that is when it learned the outcome")),
            ),
        );
    }
}
