//! When each version was there, as real time has it.
//!
//! The zone of a version reaches from the earliest completion to the latest invocation among those who wrote
//! or read it. If one of them had completed before one of another version's was invoked, the first version is
//! the older one: were it the newer one, all of the second version's group would come before its writer, and
//! so before all of its own group.
//!
//! Source: Gibbons and Korach, Testing Shared Memories, 1997, whose zones of one register these are.

use super::graph::Kind;
use super::relations::{Readers, Relations};
use super::saturation::edges;
use super::transactions::Transactions;

/// The zones of all versions, by version; indices of events.
pub struct Zones {
    /// The earliest completion of those who wrote or read it.
    known: Vec<u64>,
    /// The latest invocation of them.
    seen: Vec<u64>,
}

impl Zones {
    /// Those of a history.
    pub fn of(history: &Transactions<'_>, readers: &Readers) -> Self {
        let count = history.versions.len();
        let mut zones = Self { known: vec![u64::MAX; count], seen: vec![0; count] };
        for version in history.loose.iter().flatten() {
            let group = readers
                .of_version(*version)
                .iter()
                .chain([&history.versions[*version as usize].writer]);
            for operation in group.map(|transaction| history.operation(*transaction)) {
                let (known, seen) =
                    (&mut zones.known[*version as usize], &mut zones.seen[*version as usize]);
                *known = operation.effect_by().index.min(*known);
                *seen = operation.invoke.index.max(*seen);
            }
        }
        zones
    }

    /// Whether one of two loose versions of a key is known to be older than the other.
    pub fn has_order(&self, one: u32, other: u32) -> bool {
        self.is_older(one, other) || self.is_older(other, one)
    }

    fn is_older(&self, one: u32, other: u32) -> bool {
        self.known[one as usize] < self.seen[other as usize]
    }

    /// Adds what follows to the relations: of each version the next ones, which pass on the rest.
    pub fn tell(&self, history: &Transactions<'_>, relations: &mut Relations, readers: &Readers) {
        let seen = |version: &u32| self.seen[*version as usize];
        for loose in history.loose.iter().filter(|loose| loose.len() > 1) {
            let mut versions = loose.clone();
            versions.sort_unstable_by_key(|version| (seen(version), *version));
            for older in &versions {
                let known = self.known[*older as usize];
                let begin = versions.partition_point(|version| seen(version) <= known);
                let mut next_known = u64::MAX;
                for newer in versions[begin..].iter().filter(|newer| *newer != older) {
                    if seen(newer) > next_known {
                        break;
                    }
                    next_known = next_known.min(self.known[*newer as usize]);
                    let writer = history.operation(history.writer(*newer));
                    let written_after = known < writer.invoke.index;
                    let kind = if written_after { Kind::WriteWrite } else { Kind::Forced };
                    let order = (*older, *newer);
                    relations.arcs.extend(edges(history, relations.view, readers, order, kind));
                }
            }
        }
    }
}
