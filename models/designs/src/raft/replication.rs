//! Log replication and the commit rule (§5.3, §5.4.2).

use std::sync::Arc;

use wrack_history::Fact;
use wrack_sim::{Cx, NodeId, Request};

use super::info::Variant;
use super::log::Record;
use super::message::{Append, Command, Content, Entry, Rpc};
use super::{Raft, Role, Timer, reply};

/// What a leader knows of a follower (Figure 2: nextIndex, matchIndex).
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub peer: NodeId,
    /// The next entry to send; it runs ahead of what is known to have arrived (thesis §10.2.2).
    pub next: u64,
    /// Up to where the follower has the leader's log on disk.
    pub matched: u64,
    /// The last round that the follower answered.
    pub round: u64,
    /// Whether it answered anything since the leader last looked.
    pub answered: bool,
    /// Whether it did since the operator last looked.
    pub alive: bool,
    /// Whether it is a member, and so is sent anything and counted.
    pub member: bool,
}

impl Progress {
    pub fn new(peer: NodeId, next: u64) -> Self {
        Self { peer, next, matched: 0, round: 0, answered: false, alive: false, member: true }
    }
}

impl Raft {
    /// A client's command enters the log.
    pub(super) fn propose(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        let command = Command::new(Arc::clone(&request));
        let entry = Entry { term: self.hard.term, content: Content::Command(Arc::new(command)) };
        self.waiting.push_back((self.log.last_index() + 1, request));
        self.append_as_leader(entry, cx);
    }

    pub(super) fn append_as_leader(&mut self, entry: Entry, cx: &mut Cx<'_, Self>) {
        self.append(entry, cx);
        cx.failpoint("raft.entry_appended");
        self.broadcast(cx);
        cx.failpoint("raft.entry_sent");
    }

    fn append(&mut self, entry: Entry, cx: &mut Cx<'_, Self>) {
        let (term, digest) = (entry.term, entry.digest());
        let index = self.log.last_index() + 1;
        let record = Record::Entry { index, entry };
        self.write(&record, cx);
        let Record::Entry { entry, .. } = record else { unreachable!("it was made above") };
        if let Content::Members(members) = &entry.content {
            self.membership.change(index, Arc::clone(members));
            self.count_members();
        }
        self.log.push(entry);
        cx.note(Fact::Appended { index, term, digest });
    }

