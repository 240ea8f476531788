//! What a swarm may draw for every seed: plain data, read from a scenario file.

use smol_str::SmolStr;

use crate::setting::Setting;

/// Seeds that are equal modulo this are relatives: they share the kinds of faults, most of the faults, the
/// parameters of the design and the mix, and differ in everything else.
pub const FAMILIES: u64 = 1 << 20;

/// The family of a seed, which is also its first member.
pub fn family(seed: u64) -> u64 {
    seed % FAMILIES
}

/// What is drawn for every seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swarm {
    /// Kinds of faults, by name.
    pub faults: Vec<SmolStr>,
    /// How often a kind is left out altogether, in millionths.
    pub absent_per_million: u32,
    /// How often a kind comes in one run at most, from 1.
    pub times_max: u32,
    /// Parameters of the design, each with the settings of which one is drawn.
    pub parameters: Vec<(SmolStr, Vec<Setting>)>,
    /// Functions of the workload, each with the weights of which one is drawn.
    pub mix: Vec<(SmolStr, Vec<u32>)>,
    /// Situations of the design that must be reached in one seed at least.
    pub reach: Vec<SmolStr>,
}
