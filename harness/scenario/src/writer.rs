//! From a [`Scenario`] to the text of a file that says the same.
//!
//! What a catalogue has as a default is left out, so that a file says what it is about and no more.

use std::fmt::Write as _;

use toml::Value as Toml;
use wrack_history::catalogue::{Catalogue, defaults};
use wrack_history::duration::format as time;
use wrack_history::load::{Environment, ExplicitOperation, RetryKey, RetryPolicy, Workload};
use wrack_history::setting::{Delay, Setting, Settings, percent};
use wrack_history::{ScheduledFault, SmolStr, Swarm, Target, Value, When};

use crate::scenario::{Alerting, Bound, Expectation, Objective, Scenario};
use crate::sections::keys_of;
use crate::{KeyDistribution, Pace};

/// Remarks that stand as comments in a written file.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// Lines above everything.
    pub head: Vec<String>,
    /// What is said of each operation, by its place; none where the list is shorter.
    pub operations: Vec<String>,
    /// What is said of each fault, by its place.
    pub faults: Vec<String>,
}

/// Writes `scenario` as a file from which [`read`](crate::read) makes the same again, but for what the
/// file itself is: its path, digest and text, and which defaults were filled in.
pub fn write(scenario: &Scenario, catalogue: &Catalogue, remarks: &Remarks) -> String {
    let mut text = String::new();
    for line in &remarks.head {
        text += format!("# {line}").trim_end();
        text += "\n";
    }
    let writer = Writer { scenario, catalogue, remarks };
    writer.sections().iter().filter(|section| !section.is_empty()).for_each(|section| {
        if !text.is_empty() {
            text += "\n";
        }
        text += section;
    });
    text
}

struct Writer<'a> {
    scenario: &'a Scenario,
    catalogue: &'a Catalogue,
    remarks: &'a Remarks,
}

