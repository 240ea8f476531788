//! Faults are data: what is injected, into whom, and when.
//!
//! A scenario file, a swarm and a shrinker share these types; only the nemesis knows what to do
//! with them.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::setting::Settings;

/// Whom a fault is for. It is resolved to nodes when the fault is injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The node or client of this name.
    Node(SmolStr),
    /// The nodes and clients of these names.
    Nodes(Vec<SmolStr>),
    /// Whoever claims this role at that moment; of two claimants the one of the highest epoch. If
    /// nobody does, it is waited for.
    Role(SmolStr),
    /// One node, drawn at random, of those that claim this role: `follower`.
    Random(SmolStr),
    /// So many nodes, drawn at random.
    Count(u32),
    /// The largest number of nodes that is less than half, drawn at random.
    Minority,
    /// The smallest number of nodes that is more than half, drawn at random.
    Majority,
    /// Every node.
    All,
    /// Every client.
    Clients,
    /// The node whose fact set the fault off.
    Source,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => f.write_str(name),
            Self::Nodes(names) => f.write_str(&names.join(", ")),
            Self::Role(role) => write!(f, "the {role}"),
            Self::Random(role) => write!(f, "a {role}"),
            Self::Count(count) => write!(f, "{count} nodes"),
            Self::Minority => f.write_str("a minority"),
            Self::Majority => f.write_str("a majority"),
            Self::All => f.write_str("all nodes"),
            Self::Clients => f.write_str("all clients"),
            Self::Source => f.write_str("the node that noted the fact"),
        }
    }
}

/// When a fault is injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At a virtual time, in nanoseconds since the run began.
    At(u64),
    /// When a fact is noted: "the second leader is elected".
    OnFact {
        /// The fact's name, as [`Fact::is_named`](crate::Fact::is_named) understands it.
        fact: SmolStr,
        /// Only facts of this node or of whoever holds this role; any if absent.
        by: Option<Target>,
        /// Which of them, from 1.
        nth: u32,
        /// How long after it, in nanoseconds.
        delay_ns: u64,
    },
}

/// One fault with its parameters, all of them filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name in the catalogue: `partition`, `crash` …
    pub kind: SmolStr,
    /// Its parameters.
    pub settings: Settings,
}

/// A fault in a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledFault {
    /// Stable identity: every random draw of the fault is keyed by it, never by its position.
    pub id: u32,
    /// The number of its first occurrence, from 0: draws are keyed by it, too. An occurrence that is
    /// taken out of a fault that comes several times keeps its number.
    pub occurrence: u32,
    /// When it is injected first.
    pub when: When,
    /// How long until it is healed; absent where the fault heals itself or lasts to the end.
    pub lasts_ns: Option<u64>,
    /// The distance between the starts of its occurrences.
    pub every_ns: Option<u64>,
    /// How often it is injected.
    pub times: u32,
    /// Each start is moved by up to this much, either way.
    pub jitter_ns: u64,
    /// How long a role that nobody holds is waited for.
    pub within_ns: u64,
    /// Less effect than this makes a valid verdict unknown. With 0 it may also find nobody, or nothing to
    /// do: one that a swarm drew.
    pub min_effect: u64,
    /// What is injected.
    pub fault: Fault,
}

/// A fault as it really happened: what replay and shrinking use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFault {
    /// Which entry of the schedule.
    pub id: u32,
    /// Which occurrence, from 0.
    pub occurrence: u32,
    /// Its name in the catalogue.
    pub kind: SmolStr,
    /// What it was resolved to, in a few words.
    pub detail: SmolStr,
    /// The names of the nodes and clients it was for.
    pub nodes: Vec<SmolStr>,
    /// When it was injected, in virtual nanoseconds; absent if it never was.
    pub injected_ns: Option<u64>,
    /// When it was healed.
    pub healed_ns: Option<u64>,
    /// How much it touched while operations were open.
    pub effect: u64,
    /// What `effect` counts: `messages dropped`, `unsynced records lost` …
    pub unit: SmolStr,
    /// Operations open at some time between injection and heal.
    pub operations_open: u64,
    /// First and last effect, in virtual nanoseconds.
    pub effect_span_ns: Option<(u64, u64)>,
    /// Its parameters, with the names of those whom each target meant when it was injected.
    #[serde(default)]
    pub settings: Settings,
}
