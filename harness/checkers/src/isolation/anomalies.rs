//! The named anomalies of transactions, in words.

use wrack_history::catalogue::NamedDoc;

/// Every name that a finding can have, without `-process` and `-realtime` behind it.
pub const ANOMALIES: &[NamedDoc] = &[
    NamedDoc::new(
        "G0",
        "Dirty write: a cycle of ww steps alone, so that writes of transactions interleave. Breaks \
         read-uncommitted. Adya 1999.",
    ),
    NamedDoc::new(
        "G1a",
        "Aborted read: somebody read what a transaction wrote that is known to have failed. Breaks \
         read-committed. Adya 1999.",
    ),
    NamedDoc::new(
        "G1b",
        "Intermediate read: somebody read a version that its own transaction overwrote before it \
         committed. Breaks read-committed. Adya 1999.",
    ),
    NamedDoc::new(
        "G1c",
        "Circular information flow: a cycle of ww and wr steps, so that transactions saw or overwrote \
         one another in a circle. Breaks read-committed. Adya 1999.",
    ),
    NamedDoc::new(
        "G-single",
        "Read skew: a cycle with exactly one rw step. Somebody saw one effect of a transaction and \
         missed another. Breaks parallel-snapshot-isolation. Adya 1999. With -process or -realtime \
         behind it the cycle needs the order of a session or of time.",
    ),
    NamedDoc::new(
        "G-nonadjacent",
        "A cycle with several rw steps of which no two follow one another. Breaks snapshot-isolation. \
         Kingsbury and Alvaro, Elle, 2020; Cerone and Gotsman 2016.",
    ),
    NamedDoc::new(
        "G2-item",
        "A cycle with several rw steps on items, two of them side by side. Breaks repeatable-read and \
         serializable. Adya 1999.",
    ),
    NamedDoc::new(
        "G2",
        "A cycle with rw steps, of predicates or of items. These models read no predicates, so that it \
         is always told as G2-item or as something more special. Adya 1999.",
    ),
    NamedDoc::new(
        "lost-update",
        "Two transactions read the same version of a key, and both overwrote it: one update did not \
         see the other. Breaks parallel-snapshot-isolation.",
    ),
    NamedDoc::new(
        "write-skew",
        "Each of two transactions read what the other overwrote, on different keys. Snapshots allow \
         it; breaks serializable. Berenson et al. 1995.",
    ),
    NamedDoc::new(
        "long-fork",
        "Two readers saw two independent writes in opposite orders. Breaks prefix and \
         snapshot-isolation. Sovran et al. 2011.",
    ),
    NamedDoc::new(
        "fractured-read",
        "A transaction was seen in part: one of its writes was read, another one missed. Breaks \
         read-atomic, and read-committed-axiomatic if what was missed was read later. Bailis et al. \
         2014.",
    ),
    NamedDoc::new(
        "causal-violation",
        "Somebody saw an effect and missed what had caused it. Breaks causal. Biswas and Enea 2019.",
    ),
    NamedDoc::new(
        "read-your-writes",
        "A session did not see what it had written itself. Breaks read-atomic. Terry et al. 1994.",
    ),
    NamedDoc::new(
        "monotonic-reads",
        "A session read an older version than it had read before. Breaks causal. Terry et al. 1994.",
    ),
    NamedDoc::new(
        "monotonic-writes",
        "Somebody saw the later one of a session's writes and missed the earlier one. Breaks causal. \
         Terry et al. 1994.",
    ),
    NamedDoc::new(
        "writes-follow-reads",
        "Somebody saw a session's write and missed what the session had read before it. Breaks causal. \
         Terry et al. 1994.",
    ),
    NamedDoc::new(
        "internal",
        "A transaction read something else than it had written itself before. Breaks every level: Adya \
         1999, section 4.2, takes it for granted.",
    ),
    NamedDoc::new(
        "future-read",
        "A transaction read what it wrote itself only later. Breaks every level. Elle.",
    ),
    NamedDoc::new("garbage-read", "A read of what nobody ever wrote. Breaks every level. Elle."),
    NamedDoc::new(
        "dirty-update",
        "A committed transaction appended to what one had left that failed. Breaks read-committed. \
         Elle.",
    ),
    NamedDoc::new(
        "incompatible-order",
        "Two reads of a list of which neither is a beginning of the other: its elements have no order. \
         Breaks every level. Elle.",
    ),
    NamedDoc::new(
        "duplicate-elements",
        "A list that holds an element twice that was appended once. Breaks every level. Elle.",
    ),
    NamedDoc::new(
        "cyclic-versions",
        "Transactions that read one version of a key and wrote the next did so in a circle, so that a \
         version is older than itself. Breaks read-committed, as the G1c that it is. Elle.",
    ),
    NamedDoc::new(
        "no-order",
        "No order of versions that nobody saw explains the history; a SAT solver refuted them all.",
    ),
];
