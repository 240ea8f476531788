//! The sections of a scenario file, one a file.

pub(crate) mod alert;
pub(crate) mod client;
pub(crate) mod design;
pub(crate) mod environment;
pub(crate) mod fault;
pub(crate) mod guarantee;
pub(crate) mod heading;
pub(crate) mod mix;
pub(crate) mod operation;
pub(crate) mod phases;
pub(crate) mod slo;
pub(crate) mod swarm;
pub(crate) mod timing;
pub(crate) mod trigger;
pub(crate) mod variants;
pub(crate) mod workload;

use wrack_history::catalogue::ParameterInfo;

use crate::suggestion::quoted;

/// A section with keys of its own.
pub(crate) struct Section {
    /// Its key.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub doc: &'static str,
    /// Its keys, but for those that are read in a way of their own.
    pub keys: &'static [ParameterInfo],
}

/// The sections whose keys do not depend on the catalogue, or not all of them.
pub(crate) const ALL: &[Section] = &[
    Section { name: "network", doc: "Links without faults.", keys: environment::NETWORK },
    Section { name: "disk", doc: "Disks without faults.", keys: environment::DISK },
    Section { name: "workload", doc: "What clients ask, and how fast.", keys: workload::KEYS },
    Section {
        name: "operation",
        doc: "An explicit operation, in place of those that the workload would draw.",
        keys: operation::KEYS,
    },
    Section { name: "client", doc: "How clients retry.", keys: client::KEYS },
    Section { name: "fault", doc: "What is injected, and when.", keys: timing::KEYS },
    Section { name: "swarm", doc: "What is drawn for every seed.", keys: swarm::KEYS },
    Section { name: "phases", doc: "How long the phases last.", keys: phases::KEYS },
    Section {
        name: "alert",
        doc: "An error budget, and whether its burning would have called somebody.",
        keys: alert::KEYS,
    },
    Section {
        name: "minimum",
        doc: "Below these a valid verdict is unknown: too little happened.",
        keys: environment::MINIMUM,
    },
];

/// Keys that are read in a way of their own, and the section that they belong to.
const SPECIAL: &[(&str, &str)] = &[
    ("rate", "workload"),
    ("distribution", "workload"),
    ("mix", "workload"),
    ("client", "operation"),
    ("function", "operation"),
    ("key", "operation"),
    ("to", "operation"),
    ("kind", "fault"),
    ("at", "fault"),
    ("on", "fault"),
    ("stays_down", "phases"),
    ("parameters", "swarm"),
    ("reach", "swarm"),
    ("metric", "slo"),
    ("at_least", "slo"),
    ("at_most", "slo"),
    ("quantile", "slo"),
];

/// The described keys of a section.
pub(crate) fn keys_of(name: &str) -> &'static [ParameterInfo] {
    ALL.iter().find(|section| section.name == name).map_or(&[], |section| section.keys)
}

/// What to say of a key that is unknown in `place`, if it is well known elsewhere.
pub(crate) fn hint(key: &str, place: &str) -> Option<String> {
    if matches!(key, "seed" | "seeds") {
        return Some("seeds are not in the file: `wrack run PATH --seeds 0..20`".into());
    }
    let described = ALL.iter().filter(|section| section.keys.iter().any(|info| info.name == key));
    let special = SPECIAL.iter().filter(|(name, _)| *name == key).map(|(_, section)| *section);
    let homes = described.map(|section| section.name).chain(special);
    let homes = homes.filter(|home| *home != place).collect::<Vec<_>>();
    (!homes.is_empty()).then(|| format!("`{key}` is a key of {}", quoted(&homes)))
}
