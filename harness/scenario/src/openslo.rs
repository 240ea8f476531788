//! Objectives out of an OpenSLO file, for scenarios whose team has written them down there.
//!
//! A scenario says `openslo = "slos.yaml"`. Whoever reads the file brings the objectives in as
//! `[[slo]]` sections at its end, before anything else looks at it: the text that is hashed, kept in a
//! result and run again says everything by itself.
//!
//! Source: OpenSLO v1. What it has no word for stands in the annotations `wrack-metric`,
//! `wrack-function` and `wrack-unit`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use toml::de::DeTable;
use wrack_history::Catalogue;
use wrack_history::catalogue::{MetricInfo, ParameterKind};
use wrack_history::duration;

use crate::diagnostic::{Diagnostics, Span};
use crate::mistake::Mistake;
use crate::scenario::{BY_DEADLINE, Bound, Objective};
use crate::suggestion::unknown;
use crate::writer;

/// The key of a scenario that names the file.
const KEY: &str = "openslo";
/// The quantile of a time if the file does not say.
const P99: u32 = 990_000;

/// A document of the file, as far as it matters; other kinds of objects are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: Spanned<String>,
    kind: Spanned<String>,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: Spanned<String>,
    #[serde(default)]
    annotations: BTreeMap<String, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    indicator: Option<Indicator>,
    objectives: Vec<Spanned<Target>>,
}

#[derive(Deserialize)]
struct Indicator {
    #[serde(default)]
    spec: IndicatorSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct IndicatorSpec {
    ratio_metric: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    op: Option<Spanned<String>>,
    value: Option<Spanned<f64>>,
    target: Option<Spanned<f64>>,
    target_percent: Option<Spanned<f64>>,
}

/// Reads the objectives of the OpenSLO file `text`, which was found at `path`.
///
/// Shape: one for each objective of each SLO, in the order of the file. A ratio is `availability` unless
/// an annotation says otherwise; what a threshold is about must be said.
/// Errors: the first thing that is no YAML, or every SLO that Wrack cannot judge, each with its place.
pub fn read(path: &str, text: &str, catalogue: &Catalogue) -> Result<Vec<Objective>, Diagnostics> {
    let failed = |mistakes| Diagnostics::new(path, text, mistakes);
    let documents = serde_saphyr::from_multiple::<Document>(text);
    let documents = documents.map_err(|error| failed(vec![not_readable(&error, text)]))?;
    let (mut objectives, mut mistakes) = (Vec::new(), Vec::new());
    for document in &documents {
        if let Some(mistake) = version(document, text) {
            mistakes.push(mistake);
            continue;
        }
        let targets = document.spec.objectives.iter().filter(|_| document.kind.value == "SLO");
        for target in targets {
            let reading = Reading { document, text, catalogue };
            match reading.objective(target) {
                Ok(objective) => objectives.push(objective),
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }
    match (mistakes.is_empty(), objectives.is_empty()) {
        (false, _) => Err(failed(mistakes)),
        (true, true) => {
            let mistake = Mistake::new(0..0, "there is no SLO in this file", "nothing to judge");
            Err(failed(vec![mistake.help("write a document with `kind: SLO` and `objectives`")]))
        }
        (true, false) => Ok(objectives),
    }
}

/// The scenario `text` with the objectives of the OpenSLO file that it names, if it names one: as
/// sections at its end. `open` gives the objectives of a file, by the path that the scenario says.
///
/// Errors: what `open` says; a scenario that is no TOML is given back as it is, for its reader to
/// tell what is wrong.
pub fn bring_in<E>(
    text: &str,
    open: impl FnOnce(&str) -> Result<Vec<Objective>, E>,
) -> Result<String, E> {
    let document = DeTable::parse(text).ok();
    let found = document.as_ref().and_then(|document| {
        let (key, value) = document.get_ref().get_key_value(KEY)?;
        Some((key.span().start, value.get_ref().as_str()?.to_owned()))
    });
    let Some((start, path)) = found else { return Ok(text.into()) };
    let objectives = open(&path)?;
    let sections = objectives.iter().map(|objective| format!("\n{}", writer::objective(objective)));
    let sections = sections.collect::<String>();
    let (before, rest) = text.split_at(start);
    Ok(format!("{before}# {}\n\n# Of {path}:\n{}", rest.trim_end(), sections.trim_start()))
}

/// The mistake of a scenario that still names the file.
pub(crate) fn not_brought_in(root: &mut crate::fields::Fields) {
    if let Some(item) = root.get(KEY) {
        let title = "the objectives of the OpenSLO file were not brought in";
        let label = match item.get_ref().as_str() {
            Some(_) => "only the command line reads files",
            None => "expected the path of a file",
        };
        root.report(Mistake::new(item.span(), title, label));
    }
}

struct Reading<'a> {
    document: &'a Document,
    text: &'a str,
    catalogue: &'a Catalogue,
}

impl Reading<'_> {
    fn objective(&self, target: &Spanned<Target>) -> Result<Objective, Mistake> {
        let info = self.metric(target)?;
        let function = self.annotation("wrack-function").map(|one| one.value.as_str().into());
        let share = self.share(&target.value)?;
        let (bound, quantile) = match (info.kind, info.higher_is_better) {
            (ParameterKind::PerMillion, true) => {
                let share = share.ok_or_else(|| self.lacks(target, "target"))?;
                (Bound::AtLeast(share), None)
            }
            (ParameterKind::PerMillion, false) => {
                (Bound::AtMostShare(self.at_most(target, 1e6)? as u32), None)
            }
            (ParameterKind::Integer { .. }, _) => {
                (Bound::AtMostCount(self.at_most(target, 1.0)?), None)
            }
            _ => (Bound::AtMost(self.at_most(target, self.unit()?)?), share),
        };
        Ok(Objective {
            metric: info.name.into(),
            function,
            deadline_ns: self.deadline(info, target)?,
            quantile_per_million: quantile.unwrap_or(P99),
            bound,
        })
    }

    /// What is done by a deadline has one.
    fn deadline(
        &self,
        info: &MetricInfo,
        target: &Spanned<Target>,
    ) -> Result<Option<u64>, Mistake> {
        if info.name != BY_DEADLINE {
            return Ok(None);
        }
        let deadline = self.annotation("wrack-deadline");
        let deadline = deadline.ok_or_else(|| self.lacks(target, "wrack-deadline"))?;
        duration::parse(&deadline.value).map(Some).map_err(|reason| {
            Mistake::new(span(self.text, &deadline.referenced), reason, "such as `5s`")
        })
    }

    fn annotation(&self, name: &str) -> Option<&Spanned<String>> {
        self.document.metadata.annotations.get(name)
    }

    fn metric(&self, target: &Spanned<Target>) -> Result<&'static MetricInfo, Mistake> {
        let indicator = self.document.spec.indicator.as_ref();
        let is_ratio = indicator.is_some_and(|one| one.spec.ratio_metric.is_some());
        let (name, span) = match self.annotation("wrack-metric") {
            Some(said) => (said.value.as_str(), span(self.text, &said.referenced)),
            None if is_ratio && target.value.op.is_none() => ("availability", 0..0),
            None => {
                let name = &self.document.metadata.name;
                let title = format!("what `{}` measures is not said", name.value);
                let mistake = Mistake::new(span(self.text, &name.referenced), title, "of this SLO");
                return Err(mistake.help(
                    "add `annotations: { wrack-metric: latency, wrack-unit: ms }` to its `metadata`",
                ));
            }
        };
        self.catalogue.metric(name).ok_or_else(|| {
            let known = self.catalogue.metrics.iter().map(|info| info.name).collect::<Vec<_>>();
            unknown("metric", name, span, &known)
        })
    }

