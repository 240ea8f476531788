//! ATOM: a transaction happens at every node that has a part in it, or at none.
//!
//! Valid: both shards promise, and both do their part.
//! ```text
//! shard 1   prepared 7 ─────── committed 7
//! shard 2     prepared 7 ──────────── committed 7
//! ```
//! Invalid, because the second shard lost patience:
//! ```text
//! shard 1   prepared 7 ─────── committed 7
//! shard 2     prepared 7 ─ aborted 7
//! ```
//! The definition, per transaction of an operation that changes something: no node does its part while
//! another one drops its own, or has forgotten it; no node does and drops the same part; and if the
//! operation was answered ok, one of its transactions was done somewhere, or is still in doubt. A part
//! in doubt is no contradiction: see [`crate::blocking`].
//!
//! Source: Gray 1978; Bernstein, Hadzilacos, Goodman 1987, §7.3 (AC1 to AC5).

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::duration::seconds;
use wrack_history::{Anomaly, Judgement, NodeIndex, Operation, Settings, Value};
use wrack_sequential::may_change;

use crate::promised::{Transaction, transactions};
use crate::words::{done_at, noun};
use crate::{Evidence, Guarantee, Judge};

/// Atomic commitment.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "ATOM",
        name: "atomic commitment",
        doc: "A transaction that several nodes have a part in happens at all of them or at none.\n\n\
              Nodes note when they promise their part, and when they have done or dropped it for \
              good. No part of a transaction is done while another one is dropped, or forgotten by \
              a node that had promised it; none is done and dropped; and what a client was told is \
              done, is done. A part that is still in doubt contradicts nothing here.\n\n\
              The usual ways to break it: a node that decides alone because it waited too long \
              (heuristic abort); a promise that was not on the disk when the node crashed; a \
              decision that was told before it was durable; a dual write without a protocol.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let transactions = transactions(evidence.facts);
    if transactions.is_empty() {
        judgement.doubt("no node noted a promise");
    }
    let operations: BTreeMap<u64, &Operation> =
        evidence.history.operations.iter().map(|one| (one.id, one)).collect();
    let mut broken = 0;
    let mut tell = |judgement: &mut Judgement, anomaly: Option<Anomaly>| {
        broken += u64::from(anomaly.is_some());
        if judgement.anomalies.len() < ANOMALIES_MAX {
            anomaly.into_iter().for_each(|anomaly| judgement.contradict(anomaly));
        }
    };
    let mut of_operation = BTreeMap::<u64, Vec<&Transaction>>::new();
    for transaction in transactions.values() {
        judgement.examine("transactions", 1);
        judgement.examine("parts", transaction.parts.len() as u64);
        let Some(operation) = operations.get(&transaction.operation) else {
            continue;
        };
        if may_change(operation) {
            of_operation.entry(operation.id).or_default().push(transaction);
            tell(&mut judgement, torn(evidence, operation, transaction));
        }
    }
    for (operation, transactions) in of_operation {
        tell(&mut judgement, missing(operations[&operation], &transactions));
    }
    judgement.observed = Some(format!("{broken} of {} transactions torn", transactions.len()));
    judgement
}

/// A transaction that happened here and not there.
fn torn(
    evidence: &Evidence<'_>,
    operation: &Operation,
    transaction: &Transaction,
) -> Option<Anomaly> {
    let name = |node: NodeIndex| match evidence.nodes.get(usize::from(node)) {
        Some(name) => name.to_string(),
        None => format!("node {node}"),
    };
    let what = noun(operation);
    let both = transaction.parts.iter().find_map(|(node, part)| Some((*node, part.contradicted?)));
    if let Some((node, ns)) = both {
        let explanation = format!(
            "{} both did and dropped its part of {what}, at {} at last",
            name(node),
            seconds(ns)
        );
        return Some(anomaly(operation, ns, explanation));
    }
    let (done, done_ns) = transaction.done()?;
    let (other, ns, why) =
        transaction.parts.iter().find_map(|(node, part)| match (part.settled, part.forgotten) {
            (Some((ns, false)), _) => Some((*node, ns, "dropped its own")),
            (None, Some(ns)) => Some((*node, ns, "forgot the part that it had promised")),
            _ => None,
        })?;
    let explanation = format!(
        "{} did its part of {what} at {}, but {} {why} at {}",
        name(done),
        seconds(done_ns),
        name(other),
        seconds(ns),
    );
    Some(anomaly(operation, ns.max(done_ns), explanation))
}

