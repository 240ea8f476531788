//! Settings: the typed parameters that a scenario gives to a design, workload or fault.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::duration;
use crate::fault::Target;

/// One typed value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Nanoseconds.
    Duration(u64),
    /// Nanoseconds with a sign: a clock offset.
    Offset(i64),
    /// A whole number.
    Integer(i64),
    /// A probability or share, in millionths.
    PerMillion(u32),
    /// Yes or no.
    Flag(bool),
    /// A name out of a list.
    Choice(SmolStr),
    /// How long something takes.
    Delay(Delay),
    /// Whom a fault is for.
    Target(Target),
    /// Groups of targets: the sides of a partition.
    Groups(Vec<Vec<Target>>),
}

/// A distribution of durations, drawn with integers alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// Any duration from `min_ns` to `max_ns`, both included, equally likely; constant when equal.
    Uniform {
        /// Shortest, in nanoseconds.
        min_ns: u64,
        /// Longest, in nanoseconds.
        max_ns: u64,
    },
    /// `min_ns` plus an exponentially distributed rest.
    Exponential {
        /// Shortest, in nanoseconds.
        min_ns: u64,
        /// Mean of the rest, in nanoseconds.
        mean_ns: u64,
    },
    /// Log-normal, as wide-area latencies are.
    LogNormal {
        /// Half of the draws are below it, in nanoseconds.
        median_ns: u64,
        /// Standard deviation of the logarithm, in thousandths.
        sigma_milli: u32,
    },
}

impl Delay {
    /// Always the same.
    pub const fn constant(ns: u64) -> Self {
        Self::Uniform { min_ns: ns, max_ns: ns }
    }

    /// Equally likely from `min_ns` to `max_ns`.
    pub const fn uniform(min_ns: u64, max_ns: u64) -> Self {
        Self::Uniform { min_ns, max_ns }
    }
}

/// Writes the delay as a scenario file does: `1ms..5ms`.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = duration::format;
        match self {
            Self::Uniform { min_ns, max_ns } if min_ns == max_ns => f.write_str(&text(*min_ns)),
            Self::Uniform { min_ns, max_ns } => {
                write!(f, "{}..{}", text(*min_ns), text(*max_ns))
            }
            Self::Exponential { min_ns, mean_ns } => {
                write!(f, "exponential {} + {}", text(*min_ns), text(*mean_ns))
            }
            Self::LogNormal { median_ns, sigma_milli } => {
                write!(f, "lognormal {} sigma 0.{sigma_milli:03}", text(*median_ns))
            }
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(ns) => f.write_str(&duration::format(*ns)),
            Self::Offset(ns) => {
                let sign = if *ns < 0 { "-" } else { "+" };
                write!(f, "{sign}{}", duration::format(ns.unsigned_abs()))
            }
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::PerMillion(share) => f.write_str(&percent(*share)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Choice(name) => f.write_str(name),
            Self::Delay(delay) => write!(f, "{delay}"),
            Self::Target(target) => write!(f, "{target}"),
            Self::Groups(groups) => {
                let group = |group: &Vec<Target>| {
                    group.iter().map(Target::to_string).collect::<Vec<_>>().join(", ")
                };
                f.write_str(&groups.iter().map(group).collect::<Vec<_>>().join(" | "))
            }
        }
    }
}

/// Writes millionths as a percentage without trailing zeros: `2%`, `0.05%`.
pub fn percent(per_million: u32) -> String {
    let (whole, rest) = (per_million / 10_000, per_million % 10_000);
    if rest == 0 {
        return format!("{whole}%");
    }
    format!("{whole}.{}%", format!("{rest:04}").trim_end_matches('0'))
}

/// Parameters by name. A getter asserts the kind, because whoever fills them has validated them
/// against the [`ParameterInfo`](crate::catalogue::ParameterInfo) of the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<SmolStr, Setting>);

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        /// If the parameter is of another kind: a bug of the harness, never of a scenario.
        pub fn $name(&self, name: &str) -> Option<$type> {
            self.0.get(name).map(|setting| match setting {
                Setting::$variant(value) => value.clone(),
                other => panic!("parameter {name} is {other:?}, not {}", stringify!($variant)),
            })
        }
    )*};
}

impl Settings {
    getters! {
        /// A duration in nanoseconds.
        duration: Duration -> u64;
        /// A signed duration in nanoseconds.
        offset: Offset -> i64;
        /// A whole number.
        integer: Integer -> i64;
        /// A share in millionths.
        per_million: PerMillion -> u32;
        /// Yes or no.
        flag: Flag -> bool;
        /// A name out of a list.
        choice: Choice -> SmolStr;
        /// A distribution of durations.
        delay: Delay -> Delay;
        /// Whom a fault is for.
        target: Target -> Target;
        /// The sides of a partition.
        groups: Groups -> Vec<Vec<Target>>;
    }

    /// Sets a parameter, and gives the settings back for chaining.
    pub fn with(mut self, name: &str, setting: Setting) -> Self {
        self.0.insert(name.into(), setting);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_written_as_a_percentage_without_trailing_zeros() {
        assert_eq!(percent(20_000), "2%");
        assert_eq!(percent(500), "0.05%");
        assert_eq!(percent(999_000), "99.9%");
    }
}
