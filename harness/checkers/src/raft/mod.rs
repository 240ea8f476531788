//! RAFT: the five properties of Figure 3 of the Raft paper, at every step.
//!
//! Valid: the entry that n1 committed in term 1 is in the log of n2 when it becomes leader of term 2.
//! ```text
//! n1  leader 1 ─ append a ─ commit a ─ ✗
//! n2  ───────────── append a ─────────── leader 2 ─ append b
//! ```
//! Invalid, because the leader of term 2 lacks an entry that was committed in term 1:
//! ```text
//! n1  leader 1 ─ append a ─ commit a ─ ✗
//! n2  ────────────────────────────────── leader 2 ─ append b
//! ```
//! Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm", 2014,
//! Figure 3, §5.2–§5.4.
//!
//! # What nodes note
//! `Appended` once an entry, `Truncated` when they cut their log and after each boot, where it says
//! how long the log is that the disk gave back. `Voted` when the vote *counts*: a vote that a crash
//! takes back before it was on disk and answered must not be noted, or a legal second vote would look
//! like a broken promise.
//!
//! `Compacted` once a snapshot of its own stands for the beginning of its log; `Installed` when
//! another's does, and after a boot before `Truncated` if its disk held one. Snapshots of one index
//! must have one digest: they are states that the same entries led to.
//!
//! # How much it costs
//! One step a fact, O(1) amortised: prefixes of logs are compared by a chained digest at one index,
//! because equal chains mean equal prefixes (two different prefixes share one with probability
//! 2^-64). Memory grows with the entries behind the oldest of the nodes' last snapshots, 16 bytes a
//! node and 80 once, not with the facts.

mod elections;
mod entries;
mod log;
mod violation;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Fact, FactRecord, Judgement, NodeIndex, SmolStr};

use crate::{Guarantee, Invariant, Judge};
use elections::Elections;
use entries::{Entries, Known};
use log::{Chain, Entry, Log};
use violation::{Property, Violation};
use window::Window;

/// Raft's five properties.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "RAFT",
        name: "Raft's five properties",
        doc: "The five properties that the Raft paper promises at all times (Figure 3), checked fact \
              by fact on what the nodes themselves do:\n\n\
              Election safety: at most one leader in a term; and what it rests on, at most one vote \
              of a node in a term (§5.2).\n\
              Leader append-only: a leader never overwrites or deletes entries of its log (§5.3).\n\
              Log matching: two logs that hold an entry of the same index and term are the same up to \
              it (§5.3).\n\
              Leader completeness: an entry committed in a term is in the logs of the leaders of all \
              later terms (§5.4).\n\
              State machine safety: no two nodes apply different entries at one index (§5.4.3).\n\n\
              They break before any client can see it, so this finds in one run what a client sees in \
              a hundred.\n\n\
              Source: Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm, \
              2014.",
        parameters: &[],
    },
    judge: Judge::Facts(|| Box::<Raft>::default()),
};

/// Anomalies of one property that are described.
const ANOMALIES_OF_PROPERTY_MAX: usize = 3;

/// The cluster as the facts describe it.
#[derive(Default)]
struct Raft {
    /// By their index.
    nodes: Vec<Member>,
    elections: Elections,
    entries: Entries,
    /// The committed entries.
    committed: Window<Committed>,
    /// What was applied first at each index.
    applied: Window<Option<Digested>>,
    /// The first snapshot of each index.
    snapshots: BTreeMap<u64, Digested>,
    violations: Vec<Violation>,
    counts: Counts,
}

/// One node.
#[derive(Default)]
struct Member {
    log: Log,
    /// The term in which it leads.
    leads: Option<u64>,
    /// It booted, and has not yet said how long its log is.
    boots: bool,
    /// The snapshot that it found on its disk: the last entry that it stands for.
    recovered: Option<(u64, Entry)>,
    /// It said something about its log.
    has_log: bool,
}

/// A committed entry, and who knew it first.
#[derive(Clone, Copy)]
struct Committed {
    chain: Chain,
    node: NodeIndex,
}

/// Something that all nodes must agree on, and who had it first.
#[derive(Clone, Copy)]
struct Digested {
    digest: u64,
    node: NodeIndex,
}

#[derive(Default)]
struct Counts {
    appended: u64,
    committed: u64,
    applied: u64,
    snapshots: u64,
    votes: u64,
}

