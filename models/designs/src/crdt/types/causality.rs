//! Who knows of what: dots, version vectors, and vectors with gaps.
//!
//! ```text
//! dot              (r2, 7)             the seventh update of replica 2
//! version vector   r1:4 r2:7           the first four of replica 1 and the first seven of replica 2
//! context          r1:4 r2:7 + (r2, 9) the same, and the ninth, but not the eighth
//! dotted version   (r2, 9) after r1:4  one update, and everything that its writer had seen
//! ```
//! A version vector compares two replicas: one has seen all that the other has, or they are
//! concurrent. To compare two *values* a vector alone says too much: two clients that write through
//! one replica get vectors of which one contains the other, though neither had seen the other's value.
//! A dotted version keeps the name of the value apart from what its writer had seen.
//!
//! Sources: Parker et al.: Detection of Mutual Inconsistency in Distributed Systems, 1983; Preguiça,
//! Baquero, Almeida, Fonte and Gonçalves: Dotted Version Vectors, 2010.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A replica: its number in its cluster.
pub type ReplicaId = u16;

/// The name of an update: the how-manieth of its replica, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dot {
    /// Where it was accepted.
    pub replica: ReplicaId,
    /// Its number there.
    pub sequence: u64,
}

/// The first so many updates of each replica.
///
/// Shape: a replica of which nothing is known has no entry, so that equal knowledge is equal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VersionVector(BTreeMap<ReplicaId, u64>);

impl VersionVector {
    /// How many updates of the replica are known.
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.0.get(&replica).copied().unwrap_or(0)
    }

    /// Whether the update is known.
    pub fn contains(&self, dot: Dot) -> bool {
        dot.sequence <= self.get(dot.replica)
    }

    /// The next update of the replica.
    pub fn next(&self, replica: ReplicaId) -> Dot {
        Dot { replica, sequence: self.get(replica) + 1 }
    }

    /// Whether the update is the next one of its replica.
    pub fn is_next(&self, dot: Dot) -> bool {
        dot == self.next(dot.replica)
    }

    /// Everything up to this update of its replica is known from now on.
    pub fn advance(&mut self, dot: Dot) {
        if dot.sequence > self.get(dot.replica) {
            self.0.insert(dot.replica, dot.sequence);
        }
    }

    /// What either knows is known from now on.
    pub fn merge(&mut self, other: &Self) {
        for (replica, sequence) in &other.0 {
            self.advance(Dot { replica: *replica, sequence: *sequence });
        }
    }

    /// Whether everything that the other knows is known here.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(replica, sequence)| *sequence <= self.get(*replica))
    }

    /// Which of the two knows more; `None` if each knows something that the other does not.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.covers(other), other.covers(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// A set of dots, compact: a version vector, and the dots beyond its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    vector: VersionVector,
    /// Dots with a gap before them.
    beyond: BTreeSet<Dot>,
}

impl Context {
    /// Whether the dot is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        self.vector.contains(dot) || self.beyond.contains(&dot)
    }

    /// Adds a dot.
    pub fn insert(&mut self, dot: Dot) {
        if !self.vector.contains(dot) {
            self.beyond.insert(dot);
            self.compact(dot.replica);
        }
    }

    /// Adds all dots of the other set.
    pub fn merge(&mut self, other: &Self) {
        self.vector.merge(&other.vector);
        self.beyond.extend(&other.beyond);
        self.beyond.retain(|dot| !self.vector.contains(*dot));
        let replicas: BTreeSet<ReplicaId> = self.beyond.iter().map(|dot| dot.replica).collect();
        for replica in replicas {
            self.compact(replica);
        }
    }

    /// Moves the dots that close the gap into the vector.
    fn compact(&mut self, replica: ReplicaId) {
        while self.beyond.remove(&self.vector.next(replica)) {
            self.vector.advance(self.vector.next(replica));
        }
    }
}

impl FromIterator<Dot> for Context {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut context = Self::default();
        dots.into_iter().for_each(|dot| context.insert(dot));
        context
    }
}

/// The version of one value: its own dot, and what its writer had seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DottedVersion {
    /// The update that wrote the value.
    pub dot: Dot,
    /// Everything before it; never the dot itself.
    pub past: VersionVector,
}

