//! The rules of the paper, each driven by hand on one node: messages in, effects out.

use wrack_history::duration::MILLISECOND;
use wrack_history::{Fact, Setting};
use wrack_sim::Disk;
use wrack_sim::chance::Purpose;
use wrack_sim::node::{Context, Effect, Effects, LazyStream};

use super::info::names;
use super::message::{Append, Ask, Ballot, Command, Content, Entry, Install, RequestVote};
use super::snapshot::State;
use super::*;

/// One node with its disk, whose syncs come back when the test says so.
struct Bench {
    node: Raft,
    disk: Disk,
    stream: LazyStream,
    cluster: Cluster,
    facts: Vec<Fact>,
    tags: Vec<u64>,
    /// The monotonic and the wall clock.
    clocks: (u64, u64),
}

fn cluster(variant: &str) -> Cluster {
    let settings = wrack_history::catalogue::defaults(INFO.parameters)
        .with("pre_vote", Setting::Flag(false))
        .with("snapshot_every", Setting::Integer(4));
    Cluster { names: names(&settings), settings, variant: variant.into() }
}

impl Bench {
    fn new(variant: &str) -> Self {
        Self::of(cluster(variant))
    }

    /// A reference whose parameter is this.
    fn with(name: &str, setting: Setting) -> Self {
        let Cluster { names, settings, variant } = cluster("reference");
        Self::of(Cluster { names, settings: settings.with(name, setting), variant })
    }

    fn of(cluster: Cluster) -> Self {
        let mut bench = Self {
            node: Raft::new(&cluster, NodeId(0)),
            disk: Disk::default(),
            stream: LazyStream::new(1, Purpose::Node, 0, 0),
            cluster,
            facts: Vec::new(),
            tags: Vec::new(),
            clocks: (0, 0),
        };
        bench.call(|node, cx| node.start(cx));
        bench
    }

