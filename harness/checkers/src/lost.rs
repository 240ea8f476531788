//! LOST: what was acknowledged is still there, at the end and after every recovery.
//!
//! Valid: the final read returns a write that another acknowledged one overlaps; either may be last.
//! ```text
//! p1  |--- write 1 ok ---|                          final read = 2
//! p2       |--- write 2 ok ---|
//! ```
//! Invalid, because write 2 began after write 1 was acknowledged, so 1 cannot be the last:
//! ```text
//! p1  |- write 1 ok -|                              final read = 1
//! p2                   |- write 2 ok -|
//! ```
//! The definition. *Register:* with f the write whose value the final read returned, an acknowledged
//! write w ≠ f is lost iff f completed before w was invoked. *Set:* an acknowledged add that the final
//! read does not find and that no remove explains. *Recovery:* what a node finds on its disk after a
//! boot holds every write that it acknowledged before, or, but for sets, a newer one of that key.
//!
//! *In causal order*, for designs whose replicas accept writes without asking each other: w is lost iff
//! the replica that accepted it had applied f before. Replicas note what they had in the facts
//! `delivered`; a retried write is lost only if that holds of every replica that accepted it. What is
//! lost in real time and not in causal order is no anomaly then: it is counted as a silent drop.
//!
//! A write whose acknowledgement came after the final read had begun is not judged by that read.
//! Where several writes left the value that was returned, f is the one that completed last.

mod causally;
mod recovery;

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Outcome, Settings, SmolStr, Value};
use wrack_sequential::is_acknowledged_change;

use crate::final_reads::final_reads;
use crate::register::left;
use crate::words::{count, done_at, list, noun, of, short};
use crate::{Evidence, Guarantee, Judge};

/// No acknowledged write is lost.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "LOST",
        name: "no lost write",
        doc: "A write that was acknowledged is there at the end, unless a later one replaced it, and \
              is on the disk of the node that acknowledged it after every crash.\n\n\
              For a register, an acknowledged write is lost if the final read returns a value whose \
              write had completed before the lost one was invoked. For a set, it is lost if the final \
              read does not find the element and no remove can explain it. After each boot, the node \
              must find on its disk every write that it acknowledged, or a newer one of that key.\n\n\
              The usual ways to break it: an acknowledgement before the data is on disk or on a \
              majority; a failover to a replica that lags; last-writer-wins by clocks that disagree; \
              a cache that is the only one to hold a write.\n\n\
              With `order = \"causal\"`, for registers of several leaders, a write is lost only if the \
              replica that accepted it had already applied the one that the final read returned; what \
              is lost in real time alone is counted as a silent drop.",
        parameters: &[ParameterInfo::new(
            "order",
            ParameterKind::Choice(&["real-time", "causal"]),
            DefaultSetting::Choice("real-time"),
            "When a register's write is after another: in real time, or only if its replica knew it.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let mut lost = 0;
    if settings.choice("order").as_deref() == Some("causal") && !evidence.is_set() {
        judgement.bound = Some("causal".to_owned());
        lost += causally::judge(evidence, &mut judgement);
    } else if evidence.model != "counter" {
        lost += judge_final_reads(evidence, &mut judgement);
    }
    lost += recovery::judge(evidence, &mut judgement);
    let looked_at = ["final reads", "recoveries"];
    if looked_at.iter().all(|what| judgement.examined.get(*what).is_none_or(|count| *count == 0)) {
        judgement.doubt("there is neither a final read nor a recovery");
    }
    judgement.observed = Some(format!("{lost} lost"));
    judgement
}

/// Judges every key by its final reads; how many writes are lost.
fn judge_final_reads(evidence: &Evidence<'_>, judgement: &mut Judgement) -> u64 {
    let by_key = evidence.by_key();
    let mut lost = 0;
    for (key, reads) in final_reads(evidence) {
        let operations = &by_key[key];
        let acknowledged = operations.iter().filter(|operation| is_acknowledged_change(operation));
        judgement.examine("final reads", reads.len() as u64);
        judgement.examine("acknowledged writes", acknowledged.count() as u64);
        let found = reads.iter().find_map(|read| match evidence.is_set() {
            true => lost_elements(operations, read),
            false => lost_writes(operations, read, evidence.initial),
        });
        let Some(found) = found else {
            continue;
        };
        lost += found.writes.len() as u64;
        if judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(found.anomaly(key));
        }
    }
    lost
}

/// Writes that a final read shows to be lost.
struct Lost<'a> {
    writes: Vec<&'a Operation>,
    read: &'a Operation,
    /// The write that was returned instead, if it was one.
    instead: Option<&'a Operation>,
    /// Whether it is the causal order that says so.
    causally: bool,
}

fn lost_writes<'a>(
    operations: &[&'a Operation],
    read: &'a Operation,
    initial: &Value,
) -> Option<Lost<'a>> {
    let mut found = replaced(operations, read, initial)?;
    if let Some(instead) = found.instead {
        found.writes.retain(|write| instead.precedes(write));
    }
    (!found.writes.is_empty()).then_some(found)
}

/// The acknowledged writes that the read does not return, and the one that it returns instead; nothing
/// if the value is nobody's.
fn replaced<'a>(
    operations: &[&'a Operation],
    read: &'a Operation,
    initial: &Value,
) -> Option<Lost<'a>> {
    let value = &read.result;
    let instead = operations
        .iter()
        .filter(|writer| writer.outcome != Outcome::Fail && left(writer) == Some(value))
        .max_by_key(|writer| writer.effect_by());
    if instead.is_none() && value != initial {
        return None;
    }
    let others = operations.iter().filter(|write| {
        is_acknowledged_change(write)
            && write.precedes(read)
            && instead.is_none_or(|instead| instead.id != write.id)
    });
    Some(Lost {
        writes: others.copied().collect(),
        read,
        instead: instead.copied(),
        causally: false,
    })
}