impl Invariant for Raft {
    fn observe(&mut self, record: &FactRecord) {
        let (node, ns) = (record.node, record.ns);
        match &record.fact {
            Fact::Booted { .. } => {
                let member = self.member(node);
                member.leads = None;
                member.boots = true;
                member.recovered = None;
            }
            Fact::Crashed => self.member(node).leads = None,
            Fact::Role { role, epoch } => self.role(node, ns, role == "leader", *epoch),
            Fact::Voted { term, candidate } => {
                self.counts.votes += 1;
                let violation = self.elections.vote(node, *term, *candidate);
                self.report(violation, ns);
            }
            Fact::Appended { index, term, digest } => {
                self.append(node, ns, *index, (*term, *digest))
            }
            Fact::Truncated { from } => self.truncate(node, ns, *from),
            Fact::Compacted { index, digest, .. } => self.compact(node, ns, *index, *digest),
            Fact::Installed { index, term, digest } => {
                self.install(node, ns, (*index, *term), *digest)
            }
            Fact::Committed { index, term } => self.commit(node, ns, *index, *term),
            Fact::Applied { index, digest } => self.apply(node, ns, *index, *digest),
            _ => (),
        }
    }

    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement {
        let mut judgement = Judgement::new(GUARANTEE.info.code);
        judgement.examine("entries appended", self.counts.appended);
        judgement.examine("commits", self.counts.committed);
        judgement.examine("entries applied", self.counts.applied);
        judgement.examine("snapshots", self.counts.snapshots);
        judgement.examine("votes", self.counts.votes);
        judgement.examine("elections", self.elections.count());
        if self.elections.count() == 0 && self.counts.appended == 0 {
            judgement.doubt("no node noted an election or an entry");
        }
        for violation in &self.violations {
            judgement.contradict(violation.anomaly(nodes));
        }
        judgement
    }
}

impl Raft {
    fn member(&mut self, node: NodeIndex) -> &mut Member {
        let place = usize::from(node);
        if self.nodes.len() <= place {
            self.nodes.resize_with(place + 1, Member::default);
        }
        &mut self.nodes[place]
    }

    #[inline]
    fn report(&mut self, found: Option<Property>, ns: u64) {
        if let Some(property) = found {
            self.violate(property, ns);
        }
    }

    #[cold]
    fn violate(&mut self, property: Property, ns: u64) {
        let same = |known: &&Violation| known.property.section() == property.section();
        if self.violations.iter().filter(same).count() < ANOMALIES_OF_PROPERTY_MAX {
            self.violations.push(Violation { property, ns });
        }
    }

    fn role(&mut self, node: NodeIndex, ns: u64, leads: bool, term: u64) {
        let member = self.member(node);
        let led = std::mem::replace(&mut member.leads, leads.then_some(term));
        if !leads || led == Some(term) {
            return;
        }
        let log = &member.log;
        let (last_index, last_term) = (log.len(), log.entry(log.len()).map_or(0, |last| last.term));
        let rival = self.elections.elect(node, term, (last_index, last_term));
        self.report(rival, ns);
        let needed = self.elections.committed_before(term);
        let incomplete = needed.and_then(|(committed_in, index)| {
            let committed = self.committed.get(index)?;
            (!self.has(node, index)).then_some(Property::LeaderCompleteness {
                leader: node,
                term,
                index,
                committed_in,
                committer: committed.node,
            })
        });
        self.report(incomplete, ns);
    }

    /// Whether the log of a node has the committed entry of an index, or a snapshot that stands for
    /// it; true if it cannot be told.
    fn has(&self, node: NodeIndex, index: u64) -> bool {
        let log = &self.nodes[usize::from(node)].log;
        let at = index.max(log.base());
        let chain = |entry: &Entry| entry.chain.zip(self.committed.get(at));
        log.entry(at).is_some_and(|entry| {
            chain(entry).is_none_or(|(chain, committed)| chain == committed.chain)
        })
    }

    fn append(&mut self, node: NodeIndex, ns: u64, index: u64, (term, digest): (u64, u64)) {
        self.counts.appended += 1;
        let member = self.member(node);
        let overwritten = member.log.entry(index).is_some();
        if overwritten {
            let led = member.leads;
            member.log.truncate(index);
            let property = led.map(|term| Property::LeaderAppendOnly { node, term, index });
            self.report(property, ns);
        }
        let log = &mut self.nodes[usize::from(node)].log;
        let known = self.entries.get(index, term).copied();
        let previous_term = log.entry(index.saturating_sub(1)).map_or(0, |entry| entry.term);
        let adopted = known.filter(|known| known.digest == digest).and_then(|known| known.chain);
        let chain = log.chain_after(index, term, digest).or(adopted);
        log.push(index, Entry { term, chain });
        match known {
            None => {
                let known = Known { digest, chain, previous_term, node };
                self.entries.insert(index, term, known);
            }
            Some(known) => {
                let differs = known.digest != digest
                    || matches!((known.chain, chain), (Some(a), Some(b)) if a != b);
                let property = Property::LogMatching {
                    nodes: [known.node, node],
                    index,
                    term,
                    entry_itself: known.digest != digest,
                };
                self.report(differs.then_some(property), ns);
            }
        }
    }

