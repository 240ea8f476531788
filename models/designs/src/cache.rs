//! Cache-aside: apps keep what they read, and the database tells them what has changed.
//!
//! ```text
//!   client ── read ──▶ app-1 ── Fetch ───▶ database       a miss: fill, unless something newer is known
//!          ◀─ value ──       ◀─ Fetched ──
//!   client ── read ──▶ app-1                               a hit
//!          ◀─ value ──
//!   client ── write ─▶ app-2 ── Commit ──▶ database ── fsync ─┐
//!                      app-1 ◀─ Invalidation 7 ───────────────┤     once, by number
//!          ◀── ok ───  app-2 ◀─ Committed ────────────────────┘
//!                      app-1 ── Watch after 7 ──▶ database          again and again
//!                            ◀─ News: 8, 9 ─────                    what was missed, and a new lease
//! ```
//! A cache is a copy that nobody owns: it is fast because it does not ask, and wrong for the same reason.
//! Each way of keeping it right has a hole that the next one closes. Invalidation closes the hole of
//! time; a stamp on what is filled closes the race between a slow fetch and a fast invalidation; numbers
//! on the invalidations and a question that is asked again and again close the loss of messages; and the
//! time since the last answer bounds how old a hit can be, whatever fails.
//!
//! | where | rule | without it |
//! |---|---|---|
//! | `database` | every commit is announced | `no_invalidation` |
//! | `database` | announce what is committed, not what will be | `invalidate_before_commit` |
//! | `app` | fill only what is as new as all that is known of the key | `unversioned_fill` |
//! | `app` | ask for what was missed, and serve no hits without an answer | `lost_invalidation` |
//! | `class` | what nobody announces lives shortly, whatever the rest may | `global_ttl` |
//! | `authority` | a write and its key stand in one record | retries take effect twice |
//!
//! # What it does not do
//! One database is a single point of failure: without it nothing is written, and after `fresh` nothing
//! is read. A session that moves from one app to another may read older than before, though never older
//! than the bound: reads and writes of a session are in order only as long as it stays, so a scenario
//! promises RYW and MR where no client has a reason to move. Keys that are hot together are fetched by
//! every reader who misses. Clocks may be wrong, but not stand still while the app believes to run: a
//! lease is a time.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, NamedDoc, ParameterInfo, ParameterKind, Tolerance, VariantInfo,
};
use wrack_history::duration::SECOND;
use wrack_history::{Settings, SmolStr};
use wrack_sim::{Cluster, Design, NodeId};

use self::app::App;
use self::database::{Announces, Database};
use self::message::{Message, Peer};

mod app;
mod class;
mod database;
mod message;

/// Cache-aside with versioned fill, numbered invalidation and classes of keys as a design.
pub struct Cache;

