//! A game day: several scenarios with people around them, as a TOML file of its own.
//!
//! A playlist says who does what, what must hold before anything is broken, which scenarios run in which
//! order, what should be seen of each, and when the day ends early. It is read as strictly as a
//! scenario; the scenarios that it names are read, too. See the page of the scenario file.

use std::ops::Range;

use toml::de::DeTable;
use wrack_history::catalogue::Catalogue;
use wrack_history::{SmolStr, gameday::Sign};

use crate::diagnostic::Diagnostics;
use crate::fields::{Fields, Item};
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::policy;
use crate::scenario::{Expectation, Scenario};
use crate::suggestion::unknown;
use crate::{reader, secret, syntax, value};

/// The JSON Schema (draft 2020-12) of a playlist.
///
/// It accepts every file that [`read_playlist`] accepts; names are left open.
pub const PLAYLIST_SCHEMA: &str = include_str!("playlist.schema.json");

/// A day has at most so many steps, and as many checks.
const LIST_MAX: usize = 100;
/// A step runs at most so many seeds: a sweep is for more.
const SEEDS_MAX: u64 = 10_000;

/// A game day, read and validated.
#[derive(Clone, Debug)]
pub struct Playlist {
    /// `<folder>/<name>`, from the last two parts of the path without `.toml`.
    pub name: String,
    /// The path it was read from, as it was given.
    pub path: String,
    /// A digest of the file and of its scenarios, 16 hexadecimal digits.
    pub hash: String,
    /// One line.
    pub title: String,
    /// What the day is for.
    pub objective: String,
    /// Who takes part.
    pub roles: Vec<Role>,
    /// What must hold before anything is broken.
    pub checks: Vec<Check>,
    /// What is run, in order.
    pub steps: Vec<Step>,
    /// When the day ends early.
    pub stops: Vec<Stop>,
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `facilitator`, `on call` …
    pub name: String,
    /// What whoever has it does.
    pub task: String,
    /// Who has it; empty if that is filled in by hand.
    pub person: String,
}

/// A scenario with a variant and seeds.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario.
    pub scenario: Scenario,
    /// Which of its variants.
    pub variant: Expectation,
    /// The seeds.
    pub seeds: Range<u64>,
}

/// What must hold before anything is broken.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is.
    pub title: String,
    /// What runs, and must be as expected; nothing if people look at it.
    pub plan: Option<Plan>,
}

/// One step of the day.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is called.
    pub title: String,
    /// What runs.
    pub plan: Plan,
    /// Whether those who take part learn only afterwards which variant it was.
    pub hidden: bool,
    /// What to ask people before they see anything.
    pub question: String,
    /// What should be seen.
    pub signals: Vec<Signal>,
}

/// Something that should be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// What.
    pub sign: Sign,
    /// How soon after the first fault, for alerts, in nanoseconds.
    pub within_ns: Option<u64>,
}

/// When the day ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What ends it.
    pub sign: Sign,
    /// Why; empty if that is plain.
    pub because: String,
}

/// Whether a TOML file is a playlist rather than a scenario.
pub fn is_playlist(text: &str) -> bool {
    let (document, _) = DeTable::parse_recoverable(text);
    let has = |key| document.get_ref().contains_key(key);
    (has("step") || has("objective")) && !has("design") && !has("workload")
}

/// Reads the playlist `text`, which was found at `path`. `open` gives the scenario at a path that the
/// playlist says, or why there is none.
///
/// Errors: every mistake of the file, each with its place.
pub fn read_playlist(
    path: &str,
    text: &str,
    catalogue: &Catalogue,
    open: impl Fn(&str) -> Result<Scenario, String>,
) -> Result<Playlist, Diagnostics> {
    let redacted = secret::redact(text);
    let text = redacted.text.as_str();
    let (document, syntax) = syntax::parse(text);
    let findings = Findings::default();
    redacted.mistakes.into_iter().for_each(|mistake| findings.report(mistake));
    let mut root = Fields::root(&findings, &document);
    let reading = Reading { catalogue, open: &open };
    let title = root.read_required("title", value::words).unwrap_or_default();
    let objective = root.read_required("objective", value::words).unwrap_or_default();
    let roles = root.list("role").into_iter().filter_map(role).collect();
    let checks = short(root.list("check")).into_iter().filter_map(|one| reading.check(one));
    let checks: Vec<Check> = checks.collect();
    let listed = root.list("step");
    if listed.is_empty() && root.get("step").is_none() {
        root.miss("step");
    }
    let steps = short(listed).into_iter().filter_map(|one| reading.step(one));
    let steps: Vec<Step> = steps.collect();
    let stops = root.list("stop").into_iter().filter_map(|one| reading.stop(one, &steps));
    let stops = stops.collect();
    root.finish();
    let mistakes = syntax.join(findings.into_parts().0);
    if !mistakes.is_empty() {
        return Err(Diagnostics::new(path, text, mistakes));
    }
    let plans = checks.iter().filter_map(|check| check.plan.as_ref());
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    for plan in plans.chain(steps.iter().map(|step| &step.plan)) {
        hasher.update(plan.scenario.hash.as_bytes());
    }
    let hash = hasher.finalize().to_hex()[..16].into();
    let (name, path) = (reader::name_of(path), path.into());
    Ok(Playlist { name, path, hash, title, objective, roles, checks, steps, stops })
}

