//! A scenario, validated and with every default filled in.

use wrack_history::load::{Environment, ExplicitOperation, RetryPolicy, Workload};
use wrack_history::{ScheduledFault, Settings, SmolStr, Swarm};

/// What a scenario file says, with every default filled in.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `<family>/<event>`, from the last two parts of the path without `.toml`.
    pub name: String,
    /// The path it was read from, as it was given.
    pub path: String,
    /// A digest of the file's bytes, 16 hexadecimal digits.
    pub hash: String,
    /// The file itself.
    pub source: String,
    /// One line.
    pub title: String,
    /// What happens, in a paragraph.
    pub story: String,
    /// What is expected to hold.
    pub hypothesis: String,
    /// Who answers for the scenario; empty if the file does not say.
    pub owner: String,
    /// The tier of the data, 1 to 3.
    pub tier: Option<u8>,
    /// The design's name.
    pub design: SmolStr,
    /// The design's parameters.
    pub parameters: Settings,
    /// Names of its nodes.
    pub nodes: Vec<SmolStr>,
    /// What is expected of which variant, in the order of the file.
    pub variants: Vec<Expectation>,
    /// How links and disks behave without faults.
    pub environment: Environment,
    /// What clients ask.
    pub workload: Workload,
    /// Explicit operations in order of time, in place of those that the workload would draw.
    pub operations: Option<Vec<ExplicitOperation>>,
    /// Whether every key is read when all is quiet.
    pub final_reads: bool,
    /// How clients retry.
    pub client: RetryPolicy,
    /// What is injected.
    pub faults: Vec<ScheduledFault>,
    /// What is drawn for every seed beside, if anything is.
    pub swarm: Option<Swarm>,
    /// How long the phases last.
    pub phases: PhaseLengths,
    /// Names of nodes whose crash is not healed.
    pub stays_down: Vec<SmolStr>,
    /// Whether the faults are beyond what the design tolerates; then nothing is promised.
    pub beyond_model: bool,
    /// What is promised, beyond what the design promises always: with bounds.
    pub guarantees: Vec<Promise>,
    /// Service level objectives.
    pub slos: Vec<Objective>,
    /// The error budget, and what alerts are judged over.
    pub alert: Option<Alerting>,
    /// Below these a valid verdict is unknown.
    pub minimum: Minimum,
    /// Defaults that were filled in: the path of the key, and the value as text.
    pub defaults: Vec<(String, String)>,
}

impl Scenario {
    /// The line that says what is expected of the variant, from 1; the first if nothing is said.
    pub fn line_of(&self, variant: &str) -> usize {
        let document = toml::de::DeTable::parse(&self.source).ok();
        let start = document.and_then(|document| {
            let variants = document.get_ref().get("variants")?.get_ref().as_table()?;
            variants.get_key_value(variant).map(|(key, _)| key.span().start)
        });
        start.map_or(1, |start| self.source[..start].matches('\n').count() + 1)
    }
}

/// What is expected of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The variant.
    pub variant: SmolStr,
    /// The anomaly that must be found; `None` if the variant must be valid.
    pub anomaly: Option<SmolStr>,
    /// In what share of seeds at least, in millionths.
    pub share_per_million: u32,
    /// Anomalies that follow from the expected one.
    pub follows: Vec<Follow>,
    /// Parameters of the design that differ in this variant.
    pub parameters: Settings,
}

impl Expectation {
    /// `valid`, or the code of the expected anomaly.
    pub fn expected(&self) -> &str {
        self.anomaly.as_deref().unwrap_or("valid")
    }
}

/// An anomaly that follows from another, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// Its code.
    pub code: SmolStr,
    /// Why it follows.
    pub because: String,
}

/// How long the phases last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseLengths {
    /// Operations run and faults are on, in nanoseconds.
    pub faults_ns: u64,
    /// Everything is healed; operations go on, in nanoseconds.
    pub quiet_ns: u64,
}

/// A guarantee with its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its code.
    pub code: SmolStr,
    /// Its bounds.
    pub settings: Settings,
}

/// The metric that counts what is done by a deadline: reconciliation completion.
pub const BY_DEADLINE: &str = "M3";

/// A service level objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The metric: `M1`, `availability`, `latency` …
    pub metric: SmolStr,
    /// For latency: of which function; all if absent.
    pub function: Option<SmolStr>,
    /// For [`BY_DEADLINE`]: how long what it counts may take, in nanoseconds.
    pub deadline_ns: Option<u64>,
    /// For times of many events: which quantile, in millionths.
    pub quantile_per_million: u32,
    /// What is promised.
    pub bound: Bound,
}

/// An error budget, and the traffic before the run that alerts are judged over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alerting {
    /// The share of operations that must end ok, in millionths, below all of them.
    pub objective_per_million: u32,
    /// The share of operations that did not end ok before the run, in millionths.
    pub baseline_errors_per_million: u32,
    /// With fewer operations nothing can be said.
    pub events_min: u64,
}

/// What an objective promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At least this share, in millionths.
    AtLeast(u32),
    /// At most this long, in nanoseconds.
    AtMost(u64),
    /// At most this share, in millionths: duplicate effects, stale hits.
    AtMostShare(u32),
    /// At most so many: unauthorised accesses, failed migrations.
    AtMostCount(u64),
}

/// Below these a valid verdict is unknown: too little happened to say anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// Operations that ended `ok`.
    pub ok_operations: u64,
    /// Reads that ended `ok`, where the workload reads.
    pub reads: u64,
    /// Pairs of a read and a write of one key that overlap in time.
    pub overlapping_pairs: u64,
    /// Operations open during each timed fault.
    pub open_in_fault: u64,
}

impl Default for Minimum {
    fn default() -> Self {
        Self { ok_operations: 100, reads: 30, overlapping_pairs: 10, open_in_fault: 20 }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::read_good;

    #[test]
    fn a_variant_is_found_in_its_file() {
        let text = "[variants.reference]\nexpect = \"valid\"\n\n[variants.stale_local_read]\nexpect = \"LIN\"\n";
        let scenario = read_good(text);
        let first = scenario.source.lines().position(|line| line.starts_with("[variants")).unwrap();
        assert_eq!(scenario.line_of("reference"), first + 1);
        assert_eq!(scenario.line_of("stale_local_read"), first + 4);
        assert_eq!(read_good("").line_of("reference"), 1);
    }
}
