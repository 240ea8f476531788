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
//! # How much it costs
//! One step a fact, O(1) amortised: prefixes of logs are compared by a chained digest at one index,
//! because equal chains mean equal prefixes (two different prefixes share one with probability
//! 2^-64). Memory grows with the entries, 16 bytes a node and 80 once, not with the facts.

mod elections;
mod entries;
mod log;
mod violation;

#[cfg(test)]
mod tests;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Fact, FactRecord, Judgement, NodeIndex, SmolStr};

use crate::{Guarantee, Invariant, Judge};
use elections::Elections;
use entries::{Entries, Known};
use log::{Chain, Entry, Log};
use violation::{Property, Violation};

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
    /// The committed entries, from index 1.
    committed: Vec<Committed>,
    /// What was applied first at each index, from 1.
    applied: Vec<Option<Applied>>,
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
}

/// A committed entry, and who knew it first.
#[derive(Clone, Copy)]
struct Committed {
    chain: Chain,
    node: NodeIndex,
}

#[derive(Clone, Copy)]
struct Applied {
    digest: u64,
    node: NodeIndex,
}

#[derive(Default)]
struct Counts {
    appended: u64,
    committed: u64,
    applied: u64,
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
            let place = usize::try_from(index).ok()?.checked_sub(1)?;
            let committed = self.committed.get(place)?;
            let complete = match self.nodes[usize::from(node)].log.entry(index) {
                None => false,
                Some(entry) => entry.chain.is_none_or(|chain| chain == committed.chain),
            };
            (!complete).then_some(Property::LeaderCompleteness {
                leader: node,
                term,
                index,
                committed_in,
                committer: committed.node,
            })
        });
        self.report(incomplete, ns);
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
        if std::mem::take(&mut member.boots) {
            member.log.restore(from.saturating_sub(1));
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
        while (self.committed.len() as u64) < index {
            let next = self.committed.len() as u64 + 1;
            let Some(chain) = log.entry(next).and_then(|entry| entry.chain) else {
                break;
            };
            self.committed.push(Committed { chain, node });
        }
        let known = self.committed.get((index as usize).wrapping_sub(1)).copied();
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

    /// A commit that becomes known late: leaders of later terms must have had it when elected.
    fn check_later_leaders(&mut self, ns: u64, index: u64, term: u64) {
        let committed = self.committed[index as usize - 1];
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
        let place = index as usize;
        if self.applied.len() <= place {
            self.applied.resize(place + 1, None);
        }
        let first = *self.applied[place].get_or_insert(Applied { digest, node });
        let property = Property::StateMachineSafety { nodes: [first.node, node], index };
        self.report((first.digest != digest).then_some(property), ns);
    }
}