    /// The target in millionths, if there is one.
    fn share(&self, target: &Target) -> Result<Option<u32>, Mistake> {
        let (given, whole) = match (&target.target, &target.target_percent) {
            (Some(given), _) => (given, 1.0),
            (None, Some(given)) => (given, 100.0),
            (None, None) => return Ok(None),
        };
        let share = given.value / whole;
        let per_million = (share * 1e6).round();
        if !(0.0..=1.0).contains(&share) || (share * 1e6 - per_million).abs() > 1e-3 {
            let title = format!("{} is not a share that Wrack can judge", given.value);
            let label = format!("from 0 to {whole}, in steps of a millionth");
            return Err(Mistake::new(span(self.text, &given.referenced), title, label));
        }
        Ok(Some(per_million as u32))
    }

    /// The value that must not be exceeded, so many times as large.
    fn at_most(&self, target: &Spanned<Target>, scale: f64) -> Result<u64, Mistake> {
        let op = target.value.op.as_ref();
        if let Some(op) = op.filter(|op| !matches!(op.value.as_str(), "lte" | "lt")) {
            let title = format!("`op: {}` promises nothing: less is better", op.value);
            return Err(Mistake::new(span(self.text, &op.referenced), title, "use `lte`"));
        }
        let value = target.value.value.as_ref().ok_or_else(|| self.lacks(target, "value"))?;
        let scaled = (value.value * scale).round();
        match (0.0..9e18).contains(&scaled) {
            true => Ok(scaled as u64),
            false => {
                let title = format!("{} is out of bounds", value.value);
                Err(Mistake::new(span(self.text, &value.referenced), title, "must be at least 0"))
            }
        }
    }

    /// Nanoseconds in the unit of the values.
    fn unit(&self) -> Result<f64, Mistake> {
        let Some(unit) = self.annotation("wrack-unit") else { return Ok(duration::SECOND as f64) };
        duration::parse(&format!("1{}", unit.value)).map(|ns| ns as f64).map_err(|reason| {
            Mistake::new(span(self.text, &unit.referenced), reason, "such as `ms`")
        })
    }

    fn lacks(&self, target: &Spanned<Target>, key: &str) -> Mistake {
        let title = format!("missing key `{key}` in an objective");
        Mistake::new(span(self.text, &target.referenced), title, format!("`{key}` is required"))
    }
}