impl Writer<'_> {
    fn sections(&self) -> Vec<String> {
        let scenario = self.scenario;
        let mut sections = vec![self.heading(), self.operations(), self.design()];
        sections.extend(scenario.variants.iter().map(variant));
        sections.extend(environment(&scenario.environment));
        sections.extend([self.workload(), client(&scenario.client)]);
        let faults = scenario.faults.iter().enumerate();
        sections.extend(faults.map(|(place, fault)| self.fault(place, fault)));
        sections.extend(scenario.swarm.as_ref().map(swarm));
        sections.push(self.phases());
        sections.extend(scenario.guarantees.iter().map(|promise| {
            let head = Lines::of("[[guarantee]]").key("code", quoted(&promise.code));
            head.settings(&promise.settings, &Settings::default()).0
        }));
        sections.extend(scenario.slos.iter().map(objective));
        sections.extend(scenario.alert.as_ref().map(alert));
        let minimum = &scenario.minimum;
        let counts = Settings::default()
            .with("ok_operations", Setting::Integer(minimum.ok_operations as i64))
            .with("reads", Setting::Integer(minimum.reads as i64))
            .with("overlapping_pairs", Setting::Integer(minimum.overlapping_pairs as i64))
            .with("open_in_fault", Setting::Integer(minimum.open_in_fault as i64));
        sections.push(section("minimum", &counts));
        sections
    }

    fn heading(&self) -> String {
        let scenario = self.scenario;
        let mut lines = Lines::default()
            .key("title", quoted(&scenario.title))
            .key("story", quoted(&scenario.story))
            .key("hypothesis", quoted(&scenario.hypothesis));
        if !scenario.owner.is_empty() {
            lines = lines.key("owner", quoted(&scenario.owner));
        }
        lines.optional("tier", scenario.tier.map(|tier| tier.to_string())).0
    }

    fn operations(&self) -> String {
        let Some(operations) = &self.scenario.operations else { return String::new() };
        if operations.is_empty() {
            return "operation = []\n".into();
        }
        let one = |(place, one): (usize, &ExplicitOperation)| {
            let before = operations[..place].iter().filter(|other| other.client == one.client);
            let number = (before.count() != one.number as usize).then_some(one.number);
            let remark = self.remarks.operations.get(place);
            let remark = remark.map(|words| format!("  # {words}")).unwrap_or_default();
            format!("    {},{remark}\n", operation(one, number))
        };
        let lines: String = operations.iter().enumerate().map(one).collect();
        format!("operation = [\n{lines}]\n")
    }

    fn design(&self) -> String {
        let name = &self.scenario.design;
        let info = self.catalogue.design(name);
        let usual = defaults(info.map_or(&[], |info| info.parameters));
        let lines = Lines::of("[design]").key("name", quoted(name));
        lines.settings(&self.scenario.parameters, &usual).0
    }

    fn workload(&self) -> String {
        let workload = &self.scenario.workload;
        let info = self.catalogue.workload(&workload.name);
        let usual = defaults(info.map_or(&[], |info| info.parameters));
        let mut lines = Lines::of("[workload]")
            .key("name", quoted(&workload.name))
            .key("clients", workload.clients);
        if self.scenario.operations.is_none() {
            lines = drawn(workload, lines);
        }
        if !self.scenario.final_reads {
            lines = lines.key("final_reads", false);
        }
        lines.settings(&workload.settings, &usual).0
    }

    fn fault(&self, place: usize, fault: &ScheduledFault) -> String {
        let info = self.catalogue.fault(&fault.fault.kind);
        let parameters = info.map_or(&[][..], |info| info.parameters);
        let mut lines = Lines::default();
        if let Some(words) = self.remarks.faults.get(place) {
            lines.0 = format!("# {words}\n");
        }
        lines.0 += "[[fault]]\n";
        let mut lines = lines
            .key("kind", quoted(&fault.fault.kind))
            .settings(&fault.fault.settings, &defaults(parameters));
        lines = match &fault.when {
            When::At(ns) => lines.key("at", quoted(&time(*ns))),
            When::OnFact { fact, by, nth, delay_ns } => {
                let by = by.as_ref().map(|by| format!(", by = {}", target(by)));
                let nth = (*nth != 1).then(|| format!(", nth = {nth}"));
                let after = (*delay_ns != 0).then(|| format!(", after = \"{}\"", time(*delay_ns)));
                let rest: String = [by, nth, after].into_iter().flatten().collect();
                lines.key("on", format!("{{ fact = {}{rest} }}", quoted(fact)))
            }
        };
        // A parameter of the fault's own hides the key of this name.
        let own = |key: &str| parameters.iter().any(|info| info.name == key);
        let count = |name: &str, count: u64, usual: u64| {
            (!own(name) && count != usual).then_some(Setting::Integer(count as i64))
        };
        let length = |name: &str, ns: Option<u64>| ns.filter(|_| !own(name)).map(Setting::Duration);
        let id = count("id", u64::from(fault.id), place as u64);
        let timing = [
            ("for", length("for", fault.lasts_ns)),
            ("every", length("every", fault.every_ns)),
            ("times", count("times", u64::from(fault.times), 1)),
            ("jitter", length("jitter", Some(fault.jitter_ns))),
            ("within", length("within", Some(fault.within_ns))),
            ("min_effect", count("min_effect", fault.min_effect, 1)),
            ("id", id),
            ("occurrence", count("occurrence", u64::from(fault.occurrence), 0)),
        ];
        let timing = timing.into_iter().filter_map(|(name, setting)| Some((name.into(), setting?)));
        lines.settings(&Settings(timing.collect()), &defaults(keys_of("fault"))).0
    }

    fn phases(&self) -> String {
        let scenario = self.scenario;
        let lengths = Settings::default()
            .with("faults", Setting::Duration(scenario.phases.faults_ns))
            .with("quiet", Setting::Duration(scenario.phases.quiet_ns))
            .with("beyond_model", Setting::Flag(scenario.beyond_model));
        let mut text = section("phases", &lengths);
        if !scenario.stays_down.is_empty() {
            let names = scenario.stays_down.iter().map(|name| quoted(name)).collect::<Vec<_>>();
            if text.is_empty() {
                text = "[phases]\n".into();
            }
            let _ = writeln!(text, "stays_down = [{}]", names.join(", "));
        }
        text
    }
}

