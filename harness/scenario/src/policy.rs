//! What a gate lets through: seeds, minimums, anomalies that are known, and tolerances of metrics.
//!
//! A policy is a TOML file of its own, read as strictly as a scenario: see `ci/README.md`.

use std::ops::Range;

use toml::de::DeValue;
use wrack_history::SmolStr;
use wrack_history::catalogue::{MetricInfo, ParameterKind};

use crate::diagnostic::{Diagnostics, Span};
use crate::fields::{Fields, Item};
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::suggestion::unknown;
use crate::{syntax, value};

/// The JSON Schema (draft 2020-12) of a policy.
///
/// It accepts every file that [`read_policy`] accepts; names of metrics are left open.
pub const POLICY_SCHEMA: &str = include_str!("policy.schema.json");

/// Seeds stay below 2^53, so that every JSON reader keeps them whole.
const SEED_MAX: i64 = (1 << 53) - 1;

/// What a gate lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The seeds of every group, unless the command line says others.
    pub seeds: Range<u64>,
    /// So many seeds of every group are run twice, at least one.
    pub twice: u64,
    /// A group with fewer seeds is unknown.
    pub seeds_min: u64,
    /// A group that is expected to be valid and has fewer operations that ended ok is unknown, unless its
    /// scenario names its operations: that has a minimum of its own.
    pub ok_operations_min: u64,
    /// Anomalies that are known and may go on for a while.
    pub allowed: Vec<Allowance>,
    /// By how much metrics may be worse than the baseline; what is not listed must not be worse.
    pub tolerances: Vec<Tolerance>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            seeds: 0..20,
            twice: 1,
            seeds_min: 1,
            ok_operations_min: 0,
            allowed: Vec::new(),
            tolerances: Vec::new(),
        }
    }
}

/// An anomaly that is known and may go on for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: SmolStr,
    /// The finding's name: `LIN`, `slo availability`, `missed LIN`.
    pub finding: String,
    /// Why it may go on.
    pub because: String,
    /// The last day on which it may.
    pub until: Date,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = text.parse::<toml::value::Datetime>().ok();
        let given = given.filter(|given| given.time.is_none()).and_then(|given| given.date);
        let date = given.ok_or("write a day such as 2027-01-31")?;
        Ok(Self { year: date.year, month: date.month, day: date.day })
    }
}

/// By how much a metric may be worse than the baseline: by the ratio and the floor together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// The metric's name.
    pub metric: SmolStr,
    /// Of the baseline's value, in millionths.
    pub ratio_per_million: u32,
    /// In the unit of the metric, on top of the ratio.
    pub floor: u64,
}

/// Reads the policy `text`, which was found at `path`; `metrics` are those that it may name.
///
/// Errors: every mistake of the file, each with its place.
pub fn read_policy(path: &str, text: &str, metrics: &[&MetricInfo]) -> Result<Policy, Diagnostics> {
    let (document, syntax) = syntax::parse(text);
    let findings = Findings::default();
    let mut root = Fields::root(&findings, &document);
    let default = Policy::default();
    let seeds = root.read("seeds", seeds).unwrap_or(default.seeds);
    let twice = root.read("twice", count_or_all).unwrap_or(default.twice);
    let mut minimum = root.section("minimum");
    let least = |item: &Item| value::whole(item, 1, SEED_MAX).map(|count| count as u64);
    let seeds_min = minimum.read("seeds", least).unwrap_or(default.seeds_min);
    let ok_operations_min =
        minimum.read("ok_operations", least).unwrap_or(default.ok_operations_min);
    minimum.finish();
    let policy = Policy {
        seeds,
        twice,
        seeds_min,
        ok_operations_min,
        allowed: distinct(&mut root, "allow", allowance),
        tolerances: distinct(&mut root, "metric", |fields| tolerance(fields, metrics)),
    };
    root.finish();
    let mistakes = syntax.join(findings.into_parts().0);
    if mistakes.is_empty() { Ok(policy) } else { Err(Diagnostics::new(path, text, mistakes)) }
}

