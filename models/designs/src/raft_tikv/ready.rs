//! What the library wants done, in the order that its documentation gives ("Processing the `Ready`
//! State"): write, send, apply, and tell it.

use ::raft::eraftpb::{Entry, Message, MessageType};
use wrack_history::Fact;
use wrack_sim::chance::Digest;
use wrack_sim::{Cx, Request, Wire};

use super::durable::Promise;
use super::info::Variant;
use super::message::Rpc;
use super::{Server, node_id};

impl Server {
    /// Does all that the library wants by now.
    pub(super) fn process_ready(&mut self, cx: &mut Cx<'_, Self>) {
        while self.library.has_ready() {
            self.note_role(cx);
            let mut ready = self.library.ready();
            let mut promise = Promise::of(ready.number());
            let hard = ready.hs().cloned();
            if !ready.snapshot().is_empty() {
                promise.installed = self.install(ready.snapshot().clone(), hard.as_ref(), cx);
            }
            self.append(ready.take_entries(), cx);
            if let Some(hard) = hard {
                promise.vote = self.write_hard_state(hard, cx);
            }
            // A leader's messages may overtake its own disk (thesis §10.2.1).
            self.send(ready.take_messages(), cx);
            if self.variant == Variant::SendBeforeSync {
                self.note_vote(promise.vote.take(), cx);
                self.send(ready.take_persisted_messages(), cx);
            }
            promise.messages = ready.take_persisted_messages();
            let (must_sync, committed) = (ready.must_sync(), ready.take_committed_entries());
            let reads = ready.take_read_states();
            self.library.advance_append_async(ready);
            self.note_committed(cx);
            self.apply(committed, cx);
            self.confirm_reads(reads);
            self.answer_reads(cx);
            self.keep_later(promise, must_sync, cx);
        }
    }

    /// The log gets longer, on disk and for the library to read.
    fn append(&mut self, entries: Vec<Entry>, cx: &mut Cx<'_, Self>) {
        if entries.is_empty() {
            return;
        }
        for entry in entries {
            let (index, term, digest) = (entry.index, entry.term, digest(&entry));
            self.durable.write_entry(&entry, cx);
            if self.library.mut_store().append(entry) {
                cx.sometimes("a conflicting entry is cut off");
                cx.note(Fact::Truncated { from: index });
            }
            cx.note(Fact::Appended { index, term, digest });
        }
        if self.leads() {
            cx.failpoint("raft.entry_appended");
        }
    }

    /// The leader says how far everything is committed.
    fn note_committed(&mut self, cx: &mut Cx<'_, Self>) {
        let index = self.library.raft.raft_log.committed;
        if self.leads() && index > self.committed {
            self.committed = index;
            cx.note(Fact::Committed { index, term: self.library.raft.term });
            cx.failpoint("raft.committed");
        }
    }

    /// Applies what is committed, and answers the clients that wait for it.
    fn apply(&mut self, entries: Vec<Entry>, cx: &mut Cx<'_, Self>) {
        for entry in entries {
            let index = entry.index;
            cx.note(Fact::Applied { index, digest: digest(&entry) });
            let answer = if entry.data.is_empty() {
                Some(self.machine.pass(index))
            } else {
                let command = Request::decode(&entry.data).expect("an entry holds a command");
                // Everybody notes the effect: the leader may crash when others know of the commit
                // and it has not applied it yet.
                self.machine.apply(index, &command, true, cx)
            };
            self.answer_waiting((index, entry.term), answer.as_ref(), cx);
            // The library hands over what is committed before it is told that it was applied.
            self.library.advance_apply_to(index);
            self.snapshot_if_due(cx);
        }
    }

    /// Sends messages, with the failpoints that stand behind some of them.
    pub(super) fn send(&mut self, messages: Vec<Message>, cx: &mut Cx<'_, Self>) {
        for message in messages {
            let Some(to) = node_id(message.to) else { continue };
            let (kind, granted) = (message.get_msg_type(), !message.reject);
            if kind == MessageType::MsgAppendResponse && granted {
                cx.failpoint("raft.entry_stored");
            }
            if kind == MessageType::MsgSnapshot {
                cx.sometimes("a leader sends a snapshot");
            }
            if kind == MessageType::MsgRequestVoteResponse && !granted {
                cx.sometimes("a vote is refused");
            }
            let replicates = kind == MessageType::MsgAppend && !message.entries.is_empty();
            cx.send(to, Wire::Peer(Rpc(message)));
            if kind == MessageType::MsgRequestVoteResponse && granted {
                cx.failpoint("raft.vote_sent");
            }
            if replicates {
                cx.failpoint("raft.entry_sent");
            }
        }
    }
}

/// A digest by which observers compare entries.
pub(super) fn digest(entry: &Entry) -> u64 {
    Digest::of(&(entry.term, &entry.data[..]))
}