/// Lines of a table.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn of(header: &str) -> Self {
        Self(format!("{header}\n"))
    }

    fn key(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let _ = writeln!(self.0, "{key} = {value}");
        self
    }

    fn optional(self, key: &str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.key(key, value),
            None => self,
        }
    }

    /// Settings but for those that are as usual.
    fn settings(self, settings: &Settings, usual: &Settings) -> Self {
        let unusual = settings.0.iter().filter(|(name, value)| usual.0.get(*name) != Some(*value));
        unusual.fold(self, |lines, (name, value)| lines.key(name, setting(value)))
    }
}

/// A section of described keys; empty if all of them are as usual.
fn section(name: &str, settings: &Settings) -> String {
    let header = format!("[{name}]\n");
    let lines = Lines(header.clone()).settings(settings, &defaults(keys_of(name))).0;
    if lines == header { String::new() } else { lines }
}

fn swarm(swarm: &Swarm) -> String {
    let names = |names: &[SmolStr]| list(names.iter().map(|name| quoted(name)));
    let drawn = Settings::default()
        .with("absent", Setting::PerMillion(swarm.absent_per_million))
        .with("times", Setting::Integer(swarm.times_max.into()));
    let mut lines = Lines::of("[swarm]").key("faults", names(&swarm.faults));
    if !swarm.reach.is_empty() {
        lines = lines.key("reach", names(&swarm.reach));
    }
    lines = lines.settings(&drawn, &defaults(keys_of("swarm")));
    if !swarm.parameters.is_empty() {
        lines.0 += "\n[swarm.parameters]\n";
    }
    for (name, settings) in &swarm.parameters {
        lines = lines.key(name, list(settings.iter().map(setting)));
    }
    if !swarm.mix.is_empty() {
        lines.0 += "\n[swarm.mix]\n";
    }
    for (function, weights) in &swarm.mix {
        lines = lines.key(function, list(weights.iter().map(u32::to_string)));
    }
    lines.0
}

fn alert(alert: &Alerting) -> String {
    let settings = Settings::default()
        .with("objective", Setting::PerMillion(alert.objective_per_million))
        .with("baseline_errors", Setting::PerMillion(alert.baseline_errors_per_million))
        .with("events", Setting::Integer(alert.events_min as i64));
    section("alert", &settings)
}

fn variant(expectation: &Expectation) -> String {
    let lines = Lines::of(&format!("[variants.{}]", expectation.variant));
    let mut lines = lines.key("expect", quoted(expectation.expected()));
    if expectation.anomaly.is_some() && expectation.share_per_million != 1_000_000 {
        lines = lines.key("share", quoted(&percent(expectation.share_per_million)));
    }
    if !expectation.follows.is_empty() {
        let one = |follow: &crate::Follow| {
            let (code, because) = (quoted(&follow.code), quoted(&follow.because));
            format!("    {{ code = {code}, because = {because} }},\n")
        };
        let follows: String = expectation.follows.iter().map(one).collect();
        lines = lines.key("follows", format!("[\n{follows}]"));
    }
    if !expectation.parameters.0.is_empty() {
        let one = |(name, value): (_, &Setting)| format!("{name} = {}", setting(value));
        let all = expectation.parameters.0.iter().map(one).collect::<Vec<_>>();
        lines = lines.key("parameters", format!("{{ {} }}", all.join(", ")));
    }
    lines.0
}

fn environment(environment: &Environment) -> [String; 2] {
    let delay = |delay: &Delay| Setting::Delay(delay.clone());
    let network = Settings::default()
        .with("peer_latency", delay(&environment.peer_latency))
        .with("client_latency", delay(&environment.client_latency));
    let disk = Settings::default().with("sync_latency", delay(&environment.sync_latency));
    [section("network", &network), section("disk", &disk)]
}

/// How operations are drawn.
fn drawn(workload: &Workload, lines: Lines) -> Lines {
    let weights = workload.mix.iter().filter(|(_, weight)| *weight > 0);
    let weights = weights.map(|(name, weight)| format!("{name} = {weight}")).collect::<Vec<_>>();
    let lines = lines
        .key("keys", workload.keys)
        .key("rate", quoted(&format!("{}/s", decimal(workload.rate_per_kilosecond))))
        .key("mix", format!("{{ {} }}", weights.join(", ")));
    let lines = match workload.pace {
        Pace::Open => lines,
        Pace::Closed => lines.key("pace", quoted("closed")),
    };
    let lines = match workload.distribution {
        KeyDistribution::Uniform => lines,
        KeyDistribution::Zipf { exponent_milli } => {
            lines.key("distribution", format!("{{ zipf = {} }}", decimal(exponent_milli.into())))
        }
    };
    lines.optional("operations", workload.operations_max.map(|count| count.to_string()))
}