/// Reads a list of tables whose keys must differ.
fn distinct<T, K: PartialEq>(
    root: &mut Fields,
    key: &'static str,
    read: impl Fn(&mut Fields) -> Option<(K, T)>,
) -> Vec<T> {
    let mut keys: Vec<(K, Span)> = Vec::new();
    let mut list = Vec::new();
    for mut fields in root.list(key) {
        let span = fields.span.clone();
        if let Some((key_of, one)) = read(&mut fields) {
            if let Some((_, first)) = keys.iter().find(|(known, _)| *known == key_of) {
                let title = format!("the same `{key}` twice");
                let mistake = Mistake::new(span.clone(), title, "said again");
                fields.report(mistake.related(first.clone(), "said here"));
            }
            keys.push((key_of, span));
            list.push(one);
        }
        fields.finish();
    }
    list
}

fn allowance(fields: &mut Fields) -> Option<((String, SmolStr, String), Allowance)> {
    let scenario = fields.read_required("scenario", value::words);
    let variant = fields.read_required("variant", value::name);
    let finding = fields.read_required("finding", value::words);
    let because = fields.read_required("because", value::words);
    let until = fields.read_required("until", date);
    let (scenario, variant, finding) = (scenario?, variant?, finding?);
    let key = (scenario.clone(), variant.clone(), finding.clone());
    Some((key, Allowance { scenario, variant, finding, because: because?, until: until? }))
}

fn tolerance(fields: &mut Fields, metrics: &[&MetricInfo]) -> Option<(SmolStr, Tolerance)> {
    let item = fields.need("name")?;
    let metric = fields.keep("name", value::name(item))?;
    let Some(info) = metrics.iter().find(|info| info.name == metric) else {
        let names: Vec<_> = metrics.iter().map(|info| info.name).collect();
        fields.report(unknown("metric", &metric, item.span(), &names));
        return None;
    };
    let ratio = fields.read("ratio", value::share);
    let floor = fields.read("floor", |item| amount(item, info));
    let (ratio_per_million, floor) = (ratio.unwrap_or(0), floor.unwrap_or(0));
    Some((metric.clone(), Tolerance { metric, ratio_per_million, floor }))
}

/// A value in the unit of a metric.
fn amount(item: &Item, info: &MetricInfo) -> Result<u64, Mistake> {
    match info.kind {
        ParameterKind::PerMillion => value::share(item).map(u64::from),
        ParameterKind::Integer { .. } => value::whole(item, 0, SEED_MAX).map(|count| count as u64),
        _ => value::duration(item),
    }
}

/// `"0..20"`.
pub(crate) fn seeds(item: &Item) -> Result<Range<u64>, Mistake> {
    let text = value::text(item)?;
    let number = |text: &str| text.parse().ok().filter(|seed| *seed <= SEED_MAX as u64);
    let range = text.split_once("..").and_then(|(first, end)| Some(number(first)?..number(end)?));
    range.filter(|range| !range.is_empty()).ok_or_else(|| {
        let title = format!("\"{text}\" is not a range of seeds");
        Mistake::new(item.span(), title, "expected A..B with A < B, such as \"0..20\"")
    })
}

/// A number from 1, or `"all"`.
fn count_or_all(item: &Item) -> Result<u64, Mistake> {
    match item.get_ref().as_str() {
        Some("all") => Ok(u64::MAX),
        Some(_) => Err(value::mismatch(item, "a whole number or \"all\"")),
        None => value::whole(item, 1, SEED_MAX).map(|count| count as u64),
    }
}

/// `2027-01-31`, a date of TOML.
fn date(item: &Item) -> Result<Date, Mistake> {
    let date = match item.get_ref() {
        DeValue::Datetime(given) if given.time.is_none() => given.date,
        _ => None,
    };
    let date = date.ok_or_else(|| {
        let help = "write it without quotes and without a time: 2027-01-31";
        value::mismatch(item, "a day").help(help)
    })?;
    Ok(Date { year: date.year, month: date.month, day: date.day })
}

#[cfg(test)]
mod tests {
    use wrack_history::catalogue::{MetricInfo, ParameterKind};

    use super::{Allowance, Date, POLICY_SCHEMA, Policy, Tolerance, read_policy};