/// At most as many as a day has room for.
fn short(mut list: Vec<Fields<'_>>) -> Vec<Fields<'_>> {
    if let Some(one) = list.get(LIST_MAX) {
        let title = format!("more than {LIST_MAX} are too many for a day");
        one.report(Mistake::new(one.span.clone(), title, "from here on"));
        list.truncate(LIST_MAX);
    }
    list
}

fn role(mut fields: Fields) -> Option<Role> {
    let name = fields.read_required("name", value::words);
    let task = fields.read_required("task", value::words);
    let person = fields.read("person", value::words).unwrap_or_default();
    fields.finish();
    Some(Role { name: name?, task: task?, person })
}

struct Reading<'a> {
    catalogue: &'a Catalogue,
    open: &'a dyn Fn(&str) -> Result<Scenario, String>,
}

impl Reading<'_> {
    fn check(&self, mut fields: Fields) -> Option<Check> {
        let title = fields.read_required("title", value::words);
        let wanted = fields.get("scenario").is_some();
        let plan = if wanted { self.plan(&mut fields) } else { None };
        fields.finish();
        (plan.is_some() || !wanted).then_some(Check { title: title?, plan })
    }

    fn step(&self, mut fields: Fields) -> Option<Step> {
        let title = fields.read("title", value::words);
        let plan = self.plan(&mut fields);
        let hidden = fields.read("hidden", value::flag).unwrap_or(false);
        let question = fields.read("question", value::words).unwrap_or_default();
        let signals = fields.list("signal").into_iter();
        let scenario = plan.as_ref().map(|plan| &plan.scenario);
        let signals = signals.filter_map(|one| self.signal(one, scenario)).collect();
        fields.finish();
        let plan = plan?;
        let title = title.unwrap_or_else(|| plan.scenario.title.clone());
        Some(Step { title, plan, hidden, question, signals })
    }

    fn plan(&self, fields: &mut Fields) -> Option<Plan> {
        let item = fields.need("scenario");
        let scenario = item.and_then(|item| {
            let path = fields.keep("scenario", value::words(item))?;
            let opened = (self.open)(&path);
            let opened = opened.map_err(|why| Mistake::new(item.span(), why, "cannot be run"));
            fields.keep("scenario", opened)
        });
        let seeds = fields.read("seeds", policy::seeds).unwrap_or(0..1);
        if seeds.end - seeds.start > SEEDS_MAX {
            let title = format!("more than {SEEDS_MAX} seeds are too many for a step");
            let mistake = Mistake::new(fields.place_of("seeds"), title, "too many");
            fields.report(mistake.help("`wrack sweep` is for many seeds"));
        }
        let variant = fields.get("variant");
        let scenario = scenario?;
        let name = match variant {
            Some(item) => fields.keep("variant", value::name(item))?,
            None => SmolStr::new_static("reference"),
        };
        let found = scenario.variants.iter().find(|variant| variant.variant == name).cloned();
        let Some(found) = found else {
            let names: Vec<_> = scenario.variants.iter().map(|one| one.variant.as_str()).collect();
            let span = fields.place_of("variant");
            fields.report(unknown(&format!("variant of `{}`", scenario.name), &name, span, &names));
            return None;
        };
        Some(Plan { scenario, variant: found, seeds })
    }

    fn signal(&self, mut fields: Fields, scenario: Option<&Scenario>) -> Option<Signal> {
        let sign = self.sign(&mut fields, &["anomaly", "slo", "alert", "people"], scenario);
        let within = fields.get("within");
        let within_ns = within.and_then(|item| fields.keep("within", value::duration(item)));
        if let (Some(item), Some(sign)) = (within, &sign)
            && !matches!(sign, Sign::Alert(_))
        {
            let title = "`within` is for alerts: how soon one fires is what a run measures";
            fields.report(Mistake::new(item.span(), title, "has no meaning here"));
        }
        fields.finish();
        Some(Signal { sign: sign?, within_ns })
    }

    fn stop(&self, mut fields: Fields, steps: &[Step]) -> Option<Stop> {
        let kinds = &["anomaly", "slo", "alert", "standing", "people"];
        let sign = self.sign(&mut fields, kinds, None);
        let because = fields.read("because", value::words).unwrap_or_default();
        let scenarios = || steps.iter().map(|step| &step.plan.scenario);
        let possible = match &sign {
            Some(Sign::Slo(name)) => scenarios().any(|scenario| declares(scenario, name)),
            Some(Sign::Alert(_)) => scenarios().any(|scenario| scenario.alert.is_some()),
            _ => true,
        };
        if !possible && !steps.is_empty() {
            let title = "no step declares what this stop condition looks at";
            fields.report(Mistake::new(fields.span.clone(), title, "can never match"));
        }
        fields.finish();
        Some(Stop { sign: sign?, because })
    }

    /// What is looked at, judged against the scenario if there is one.
    fn sign(
        &self,
        fields: &mut Fields,
        kinds: &'static [&'static str],
        scenario: Option<&Scenario>,
    ) -> Option<Sign> {
        let (kind, item) = fields.one_of(kinds)?;
        let name = match kind {
            "people" => return fields.keep(kind, value::words(item)).map(Sign::People),
            "alert" => fields.keep(kind, value::choice(item, &["page", "ticket"]))?,
            "standing" => {
                fields.keep(kind, value::choice(item, &["not-as-expected", "unknown"]))?
            }
            _ => fields.keep(kind, value::name(item))?,
        };
        let judged = match kind {
            "anomaly" => self.code(&name, item),
            "slo" => self.objective(&name, item, scenario),
            "alert" => alerting(item, scenario),
            _ => Ok(()),
        };
        judged.map_err(|mistake| fields.report(mistake)).ok()?;
        Some(match kind {
            "anomaly" => Sign::Anomaly(name),
            "slo" => Sign::Slo(name),
            "alert" => Sign::Alert(name),
            _ => Sign::Standing(name),
        })
    }

    fn code(&self, name: &str, item: &Item) -> Result<(), Mistake> {
        let known = self.catalogue.guarantees.iter().map(|info| info.code).collect::<Vec<_>>();
        match known.contains(&name) {
            true => Ok(()),
            false => Err(unknown("anomaly", name, item.span(), &known)),
        }
    }

    fn objective(
        &self,
        name: &str,
        item: &Item,
        scenario: Option<&Scenario>,
    ) -> Result<(), Mistake> {
        let Some(scenario) = scenario else {
            let known = self.catalogue.metrics.iter().map(|info| info.name);
            let known = known.chain(["error-budget"]).collect::<Vec<_>>();
            return match known.contains(&name) {
                true => Ok(()),
                false => Err(unknown("objective", name, item.span(), &known)),
            };
        };
        if declares(scenario, name) {
            return Ok(());
        }
        let declared = scenario.slos.iter().map(|objective| objective.metric.as_str());
        let budget = scenario.alert.as_ref().map(|_| "error-budget");
        let declared = declared.chain(budget).collect::<Vec<_>>();
        let what = format!("objective of `{}`", scenario.name);
        Err(unknown(&what, name, item.span(), &declared))
    }
}

