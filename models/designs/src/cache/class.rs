//! Classes of keys: how long what was cached may live.

/// Which keys are cached for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Their changes are announced: they may be cached for long.
    Announced,
    /// Nobody announces their changes, as with what an import or another team writes: only a short
    /// time to live bounds how old they get.
    Quiet,
}

impl Class {
    /// The class of a key: where there are quiet keys, those whose name ends in an odd digit.
    pub fn of(key: &str, quiet_keys: bool) -> Self {
        let last = key.bytes().last().unwrap_or_default();
        if quiet_keys && last % 2 == 1 { Self::Quiet } else { Self::Announced }
    }

    /// Its name, as the control `ttl` says it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "announced" => Some(Self::Announced),
            "quiet" => Some(Self::Quiet),
            _ => None,
        }
    }
}
