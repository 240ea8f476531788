//! Clients: commands that are proposed to the library, and reads that wait for their index.

use std::sync::Arc;

use ::raft::ReadState;
use wrack_history::SmolStr;
use wrack_sim::{Cx, Reply, Request, Response, Wire};

use super::info::Variant;
use super::{Server, node_id};

impl Server {
    /// A client asks.
    pub(super) fn on_request(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        if !self.leads() {
            let leader = node_id(self.library.raft.leader_id);
            reply(&request, Reply::Redirect(leader), cx);
        } else if request.function == "read" {
            self.read(request, cx);
        } else {
            self.propose(request, cx);
        }
    }

    fn propose(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        match self.library.propose(Vec::new(), request.encode()) {
            Ok(()) => {
                let raft = &self.library.raft;
                self.waiting.push_back((raft.raft_log.last_index(), raft.term, request));
            }
            Err(_) => reply(&request, Reply::Redirect(None), cx),
        }
    }

    fn read(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        if self.variant == Variant::StaleLocalRead {
            let value = self.machine.read(&request.key);
            reply(&request, Reply::Ok(value), cx);
            return;
        }
        // The library drops a read before the first commit of a term without a word.
        let raft = &self.library.raft;
        if !raft.raft_log.term(raft.raft_log.committed).is_ok_and(|term| term == raft.term) {
            cx.sometimes("a read waits for the first commit of a term");
            reply(&request, Reply::Redirect(None), cx);
            return;
        }
        self.last_read += 1;
        self.reads.insert(self.last_read, request);
        self.library.read_index(self.last_read.to_be_bytes().to_vec());
    }

    /// The library found the index that these reads must wait for.
    pub(super) fn confirm_reads(&mut self, states: Vec<ReadState>) {
        for state in states {
            let number = <[u8; 8]>::try_from(&state.request_ctx[..]).map(u64::from_be_bytes);
            if let Some(request) = number.ok().and_then(|number| self.reads.remove(&number)) {
                self.confirmed.push((state.index, request));
            }
        }
    }

    /// Answers the reads whose index is applied.
    pub(super) fn answer_reads(&mut self, cx: &mut Cx<'_, Self>) {
        let applied = self.machine.applied();
        let (ready, rest) = std::mem::take(&mut self.confirmed)
            .into_iter()
            .partition::<Vec<_>, _>(|(index, _)| *index <= applied);
        self.confirmed = rest;
        for (_, request) in ready {
            let value = self.machine.read(&request.key);
            cx.failpoint("raft.read_confirmed");
            reply(&request, Reply::Ok(value), cx);
        }
    }

    /// The entry at this index and of this term was applied, and came to `answer`, if anybody waits for one.
    pub(super) fn answer_waiting(
        &mut self,
        (index, term): (u64, u64),
        answer: Option<&Reply>,
        cx: &mut Cx<'_, Self>,
    ) {
        while self.waiting.front().is_some_and(|(waits_for, ..)| *waits_for <= index) {
            let (waits_for, of, request) = self.waiting.pop_front().expect("it is there");
            if (waits_for, of) == (index, term)
                && let Some(answer) = answer
            {
                reply(&request, answer.clone(), cx);
            }
        }
    }

    /// A leader that steps down no longer knows what becomes of the commands in its log.
    pub(super) fn give_up_clients(&mut self, cx: &mut Cx<'_, Self>) {
        for (.., request) in std::mem::take(&mut self.waiting) {
            reply(&request, Reply::Unknown(SmolStr::new_static("the leader stepped down")), cx);
        }
        let confirmed = std::mem::take(&mut self.confirmed).into_iter().map(|(_, request)| request);
        for request in std::mem::take(&mut self.reads).into_values().chain(confirmed) {
            reply(&request, Reply::Redirect(None), cx);
        }
    }
}

/// Answers a client.
fn reply(request: &Request, reply: Reply, cx: &mut Cx<'_, Server>) {
    let response = Response { number: request.number, reply };
    cx.send(request.client, Wire::Response(response));
}
