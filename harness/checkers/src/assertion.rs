//! ASSERT: the design's own assertions hold, and no callback panics.
//!
//! Valid: `always("balance is not negative", true)` at every call.
//! Invalid, because n2 panicked at its third message:
//! ```text
//! n1  ────────────────────────────
//! n2  ────── ✗ index out of bounds
//! ```

use std::collections::BTreeSet;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, NodeIndex, SmolStr, duration};

use crate::words::node;
use crate::{Guarantee, Invariant, Judge};

/// The design's own assertions.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "ASSERT",
        name: "the design's own assertions",
        doc: "No `always` of the design is false, and none of its callbacks panics.\n\n\
              A design says with `always(name, condition)` what must never be otherwise. A false one \
              is recorded with its event, so that the run can be replayed up to it; so is a panic. A \
              panic of Wrack itself is something else: a bug of the harness.",
        parameters: &[],
    },
    judge: Judge::Facts(|| Box::<Assertions>::default()),
};

const ANOMALIES_MAX: usize = 10;

#[derive(Default)]
struct Assertions {
    facts: u64,
    seen: BTreeSet<(NodeIndex, SmolStr)>,
    failed: Vec<FactRecord>,
}

impl Invariant for Assertions {
    fn observe(&mut self, record: &FactRecord) {
        self.facts += 1;
        if let Fact::AssertionFailed { name, .. } = &record.fact
            && self.failed.len() < ANOMALIES_MAX
            && self.seen.insert((record.node, name.clone()))
        {
            self.failed.push(record.clone());
        }
    }

    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement {
        let mut judgement = Judgement::new(GUARANTEE.info.code);
        judgement.examine("facts", self.facts);
        for record in &self.failed {
            let Fact::AssertionFailed { name, message } = &record.fact else {
                unreachable!("only failed assertions are kept");
            };
            let (who, at) = (node(nodes, record.node), duration::seconds(record.ns));
            let explanation = match (name.as_str(), message.as_str()) {
                ("panic", message) => format!("{who} panicked at {at}: {message}"),
                (name, "") => format!("\"{name}\" was false on {who} at {at}"),
                (name, message) => format!("\"{name}\" was false on {who} at {at}: {message}"),
            };
            judgement.contradict(Anomaly {
                explanation,
                at_ns: Some(record.ns),
                nodes: vec![record.node],
                ..Anomaly::default()
            });
        }
        judgement
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Fact;

    use super::GUARANTEE;
    use crate::story::{Case, facts};

    fn failed(name: &str, message: &str) -> Fact {
        Fact::AssertionFailed { name: name.into(), message: message.into() }
    }

    #[test]
    fn a_run_in_which_nothing_failed_is_valid() {
        Case::new("register", "")
            .facts(facts([(0, 1, Fact::Booted { boot: 0 })]))
            .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_panic_is_an_anomaly_with_node_and_time() {
        Case::new("register", "")
            .facts(facts([(1, 7, failed("panic", "index out of bounds"))]))
            .rejected_by(&GUARANTEE, "n2 panicked at 0.007 s: index out of bounds");
    }

    #[test]
    fn a_false_assertion_is_reported_once_a_node() {
        let case = Case::new("register", "").facts(facts([
            (0, 7, failed("one leader", "")),
            (0, 8, failed("one leader", "")),
            (1, 9, failed("one leader", "two of them")),
        ]));
        case.rejected_by(&GUARANTEE, "\"one leader\" was false on n1 at 0.007 s");
        assert_eq!(case.judge(&GUARANTEE).anomalies.len(), 2);
    }
}
