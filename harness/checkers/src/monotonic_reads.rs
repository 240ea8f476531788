//! MR: a session never reads an older version than it has read before.
//!
//! Valid: the session sees 1, then 2; that it is late does not matter.
//! ```text
//! p1  |- write 1 -||- write 2 -|
//! p2                             |- read 1 -|  |- read 2 -|
//! ```
//! Invalid, because it goes back:
//! ```text
//! p1  |- write 1 -||- write 2 -|
//! p2                             |- read 2 -|  |- read 1 -|
//! ```
//! The definition: reads of k in a session never return an older version. A session outlives an
//! operation in doubt and its process.
//!
//! Source: Terry et al., "Session guarantees for weakly consistent replicated data", 1994.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Judgement, Settings};

use crate::sessions::{self, Knowledge, Knows, OwedBy, Rule};
use crate::words::{done_at, short};
use crate::{Evidence, Guarantee, Judge};

/// Monotonic reads.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "MR",
        name: "monotonic reads",
        doc: "Whoever has read a version never afterwards reads an older one.\n\n\
              The promise is to one session, which may go on with another connection, on another \
              node and after an operation whose outcome it never learned.\n\n\
              The usual ways to break it: reads from any replica, of which some lag; a cache fill \
              that brings back what was replaced; a client that follows a watch without looking at \
              versions.\n\n\
              Source: Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let rule = Rule {
        knows: Knows::Reads,
        owed_by: OwedBy::Reads,
        broken: "reads older than one before",
        known,
    };
    sessions::judge(evidence, Judgement::new(GUARANTEE.info.code), rule)
}

/// What the session knew.
fn known(knowledge: Knowledge<'_>) -> String {
    let earlier = knowledge.teacher;
    let (what, at) = (short(&earlier.result), done_at(earlier));
    format!("but its session had read {what}, which is newer, at {at}")
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::sessions::testing::agrees_with_all_pairs;
    use crate::story::{Case, effects};

    const WRITES: [(u64, i64, u64); 2] = [(0, 1, 3), (1, 2, 4)];

    fn case(history: &'static str) -> Case<'static> {
        Case::new("register", history).facts(effects("k", &WRITES))
    }

    #[test]
    fn a_session_that_goes_forward_is_valid_however_late_it_is() {
        case(
            "p1@1 write k 1 10..20
             p1@1 write k 2 30..40
             p2@2 read  k - 50..60
             p2@2 read  k - 61..62 1
             p3@3 read  k - 65..66 2
             p2@2 read  k - 70..75 1",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_session_that_goes_back_is_an_anomaly() {
        case(
            "p1@1 write k 1 10..20
             p1@1 write k 2 30..40
             p2@2 read  k - 50..60 2
             p4@2 read  k - 61..62 1",
        )
        .rejected_by(
            &GUARANTEE,
            "process 4 read 1 of k at 0.062 s, but its session had read 2, which is newer, at 0.060 s",
        );
    }

    #[test]
    fn the_sweep_finds_what_looking_at_all_pairs_finds() {
        agrees_with_all_pairs(&GUARANTEE);
    }
}