    fn truncate(&mut self, node: NodeIndex, ns: u64, from: u64) {
        let member = self.member(node);
        member.has_log = true;
        if std::mem::take(&mut member.boots) {
            member.log.restore(member.recovered.take(), from.saturating_sub(1));
            return;
        }
        let cuts = member.log.entry(from).is_some();
        let led = member.leads.filter(|_| cuts);
        member.log.truncate(from);
        let property = led.map(|term| Property::LeaderAppendOnly { node, term, index: from });
        self.report(property, ns);
    }

    fn commit(&mut self, node: NodeIndex, ns: u64, index: u64, term: u64) {
        self.counts.committed += 1;
        self.member(node);
        let log = &self.nodes[usize::from(node)].log;
        while self.committed.next() <= index {
            let Some(chain) = log.entry(self.committed.next()).and_then(|entry| entry.chain) else {
                break;
            };
            self.committed.push(Committed { chain, node });
        }
        let known = self.committed.get(index).copied();
        let other = known.filter(|known| {
            let own = log.entry(index).and_then(|entry| entry.chain);
            own.is_some_and(|chain| chain != known.chain)
        });
        let property =
            other.map(|known| Property::CommittedTwice { nodes: [known.node, node], index });
        self.report(property, ns);
        if known.is_some() && self.elections.commit(term, index) {
            self.check_later_leaders(ns, index, term);
        }
    }

    /// A snapshot of its own stands for the beginning of a node's log.
    fn compact(&mut self, node: NodeIndex, ns: u64, index: u64, digest: u64) {
        self.member(node).log.compact(index);
        self.snapshot(node, ns, index, digest);
        self.forget();
    }

    /// Another's snapshot stands for the whole log of a node, or one that its disk gave back for
    /// the beginning.
    fn install(&mut self, node: NodeIndex, ns: u64, (index, term): (u64, u64), digest: u64) {
        let chain = self.entries.get(index, term).and_then(|known| known.chain);
        let entry = Entry { term, chain };
        let member = self.member(node);
        member.has_log = true;
        if member.boots {
            member.recovered = Some((index, entry));
        } else {
            let led = member.leads;
            member.log.install(index, entry);
            let property = led.map(|term| Property::LeaderAppendOnly { node, term, index });
            self.report(property, ns);
        }
        self.snapshot(node, ns, index, digest);
    }

    fn snapshot(&mut self, node: NodeIndex, ns: u64, index: u64, digest: u64) {
        self.counts.snapshots += 1;
        let first = *self.snapshots.entry(index).or_insert(Digested { digest, node });
        let nodes = [first.node, node];
        let property = Property::StateMachineSafety { nodes, index, states: true };
        self.report((first.digest != digest).then_some(property), ns);
    }

    /// Forgets what every node has in a snapshot: nobody appends or applies it again.
    fn forget(&mut self) {
        let logs = self.nodes.iter().filter(|member| member.has_log);
        let oldest = logs.map(|member| member.log.base()).min().unwrap_or(0);
        self.entries.forget_before(oldest);
        self.committed.forget_before(oldest);
        self.applied.forget_before(oldest);
        self.snapshots = self.snapshots.split_off(&oldest);
    }

    /// A commit that becomes known late: leaders of later terms must have had it when elected.
    fn check_later_leaders(&mut self, ns: u64, index: u64, term: u64) {
        let Some(committed) = self.committed.get(index).copied() else { return };
        let incomplete = self.elections.leaders_after(term).find_map(|(later, leader)| {
            let had = leader.last_index >= index
                && self
                    .chain_at(index, (leader.last_index, leader.last_term))
                    .is_none_or(|chain| chain == committed.chain);
            (!had).then_some(Property::LeaderCompleteness {
                leader: leader.node,
                term: later,
                index,
                committed_in: term,
                committer: committed.node,
            })
        });
        self.report(incomplete, ns);
    }

    /// The chain at `index` of the log that ended with the entry of that index and term; `None` if
    /// it is not known.
    fn chain_at(&self, index: u64, (mut at, mut term): (u64, u64)) -> Option<Chain> {
        while at > index {
            term = self.entries.get(at, term)?.previous_term;
            at -= 1;
        }
        self.entries.get(at, term)?.chain
    }

    fn apply(&mut self, node: NodeIndex, ns: u64, index: u64, digest: u64) {
        self.counts.applied += 1;
        let seen = Digested { digest, node };
        while self.applied.next() <= index {
            self.applied.push(None);
        }
        let Some(first) = self.applied.get_mut(index) else { return };
        let first = *first.get_or_insert(seen);
        let nodes = [first.node, node];
        let property = Property::StateMachineSafety { nodes, index, states: false };
        self.report((first.digest != digest).then_some(property), ns);
    }
}
