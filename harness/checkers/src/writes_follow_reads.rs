//! WFR: a write comes after what its session had read, for everybody.
//!
//! Valid: session 2 read 1 and then wrote 2; session 3 reads the 2, and then the 1 that it answers.
//! ```text
//! session 1  |- write a 1 -|
//! session 2                   |- read a 1 -|  |- write b 2 -|
//! session 3                                                    |- read b 2 -|  |- read a 1 -|
//! ```
//! Invalid, because session 3 sees the answer and misses the question:
//! ```text
//! session 1  |- write a 1 -|
//! session 2                   |- read a 1 -|  |- write b 2 -|
//! session 3                                                    |- read b 2 -|  |- read a nil -|
//! ```
//! The definition: a write after a read of v is newer than v, and whoever reads it never afterwards
//! reads older than v. A session outlives an operation in doubt and its process; a write in doubt that
//! took effect counts. [`crate::sessions`] says how a history is judged whose order of versions nobody
//! noted.
//!
//! Source: Terry et al., "Session guarantees for weakly consistent replicated data", 1994.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Judgement, Settings};

use crate::sessions::{self, Knowledge, Knows, OwedBy, Rule};
use crate::words::{done_at, of, short};
use crate::{Evidence, Guarantee, Judge};

/// Writes follow reads.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "WFR",
        name: "writes follow reads",
        doc: "A write takes effect after what its session had read before, and nobody sees the write \
              without that.\n\n\
              A write that follows a read of a version of the same key is newer than that version; \
              and whoever has read the write never afterwards reads a version, of any key, older than \
              what the writer had read.\n\n\
              The usual ways to break it: replicas that apply what they receive in any order, so that \
              an answer arrives before its question; last-writer-wins by clocks that disagree.\n\n\
              Source: Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let rule = Rule {
        knows: Knows::Reads,
        owed_by: OwedBy::Followers,
        broken: "operations older than what was read before the write, or before a write they follow",
        known,
    };
    sessions::judge(evidence, Judgement::new(GUARANTEE.info.code), rule)
}

/// What the session knew.
fn known(Knowledge { teacher, followed }: Knowledge<'_>) -> String {
    let (what, at) = (format!("{}{}", short(&teacher.result), of(teacher)), done_at(teacher));
    match followed {
        None => format!("but that is older than {what}, which its session had read at {at}"),
        Some((read, write)) => format!(
            "but its session had read {}{} at {}, which was written after session {} had read {what} \
             at {at}",
            short(&read.result),
            of(read),
            done_at(read),
            write.session,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::sessions::testing::agrees_with_all_pairs;
    use crate::story::{Case, effects_of};

    const WRITES: &str = "p1@1 write a 1 10..20
                          p2@2 read  a - 21..22 1
                          p2@2 write b 2 30..?";

    #[test]
    fn who_has_read_the_answer_sees_the_question() {
        let history = format!(
            "{WRITES}
             p3@3 read b - 50..60 2
             p3@3 read a - 61..70 1
             p4@4 read a - 61..70"
        );
        let noted = effects_of(&[(0, "a", 1, 1), (2, "b", 2, 2)]);
        Case::new("register", &history).facts(noted).accepted_by(&GUARANTEE);
        Case::new("register", &history).accepted_by(&GUARANTEE);
    }

    #[test]
    fn who_has_read_the_answer_and_misses_the_question_is_an_anomaly() {
        let history = format!(
            "{WRITES}
             p3@3 read b - 50..60 2
             p3@3 read a - 61..70"
        );
        let noted = effects_of(&[(0, "a", 1, 1), (2, "b", 2, 2)]);
        Case::new("register", &history).facts(noted).rejected_by(
            &GUARANTEE,
            "process 3 read nil of a at 0.070 s, but its session had read 2 of b at 0.060 s, which was \
             written after session 2 had read 1 of a at 0.022 s",
        );
        Case::new("register", &history).rejected_by(
            &GUARANTEE,
            "by what sessions saw, nil must be newer than 1 of a and 1 newer than nil: process 2 read \
             1 of a at 0.022 s, process 3 read 2 of b at 0.060 s and process 3 read nil of a at 0.070 s",
        );
    }

    #[test]
    fn a_write_that_is_older_than_what_was_read_before_it_is_an_anomaly() {
        let history = "p1@1 write a 1 10..20
                       p2@2 read  a - 21..22 1
                       p2@2 write a 2 30..40";
        Case::new("register", history)
            .facts(effects_of(&[(2, "a", 2, 1), (0, "a", 1, 3)]))
            .rejected_by(
                &GUARANTEE,
                "process 2 asked to write 2 of a and was told ok at 0.040 s, but that is older than \
                 1 of a, which its session had read at 0.022 s",
            );
    }

    #[test]
    fn the_sweep_finds_what_looking_at_all_pairs_finds() {
        agrees_with_all_pairs(&GUARANTEE);
    }
}
