use wrack_history::Verdict;

use super::GUARANTEE;
use crate::story::Case;

const APPENDS: &str = "p1 append k a 1..2 0
                       p1 append k b 3..4 1
                       p1 append k c 5..6 2";

fn history(polls: &str) -> String {
    format!("{APPENDS}\n{polls}")
}

fn accepted(polls: &str) {
    Case::new("log", &history(polls)).accepted_by(&GUARANTEE);
}

fn rejected(polls: &str, explanation: &str) {
    Case::new("log", &history(polls)).rejected_by(&GUARANTEE, explanation);
}

#[test]
fn entries_that_are_handed_out_in_order_are_valid() {
    accepted(
        "p2 poll k - 10..11 [[0,a],[1,b]]
         p2 poll k - 12..13 []
         p2 poll k - 14..15 [[2,c]]
         p3 read k 1 16..17 [b,c]
         p3 read k - 16..17 [a,b]",
    );
    accepted("p2 poll - - 10..11 [[k,[[0,a],[1,b]]],[other,[]]]");
    accepted(
        "p2 poll   k - 10..11 [[0,a],[1,b]]
         p2 assign k - 12..13
         p2 poll   k - 14..15 [[0,a],[1,b],[2,c]]",
    );
    accepted(
        "p4 append k d 7..?
         p2 poll   k - 10..11 [[0,a],[1,b],[2,c],[3,d]]",
    );
}

#[test]
fn an_acknowledged_entry_that_is_never_handed_out_is_lost_if_one_behind_it_is() {
    accepted("p2 poll k - 10..11 [[0,a],[1,b]]");
    rejected(
        "p2 poll k - 10..11 [[1,b],[2,c]]",
        "lost: append \"a\" by process 1 to k was acknowledged at 0.002 s, but no read ever found it; \
         process 2 found entries behind it at 0.011 s",
    );
    rejected(
        "p4 append k d 7..8
         p2 read k - 10..11 [a,b,c]",
        "lost: append \"d\" by process 4 to k was acknowledged at 0.008 s, but no read ever found it; \
         process 2 found the whole log at 0.011 s",
    );
}

#[test]
fn an_acknowledged_entry_that_nobody_reads_far_enough_to_see_is_counted_and_no_anomaly() {
    let unseen = |polls: &str| {
        let history = history(polls);
        let judgement = Case::new("log", &history).judge(&GUARANTEE);
        (judgement.verdict, judgement.examined["entries unseen"])
    };
    assert_eq!(unseen("p2 poll k - 10..11 [[0,a]]"), (Verdict::Valid, 2));
    assert_eq!(unseen("p2 poll k - 10..11 [[0,a]]\np2 poll k - 12..13 []"), (Verdict::Valid, 2));
    assert_eq!(unseen("p2 poll k - 10..11 [[0,a],[1,b],[2,c]]"), (Verdict::Valid, 0));
    // What is lost is an anomaly, and not counted here.
    assert_eq!(unseen("p2 poll k - 10..11 [[0,a],[2,c]]"), (Verdict::Invalid, 0));
}

#[test]
fn an_entry_at_two_offsets_is_duplicated_and_two_at_one_are_a_conflict() {
    rejected(
        "p2 poll k - 10..11 [[0,a],[1,b],[2,c],[3,a]]",
        "duplicated: \"a\" was appended to k once, but process 1 learned of it at offset 0 at 0.002 s \
         and process 2 at offset 3 at 0.011 s",
    );
    rejected(
        "p4 append k d 7..?
         p2 poll k - 10..11 [[0,a],[1,d],[2,c]]",
        "conflict: at offset 1 of k process 1 learned of \"b\" at 0.004 s and process 2 of \"d\" at \
         0.011 s",
    );
}

#[test]
fn an_entry_that_nobody_appended_is_a_phantom() {
    rejected(
        "p2 poll k - 10..11 [[0,a],[1,b],[2,c],[3,z]]",
        "phantom: process 2 was handed \"z\" at offset 3 of k at 0.011 s, which nobody ever appended",
    );
    rejected(
        "p3 append k z 6..7 fail
         p2 poll k - 10..11 [[0,a],[1,b],[2,c],[3,z]]",
        "phantom: process 2 was handed \"z\" at offset 3 of k at 0.011 s, whose append had failed",
    );
}

#[test]
fn polls_go_forward_and_pass_over_nothing() {
    rejected(
        "p2 poll k - 10..11 [[0,a],[1,b]]
         p2 poll k - 12..13 [[1,b],[2,c]]",
        "reordered: process 2 was handed offset 1 of k at 0.013 s, after offset 1 at 0.011 s",
    );
    rejected(
        "p2 poll k - 10..11 [[0,a],[2,c]]
         p3 poll k - 12..13 [[0,a],[1,b]]",
        "skipped: process 2 was handed offset 2 of k at 0.011 s, after offset 0 at 0.011 s, and so \
         passed over \"b\" at offset 1",
    );
    accepted(
        "p2 poll k - 10..11 [[0,a],[1,b]]
         p2 poll k - 12..13 [[2,c]]
         p4 append k d 14..15 7
         p2 poll k - 16..17 [[7,d]]",
    );
}

#[test]
fn without_entries_nothing_can_be_said() {
    Case::new("log", APPENDS).unknown_to(&GUARANTEE, "no entry was handed out");
    let strange = "p1 append k a 1..2 x\n p2 poll k 7 3..4 [7,[1],[k,[3]],[9223372036854775807,a]]";
    let judgement = Case::new("log", strange).judge(&GUARANTEE);
    assert!(judgement.anomalies.is_empty());
    let far = "p1 append k a 1..2\n p2 read k 9223372036854775807 3..4 [a,a]";
    Case::new("log", far).accepted_by(&GUARANTEE);
}