    /// Sends everybody what it lacks, or a heartbeat; either shows that it leads, so that the next
    /// heartbeat is due only when it has been silent (§5.2: during idle periods).
    pub(super) fn broadcast(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Timer::Heartbeat, self.heartbeat_ns);
        let mut last = None;
        for place in 0..self.peers.len() {
            self.send_append(place, &mut last, cx);
        }
    }

    /// Sends a follower what it lacks; `last` is what was sent to another just now, from which index
    /// on.
    fn send_append(
        &mut self,
        place: usize,
        last: &mut Option<(u64, Option<Arc<[Entry]>>)>,
        cx: &mut Cx<'_, Self>,
    ) {
        let Role::Leader { progress } = &mut self.role else {
            return;
        };
        let follower = &mut progress[place];
        if !follower.member {
            return;
        }
        let (next, previous_index) = (follower.next, follower.next - 1);
        if previous_index < self.log.base() {
            return self.send_snapshot(place, cx);
        }
        let (_, entries) = match last {
            Some(same) if same.0 == next => same,
            _ => {
                let entries = self.log.from(next, self.batch);
                last.insert((next, (!entries.is_empty()).then(|| entries.into())))
            }
        };
        follower.next += entries.as_ref().map_or(0, |entries| entries.len() as u64);
        let append = Append {
            term: self.hard.term,
            previous_index,
            previous_term: self.log.term(previous_index).expect("the leader has what it sent"),
            entries: entries.clone(),
            commit: self.commit,
            round: self.reads.round(),
        };
        let peer = follower.peer;
        self.send_now(peer, Rpc::Append(append), cx);
    }

    /// A follower takes what fits behind an entry that it has (§5.3).
    pub(super) fn on_append(&mut self, leader: NodeId, append: Append, cx: &mut Cx<'_, Self>) {
        let Append { term, previous_index, previous_term, entries, commit, round } = append;
        if !self.follow(leader, (term, round), cx) {
            return;
        }
        // What a snapshot stands for is committed: whatever the leader has there is the same.
        let known = self.log.base().saturating_sub(previous_index) as usize;
        let fits = known > 0 || self.log.term(previous_index) == Some(previous_term);
        if !fits {
            let index = self.log.conflict(previous_index).min(previous_index.saturating_sub(1));
            let refusal = Rpc::Appended { term, success: false, index, round };
            self.send_now(leader, refusal, cx);
            return;
        }
        let entries = entries.as_deref().unwrap_or_default();
        let last = previous_index + entries.len() as u64;
        let new = entries.get(known..).unwrap_or_default();
        self.take(previous_index + 1 + known as u64, new, cx);
        if self.variant == Variant::TruncateCommitted {
            self.cut_behind(last.max(self.log.base()), cx);
        }
        self.learn_commit(commit.min(last), cx);
        self.send_durably(leader, Rpc::Appended { term, success: true, index: last, round }, cx);
    }

    /// Follows the leader of this term, or refuses the round of an older one; whether it follows.
    pub(super) fn follow(
        &mut self,
        leader: NodeId,
        (term, round): (u64, u64),
        cx: &mut Cx<'_, Self>,
    ) -> bool {
        if term < self.hard.term {
            let refusal = Rpc::Appended { term: self.hard.term, success: false, index: 0, round };
            self.send_now(leader, refusal, cx);
            return false;
        }
        match &self.role {
            Role::Follower { leader: Some(known) } if *known == leader => self.await_leader(cx),
            _ => self.become_follower(Some(leader), cx),
        }
        if self.sticky {
            self.heard_until_ns = cx.now() + self.shortest_election_ns;
        }
        true
    }

    /// Appends the entries from `index` on, but for those that it has; a conflicting one and all
    /// behind it go first.
    fn take(&mut self, index: u64, entries: &[Entry], cx: &mut Cx<'_, Self>) {
        for (index, entry) in (index..).zip(entries) {
            match self.log.term(index) {
                Some(term) if term == entry.term => continue,
                Some(_) => {
                    cx.sometimes("a conflicting entry is cut off");
                    cx.note(Fact::Truncated { from: index });
                    self.truncate(index);
                }
                None => {}
            }
            self.append(entry.clone(), cx);
        }
    }

    /// Cuts whatever is behind `last`.
    fn cut_behind(&mut self, last: u64, cx: &mut Cx<'_, Self>) {
        if last < self.log.last_index() {
            cx.note(Fact::Truncated { from: last + 1 });
            self.truncate(last + 1);
        }
    }

    /// Cuts the log; a sync that is under way no longer vouches for what comes there instead.
    fn truncate(&mut self, index: u64) {
        self.log.truncate(index);
        self.membership.truncate(index);
        self.count_members();
        self.storage.vouch_up_to(index - 1);
    }

    /// A follower answered: it has more, or lacks something.
    pub(super) fn on_appended(
        &mut self,
        from: NodeId,
        (success, index, round): (bool, u64, u64),
        cx: &mut Cx<'_, Self>,
    ) {
        let last_index = self.log.last_index();
        let Role::Leader { progress } = &mut self.role else {
            return;
        };
        let place = progress.iter().position(|follower| follower.peer == from);
        let place = place.expect("only members answer");
        let follower = &mut progress[place];
        follower.round = follower.round.max(round);
        follower.answered = true;
        follower.alive = true;
        let advanced = success && index > follower.matched;
        if success {
            follower.matched = follower.matched.max(index);
            follower.next = follower.next.max(follower.matched + 1);
        } else {
            follower.next = (index + 1).max(follower.matched + 1);
        }
        if follower.next <= last_index {
            self.send_append(place, &mut None, cx);
        }
        if advanced && index > self.commit {
            self.advance_commit(cx);
            if self.transferring == Some(from) {
                self.hand_over(cx);
            }
        }
        self.confirm_reads(cx);
    }

    /// §5.3, §5.4.2: an entry of the leader's own term is committed once a majority has it on
    /// disk; with it, everything before.
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_, Self>) {
        let alone = self.variant == Variant::AckBeforeMajority;
        let quorum = if alone { 1 } else { self.majority };
        let Role::Leader { progress } = &self.role else {
            return;
        };
        let followers = progress.iter().filter(|follower| follower.member).map(|f| f.matched);
        let ahead = followers.chain([self.log.durable()]).filter(|index| *index > self.commit);
        let mut ahead: smallvec::SmallVec<[u64; 9]> = ahead.collect();
        if ahead.len() < quorum {
            return;
        }
        ahead.sort_unstable_by(|a, b| b.cmp(a));
        let candidate = ahead[quorum - 1];
        let own_term = self.log.term(candidate) == Some(self.hard.term);
        if own_term || self.variant == Variant::CommitPriorTerm {
            self.learn_commit(candidate, cx);
        }
    }

    /// Applies what is committed, in order, and answers the clients that wait for it.
    pub(super) fn learn_commit(&mut self, commit: u64, cx: &mut Cx<'_, Self>) {
        if commit <= self.commit {
            return;
        }
        self.commit = commit;
        cx.always("what is committed is in the log", commit <= self.log.last_index());
        if self.leads() {
            cx.note(Fact::Committed { index: commit, term: self.hard.term });
            cx.failpoint("raft.committed");
        }
        while self.machine.applied() < commit {
            self.apply_next(cx);
        }
        self.answer_reads(cx);
    }

    fn apply_next(&mut self, cx: &mut Cx<'_, Self>) {
        let index = self.machine.applied() + 1;
        let entry = self.log.entry(index);
        cx.note(Fact::Applied { index, digest: entry.digest() });
        let leads = matches!(self.role, Role::Leader { .. });
        let answer = match &entry.content {
            Content::Command(command) => self.machine.apply(index, &command.request, leads, cx),
            Content::Nothing | Content::Members(_) => Some(self.machine.pass(index)),
        };
        while self.waiting.front().is_some_and(|(waits_for, _)| *waits_for <= index) {
            let (waits_for, request) = self.waiting.pop_front().expect("it is there");
            if waits_for == index
                && let Some(answer) = &answer
            {
                reply(&request, answer.clone(), cx);
            }
        }
        self.snapshot_if_due(cx);
    }
}