fn version(document: &Document, text: &str) -> Option<Mistake> {
    let version = &document.api_version;
    (version.value != "openslo/v1").then(|| {
        let title = format!("`{}` is not a version that is read", version.value);
        Mistake::new(span(text, &version.referenced), title, "expected `openslo/v1`")
    })
}

/// What the YAML parser says.
fn not_readable(error: &serde_saphyr::Error, text: &str) -> Mistake {
    let place = error.location().map_or(0..0, |location| span(text, &location));
    let told = error.without_snippet().to_string();
    let told = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let told = told.split(" at line ").next().unwrap_or_default();
    Mistake::new(place, format!("not an OpenSLO file: {told}"), "here")
}

/// The place in bytes: from there to the end of the word.
fn span(text: &str, location: &Location) -> Span {
    let (line, column) = (location.line() as usize, location.column() as usize);
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line = text[before..].lines().next().unwrap_or_default();
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let word = line[start..].find(char::is_whitespace).unwrap_or(line.len() - start);
    before + start..before + start + word.max(1).min(line.len() - start)
}

#[cfg(test)]
mod tests {
    use super::{bring_in, read};
    use crate::scenario::{Bound, Objective};
    use crate::testing::{catalogue, whole};

    const RATIO: &str = "\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-availability
spec:
  service: checkout
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Prometheus, spec: { query: good } } }
        total: { metricSource: { type: Prometheus, spec: { query: all } } }
  timeWindow: [{ duration: 4w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives:
    - displayName: Good
      target: 0.999
";

    const THRESHOLD: &str = "\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-latency
  annotations: { wrack-metric: latency, wrack-function: read, wrack-unit: ms }
spec:
  service: checkout
  indicatorRef: latency
  objectives:
    - op: lte
      value: 250
      target: 0.95
";

    #[track_caller]
    fn check(text: &str, place: (usize, usize), words: &str) {
        let diagnostics = read("slos.yaml", text, &catalogue()).unwrap_err();
        let [one] = diagnostics.list() else { panic!("not one mistake:\n{diagnostics}") };
        assert!(diagnostics.to_string().contains(words), "{diagnostics}");
        assert_eq!((one.line, one.column), place, "{diagnostics}");
    }

    #[test]
    fn a_ratio_is_availability_and_a_threshold_what_its_annotations_say() {
        let text = format!(
            "{RATIO}---\n{THRESHOLD}---\napiVersion: openslo/v1\nkind: Service\nmetadata: {{ name: checkout }}\nspec: {{}}\n"
        );
        let availability = Objective {
            metric: "availability".into(),
            function: None,
            deadline_ns: None,
            quantile_per_million: 990_000,
            bound: Bound::AtLeast(999_000),
        };
        let latency = Objective {
            metric: "latency".into(),
            function: Some("read".into()),
            deadline_ns: None,
            quantile_per_million: 950_000,
            bound: Bound::AtMost(250_000_000),
        };
        assert_eq!(read("slos.yaml", &text, &catalogue()).unwrap(), [availability, latency]);
    }

    #[test]
    fn what_cannot_be_judged_is_told_with_its_place() {
        check(&RATIO.replace("openslo/v1", "openslo/v2"), (1, 13), "expected `openslo/v1`");
        check(&RATIO.replace("0.999", "99.9"), (17, 15), "not a share");
        check(&THRESHOLD.replace("wrack-metric: latency, ", ""), (4, 9), "is not said");
        check(
            &THRESHOLD.replace("wrack-metric: latency", "wrack-metric: latencie"),
            (5, 32),
            "did you mean `latency`",
        );
        check(&THRESHOLD.replace("op: lte", "op: gte"), (10, 11), "less is better");
        check(&THRESHOLD.replace("wrack-unit: ms", "wrack-unit: parsec"), (5, 75), "unknown unit");
        check(&RATIO.replace("kind: SLO", "kind: Service"), (1, 1), "there is no SLO");
        check("apiVersion: [", (1, 13), "not an OpenSLO file");
    }

    #[test]
    fn a_scenario_with_its_objectives_brought_in_says_everything_by_itself() {
        let objectives = read("slos.yaml", RATIO, &catalogue()).unwrap();
        let text = whole("openslo = \"slos.yaml\"");
        let open = |path: &str| {
            assert_eq!(path, "slos.yaml");
            Ok::<_, String>(objectives.clone())
        };
        let brought = bring_in(&text, open).unwrap();
        let scenario = crate::read("a.toml", &brought, &catalogue()).unwrap();
        assert_eq!(scenario.slos, objectives);
        assert_eq!(bring_in(&brought, |_| Err("asked twice")).unwrap(), brought);
        assert_eq!(bring_in(&text, |_| Err("not there")), Err("not there"));
        let alone = crate::read("a.toml", &text, &catalogue()).unwrap_err();
        assert!(alone.to_string().contains("were not brought in"), "{alone}");
    }
}