impl DottedVersion {
    /// Which of two values replaces the other: the one whose writer had seen the other. `None` if
    /// neither had, so that both must be kept.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.past.contains(other.dot), other.past.contains(self.dot)) {
            _ if self.dot == other.dot => Some(Ordering::Equal),
            (true, _) => Some(Ordering::Greater),
            (_, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Context, Dot, DottedVersion, VersionVector};

    fn dot(replica: u16, sequence: u64) -> Dot {
        Dot { replica, sequence }
    }

    fn vector(entries: &[(u16, u64)]) -> VersionVector {
        let mut vector = VersionVector::default();
        entries.iter().for_each(|(replica, sequence)| vector.advance(dot(*replica, *sequence)));
        vector
    }

    /// The dots that a vector stands for.
    fn dots(vector: &VersionVector) -> BTreeSet<Dot> {
        let of_replica = |replica| (1..=vector.get(replica)).map(move |at| dot(replica, at));
        (0..4).flat_map(of_replica).collect()
    }

    /// How two sets stand to each other: the twin of [`VersionVector::compare`].
    fn inclusion(one: &BTreeSet<Dot>, other: &BTreeSet<Dot>) -> Option<Ordering> {
        match (one.is_superset(other), other.is_superset(one)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }

    /// Figure 1 of the paper on dotted version vectors: two clients have read nothing and write through
    /// one replica.
    #[test]
    fn two_writes_through_one_replica_are_concurrent_though_their_vectors_are_not() {
        let (first, second) = (vector(&[(1, 1)]), vector(&[(1, 2)]));
        assert_eq!(second.compare(&first), Some(Ordering::Greater));
        let version = |sequence, past: &[(u16, u64)]| DottedVersion {
            dot: dot(1, sequence),
            past: vector(past),
        };
        assert_eq!(version(2, &[]).compare(&version(1, &[])), None);
        assert_eq!(version(2, &[(1, 1)]).compare(&version(1, &[])), Some(Ordering::Greater));
        assert_eq!(version(1, &[]).compare(&version(2, &[(1, 1)])), Some(Ordering::Less));
        assert_eq!(version(1, &[]).compare(&version(1, &[])), Some(Ordering::Equal));
    }

    #[test]
    fn a_gap_is_kept_until_it_is_closed() {
        let mut context = Context::from_iter([dot(1, 1), dot(1, 3)]);
        assert!(context.contains(dot(1, 3)) && !context.contains(dot(1, 2)));
        context.merge(&Context::from_iter([dot(1, 2)]));
        assert_eq!(context, Context::from_iter((1..=3).map(|sequence| dot(1, sequence))));
        assert!(context.beyond.is_empty());
    }

    fn any_vector() -> impl Strategy<Value = VersionVector> {
        prop::collection::vec((0..4_u16, 0..4_u64), 0..6).prop_map(|entries| vector(&entries))
    }

    fn any_dots() -> impl Strategy<Value = BTreeSet<Dot>> {
        prop::collection::btree_set((0..3_u16, 1..6_u64).prop_map(|(r, s)| dot(r, s)), 0..12)
    }

    proptest! {
        #[test]
        fn a_vector_is_the_set_of_its_dots(one in any_vector(), other in any_vector()) {
            let (mine, theirs) = (dots(&one), dots(&other));
            prop_assert_eq!(one.compare(&other), inclusion(&mine, &theirs));
            let mut both = one.clone();
            both.merge(&other);
            prop_assert_eq!(dots(&both), &mine | &theirs);
        }

        #[test]
        fn a_context_is_the_set_of_its_dots(one in any_dots(), other in any_dots()) {
            let mut both: Context = one.iter().copied().collect();
            both.merge(&other.iter().copied().collect());
            let union = &one | &other;
            prop_assert_eq!(&both, &union.iter().copied().collect::<Context>());
            for replica in 0..3 {
                for sequence in 1..7 {
                    let dot = dot(replica, sequence);
                    prop_assert_eq!(both.contains(dot), union.contains(&dot));
                }
            }
        }
    }
}