const INFO: DesignInfo = DesignInfo {
    name: "cache",
    codes: &["P06", "P08"],
    title: "Cache-aside: apps cache what they read, and the database announces what has changed",
    doc: "Apps serve reads from memory. What they do not have they fetch from the database, which holds \
          a version of every key, and they keep it unless they know of something newer. Writes go \
          through to the database; once one is durable, an invalidation goes to every app. Invalidations \
          are numbered: an app that finds a gap, or has not asked for a while, asks for all that came \
          after the last one that it knows. An app that gets no answer for the time `fresh` stops \
          serving hits until it does. Keys have classes: those whose changes are announced may live \
          long, and the quiet ones, whose changes nobody announces, never longer than `fresh`.\n\n\
          The promise: no read is older than the bound, which a scenario may lower to `fresh` (STALE); no \
          value comes from nowhere. It holds through crashes and restarts of any node, evictions, \
          changed times to live, and any network; it needs monotonic clocks that run, and a disk that \
          keeps what it synced. A session that stays at one app reads its writes, and never goes back: a \
          scenario whose clients have no reason to move may promise RYW and MR.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "global_ttl",
            doc: "There is one time to live for all keys. Somebody raises it for the sake of those that \
                  are announced, and what nobody announces gets as old: the price list of a partner, a \
                  quarter of an hour late.",
            broken: true,
        },
        VariantInfo {
            name: "invalidate_before_commit",
            doc: "The invalidation is sent when a write is about to be committed. Whoever misses in \
                  between fetches the old row and keeps it: the order of two lines in most tutorials.",
            broken: true,
        },
        VariantInfo {
            name: "lost_invalidation",
            doc: "Invalidations are sent once, and nobody asks for what was missed. A lost packet, or a \
                  crash between commit and send, leaves an old value where it is until its time to live \
                  is over (Facebook's memcache had to learn them from the commit log).",
            broken: true,
        },
        VariantInfo {
            name: "no_invalidation",
            doc: "Nobody is told anything: the time to live is all there is. A deployment changes every \
                  row right after the caches were filled, and users see the old ones for fifteen \
                  minutes.",
            broken: true,
        },
        VariantInfo {
            name: "unversioned_fill",
            doc: "What was fetched is kept, whatever was heard meanwhile. A slow answer of the database \
                  arrives after the invalidation of what it says, and stays: the stale set for which \
                  memcache got its lease tokens.",
            broken: true,
        },
    ],
    roles: &[],
    failpoints: &[
        NamedDoc::new("database.received", "a write came, and nothing of it is written"),
        NamedDoc::new("database.committed", "the write is durable; no app was told"),
        NamedDoc::new("database.announced", "the apps were told; the writer was not"),
    ],
    messages: &[
        NamedDoc::new(
            "invalidation",
            "what tells an app that keys have changed, at once or when it asks",
        ),
        NamedDoc::new("row", "what an app fetched"),
    ],
    controls: &[
        NamedDoc::new("evict", "each cached key is forgotten with a probability"),
        NamedDoc::new("ttl", "the time to live of a class of keys is another one"),
    ],
    facts: &[
        NamedDoc::new("cache_read", "a read came to an app, and was a hit or a miss"),
        NamedDoc::new("effect", "a write is durable in the database"),
    ],
    situations: &[
        NamedDoc::new(
            "a fill is too old",
            "A fill comes back when a newer version is known already.",
        ),
        NamedDoc::new("a retried write is recognised", "The database has done it before."),
        NamedDoc::new("an invalidation was missed", "The next one shows a gap."),
    ],
    functions: &["read", "write"],
    parameters: &[
        ParameterInfo::new(
            "apps",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(2),
            "how many nodes serve clients and cache, named app-1, app-2 …",
        ),
        ParameterInfo::new(
            "ttl",
            ParameterKind::Duration,
            DefaultSetting::Duration(900 * SECOND),
            "how long keys are cached whose changes are announced",
        ),
        ParameterInfo::new(
            "quiet_ttl",
            ParameterKind::Duration,
            DefaultSetting::Duration(2 * SECOND),
            "how long quiet keys are cached; never longer than `fresh`",
        ),
        ParameterInfo::new(
            "quiet_keys",
            ParameterKind::Flag,
            DefaultSetting::Flag(false),
            "whether the changes of keys with an odd number are not announced",
        ),
        ParameterInfo::new(
            "fresh",
            ParameterKind::Duration,
            DefaultSetting::Duration(3 * SECOND),
            "how long an app serves hits after it last asked what it has missed, if it got an answer",
        ),
    ],
    guarantees: &["ASSERT", "LIVE", "PHANTOM", "STALE"],
    // Any number of nodes at once: what matters is on the database's disk, and the rest is asked for again.
    tolerates: &Tolerance::any([
        "clock-step",
        "crash",
        "disk-error",
        "disk-full",
        "duplicate",
        "eviction",
        "failpoint",
        "latency",
        "loss",
        "lost-invalidation",
        "partition",
        "reorder",
        "slow-disk",
        "ttl-change",
    ]),
    nodes: names,
    sources: &[
        "Nishtala et al.: Scaling Memcache at Facebook, NSDI 2013, sections 3.2.1 and 4.1",
        "Gray and Cheriton: Leases: An Efficient Fault-Tolerant Mechanism, SOSP 1989",
        "Ports, Clements, Zhang, Madden and Liskov: Transactional Consistency and Automatic Management \
         in an Application Data Cache, OSDI 2010",
        "Lu, Meta: Cache Made Consistent, 2022",
    ],
};

/// The apps, then the database.
fn names(settings: &Settings) -> Vec<SmolStr> {
    let apps = settings.integer("apps").unwrap_or(2);
    let mut names: Vec<SmolStr> = (1..=apps).map(|number| format!("app-{number}").into()).collect();
    names.push("database".into());
    names
}

impl Design for Cache {
    type Peer = Peer;
    type Node = Server;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> Server {
        let database = NodeId(cluster.names.len() as u16 - 1);
        let variant = cluster.variant.as_str();
        let quiet_keys = cluster.settings.flag("quiet_keys").unwrap_or(false);
        if id == database {
            let announces = match variant {
                "invalidate_before_commit" => Announces::Early,
                "no_invalidation" => Announces::Never,
                _ => Announces::Committed,
            };
            let apps = Self::entries(cluster);
            let rules = database::Rules { announces, quiet_keys, apps };
            return Server::Database(Database::new(rules));
        }
        Server::App(App::new(app::Rules {
            database,
            fresh_ns: cluster.duration("fresh"),
            ttl_ns: cluster.duration("ttl"),
            quiet_ttl_ns: cluster.duration("quiet_ttl"),
            quiet_keys,
            asks: !matches!(variant, "lost_invalidation" | "no_invalidation"),
            compares: variant != "unversioned_fill",
            one_ttl: variant == "global_ttl",
        }))
    }

    fn kind(message: &Peer) -> &'static str {
        message.kind()
    }

    /// The apps: the database is theirs.
    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        cluster.servers().take(cluster.names.len() - 1).collect()
    }
}

wrack_sim::nodes! {
    /// A node of the design.
    pub enum Server: Message {
        /// An app with its cache.
        App(App),
        /// The database.
        Database(Database),
    }
}

#[cfg(test)]
mod tests;
