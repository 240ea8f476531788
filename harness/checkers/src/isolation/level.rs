//! The levels, each with its definition and whose it is: schools differ.

/// An isolation level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    ReadUncommitted,
    ReadCommitted,
    ReadCommittedAxiomatic,
    ReadAtomic,
    Causal,
    Prefix,
    ParallelSnapshotIsolation,
    SnapshotIsolation,
    RepeatableRead,
    Serializable,
    StrongSessionSnapshotIsolation,
    StrongSessionSerializable,
    StrictSerializable,
}

/// How a level describes itself.
pub struct LevelInfo {
    pub level: Level,
    /// The code of the guarantee.
    pub code: &'static str,
    /// Its name on the command line.
    pub name: &'static str,
    pub doc: &'static str,
    /// What holds with it; the weaker levels of these follow in turn.
    pub implies: &'static [Level],
}

impl Level {
    /// How it describes itself.
    pub fn info(self) -> &'static LevelInfo {
        &ALL[self as usize]
    }

    /// All levels that hold with this one, itself included.
    pub fn implied(self) -> Vec<Level> {
        let mut implied = vec![self];
        let mut next = 0;
        while next < implied.len() {
            let more = implied[next].info().implies.iter().copied();
            let more: Vec<_> = more.filter(|level| !implied.contains(level)).collect();
            implied.extend(more);
            next += 1;
        }
        implied
    }

    /// Whether sessions take their own operations one after the other.
    pub fn has_sessions(self) -> bool {
        matches!(
            self,
            Self::ReadCommittedAxiomatic
                | Self::ReadAtomic
                | Self::Causal
                | Self::Prefix
                | Self::StrongSessionSnapshotIsolation
                | Self::StrongSessionSerializable
                | Self::StrictSerializable
        )
    }
}

/// What the definitions of all levels have in common, for their pages.
macro_rules! with_preamble {
    ($($text:literal)*) => {
        concat!(
            $($text,)*
            "\n\nA transaction that is known to have failed must not be seen; one in doubt counts if \
             somebody saw it. At every level reads find versions that somebody wrote, a transaction \
             reads its own last write, and the elements of a list have one order.\n\nAn anomaly is \
             told as the shortest cycle of transactions, each of which must come before the next, \
             with the reason of each step: wr (the next read what this one wrote), ww (the next \
             overwrote it), rw (this one read what the next overwrote), process, real time."
        )
    };
}