fn declares(scenario: &Scenario, name: &str) -> bool {
    let declared = scenario.slos.iter().any(|objective| objective.metric == name);
    declared || (name == "error-budget" && scenario.alert.is_some())
}

fn alerting(item: &Item, scenario: Option<&Scenario>) -> Result<(), Mistake> {
    match scenario {
        Some(scenario) if scenario.alert.is_none() => {
            let title = format!("`{}` judges no alerts", scenario.name);
            let mistake = Mistake::new(item.span(), title, "can never fire");
            Err(mistake.help("give the scenario an `[alert]` with its `objective`"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::gameday::Sign;

    use super::{PLAYLIST_SCHEMA, Playlist, is_playlist, read_playlist};
    use crate::diagnostic::Diagnostics;
    use crate::testing::{catalogue, whole};

    const WHOLE: &str = r#"title = "Leaders go away"
objective = "We notice within a minute."
[[role]]
name = "facilitator"
task = "Starts each step."
person = { secret = "rosebud" }
[[check]]
title = "Everybody is on the call"
[[check]]
title = "Nothing is broken yet"
scenario = "calm.toml"
[[step]]
title = "The leader is cut off"
scenario = "calm.toml"
variant = "stale_local_read"
seeds = "0..3"
hidden = true
question = "What do you look at first?"
[[step.signal]]
anomaly = "LIN"
[[step.signal]]
alert = "page"
within = "30s"
[[step.signal]]
slo = "availability"
[[step.signal]]
people = "Somebody says that reads are old."
[[stop]]
standing = "not-as-expected"
because = "then we look at that instead"
[[stop]]
people = "A customer calls."
"#;

    const CALM: &str = "[variants.reference]\nexpect = \"valid\"\n[variants.stale_local_read]\nexpect = \"LIN\"\n[[slo]]\nmetric = \"availability\"\nat_least = \"99%\"\n[alert]\nobjective = \"99%\"";

    fn read(text: &str) -> Result<Playlist, Diagnostics> {
        read_playlist("gamedays/a.toml", text, &catalogue(), |path| match path {
            "calm.toml" => Ok(crate::read("raft/calm.toml", &whole(CALM), &catalogue()).unwrap()),
            "plain.toml" => Ok(crate::read("raft/plain.toml", &whole(""), &catalogue()).unwrap()),
            other => Err(format!("{other}: no such file")),
        })
    }

    fn schema_accepts(text: &str) -> bool {
        let schema: serde_json::Value = serde_json::from_str(PLAYLIST_SCHEMA).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let value = toml::from_str::<serde_json::Value>(text).unwrap();
        jsonschema::draft202012::new(&schema).unwrap().is_valid(&value)
    }

    /// Checks that the whole playlist with one text replaced has one mistake, in this line.
    #[track_caller]
    fn check(from: &str, to: &str, line: usize, words: &str, schema_sees: bool) {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let diagnostics = read(&text).unwrap_err();
        let [one] = diagnostics.list() else { panic!("not one mistake:\n{diagnostics}") };
        assert_eq!(one.line, line, "{diagnostics}");
        assert!(diagnostics.to_string().contains(words), "{diagnostics}");
        assert_eq!(schema_accepts(&text), !schema_sees, "{text}");
    }

    #[test]
    fn a_whole_playlist_is_read() {
        let playlist = read(WHOLE).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(playlist.name, "gamedays/a");
        assert_eq!(playlist.roles[0].person, "secret-1");
        assert_eq!(playlist.checks.len(), 2);
        assert!(playlist.checks[0].plan.is_none() && playlist.checks[1].plan.is_some());
        let step = &playlist.steps[0];
        assert_eq!(
            (step.plan.variant.variant.as_str(), step.plan.seeds.clone()),
            ("stale_local_read", 0..3)
        );
        assert!(step.hidden);
        assert_eq!(step.signals[0].sign, Sign::Anomaly("LIN".into()));
        assert_eq!(step.signals[1].within_ns, Some(30_000_000_000));
        assert_eq!(playlist.stops[0].sign, Sign::Standing("not-as-expected".into()));
        assert!(schema_accepts(WHOLE) && is_playlist(WHOLE));
        assert!(!is_playlist(&whole("")));
        assert_ne!(read(&WHOLE.replace("0..3", "0..4")).unwrap().hash, playlist.hash);
    }

    #[test]
    fn a_mistake_is_located_and_says_what_to_write() {
        check(
            "objective = \"We notice within a minute.\"\n",
            "",
            1,
            "missing key `objective`",
            true,
        );
        check("task = \"Starts each step.\"\n", "", 3, "missing key `task`", true);
        check("calm.toml\"\n[[step]]", "clam.toml\"\n[[step]]", 11, "no such file", false);
        check("stale_local_read", "stale_read", 15, "did you mean `stale_local_read`", false);
        check("0..3", "3..0", 16, "expected A..B with A < B", false);
        check("0..3", "0..99999", 16, "`wrack sweep` is for many seeds", false);
        check("hidden = true", "hidden = 1", 17, "expected `true` or `false`", true);
        check("anomaly = \"LIN\"", "anomaly = \"lin\"", 20, "did you mean `LIN`", false);
        check("alert = \"page\"", "alert = \"pager\"", 22, "did you mean `page`", true);
        check("within = \"30s\"", "within = \"30\"", 23, "needs a unit", true);
        check(
            "slo = \"availability\"",
            "slo = \"latency\"",
            25,
            "unknown objective `latency`",
            false,
        );
        check(
            "slo = \"availability\"",
            "slo = \"availability\"\nwithin = \"1s\"",
            26,
            "is for alerts",
            false,
        );
        check(
            "standing = \"not-as-expected\"",
            "standing = \"unexpected\"",
            29,
            "not-as-expected",
            true,
        );
        check("standing = \"not-as-expected\"", "slo = \"M10\"", 28, "no step declares", false);
        check("people = \"A customer calls.\"\n", "", 31, "needs one of", true);
    }

    #[test]
    fn an_alert_needs_a_scenario_that_judges_alerts() {
        let text = WHOLE.replace("[[step.signal]]\nslo = \"availability\"\n", "");
        let text = text.replacen("variant = \"stale_local_read\"\n", "", 1);
        let text = text.replace("calm.toml\"\nseeds", "plain.toml\"\nseeds");
        let wrong = read(&text).unwrap_err();
        assert!(wrong.to_string().contains("`raft/plain` judges no alerts"), "{wrong}");
    }
}