    /// A callback; gives the messages that it sent to other nodes.
    fn call(&mut self, act: impl FnOnce(&mut Raft, &mut Cx<'_, Raft>)) -> Vec<(NodeId, Rpc)> {
        let mut effects = Effects::default();
        let mut cx =
            Context::new(NodeId(0), self.clocks, &mut self.stream, &self.disk, &mut effects);
        act(&mut self.node, &mut cx);
        let mut sent = Vec::new();
        for effect in effects.list {
            match effect {
                Effect::Send { to, message } => match effects.messages.take(message) {
                    Wire::Peer(rpc) => sent.push((to, rpc)),
                    Wire::Request(_) | Wire::Response(_) => {}
                },
                Effect::Append(range) => {
                    self.disk.append(&effects.bytes[range.start as usize..range.end as usize]);
                }
                Effect::Put(cell, range) => {
                    self.disk.put(cell, &effects.bytes[range.start as usize..range.end as usize]);
                }
                Effect::Discard(records) => self.disk.discard(records),
                Effect::Sync { tag } => self.tags.push(tag),
                _ => {}
            }
        }
        self.facts.extend(effects.facts.into_rest());
        sent
    }

    fn receive(&mut self, from: u16, rpc: Rpc) -> Vec<(NodeId, Rpc)> {
        self.call(|node, cx| node.on_message(NodeId(from), Wire::Peer(rpc), cx))
    }

    /// All syncs come back.
    fn synced(&mut self) -> Vec<(NodeId, Rpc)> {
        let point = self.disk.sync_point();
        self.disk.make_durable(point);
        let tags = std::mem::take(&mut self.tags);
        tags.into_iter().flat_map(|tag| self.call(|n, cx| n.on_synced(tag, Ok(()), cx))).collect()
    }

    /// The node loses its memory, and what its disk had not synced.
    fn restart(&mut self) {
        self.disk.crash(wrack_sim::disk::CrashTail::default());
        self.tags.clear();
        self.node = Raft::new(&self.cluster, NodeId(0));
        self.call(|node, cx| node.start(cx));
    }

    /// A leader of `term` writes these terms into the log, from index 1 on.
    fn fill(&mut self, terms: &[u64]) {
        let last = *terms.last().expect("there is an entry");
        let entries = terms.iter().map(|term| Entry::empty(*term)).collect();
        self.receive(1, append(last, (0, 0), entries, 0));
        self.synced();
    }

    fn terms(&self) -> Vec<u64> {
        let log = &self.node.log;
        (log.base() + 1..=log.last_index()).map(|index| log.entry(index).term).collect()
    }
}

fn append(
    term: u64,
    (previous_index, previous_term): (u64, u64),
    entries: Vec<Entry>,
    commit: u64,
) -> Rpc {
    let entries = (!entries.is_empty()).then(|| entries.into());
    Rpc::Append(Append { term, previous_index, previous_term, entries, commit, round: 1 })
}

fn ask(term: u64, last_index: u64, last_term: u64) -> Rpc {
    Rpc::RequestVote(RequestVote { ask: Ask::Vote, term, last_index, last_term })
}

fn granted(answer: &[(NodeId, Rpc)]) -> bool {
    matches!(answer, [(_, Rpc::Vote(Ballot { granted: true, .. }))])
}

/// Figure 2, RequestVote: a vote is on stable storage before it is answered.
#[test]
fn a_vote_is_answered_only_once_it_is_durable() {
    let mut bench = Bench::new("reference");
    assert!(bench.receive(1, ask(1, 0, 0)).is_empty());
    assert!(granted(&bench.synced()));
}

/// §5.2: at most one candidate gets the vote of a term, even if the voter restarts in between.
#[test]
fn a_restarted_node_does_not_vote_twice_in_a_term() {
    for (variant, twice) in [("reference", false), ("vote_volatile", true)] {
        let mut bench = Bench::new(variant);
        bench.receive(1, ask(1, 0, 0));
        assert!(granted(&bench.synced()));
        bench.restart();
        let mut answer = bench.receive(2, ask(1, 0, 0));
        answer.extend(bench.synced());
        assert_eq!(granted(&answer), twice, "{variant}");
    }
}

/// §5.4.1: a candidate whose log is behind gets no vote: first by the last term, then by length.
#[test]
fn a_candidate_with_an_older_log_gets_no_vote() {
    for (last_index, last_term, expected) in
        [(3, 2, true), (2, 2, false), (9, 1, false), (1, 3, true)]
    {
        let mut bench = Bench::new("reference");
        bench.fill(&[1, 1, 2]);
        let mut answer = bench.receive(2, ask(5, last_index, last_term));
        answer.extend(bench.synced());
        assert_eq!(granted(&answer), expected, "{last_index} {last_term}");
    }
}

/// Figure 7: whatever a follower's log looks like, the leader brings it to its own.
///
/// ```text
/// leader 1 1 1 4 4 5 5 6 6 6
///   (a)  1 1 1 4 4 5 5 6 6            (d)  1 1 1 4 4 5 5 6 6 6 7 7
///   (b)  1 1 1 4                      (e)  1 1 1 4 4 4 4
///   (c)  1 1 1 4 4 5 5 6 6 6 6        (f)  1 1 1 2 2 2 3 3 3 3 3
/// ```
#[test]
fn figure_7_a_leader_repairs_every_follower() {
    let leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for log in followers {
        let mut bench = Bench::new("reference");
        bench.fill(log);
        let mut next = leader.len() + 1;
        for step in 0.. {
            assert!(step < 10, "{log:?} is repaired in a few steps");
            let previous = next - 1;
            let previous_term = if previous == 0 { 0 } else { leader[previous - 1] };
            let mut entries = leader[previous..].to_vec();
            entries.push(8);
            let entries = entries.iter().map(|term| Entry::empty(*term)).collect();
            let message = append(8, (previous as u64, previous_term), entries, 0);
            let mut answers = bench.receive(2, message);
            answers.extend(bench.synced());
            match answers.last() {
                Some((_, Rpc::Appended { success: true, index, .. })) => {
                    assert_eq!(*index, 11);
                    break;
                }
                Some((_, Rpc::Appended { success: false, index, .. })) => {
                    assert!((*index as usize) < previous);
                    next = *index as usize + 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.terms(), [&leader[..], &[8]].concat());
    }
}

/// §5.3: an old message of the same leader never shortens the log.
#[test]
fn a_late_append_does_not_cut_what_a_newer_one_brought() {
    for (variant, expected) in [("reference", 3), ("truncate_committed", 1)] {
        let mut bench = Bench::new(variant);
        bench.fill(&[1, 1, 1]);
        bench.receive(1, append(1, (0, 0), vec![Entry::empty(1)], 0));
        assert_eq!(bench.terms().len(), expected, "{variant}");
    }
}

fn ballot(ask: Ask, term: u64) -> Rpc {
    Rpc::Vote(Ballot { ask, term, granted: true })
}

fn elected(variant: &str, log: &[u64]) -> Bench {
    let mut bench = Bench::new(variant);
    if !log.is_empty() {
        bench.fill(log);
    }
    elect(bench)
}

fn elect(mut bench: Bench) -> Bench {
    bench.call(|node, cx| node.on_timer(Timer::Election, cx));
    bench.synced();
    let term = bench.node.hard.term;
    bench.receive(2, ballot(Ask::Vote, term));
    bench.receive(3, ballot(Ask::Vote, term));
    assert!(bench.node.leads());
    bench.synced();
    bench
}

/// Figure 8: an entry of an earlier term is not committed by counting replicas, only by an entry of
/// the leader's own term behind it (§5.4.2). Terms of log entries; a star is who leads:
///
/// ```text
///          (a)       (b)       (c)         (d)       (e)
///   S1   * 1 2       1 2     * 1 2 4       1 3     * 1 2 4
///   S2     1 2       1 2       1 2         1 3       1 2 4
///   S3     1         1         1 2         1 3       1 2 4
///   S4     1         1         1           1 3       1
///   S5     1       * 1 3       1 3       * 1 3       1 3
/// ```
/// (a) S1 leads term 2 and reaches S2 alone. (b) S5 is elected for term 3 by S3 and S4. (c) S1 is elected
/// for term 4, and brings its entry of term 2 to S3: a majority has it, and it is not committed. For S1 may
/// crash now, and S2, S3 and S4 may elect S5, which overwrites it (d). Once S1 has its entry of term 4 on a
/// majority (e), nobody there votes for S5, and both entries are committed.
#[test]
fn figure_8_an_entry_of_an_earlier_term_is_not_committed_by_counting() {
    for (variant, expected) in [("reference", 0), ("commit_prior_term", 2)] {
        let mut bench = Bench::new(variant);
        bench.fill(&[1, 2]);
        bench.receive(4, ask(3, 1, 1));
        let mut bench = elect(bench);
        assert_eq!(bench.terms(), [1, 2, 4]);
        let stored = |index| Rpc::Appended { term: 4, success: true, index, round: 0 };
        for follower in [1, 2] {
            bench.receive(follower, stored(2));
        }
        assert_eq!(bench.node.commit, expected, "(c), {variant}");
        for follower in [1, 2] {
            bench.receive(follower, stored(3));
        }
        assert_eq!(bench.node.commit, 3, "(e), {variant}");
    }
    for (log, votes_for_s5) in [(&[1, 2][..], true), (&[1, 2, 4], false)] {
        let mut s3 = Bench::new("reference");
        s3.fill(log);
        let mut answer = s3.receive(4, ask(5, 2, 3));
        answer.extend(s3.synced());
        assert_eq!(granted(&answer), votes_for_s5, "{log:?}");
    }
}

/// What an append carries: the index before its entries, and how many they are.
fn carried(rpc: &Rpc) -> (u64, usize) {
    match rpc {
        Rpc::Append(append) => {
            (append.previous_index, append.entries.as_ref().map_or(0, |entries| entries.len()))
        }
        other => panic!("{other:?}"),
    }
}

/// Thesis §10.2.2, pipelining: a leader sends the next entry without waiting for an answer to the last.
#[test]
fn a_leader_sends_the_second_command_before_the_first_is_answered() {
    let mut bench = elected("reference", &[]);
    let command = |number| {
        let Wire::Request(request) = read_request() else { unreachable!("it is a request") };
        let request = Request { function: "add".into(), number, ..(*request).clone() };
        Wire::Request(request.into())
    };
    let mut sent = Vec::new();
    for number in [1, 2] {
        sent.extend(bench.call(|node, cx| node.on_message(NodeId(9), command(number), cx)));
    }
    for follower in (1..5).map(NodeId) {
        let to_it = sent.iter().filter(|(to, _)| *to == follower);
        let appends: Vec<_> = to_it.map(|(_, rpc)| carried(rpc)).collect();
        assert_eq!(appends, [(1, 1), (2, 1)], "{follower:?}");
    }
}

/// Thesis §10.2.2, batching: a follower that lags is sent up to `batch` entries in one message, and the
/// next ones when it has those.
#[test]
fn a_follower_that_lags_is_sent_batches() {
    for (batch, expected) in [(1, &[1, 1, 1][..]), (2, &[2, 1]), (64, &[3])] {
        let mut bench = Bench::with("batch", Setting::Integer(batch));
        bench.fill(&[1, 1]);
        let mut bench = elect(bench);
        let term = bench.node.hard.term;
        let mut answer = Rpc::Appended { term, success: false, index: 0, round: 0 };
        let mut batches = Vec::new();
        while let [(NodeId(1), rpc)] = &bench.receive(1, answer)[..] {
            let (previous, entries) = carried(rpc);
            batches.push(entries);
            let index = previous + entries as u64;
            answer = Rpc::Appended { term, success: true, index, round: 0 };
        }
        assert_eq!(batches, expected, "batches of {batch}");
    }
}

/// Thesis §10.2.1: a leader that has sent an entry counts itself only once its disk has it.
#[test]
fn a_leader_counts_itself_only_once_its_disk_has_the_entry() {
    let mut bench = elected("reference", &[]);
    let term = bench.node.hard.term;
    bench.call(|node, cx| node.append_as_leader(Entry::empty(term), cx));
    bench.call(|node, cx| node.flush(cx));
    for follower in [1, 2] {
        bench.receive(follower, Rpc::Appended { term, success: true, index: 2, round: 0 });
    }
    assert_eq!(bench.node.commit, 1, "two of five have it on disk, and the leader's first entry");
    bench.synced();
    assert_eq!(bench.node.commit, 2);
}

fn read_request() -> Wire<Rpc> {
    Wire::Request(std::sync::Arc::new(Request {
        tag: wrack_sim::Tag::of(0),
        client: NodeId(9),
        number: 0,
        idempotency: None,
        key: "k".into(),
        function: "read".into(),
        argument: wrack_history::Value::Nil,
    }))
}

/// Thesis §6.4: a read is answered when a majority answered a round that began after it arrived.
#[test]
fn a_read_waits_for_a_majority_that_still_follows() {
    let mut bench = elected("reference", &[]);
    let term = bench.node.hard.term;
    for follower in [1, 2] {
        bench.receive(follower, Rpc::Appended { term, success: true, index: 1, round: 0 });
    }
    let sent = bench.call(|node, cx| node.on_message(NodeId(9), read_request(), cx));
    let Some((_, Rpc::Append(Append { round, .. }))) = sent.first() else { panic!("{sent:?}") };
    let answer = |round| Rpc::Appended { term, success: true, index: 1, round };
    bench.receive(1, answer(*round));
    assert_eq!(bench.node.reads.waiting(), 1);
    bench.receive(2, answer(*round - 1));
    assert_eq!(bench.node.reads.waiting(), 1);
    bench.receive(2, answer(*round));
    assert_eq!(bench.node.reads.waiting(), 0);
}

/// §5.1: a deposed leader steps down as soon as it sees a higher term.
#[test]
fn a_higher_term_makes_a_follower_of_a_leader() {
    let mut bench = elected("reference", &[]);
    let term = bench.node.hard.term;
    bench.receive(1, append(term + 1, (0, 0), vec![], 0));
    assert!(!bench.node.leads());
    assert_eq!(bench.node.hard.term, term + 1);
    assert!(bench.facts.contains(&Fact::Role { role: "follower".into(), epoch: term + 1 }));
}

/// A log that was cut and grew again is not durable because an older sync comes back.
#[test]
fn a_sync_does_not_vouch_for_entries_that_came_after_it() {
    let mut bench = Bench::new("reference");
    bench.receive(1, append(1, (0, 0), vec![Entry::empty(1)], 0));
    let first = bench.tags.len();
    bench.receive(2, append(2, (0, 0), vec![Entry::empty(2)], 0));
    let tags = bench.tags.clone();
    for tag in &tags[..first] {
        bench.call(|node, cx| node.on_synced(*tag, Ok(()), cx));
    }
    assert_eq!(bench.node.log.durable(), 0);
    bench.synced();
    assert_eq!(bench.node.log.durable(), 1);
}

/// Thesis §5.1: a snapshot that is durable replaces the log before it, in memory and on disk; a node
/// that boots goes on from there.
#[test]
fn a_snapshot_replaces_the_log_before_it() {
    let mut bench = Bench::new("reference");
    let entries = || vec![Entry::empty(1); 6];
    bench.receive(1, append(1, (0, 0), entries(), 5));
    assert_eq!(bench.node.log.base(), 0, "the snapshot of four entries is not durable yet");
    bench.synced();
    assert_eq!((bench.node.log.base(), bench.node.log.last_index()), (4, 6));
    assert_eq!(bench.disk.len(), 0, "the checkpoint holds the end of the log, too");
    bench.receive(1, append(1, (6, 1), vec![Entry::empty(1)], 5));
    bench.synced();
    bench.restart();
    assert_eq!((bench.node.hard.term, bench.node.commit), (1, 4));
    assert_eq!((bench.node.log.base(), bench.node.log.last_index()), (4, 7));
    bench.receive(1, append(1, (0, 0), entries(), 7));
    assert_eq!(bench.node.commit, 6, "what the snapshot stands for is not looked at again");
}

fn install(term: u64, (index, of): (u64, u64)) -> Rpc {
    let state = State(Machine::new(true).encode(true).into());
    let members = (0..5).map(NodeId).collect();
    let snapshot = Snapshot { index, term: of, members, state };
    Rpc::Install(Install { term, snapshot, round: 1 })
}

/// Figure 13: a snapshot replaces a log that lacks its last entry, and keeps what is behind that
/// entry in one that has it; an old one does nothing.
#[test]
fn figure_13_a_snapshot_replaces_what_a_follower_lacks() {
    for (log, snapshot, base, last) in
        [(&[1, 1][..], (7, 2), 7, 7), (&[1, 1, 1, 1, 1], (3, 2), 3, 3), (&[1, 1, 2], (2, 1), 0, 3)]
    {
        let mut bench = Bench::new("reference");
        bench.fill(log);
        assert!(bench.receive(1, install(3, snapshot)).is_empty(), "it is not durable yet");
        let answer = bench.synced();
        let index = snapshot.0;
        assert!(
            matches!(answer[..], [(_, Rpc::Appended { success: true, index: i, .. })] if i == index)
        );
        assert_eq!((bench.node.log.base(), bench.node.log.last_index()), (base, last), "{log:?}");
        assert_eq!((bench.node.commit, bench.node.machine.applied()), (index, index));
        bench.receive(1, install(3, (1, 1)));
        assert_eq!(bench.node.commit, index);
    }
}

/// §7: a leader whose log begins too late sends its snapshot.
#[test]
fn a_leader_sends_its_snapshot_to_whom_its_log_cannot_help() {
    let mut bench = elected("reference", &[1, 1, 1, 1, 1]);
    let term = bench.node.hard.term;
    for follower in [1, 2] {
        bench.receive(follower, Rpc::Appended { term, success: true, index: 6, round: 0 });
    }
    bench.call(|node, cx| node.flush(cx));
    bench.synced();
    assert_eq!(bench.node.log.base(), 4);
    let refused = Rpc::Appended { term, success: false, index: 2, round: 0 };
    let sent = bench.receive(3, refused);
    let [(_, Rpc::Install(Install { snapshot, .. }))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((snapshot.index, snapshot.term), (4, 1));
}

/// Thesis §9.6: a node that nobody would vote for keeps its term; one that a majority would vote for
/// stands for election.
#[test]
fn a_node_asks_before_it_stands_for_election() {
    let mut bench = Bench::with("pre_vote", Setting::Flag(true));
    for _ in 0..3 {
        let sent = bench.call(|node, cx| node.on_timer(Timer::Election, cx));
        let before = |rpc: &Rpc| matches!(rpc, Rpc::RequestVote(r) if r.ask == Ask::Before);
        assert!(sent.len() == 4 && sent.iter().all(|(_, rpc)| before(rpc)), "{sent:?}");
        assert_eq!(bench.node.hard.term, 0);
    }
    bench.receive(1, ballot(Ask::Before, 1));
    assert_eq!(bench.node.hard.term, 0);
    bench.receive(2, ballot(Ask::Before, 1));
    assert_eq!(bench.node.hard.term, 1);
    let sent = bench.synced();
    assert!(matches!(sent[0].1, Rpc::RequestVote(r) if r.ask == Ask::Vote && r.term == 1));
    bench.receive(3, ballot(Ask::Before, 1));
    bench.receive(4, ballot(Ask::Before, 1));
    assert!(!bench.node.leads(), "a promise is no vote");
}

/// Thesis §4.2.3: who hears a leader does not even look at a higher term; but for one that the leader
/// wants (§3.10).
#[test]
fn nobody_votes_while_a_leader_is_heard() {
    let request = |ask| Rpc::RequestVote(RequestVote { ask, term: 5, last_index: 9, last_term: 2 });
    let mut bench = Bench::with("pre_vote", Setting::Flag(true));
    bench.fill(&[1, 1]);
    for ask in [Ask::Before, Ask::Vote] {
        assert!(bench.receive(2, request(ask)).is_empty());
    }
    assert_eq!(bench.node.hard.term, 1);
    bench.clocks.0 += 151 * MILLISECOND;
    let promised = bench.receive(2, request(Ask::Before));
    assert!(granted(&promised));
    assert_eq!(bench.node.hard.term, 1);
    bench.clocks.0 = 0;
    bench.receive(2, request(Ask::Transfer));
    assert!(granted(&bench.synced()));
}

/// Thesis §6.2: a leader that a majority does not answer for an election timeout steps down.
#[test]
fn a_leader_without_followers_steps_down() {
    let mut bench = elected("reference", &[]);
    let term = bench.node.hard.term;
    for _ in 0..2 {
        for follower in [1, 2] {
            bench.receive(follower, Rpc::Appended { term, success: true, index: 1, round: 0 });
        }
        bench.call(|node, cx| node.on_timer(Timer::Election, cx));
        assert!(bench.node.leads());
    }
    bench.receive(1, Rpc::Appended { term, success: true, index: 1, round: 0 });
    bench.call(|node, cx| node.on_timer(Timer::Election, cx));
    assert!(!bench.node.leads());
    assert_eq!(bench.node.hard.term, term);
}

/// Thesis §3.10: a leader hands over once its successor has the whole log, and takes no commands
/// until then; the successor stands at once.
#[test]
fn a_leader_hands_over_to_whom_has_the_whole_log() {
    let every = Setting::Duration(1_000 * MILLISECOND);
    let mut bench = elect(Bench::with("transfer_every", every));
    let term = bench.node.hard.term;
    let stored = |index| Rpc::Appended { term, success: true, index, round: 0 };
    bench.receive(3, stored(0));
    let sent = bench.call(|node, cx| node.on_timer(Timer::Transfer, cx));
    assert!(sent.is_empty(), "n4 lacks the first entry of the term");
    let sent = bench.receive(3, stored(1));
    assert!(matches!(sent[..], [(NodeId(3), Rpc::TimeoutNow { term: 1 })]), "{sent:?}");

    let mut successor = Bench::with("pre_vote", Setting::Flag(true));
    successor.receive(1, append(term, (0, 0), vec![Entry::empty(term)], 0));
    successor.synced();
    successor.receive(1, Rpc::TimeoutNow { term });
    let sent = successor.synced();
    assert!(
        matches!(sent[0].1, Rpc::RequestVote(r) if r.ask == Ask::Transfer && r.term == term + 1)
    );
}

/// Thesis §6.4.1: a lease lasts for the shortest election timeout from when its round began, less the
/// guard; without a guard it lasts as long as the wall clock says from when the answers came.
#[test]
fn a_lease_ends_before_anybody_else_can_lead() {
    for (variant, at_ms, wall_ms, answered) in [
        ("reference", 100, 100, true),
        ("reference", 134, 134, true),
        ("reference", 135, 0, false),
        ("lease_no_guard", 189, 189, true),
        ("lease_no_guard", 1_000, 0, true),
    ] {
        let Cluster { names, settings, .. } = cluster("reference");
        let settings = settings.with("reads", Setting::Choice("lease".into()));
        let mut bench = elect(Bench::of(Cluster { names, settings, variant: variant.into() }));
        let term = bench.node.hard.term;
        let stored = |round| Rpc::Appended { term, success: true, index: 1, round };
        bench.receive(1, stored(0));
        bench.receive(2, stored(0));
        bench.call(|node, cx| node.on_timer(Timer::Heartbeat, cx));
        bench.clocks = (40 * MILLISECOND, 40 * MILLISECOND);
        let round = bench.node.reads.round();
        bench.receive(1, stored(round));
        bench.receive(2, stored(round));
        bench.clocks = (at_ms * MILLISECOND, wall_ms * MILLISECOND);
        bench.call(|node, cx| node.on_message(NodeId(9), read_request(), cx));
        assert_eq!(bench.node.reads.waiting() == 0, answered, "{variant} at {at_ms} ms");
    }
}

/// §7: a snapshot that comes late finds a follower that knows more, and changes nothing.
#[test]
fn a_late_snapshot_does_not_throw_a_follower_back() {
    for (variant, last) in [("reference", 9), ("install_older_snapshot", 3)] {
        let mut bench = Bench::new(variant);
        bench.receive(1, install(2, (7, 2)));
        bench.receive(1, append(2, (7, 2), vec![Entry::empty(2); 2], 9));
        bench.synced();
        bench.receive(1, install(2, (3, 2)));
        assert_eq!(bench.node.log.last_index(), last, "{variant}");
    }
}

/// Thesis §6.3: whoever starts from a snapshot recognises a retry as the others do.
#[test]
fn a_snapshot_remembers_the_sessions_of_clients() {
    for (variant, adds) in [("reference", 1), ("snapshot_without_sessions", 2)] {
        let Wire::Request(request) = read_request() else { unreachable!("it is a request") };
        let idempotency = Some(wrack_sim::Idempotency { session: 1, sequence: 1 });
        let request = Request { function: "add".into(), idempotency, ..(*request).clone() };
        let content = Content::Command(std::sync::Arc::new(Command::new(request.into())));
        let entry = Entry { term: 1, content };
        let mut bench = Bench::new(variant);
        bench.receive(1, append(1, (0, 0), vec![entry.clone(); 4], 4));
        bench.synced();
        bench.restart();
        assert_eq!(bench.node.commit, 4, "it starts from a snapshot");
        bench.receive(1, append(1, (4, 1), vec![entry], 5));
        let set = bench.node.machine.read(&"k".into());
        assert_eq!(set, wrack_history::Value::list(vec![wrack_history::Value::Nil; adds]));
    }
}

/// Thesis §6.3: a retry is answered as the command was, and a late copy whose client has moved on not at
/// all: what it came to is forgotten.
#[test]
fn a_command_of_a_session_takes_effect_once() {
    let Wire::Request(request) = read_request() else { unreachable!("it is a request") };
    let mut bench = Bench::new("reference");
    let mut answers = Vec::new();
    for (index, sequence) in (1..).zip([1, 3, 3, 2]) {
        let idempotency = Some(wrack_sim::Idempotency { session: 1, sequence });
        let (function, argument) = ("increment".into(), 1.into());
        let request = Request { function, argument, idempotency, ..(*request).clone() };
        bench.call(|node, cx| answers.push(node.machine.apply(index, &request, true, cx)));
    }
    let [one, two] = [1, 2].map(|sum| Some(Reply::Ok(sum.into())));
    assert_eq!(answers, [one, two.clone(), two, None]);
}

/// The bug in single-server membership changes (Ongaro, raft-dev, 2015): two leaders, each with a change
/// of its own to the configuration C = {1, 2, 3, 4}, whose majorities share no node.
///
/// ```text
///   term 1   n1 leads C, and cannot reach n2:   D = {1, 3, 4}   in the log of n1 alone
///   term 2   n2 leads C (votes of n2 n3 n4),
///            and cannot reach n1, n4:           E = {2, 3, 4}   on n2 n3: a majority of E
///   term 3   n1 leads D (votes of n1 n4), and overwrites what n2 and n3 committed
/// ```
/// The fix: n2 must first commit an entry of term 2 under C, for which it needs n4; then n4 does not
/// vote for n1. The scenario `raft/two-memberships` runs it from end to end.
#[test]
fn the_single_server_bug_a_change_waits_for_a_commit_of_the_leaders_own_term() {
    for (variant, changes_at_once) in [("reference", false), ("reconfigure_before_commit", true)] {
        let Cluster { settings, .. } = cluster("reference");
        let settings = settings
            .with("nodes", Setting::Integer(4))
            .with("reconfigure_every", Setting::Duration(150 * MILLISECOND));
        let cluster = Cluster { names: names(&settings), settings, variant: variant.into() };
        let mut bench = elect(Bench::of(cluster));
        let term = bench.node.hard.term;
        let stored = |index| Rpc::Appended { term, success: true, index, round: 0 };
        let members = |bench: &Bench| bench.node.membership.current().to_vec();
        bench.receive(2, stored(1));
        bench.call(|node, cx| node.on_timer(Timer::Reconfigure, cx));
        let (all, without_n2) = ([0, 1, 2, 3].map(NodeId), [0, 2, 3].map(NodeId));
        let expected = if changes_at_once { &without_n2[..] } else { &all };
        assert_eq!(members(&bench), expected, "{variant}: two are no majority of four");

        bench.receive(2, stored(1));
        bench.receive(3, stored(1));
        bench.call(|node, cx| node.on_timer(Timer::Reconfigure, cx));
        assert_eq!(members(&bench), without_n2, "{variant}: its first entry is committed");
    }
}

/// Thesis §4.1: a configuration holds from when a node has it; one that is cut off does no more, and
/// one that a snapshot stands for still does.
#[test]
fn a_configuration_is_a_part_of_the_log() {
    let members = |ids: &[u16]| ids.iter().copied().map(NodeId).collect::<Members>();
    let change = |term, ids| Entry { term, content: Content::Members(members(ids)) };
    let mut bench = Bench::new("reference");
    bench.receive(1, append(1, (0, 0), vec![change(1, &[0, 1, 2, 3]), change(1, &[0, 1, 2])], 1));
    assert_eq!((bench.node.membership.current().len(), bench.node.majority), (3, 2));
    bench.receive(2, append(2, (1, 1), vec![Entry::empty(2)], 1));
    assert_eq!((bench.node.membership.current().len(), bench.node.majority), (4, 3));
    bench.receive(2, append(2, (2, 2), vec![Entry::empty(2), Entry::empty(2)], 4));
    bench.synced();
    bench.restart();
    assert_eq!((bench.node.log.base(), bench.node.log.last_index()), (4, 4));
    assert_eq!((bench.node.membership.current().len(), bench.node.majority), (4, 3));
}