    const LATENCY: &MetricInfo = &MetricInfo {
        name: "latency-p99",
        doc: "",
        higher_is_better: false,
        kind: ParameterKind::Duration,
    };

    const WHOLE: &str = r#"
        seeds = "5..25"
        twice = "all"
        minimum = { seeds = 10, ok_operations = 1000 }
        [[allow]]
        scenario = "raft/leader-isolated"
        variant = "reference"
        finding = "LIN"
        because = "the lease is too long"
        until = 2027-01-31
        [[metric]]
        name = "latency-p99"
        ratio = "5%"
        floor = "1ms"
    "#;

    fn schema_accepts(text: &str) -> bool {
        let schema: serde_json::Value = serde_json::from_str(POLICY_SCHEMA).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        // A date of TOML is a string in JSON: what editors check is that it looks like one.
        let text = text.replace("2027-01-31", "\"2027-01-31\"");
        let value = toml::from_str::<serde_json::Value>(&text).unwrap();
        jsonschema::draft202012::new(&schema).unwrap().is_valid(&value)
    }

    /// Checks that `text` has one mistake, in the line, with these words; the schema sees it too if
    /// it can.
    fn check(text: &str, line: usize, words: &str, schema_sees: bool) {
        let diagnostics = read_policy("gate.toml", text, &[LATENCY]).unwrap_err();
        let [one] = diagnostics.list() else { panic!("not one mistake:\n{diagnostics}") };
        assert_eq!(one.line, line, "{diagnostics}");
        assert!(diagnostics.to_string().contains(words), "{diagnostics}");
        assert_eq!(schema_accepts(text), !schema_sees, "{text}");
    }

    #[test]
    fn a_whole_policy_is_read() {
        let policy = read_policy("gate.toml", WHOLE, &[LATENCY]).unwrap();
        let until = Date { year: 2027, month: 1, day: 31 };
        assert_eq!(until.to_string(), "2027-01-31");
        let allowance = Allowance {
            scenario: "raft/leader-isolated".into(),
            variant: "reference".into(),
            finding: "LIN".into(),
            because: "the lease is too long".into(),
            until,
        };
        let tolerance =
            Tolerance { metric: "latency-p99".into(), ratio_per_million: 50_000, floor: 1_000_000 };
        let expected = Policy {
            seeds: 5..25,
            twice: u64::MAX,
            seeds_min: 10,
            ok_operations_min: 1_000,
            allowed: vec![allowance],
            tolerances: vec![tolerance],
        };
        assert_eq!(policy, expected);
        assert!(schema_accepts(WHOLE));
        assert_eq!(read_policy("gate.toml", "", &[]).unwrap(), Policy::default());
        assert!(schema_accepts(""));
    }

    #[test]
    fn a_mistake_is_located_and_says_what_to_write() {
        check("\nseedz = \"0..20\"", 2, "did you mean `seeds`?", true);
        check("seeds = \"20..20\"", 1, "expected A..B with A < B", false);
        check("twice = 0", 1, "`twice`: 0 is out of bounds", true);
        check("[minimum]\nseeds = \"ten\"", 2, "`minimum.seeds`: expected a whole number", true);
        check("[[metric]]\nname = \"latency-99\"", 2, "did you mean `latency-p99`?", false);
        check("[[metric]]\nname = \"latency-p99\"\nfloor = 1", 3, "a number needs its unit", false);
        let twice = WHOLE.to_owned() + "[[metric]]\nname = \"latency-p99\"";
        check(&twice, 15, "the same `metric` twice", false);
        check(&WHOLE.replace("ratio =", "rato ="), 13, "did you mean `ratio`?", true);
    }

    #[test]
    fn an_allowance_has_a_reason_and_an_end() {
        let without = |line: &str| WHOLE.replace(line, "");
        let missing = without("because = \"the lease is too long\"");
        check(&missing, 5, "missing key `because` in `allow`", true);
        check(&without("until = 2027-01-31"), 5, "missing key `until` in `allow`", true);
        check(&WHOLE.replace("2027-01-31", "\"soon\""), 10, "without quotes", true);
    }
}