fn lost_elements<'a>(operations: &[&'a Operation], read: &'a Operation) -> Option<Lost<'a>> {
    let mut found: Vec<&Value> = read.result.as_list().unwrap_or_default().iter().collect();
    let mut removed: Vec<&Value> = operations
        .iter()
        .filter(|remove| remove.function == "remove" && remove.outcome != Outcome::Fail)
        .map(|remove| &remove.argument)
        .collect();
    found.sort_unstable();
    removed.sort_unstable();
    let is_lost = |add: &&&Operation| {
        add.is_ok()
            && add.function == "add"
            && add.precedes(read)
            && found.binary_search(&&add.argument).is_err()
            && removed.binary_search(&&add.argument).is_err()
    };
    let writes: Vec<&Operation> = operations.iter().filter(is_lost).copied().collect();
    (!writes.is_empty()).then_some(Lost { writes, read, instead: None, causally: false })
}

impl Lost<'_> {
    fn anomaly(&self, key: &SmolStr) -> Anomaly {
        let Self { writes, read, instead, causally } = self;
        let first = writes[0];
        let what = match writes.as_slice() {
            [only] => format!("{}{} was", noun(only), of(only)),
            writes => {
                let values: Vec<String> =
                    writes.iter().map(|write| short(&write.argument)).collect();
                let kind = count(writes.len(), &first.function);
                format!("{kind}{} ({}) were", of(first), list(&values))
            }
        };
        let last = done_at(writes[writes.len() - 1]);
        let (found, at) = (short(&read.result), done_at(read));
        let why = match instead {
            Some(_) if *causally => {
                let replica = if writes.len() == 1 { "its replica" } else { "their replicas" };
                format!("returned {found}, which {replica} had applied before")
            }
            Some(instead) => format!(
                "returned {found}, whose {} had completed at {}, before",
                instead.function,
                done_at(instead)
            ),
            None if first.function == "add" => format!("did not find {}", it(writes.len())),
            None => format!("returned {found}, the initial value"),
        };
        let operations = writes.iter().take(20).chain([read]).chain(instead);
        let mut operations: Vec<u64> = operations.map(|operation| operation.id).collect();
        operations.sort_unstable();
        Anomaly {
            explanation: format!("{what} acknowledged by {last}, but the final read at {at} {why}"),
            operations,
            key: Some(key.clone()).filter(|key| !key.is_empty()),
            at_ns: Some(read.complete.ns),
            ..Anomaly::default()
        }
    }
}

fn it(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

#[cfg(test)]
mod tests {
    use super::GUARANTEE;
    use crate::story::Case;

    #[test]
    fn of_writes_that_overlap_either_may_be_the_last() {
        Case::new(
            "register",
            "p1 write k 1 10..20
             p2 write k 2 15..25
             p3 write k 3 30..?
             p4 read  k - 100..110 1",
        )
        .phases(50, 90, 120)
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_write_that_began_after_the_returned_one_was_done_is_lost() {
        Case::new(
            "register",
            "p1 write k 1 10..20
             p2 write k 2 25..35
             p4 read  k - 40..50  2
             p4 read  k - 100..110 1",
        )
        .phases(50, 90, 120)
        .rejected_by(
            &GUARANTEE,
            "write 2 by process 2 of k was acknowledged by 0.035 s, but the final read at \
             0.110 s returned 1, whose write had completed at 0.020 s, before",
        );
    }

    #[test]
    fn the_initial_value_at_the_end_means_that_all_is_lost() {
        Case::new(
            "register",
            "p1 write k 1 10..20
             p4 read  k - 100..110",
        )
        .phases(50, 90, 120)
        .rejected_by(
            &GUARANTEE,
            "write 1 by process 1 of k was acknowledged by 0.020 s, but the final read at \
             0.110 s returned nil, the initial value",
        );
    }

    #[test]
    fn an_object_may_start_anywhere() {
        let case = |result: &'static str| {
            Case::new("register", result).phases(50, 90, 120).initial(0.into())
        };
        case(
            "p1 write k 1 10..20
             p4 read  k - 100..110 0",
        )
        .rejected_by(
            &GUARANTEE,
            "write 1 by process 1 of k was acknowledged by 0.020 s, but the final read at \
             0.110 s returned 0, the initial value",
        );
        case(
            "p1 write k 1 10..20
             p4 read  k - 100..110",
        )
        .accepted_by(&GUARANTEE);
    }

    #[test]
    fn an_acknowledged_element_is_found_at_the_end_unless_it_was_removed() {
        let history = "p1 add    k 1 10..20
                       p2 add    k 2 25..35
                       p3 add    k 3 30..?
                       p3 remove k 1 31..?
                       p4 read   k - 100..110 [2]";
        Case::new("set", history).phases(50, 90, 120).accepted_by(&GUARANTEE);
        let lost = format!("{history}\n p9 add k 4 11..12\n p9 add k 5 13..14");
        Case::new("set", &lost).phases(50, 90, 120).rejected_by(
            &GUARANTEE,
            "2 adds of k (4 and 5) were acknowledged by 0.014 s, but the final read at \
             0.110 s did not find them",
        );
    }

    #[test]
    fn without_a_final_read_or_a_recovery_nothing_can_be_said() {
        Case::new("register", "p1 read k - 10..20")
            .phases(50, 90, 120)
            .unknown_to(&GUARANTEE, "there is neither a final read nor a recovery");
    }
}
