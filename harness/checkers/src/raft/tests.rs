//! Small clusters that keep and break each property.

use wrack_history::{Fact, NodeIndex};

use super::GUARANTEE;
use crate::story::{Case, facts};

const N1: NodeIndex = 0;
const N2: NodeIndex = 1;
const N3: NodeIndex = 2;

fn role(name: &str, epoch: u64) -> Fact {
    Fact::Role { role: name.into(), epoch }
}

fn leader(term: u64) -> Fact {
    role("leader", term)
}

fn appended(index: u64, term: u64) -> Fact {
    other(index, term, 100 * index + term)
}

fn other(index: u64, term: u64, digest: u64) -> Fact {
    Fact::Appended { index, term, digest }
}

fn committed(index: u64, term: u64) -> Fact {
    Fact::Committed { index, term }
}

fn voted(term: u64, candidate: NodeIndex) -> Fact {
    Fact::Voted { term, candidate }
}

fn case(noted: Vec<(NodeIndex, Fact)>) -> Case<'static> {
    let timed = (1..).zip(noted).map(|(ms, (node, fact))| (node, ms, fact));
    Case::new("register", "").facts(facts(timed))
}

fn accepted(noted: Vec<(NodeIndex, Fact)>) {
    case(noted).accepted_by(&GUARANTEE);
}

fn rejected(noted: Vec<(NodeIndex, Fact)>, explanation: &str) {
    case(noted).rejected_by(&GUARANTEE, explanation);
}

/// Term 1: n1 leads, n2 has its entry, and it is committed.
fn first_term() -> Vec<(NodeIndex, Fact)> {
    vec![
        (N1, voted(1, N1)),
        (N2, voted(1, N1)),
        (N1, leader(1)),
        (N1, appended(1, 1)),
        (N2, appended(1, 1)),
        (N1, committed(1, 1)),
    ]
}

fn first_term_then(more: impl IntoIterator<Item = (NodeIndex, Fact)>) -> Vec<(NodeIndex, Fact)> {
    first_term().into_iter().chain(more).collect()
}

#[test]
fn a_change_of_leader_that_keeps_what_is_committed_is_valid() {
    accepted(first_term_then([
        (N1, Fact::Crashed),
        (N2, voted(2, N2)),
        (N3, voted(2, N2)),
        (N2, leader(2)),
        (N2, appended(2, 2)),
        (N3, appended(1, 1)),
        (N3, appended(2, 2)),
        (N2, committed(2, 2)),
        (N2, Fact::Applied { index: 1, digest: 101 }),
        (N1, Fact::Booted { boot: 1 }),
        (N1, Fact::Truncated { from: 2 }),
        (N1, role("follower", 2)),
        (N1, appended(2, 2)),
        (N1, committed(2, 2)),
        (N1, Fact::Applied { index: 1, digest: 101 }),
    ]));
}

#[test]
fn election_safety_two_leaders_in_a_term() {
    rejected(
        first_term_then([(N2, leader(1))]),
        "n1 and n2 were both leaders of term 1, at 0.007 s: election safety (Figure 3, §5.2) is \
         broken",
    );
}

#[test]
fn one_vote_a_term_a_crash_is_no_excuse() {
    rejected(
        vec![
            (N3, voted(4, N1)),
            (N3, Fact::Crashed),
            (N3, Fact::Booted { boot: 1 }),
            (N3, voted(4, N2)),
        ],
        "n3 voted for n1 and for n2 in term 4, at 0.004 s: one vote a term (§5.2) is broken",
    );
}

#[test]
fn leader_append_only_a_leader_cuts_its_log() {
    rejected(
        first_term_then([(N1, Fact::Truncated { from: 1 })]),
        "n1, the leader of term 1, cut its own log at index 1, at 0.007 s: leader append-only \
         (Figure 3, §5.3) is broken",
    );
}

#[test]
fn a_leader_that_crashed_and_lost_its_unsynced_entries_has_cut_nothing() {
    accepted(vec![
        (N1, leader(1)),
        (N1, appended(1, 1)),
        (N1, appended(2, 1)),
        (N1, Fact::Crashed),
        (N1, Fact::Booted { boot: 1 }),
        (N1, Fact::Truncated { from: 2 }),
    ]);
}

#[test]
fn log_matching_one_index_and_term_with_two_entries() {
    rejected(
        first_term_then([(N3, other(1, 1, 7))]),
        "n1 and n3 hold different entries at index 1 of term 1, at 0.007 s: log matching (Figure \
         3, §5.3) is broken",
    );
}

#[test]
fn log_matching_one_entry_with_two_pasts() {
    rejected(
        vec![
            (N1, appended(1, 1)),
            (N1, appended(2, 3)),
            (N2, appended(1, 2)),
            (N2, appended(2, 3)),
        ],
        "n1 and n2 hold the same entry but differ before it at index 2 of term 3, at 0.004 s: log \
         matching (Figure 3, §5.3) is broken",
    );
}

