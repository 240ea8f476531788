//! MW: the writes of a session are in order, for everybody.
//!
//! Valid: session 1 wrote 1, then 2; the order of versions is 1, 2, and whoever has read 2 does not
//! go back behind 1.
//! ```text
//! session 1  |- write a 1 -|  |- write b 2 -|
//! session 2                                   |- read b 2 -|  |- read a 1 -|
//! ```
//! Invalid, because session 2 has read what session 1 wrote second, and then misses what it wrote
//! first:
//! ```text
//! session 1  |- write a 1 -|  |- write b 2 -|
//! session 2                                   |- read b 2 -|  |- read a nil -|
//! ```
//! The definition: the order of versions follows the session's order of ok writes, and whoever reads
//! the later one never afterwards reads older than the earlier. A session outlives an operation in
//! doubt and its process. The two writes may be of different keys. [`crate::sessions`] says how a
//! history is judged whose order of versions nobody noted.
//!
//! Source: Terry et al., "Session guarantees for weakly consistent replicated data", 1994.

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Judgement, Settings};

use crate::sessions::{self, Knowledge, Knows, OwedBy, Rule};
use crate::words::{done_at, noun, of, short};
use crate::{Evidence, Guarantee, Judge};

/// Monotonic writes.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "MW",
        name: "monotonic writes",
        doc: "What one session writes takes effect in the order in which it was written, and nobody \
              sees the later write without the earlier one.\n\n\
              The order of versions of a key follows the session's order of ok writes; and whoever \
              has read the later of two writes, of one key or of two, never afterwards reads a \
              version older than the earlier.\n\n\
              The usual ways to break it: last-writer-wins by clocks that disagree; writes of one \
              client that go to different leaders; replicas that apply what they receive in any \
              order.\n\n\
              Source: Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let rule = Rule {
        knows: Knows::Writes,
        owed_by: OwedBy::Followers,
        broken: "operations older than an earlier write of their session or of one it has read from",
        known,
    };
    sessions::judge(evidence, Judgement::new(GUARANTEE.info.code), rule)
}

/// What the session knew.
fn known(Knowledge { teacher, followed }: Knowledge<'_>) -> String {
    let (what, at) = (format!("{}{}", noun(teacher), of(teacher)), done_at(teacher));
    match followed {
        None => {
            format!("but that is older than its session's own earlier {what}, acknowledged at {at}")
        }
        Some((read, write)) => format!(
            "but its session had read {}{} at {}, which was written after {what}, acknowledged at {at} \
             in the same session {}",
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
                          p1@1 write b 2 30..40";

    #[test]
    fn who_has_read_the_later_write_sees_the_earlier_one() {
        let history = format!(
            "{WRITES}
             p2@2 read a - 41..42
             p2@2 read b - 50..60 2
             p2@2 read a - 61..70 1
             p3@3 read a - 61..70"
        );
        let noted = effects_of(&[(0, "a", 1, 1), (1, "b", 2, 2)]);
        Case::new("register", &history).facts(noted).accepted_by(&GUARANTEE);
        Case::new("register", &history).accepted_by(&GUARANTEE);
    }

    #[test]
    fn who_has_read_the_later_write_and_misses_the_earlier_one_is_an_anomaly() {
        let history = format!(
            "{WRITES}
             p2@2 read b - 50..60 2
             p2@2 read a - 61..70"
        );
        let noted = effects_of(&[(0, "a", 1, 1), (1, "b", 2, 2)]);
        Case::new("register", &history).facts(noted).rejected_by(
            &GUARANTEE,
            "process 2 read nil of a at 0.070 s, but its session had read 2 of b at 0.060 s, which was \
             written after write 1 by process 1 of a, acknowledged at 0.020 s in the same session 1",
        );
        Case::new("register", &history).rejected_by(
            &GUARANTEE,
            "by what sessions saw, nil must be newer than 1 of a and 1 newer than nil: process 1 asked \
             to write 1 of a and was told ok at 0.020 s, process 2 read 2 of b at 0.060 s and process 2 \
             read nil of a at 0.070 s",
        );
    }

    #[test]
    fn writes_that_took_effect_in_the_other_order_are_an_anomaly() {
        let history = "p1@1 write a 1 10..20
                       p2@1 write a 2 30..40
                       p3@2 write a 3 30..40";
        let noted = effects_of(&[(1, "a", 2, 1), (2, "a", 3, 2), (0, "a", 1, 3)]);
        Case::new("register", history).facts(noted).rejected_by(
            &GUARANTEE,
            "process 2 asked to write 2 of a and was told ok at 0.040 s, but that is older than its \
             session's own earlier write 1 by process 1 of a, acknowledged at 0.020 s",
        );
    }

    #[test]
    fn the_sweep_finds_what_looking_at_all_pairs_finds() {
        agrees_with_all_pairs(&GUARANTEE);
    }
}
