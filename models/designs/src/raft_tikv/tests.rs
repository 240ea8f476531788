//! The library as we use it, driven by hand on one node.

use ::raft::eraftpb::{Message, MessageType};
use wrack_history::Setting;
use wrack_sim::Design;

use super::{RaftTikv, Rpc};
use crate::bench::{Bench, peers};

/// A candidate whose log is empty asks for a vote.
fn ask(term: u64, from: u64) -> Rpc {
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgRequestVote);
    (message.from, message.to, message.term) = (from, 1, term);
    Rpc(message)
}

/// To whom votes were granted.
fn granted(sent: crate::bench::Sent<RaftTikv>) -> Vec<u64> {
    let votes = peers(sent).into_iter().map(|(_, Rpc(message))| message);
    let vote = |message: &Message| {
        message.get_msg_type() == MessageType::MsgRequestVoteResponse && !message.reject
    };
    votes.filter(vote).map(|message| message.to).collect()
}

#[test]
fn a_vote_is_answered_only_once_it_is_durable() {
    let mut bench = Bench::<RaftTikv>::new("reference", 0);
    assert!(granted(bench.receive(1, ask(1, 2))).is_empty());
    assert_eq!(granted(bench.synced()), [2]);
}

#[test]
fn a_vote_that_overtakes_the_disk_is_given_twice() {
    for (variant, again) in [("reference", vec![]), ("send_before_sync", vec![3])] {
        let mut bench = Bench::<RaftTikv>::new(variant, 0);
        let mut first = bench.receive(1, ask(1, 2));
        if variant == "reference" {
            first.extend(bench.synced());
        }
        assert_eq!(granted(first), [2], "{variant}");
        bench.restart();
        let mut second = bench.receive(2, ask(1, 3));
        second.extend(bench.synced());
        assert_eq!(granted(second), again, "{variant}");
    }
}

#[test]
fn every_variant_boots_without_check_quorum() {
    for variant in RaftTikv::INFO.variants {
        let parameters = [("check_quorum", Setting::Flag(false))];
        let mut bench = Bench::<RaftTikv>::with(variant.name, 0, &parameters);
        let mut answer = bench.receive(1, ask(1, 2));
        answer.extend(bench.synced());
        assert_eq!(granted(answer), [2], "{}", variant.name);
    }
}

#[test]
fn a_message_survives_its_own_form() {
    let bytes = postcard(&ask(7, 2));
    assert_eq!(format!("{bytes:?}"), "MsgRequestVote { term: 7 }");
}

/// There and back through a codec.
fn postcard(rpc: &Rpc) -> Rpc {
    let mut bytes = Vec::new();
    wrack_sim::disk::frame(rpc, &mut bytes);
    wrack_sim::disk::read(&bytes).expect("it is whole")
}