fn client(policy: &RetryPolicy) -> String {
    let key = match policy.key {
        RetryKey::Unique => "unique",
        RetryKey::None => "none",
        RetryKey::Colliding => "colliding",
    };
    let mut settings = Settings::default()
        .with("timeout", Setting::Duration(policy.timeout_ns))
        .with("attempts", Setting::Integer(policy.attempts_max.into()))
        .with("backoff", Setting::Duration(policy.backoff_ns))
        .with("backoff_max", Setting::Duration(policy.backoff_max_ns))
        .with("jitter", Setting::PerMillion(policy.jitter_per_million))
        .with("key", Setting::Choice(key.into()))
        .with("late_duplicates", Setting::PerMillion(policy.late_duplicate_per_million))
        .with("late_after", Setting::Duration(policy.late_duplicate_after_ns));
    if let Some(budget) = policy.budget_per_million {
        settings = settings.with("budget", Setting::PerMillion(budget));
    }
    section("client", &settings)
}

fn operation(operation: &ExplicitOperation, number: Option<u32>) -> String {
    let client = format!("client-{}", operation.client + 1);
    let mut text = format!(
        "{{ at = \"{}\", client = {}, function = {}, key = {}",
        time(operation.at_ns),
        quoted(&client),
        quoted(&operation.function),
        quoted(&operation.key)
    );
    let mut value = |name: &str, value: &Value| {
        if let Some(integer) = value.as_integer() {
            let _ = write!(text, ", {name} = {integer}");
        }
    };
    match operation.argument.as_pair() {
        Some((expected, new)) => {
            value("expected", expected);
            value("value", new);
        }
        None => value("value", &operation.argument),
    }
    if let Some(node) = &operation.to {
        let _ = write!(text, ", to = {}", quoted(node));
    }
    if let Some(number) = number {
        let _ = write!(text, ", number = {number}");
    }
    text + " }"
}

pub(crate) fn objective(objective: &Objective) -> String {
    let lines = Lines::of("[[slo]]").key("metric", quoted(&objective.metric));
    let lines = lines.optional("function", objective.function.as_deref().map(quoted));
    let (key, bound, is_time) = match objective.bound {
        Bound::AtLeast(share) => ("at_least", quoted(&percent(share)), false),
        Bound::AtMost(ns) => ("at_most", quoted(&time(ns)), true),
        Bound::AtMostShare(share) => ("at_most", quoted(&percent(share)), false),
        Bound::AtMostCount(count) => ("at_most", count.to_string(), false),
    };
    let quantile = percent(objective.quantile_per_million);
    let quantile = is_time.then(|| quoted(&format!("p{}", quantile.trim_end_matches('%'))));
    let lines = lines.optional("deadline", objective.deadline_ns.map(|ns| quoted(&time(ns))));
    lines.optional("quantile", quantile).key(key, bound).0
}

fn setting(setting: &Setting) -> String {
    match setting {
        Setting::Integer(integer) => integer.to_string(),
        Setting::Flag(flag) => flag.to_string(),
        Setting::Delay(Delay::Exponential { min_ns, mean_ns }) => {
            format!("{{ exponential = \"{}\", min = \"{}\" }}", time(*mean_ns), time(*min_ns))
        }
        Setting::Delay(Delay::LogNormal { median_ns, sigma_milli }) => {
            let sigma = decimal(u64::from(*sigma_milli));
            format!("{{ lognormal = \"{}\", sigma = {sigma} }}", time(*median_ns))
        }
        Setting::Target(one) => target(one),
        Setting::Groups(groups) => {
            let group = |group: &Vec<Target>| list(group.iter().map(target));
            list(groups.iter().map(group))
        }
        other => quoted(&other.to_string()),
    }
}