#[test]
fn leader_completeness_a_leader_without_a_committed_entry() {
    rejected(
        first_term_then([(N3, leader(2))]),
        "n3, the leader of term 2, was elected without the entry at index 1 that n1 knew to be \
         committed in term 1, at 0.007 s: leader completeness (Figure 3, §5.4) is broken",
    );
}

/// Figure 8 of the paper: an entry of an earlier term is committed by counting replicas.
#[test]
fn leader_completeness_figure_8() {
    rejected(
        vec![
            (N1, leader(2)),
            (N1, appended(1, 2)),
            (N3, leader(3)),
            (N3, appended(1, 3)),
            (N1, leader(4)),
            (N2, appended(1, 2)),
            (N1, committed(1, 4)),
            (N3, leader(5)),
        ],
        "n3, the leader of term 5, was elected without the entry at index 1 that n1 knew to be \
         committed in term 4, at 0.008 s: leader completeness (Figure 3, §5.4) is broken",
    );
}

#[test]
fn leader_completeness_a_commit_that_becomes_known_late() {
    let mut noted = first_term();
    let commit = noted.pop().expect("it ends with the commit");
    noted.extend([(N3, leader(2)), commit]);
    rejected(
        noted,
        "n3, the leader of term 2, was elected without the entry at index 1 that n1 knew to be \
         committed in term 1, at 0.007 s: leader completeness (Figure 3, §5.4) is broken",
    );
    let mut noted = first_term();
    let commit = noted.pop().expect("it ends with the commit");
    noted.extend([(N2, leader(2)), (N2, appended(2, 2)), commit]);
    accepted(noted);
}

#[test]
fn state_machine_safety_two_entries_applied_at_one_index() {
    rejected(
        vec![
            (N1, leader(1)),
            (N1, Fact::Applied { index: 5, digest: 1 }),
            (N2, Fact::Applied { index: 5, digest: 2 }),
        ],
        "n1 and n2 applied different entries at index 5, at 0.003 s: state machine safety (Figure \
         3, §5.4.3) is broken",
    );
}

#[test]
fn a_commit_of_another_entry_is_an_anomaly() {
    rejected(
        first_term_then([(N3, appended(1, 2)), (N3, committed(1, 2))]),
        "n1 and n3 hold different entries to be committed at index 1 or before, at 0.008 s: one \
         committed entry an index (§5.4.3) is broken",
    );
}

#[test]
fn a_log_that_may_have_come_back_in_two_ways_is_not_held_against_its_node() {
    accepted(vec![
        (N2, leader(1)),
        (N2, appended(1, 1)),
        (N3, appended(1, 1)),
        (N1, leader(2)),
        (N1, appended(1, 2)),
        (N3, Fact::Truncated { from: 1 }),
        (N3, appended(1, 2)),
        (N3, Fact::Crashed),
        (N3, Fact::Booted { boot: 1 }),
        (N3, Fact::Truncated { from: 2 }),
        (N3, committed(1, 2)),
        (N1, committed(1, 2)),
    ]);
}

#[test]
fn no_facts_of_raft_are_unknown() {
    case(vec![]).unknown_to(&GUARANTEE, "no node noted an election or an entry");
}

fn compacted(index: u64, term: u64, digest: u64) -> Fact {
    Fact::Compacted { index, term, digest }
}

fn installed(index: u64, term: u64, digest: u64) -> Fact {
    Fact::Installed { index, term, digest }
}

#[test]
fn a_snapshot_stands_for_what_a_leader_must_have() {
    accepted(first_term_then([
        (N1, appended(2, 1)),
        (N2, appended(2, 1)),
        (N1, committed(2, 1)),
        (N1, compacted(2, 1, 9)),
        (N3, installed(2, 1, 9)),
        (N2, compacted(2, 1, 9)),
        (N3, voted(2, N3)),
        (N3, leader(2)),
        (N3, appended(3, 2)),
        (N2, appended(3, 2)),
        (N3, committed(3, 2)),
        (N3, Fact::Crashed),
        (N3, Fact::Booted { boot: 1 }),
        (N3, installed(2, 1, 9)),
        (N3, Fact::Truncated { from: 4 }),
        (N3, leader(3)),
    ]));
}

#[test]
fn leader_completeness_a_snapshot_that_ends_too_early() {
    rejected(
        first_term_then([
            (N1, appended(2, 1)),
            (N1, committed(2, 1)),
            (N3, installed(1, 1, 9)),
            (N3, leader(2)),
        ]),
        "n3, the leader of term 2, was elected without the entry at index 2 that n1 knew to be \
         committed in term 1, at 0.010 s: leader completeness (Figure 3, §5.4) is broken",
    );
}

#[test]
fn state_machine_safety_two_snapshots_of_one_index() {
    rejected(
        first_term_then([(N1, compacted(1, 1, 8)), (N2, compacted(1, 1, 9))]),
        "n1 and n2 have different snapshots of the state at index 1, at 0.008 s: state machine \
         safety (Figure 3, §5.4.3) is broken",
    );
}