/// An operation that was answered ok, and that no node has done or still may do.
fn missing(operation: &Operation, transactions: &[&Transaction]) -> Option<Anomaly> {
    let refused = operation.result == Value::Bool(false);
    let open = transactions.iter().any(|transaction| {
        transaction.parts.values().any(|part| match part.settled {
            Some((_, done)) => done || part.contradicted.is_some(),
            None => part.forgotten.is_none(),
        })
    });
    if !operation.is_ok() || refused || open {
        return None;
    }
    let explanation = format!(
        "{} was answered ok at {}, but every node dropped or forgot its part",
        noun(operation),
        done_at(operation),
    );
    Some(anomaly(operation, operation.complete.ns, explanation))
}

fn anomaly(operation: &Operation, ns: u64, explanation: String) -> Anomaly {
    Anomaly { explanation, operations: vec![operation.id], at_ns: Some(ns), ..Anomaly::default() }
}

#[cfg(test)]
mod tests {
    use wrack_history::Settings;

    use super::GUARANTEE;
    use crate::Evidence;
    use crate::promised::testing::facts;
    use crate::story::history;

    /// A transfer that was answered ok, with id 0, and one that was refused, with id 1.
    const STORY: &str = "p1 transfer - [1,2,3] 1..20\np2 transfer - [1,2,9] 30..40 false";

    fn check(text: &str, expected: Option<&str>) {
        let (history, facts) = (history(STORY), facts(text));
        let evidence = Evidence { facts: &facts, ..Evidence::of_history(&history, "bank") };
        let judgement = GUARANTEE.judge(&evidence, &Settings::default());
        let told = judgement.anomalies.first().map(|anomaly| anomaly.explanation.as_str());
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn all_parts_or_none_are_done() {
        check(
            "1 n1 prepared 0\n2 n2 prepared 0\n8 n1 committed 0\n9 n2 committed 0
             30 n1 prepared 1\n31 n1 aborted 1",
            None,
        );
        // The first transaction met a lock, the second was done.
        check("1 n1 prepared 0\n2 n1 aborted 0\n3 n1 prepared 100\n4 n1 committed 100", None);
        // In doubt, also over a boot.
        check(
            "1 n1 prepared 0\n2 n2 prepared 0\n8 n1 committed 0\n9 n2 booted\n9 n2 prepared 0",
            None,
        );
    }

    #[test]
    fn a_part_that_is_dropped_or_forgotten_tears_the_transaction() {
        let who = "transfer [1, 2, 3] by process 1";
        check(
            "1 n1 prepared 0\n2 n2 prepared 0\n5 n2 aborted 0\n8 n1 committed 0",
            Some(&format!(
                "node 1 did its part of {who} at 0.008 s, but node 2 dropped its own at 0.005 s"
            )),
        );
        check(
            "1 n1 prepared 0\n2 n2 prepared 0\n5 n2 booted\n8 n1 committed 0",
            Some(&format!(
                "node 1 did its part of {who} at 0.008 s, but node 2 forgot the part that it had \
                 promised at 0.005 s"
            )),
        );
        check(
            "1 n1 prepared 0\n5 n1 aborted 0\n8 n1 committed 0",
            Some(&format!("node 1 both did and dropped its part of {who}, at 0.008 s at last")),
        );
    }

    #[test]
    fn what_was_answered_ok_is_done_somewhere() {
        check(
            "1 n1 prepared 0\n5 n1 booted",
            Some(
                "transfer [1, 2, 3] by process 1 was answered ok at 0.020 s, but every node dropped or \
                 forgot its part",
            ),
        );
    }
}