fn target(target: &Target) -> String {
    let some = |group: &str| format!("{{ some = \"{group}\" }}");
    match target {
        Target::Node(name) => quoted(name),
        Target::Nodes(names) => list(names.iter().map(|name| quoted(name))),
        Target::Role(role) => format!("{{ role = {} }}", quoted(role)),
        Target::Random(role) => format!("{{ random = {} }}", quoted(role)),
        Target::Count(count) => format!("{{ count = {count} }}"),
        Target::Minority => some("minority"),
        Target::Majority => some("majority"),
        Target::All => some("all"),
        Target::Clients => some("clients"),
        Target::Source => "{ source = true }".into(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    Toml::String(text.into()).to_string()
}

/// Thousandths as a decimal number.
fn decimal(milli: u64) -> String {
    match milli % 1_000 {
        0 => (milli / 1_000).to_string(),
        rest => format!("{}.{}", milli / 1_000, format!("{rest:03}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::{Remarks, write};
    use crate::Scenario;
    use crate::testing::{catalogue, example, mangled, read, read_good, whole};

    /// Everything that a scenario says, without where it was found.
    fn content(scenario: &Scenario) -> String {
        let (path, hash, source, defaults) = Default::default();
        format!("{:?}", Scenario { path, hash, source, defaults, ..scenario.clone() })
    }

    #[track_caller]
    fn check(scenario: &Scenario) {
        let text = write(scenario, &catalogue(), &Remarks::default());
        let again = crate::read("raft/test.toml", &text, &catalogue());
        let again = again.unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        assert_eq!(content(&again), content(scenario), "{text}");
    }

    #[test]
    fn what_is_written_is_read_as_the_same_scenario() {
        check(&read_good(example()));
        check(&read_good(""));
        let fault = "[[fault]]\nkind = \"partition\"\nshape = \"groups\"\nat = \"5s\"\noccurrence = 2\nid = 4\n\
                     groups = [[\"n1\", \"client-1\"], [{ role = \"leader\" }]]\n\
                     [[fault]]\nkind = \"crash\"\nat = \"6s\"\ntarget = [\"n1\", \"n2\"]\n\
                     [phases]\nstays_down = [\"n1\"]";
        check(&read_good(fault));
        let operations = "operation = [\n\
             { at = \"2s\", client = \"client-2\", function = \"cas\", key = \"a \\\"b\\\"\", value = -7 },\n\
             { at = \"1s\", client = \"client-2\", function = \"write\", key = \"k\", value = 3, to = \"n2\" },\n\
             { at = \"1.000000001s\", client = \"client-2\", function = \"read\", key = \"k\", number = 9 },\n\
             ]\n[workload]\nname = \"register\"\nclients = 2\nfinal_reads = false";
        check(&read_good(operations));
        check(&read_good("[alert]\nobjective = \"99.9%\"\nevents = 7"));
        check(&read_good(
            "[swarm]\nabsent = \"10%\"\nreach = []\n[swarm.parameters]\nnodes = [3, 5]\n[swarm.mix]\nread = [1, 9]",
        ));
        check(&read_good("[[slo]]\nmetric = \"latency\"\nquantile = \"p99.9\"\nat_most = \"5ms\""));
    }

    #[test]
    fn every_good_file_is_written_so_that_it_reads_the_same() {
        let text = whole(example());
        let good = mangled(&text, 4_000).filter_map(|text| read(&text).ok());
        let good = good.collect::<Vec<_>>();
        assert!(good.len() > 200, "only {} are good", good.len());
        good.iter().for_each(check);
    }

    #[test]
    fn remarks_stand_as_comments() {
        let scenario = read_good(
            "operation = [{ at = \"1s\", client = \"client-1\", function = \"read\", key = \"k\" }]\n[[fault]]\nkind = \"crash\"\nat = \"5s\"\ntarget = \"n1\"",
        );
        let one = |words: &str| vec![words.to_owned()];
        let remarks =
            Remarks { head: one("Shrunk."), operations: one("found 3"), faults: one("n1 is down") };
        let text = write(&scenario, &catalogue(), &remarks);
        assert!(text.starts_with("# Shrunk.\n\ntitle = "), "{text}");
        assert!(text.contains(" key = \"k\" },  # found 3\n"), "{text}");
        assert!(text.contains("\n# n1 is down\n[[fault]]\nkind = \"crash\"\n"), "{text}");
    }
}