/// Every level, from those that promise little to those that promise more.
pub const ALL: &[LevelInfo] = &[
    LevelInfo {
        level: Level::ReadUncommitted,
        code: "RU",
        name: "read-uncommitted",
        doc: with_preamble!(
            "Writes of transactions do not interleave: for some order of the versions of each key, \
             write dependencies have no cycle (G0). What is read may be uncommitted. A register that \
             shows no order of versions cannot break it.\n\nSource: PL-1 in Adya, Weak Consistency: A \
             Generalized Theory and Optimistic Implementations for Distributed Transactions, 1999."
        ),
        implies: &[],
    },
    LevelInfo {
        level: Level::ReadCommitted,
        code: "RC",
        name: "read-committed",
        doc: with_preamble!(
            "Nothing is read that was never committed (G1a) or overwritten before the commit (G1b), \
             and for some order of versions no cycle has only write and read dependencies (G1c). Two \
             reads of one transaction may see different states.\n\nSource: PL-2 in Adya 1999; not the \
             same as the axiom of that name, RCA."
        ),
        implies: &[Level::ReadUncommitted],
    },
    LevelInfo {
        level: Level::ReadCommittedAxiomatic,
        code: "RCA",
        name: "read-committed-axiomatic",
        doc: with_preamble!(
            "There is an order of commits, no order of sessions or of read dependencies against it, in \
             which a transaction that has read from T never reads afterwards what T or somebody before \
             T overwrote: if t3 reads x of t1 after it read anything of t2, which writes x too, then t2 \
             comes before t1.\n\nSource: Read Committed (wr;po) in Biswas and Enea, On the Complexity \
             of Checking Transactional Consistency, OOPSLA 2019. Stronger than Adya's PL-2, RC."
        ),
        implies: &[Level::ReadCommitted],
    },
    LevelInfo {
        level: Level::ReadAtomic,
        code: "RA",
        name: "read-atomic",
        doc: with_preamble!(
            "A transaction is seen whole or not at all: there is an order of commits in which, if t3 \
             reads x of t1, every other writer of x that t3 reads from, or that comes before t3 in its \
             session, comes before t1. Fractured and non-repeatable reads break it.\n\nSource: Read \
             Atomic (wr ∪ so) in Biswas and Enea 2019; Bailis et al., Scalable Atomic Visibility with \
             RAMP Transactions, 2014."
        ),
        implies: &[Level::ReadCommittedAxiomatic],
    },
    LevelInfo {
        level: Level::Causal,
        code: "CC",
        name: "causal",
        doc: with_preamble!(
            "Whoever sees a transaction also sees what that one had seen or done before, sessions \
             included: there is an order of commits in which, if t3 reads x of t1, every other writer of \
             x in the causal past of t3 comes before t1.\n\nSource: Causal Consistency (wr ∪ so)+ in \
             Biswas and Enea 2019. The broken session guarantee is named where there is one."
        ),
        implies: &[Level::ReadAtomic],
    },
    LevelInfo {
        level: Level::Prefix,
        code: "PC",
        name: "prefix",
        doc: with_preamble!(
            "Every transaction reads a prefix of one order of commits, which holds what it had seen and \
             what its session did before. Updates may be lost, but a long fork breaks it.\n\nSource: \
             Prefix Consistency in Biswas and Enea 2019; Burckhardt et al., Global Sequence Protocol, \
             2015."
        ),
        implies: &[Level::Causal],
    },
    LevelInfo {
        level: Level::ParallelSnapshotIsolation,
        code: "PSI",
        name: "parallel-snapshot-isolation",
        doc: with_preamble!(
            "For some order of versions no cycle of dependencies has less than two read-write steps (no \
             G1, no G-single): reads are from causally closed snapshots, and of two writers of a key one \
             sees the other. A long fork is allowed. Without the order of sessions.\n\nSource: PL-2+ in \
             Adya 1999; Sovran et al., Transactional Storage for Geo-Replicated Systems, 2011; Cerone, \
             Bernardi and Gotsman, A Framework for Transactional Consistency Models with Atomic \
             Visibility, 2015."
        ),
        implies: &[Level::ReadCommitted],
    },
    LevelInfo {
        level: Level::SnapshotIsolation,
        code: "SI",
        name: "snapshot-isolation",
        doc: with_preamble!(
            "Every transaction reads from a snapshot of the committed state, and commits only if nobody \
             else has written its keys since: for some order of versions every cycle of dependencies has \
             two read-write steps side by side (no G1, G-single, G-nonadjacent). Write skew is allowed. \
             Without the order of sessions.\n\nSource: Adya 1999 without start timestamps, which clients \
             cannot see; Cerone and Gotsman, Analysing Snapshot Isolation, 2016."
        ),
        implies: &[Level::ParallelSnapshotIsolation],
    },
    LevelInfo {
        level: Level::RepeatableRead,
        code: "RR",
        name: "repeatable-read",
        doc: with_preamble!(
            "Serializable but for phantoms of predicates: no G1 and no cycle with read-write steps on \
             items (G2-item). These models have no predicates, so it holds exactly where serializable \
             does.\n\nSource: PL-2.99 in Adya 1999."
        ),
        implies: &[Level::Serializable],
    },
    LevelInfo {
        level: Level::Serializable,
        code: "SER",
        name: "serializable",
        doc: with_preamble!(
            "There is an order of all transactions, one at a time, that explains every read: for some \
             order of versions dependencies have no cycle (no G1, no G2). Neither sessions nor real \
             time count.\n\nSource: PL-3 in Adya 1999, as in Elle (Kingsbury and Alvaro, VLDB 2020)."
        ),
        implies: &[Level::RepeatableRead, Level::SnapshotIsolation],
    },
    LevelInfo {
        level: Level::StrongSessionSnapshotIsolation,
        code: "SSSI",
        name: "strong-session-snapshot-isolation",
        doc: with_preamble!(
            "Snapshot isolation in which a transaction's snapshot holds what its session did before.\
             \n\nSource: Daudjee and Salem, Lazy Database Replication with Snapshot Isolation, 2006; \
             Snapshot Isolation in Biswas and Enea 2019."
        ),
        implies: &[Level::SnapshotIsolation, Level::Prefix],
    },
    LevelInfo {
        level: Level::StrongSessionSerializable,
        code: "SSSER",
        name: "strong-session-serializable",
        doc: with_preamble!(
            "Serializable in an order that keeps the order of each session.\n\nSource: Daudjee and \
             Salem, Lazy Database Replication with Ordering Guarantees, 2004; Serializability in Biswas \
             and Enea 2019."
        ),
        implies: &[Level::Serializable, Level::StrongSessionSnapshotIsolation],
    },
    LevelInfo {
        level: Level::StrictSerializable,
        code: "SSER",
        name: "strict-serializable",
        doc: with_preamble!(
            "Serializable in an order in which a transaction that had completed before another was \
             invoked comes before it: a single copy, one transaction at a time. Unknown where a history \
             has no order of time between sessions.\n\nSource: Papadimitriou 1979; Herlihy and Wing \
             1990, section 3.2."
        ),
        implies: &[Level::StrongSessionSerializable],
    },
];

#[cfg(test)]
mod tests {
    use super::{ALL, Level};

    #[test]
    fn levels_stand_at_their_place() {
        for (place, info) in ALL.iter().enumerate() {
            assert_eq!(info.level as usize, place);
        }
    }

    #[test]
    fn the_strongest_level_implies_all() {
        assert_eq!(Level::StrictSerializable.implied().len(), ALL.len());
        assert_eq!(Level::Causal.implied().len(), 5);
    }
}
