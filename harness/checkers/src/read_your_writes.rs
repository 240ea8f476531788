//! RYW: a session reads what it wrote, or something newer.
//!
//! Valid: session 1 wrote 1 and reads 2, which somebody else wrote later.
//! ```text
//! session 1  |- write 1 -|                 |- read 2 -|
//! session 2                |- write 2 -|
//! ```
//! Invalid, because session 1 reads what was there before its own write:
//! ```text
//! session 1  |- write 1 -|   |- read nil -|
//! ```
//! The definition: a read of k after the session's ok write w of k returns w or newer. A session
//! outlives an operation in doubt and its process.
//!
//! Source: Terry et al., "Session guarantees for weakly consistent replicated data", 1994.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Judgement, Settings};

use crate::sessions::{self, Knowledge, Knows, OwedBy, Rule};
use crate::words::{done_at, noun};
use crate::{Evidence, Guarantee, Judge};

/// Read your writes.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "RYW",
        name: "read your writes",
        doc: "Whoever wrote something and was told ok reads it back, or something newer.\n\n\
              The promise is to one session, which may go on with another connection, on another \
              node and after an operation whose outcome it never learned. What other sessions write \
              may be seen late.\n\n\
              The usual ways to break it: reads from any replica; a session that sticks to a replica \
              while its writes go to the leader; a failover to a node that lags.\n\n\
              Source: Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let rule = Rule {
        knows: Knows::Writes,
        owed_by: OwedBy::Reads,
        broken: "reads older than the session's own write",
        known,
    };
    sessions::judge(evidence, Judgement::new(GUARANTEE.info.code), rule)
}

/// What the session knew.
fn known(knowledge: Knowledge<'_>) -> String {
    let write = knowledge.teacher;
    let (what, at) = (noun(write), done_at(write));
    format!("which is older than its session's own {what}, acknowledged at {at}")
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::sessions::testing::agrees_with_all_pairs;
    use crate::story::{Case, effects};

    fn case(history: &'static str) -> Case<'static> {
        Case::new("register", history).facts(effects("k", &[(0, 1, 3), (1, 2, 4)]))
    }

    #[test]
    fn a_session_reads_its_write_or_a_newer_one() {
        case(
            "p1@1 write k 1 10..20
             p2@2 write k 2 12..22
             p1@1 read  k - 30..40 2
             p3@1 read  k - 50..60 1
             p4@3 read  k - 61..62",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_session_that_reads_what_was_before_its_write_is_an_anomaly_even_in_another_process() {
        case(
            "p2@2 write k 1 12..22
             p1@1 write k 2 15..25
             p9@1 read  k - 30..40 1",
        )
        .rejected_by(
            &GUARANTEE,
            "process 9 read 1 of k at 0.040 s, which is older than its session's own write 2 by \
             process 1, acknowledged at 0.025 s",
        );
    }

    #[test]
    fn a_read_that_overlaps_the_write_may_miss_it() {
        case(
            "p1@1 write k 1 10..20
             p2@2 write k 2 15..35
             p9@2 read  k - 30..40 1",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn the_sweep_finds_what_looking_at_all_pairs_finds() {
        agrees_with_all_pairs(&GUARANTEE);
    }
}
