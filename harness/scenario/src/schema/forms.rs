//! The forms of values that do not depend on the catalogue, as types that schemars describes.
//!
//! Nothing is ever read into these types: they say what a value looks like, and their comments
//! become the descriptions. What depends on the catalogue is filled in by the parent module.

#![expect(dead_code, reason = "the types are described, never built")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// The top level, but for the sections that depend on the catalogue.
#[derive(JsonSchema)]
#[schemars(rename = "scenario", deny_unknown_fields)]
pub(super) struct Scenario {
    /// What the scenario is about, in one line.
    title: Words,
    /// What happens, in a paragraph.
    story: Words,
    /// What is expected to hold.
    hypothesis: Words,
    /// Who answers for the scenario.
    owner: Option<Words>,
    /// The tier of the data.
    #[schemars(range(min = 1, max = 3))]
    tier: Option<u8>,
    /// An OpenSLO file, beside the scenario, whose objectives are the scenario's, too.
    openslo: Option<Words>,
    /// What is expected of which variant; without any, the design's first must be valid.
    variants: Option<BTreeMap<String, Variant>>,
}

/// Text that says something.
#[derive(JsonSchema)]
#[schemars(rename = "words", untagged, deny_unknown_fields)]
pub(super) enum Words {
    /// As it is.
    Plain(PlainWords),
    /// A text that never reaches a result: a stand-in takes its place.
    Secret { secret: PlainWords },
}

/// Text that says something, as it is.
#[derive(JsonSchema)]
#[schemars(rename = "plain_words", extend("pattern" = r"\S"))]
pub(super) struct PlainWords(String);

/// What is expected of a variant.
#[derive(JsonSchema)]
#[schemars(rename = "variant", deny_unknown_fields)]
pub(super) struct Variant {
    /// `valid`, or the code of the anomaly that must be found.
    expect: Expected,
    /// In what share of seeds at least; 100% if absent.
    share: Option<Share>,
    /// Anomalies that follow from the expected one.
    follows: Option<Vec<Follow>>,
    /// Parameters of the design that differ in this variant.
    parameters: Option<BTreeMap<String, serde_json::Value>>,
}

/// `valid`, or the code of an anomaly.
#[derive(JsonSchema)]
#[schemars(rename = "expected")]
pub(super) struct Expected(String);

/// An anomaly that follows from another.
#[derive(JsonSchema)]
#[schemars(rename = "follow", deny_unknown_fields)]
pub(super) struct Follow {
    /// Its code.
    code: Anomaly,
    /// Why it follows.
    because: Words,
}

/// The code of an anomaly: of the guarantee that it breaks.
#[derive(JsonSchema)]
#[schemars(rename = "anomaly")]
pub(super) struct Anomaly(String);

/// A number and one of `ns`, `us`, `ms`, `s`, `m`, `h`.
#[derive(JsonSchema)]
#[schemars(
    rename = "duration",
    extend("pattern" = r"^[0-9]+(\.[0-9]{1,18})?\s*(ns|us|ms|s|m|h)\s*$", "examples" = ["150ms"])
)]
pub(super) struct Duration(String);

/// A duration that may have a sign.
#[derive(JsonSchema)]
#[schemars(
    rename = "offset",
    extend("pattern" = r"^[+-]?[0-9]+(\.[0-9]{1,18})?\s*(ns|us|ms|s|m|h)\s*$", "examples" = ["-2s"])
)]
pub(super) struct Offset(String);

/// From 0% to 100%, with at most four decimals.
#[derive(JsonSchema)]
#[schemars(
    rename = "share",
    extend("pattern" = r"^\s*(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)\s*%\s*$", "examples" = ["2%"])
)]
pub(super) struct Share(String);

/// How many a second, minute or hour.
#[derive(JsonSchema)]
#[schemars(
    rename = "rate",
    extend("pattern" = r"^\s*[0-9]+(\.[0-9]{1,6})?\s*/\s*[smh]\s*$", "examples" = ["50/s", "10/m"])
)]
pub(super) struct Rate(String);

/// Below which value so many percent lie.
#[derive(JsonSchema)]
#[schemars(
    rename = "quantile",
    extend("pattern" = r"^p[0-9]{1,3}(\.[0-9]{1,4})?$", "examples" = ["p99"])
)]
pub(super) struct Quantile(String);

/// How long something takes.
#[derive(JsonSchema)]
#[schemars(rename = "delay", untagged, deny_unknown_fields)]
pub(super) enum Delay {
    /// Always the same, or anything from the first to the second.
    Range(Range),
    /// `min` and an exponentially distributed rest of this mean.
    Exponential { exponential: Duration, min: Option<Duration> },
    /// Log-normal with this median.
    LogNormal {
        lognormal: Duration,
        #[schemars(range(min = 0.001, max = 10))]
        sigma: f64,
    },
}

/// `5ms`, or `1ms..5ms`.
#[derive(JsonSchema)]
#[schemars(
    rename = "range",
    extend(
        "pattern" = r"^\s*[0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|m|h)\s*(\.\.\s*[0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|m|h)\s*)?$",
        "examples" = ["5ms", "1ms..5ms"]
    )
)]
pub(super) struct Range(String);

/// How keys are chosen.
#[derive(JsonSchema)]
#[schemars(rename = "distribution", untagged, deny_unknown_fields)]
pub(super) enum Distribution {
    /// Every key alike.
    Uniform(Uniform),
    /// The key of rank r with weight 1 / r^s.
    Zipf {
        #[schemars(range(min = 0.001, max = 10))]
        zipf: f64,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "uniform", rename_all = "lowercase")]
pub(super) enum Uniform {
    /// Every key alike.
    Uniform,
}

/// Whom a fault is for.
#[derive(JsonSchema)]
#[schemars(rename = "target", untagged, deny_unknown_fields)]
pub(super) enum Target {
    /// The node or client of this name; clients are `client-1` and so on.
    Name(String),
    /// Those of these names.
    Names(#[schemars(length(min = 1))] Vec<String>),
    /// Whoever claims this role at that moment.
    Role { role: Role },
    /// One node of this role, drawn at random.
    Random { random: Role },
    /// So many nodes, drawn at random.
    Count {
        #[schemars(range(min = 1))]
        count: u32,
    },
    /// A group.
    Some { some: Group },
    /// The node whose fact set the fault off; only with `on`.
    Source {
        #[schemars(extend("const" = true))]
        source: bool,
    },
}

/// A role that nodes report.
#[derive(JsonSchema)]
#[schemars(rename = "role")]
pub(super) struct Role(String);

#[derive(JsonSchema)]
#[schemars(rename = "group", rename_all = "lowercase")]
pub(super) enum Group {
    /// The largest number of nodes that is less than half.
    Minority,
    /// The smallest number of nodes that is more than half.
    Majority,
    /// Every node.
    All,
    /// Every client.
    Clients,
}

/// The sides of a partition.
#[derive(JsonSchema)]
#[schemars(rename = "groups")]
pub(super) struct Groups(#[schemars(length(min = 1))] Vec<Side>);

#[derive(JsonSchema)]
#[schemars(rename = "side")]
pub(super) struct Side(#[schemars(length(min = 1))] Vec<Target>);

/// A failpoint of the design.
#[derive(JsonSchema)]
#[schemars(rename = "failpoint")]
pub(super) struct Failpoint(String);

/// Which messages: a word that every design knows, or a kind of its own.
#[derive(JsonSchema)]
#[schemars(rename = "messages")]
pub(super) struct Messages(String);

/// When a fact is noted.
#[derive(JsonSchema)]
#[schemars(rename = "trigger", deny_unknown_fields)]
pub(super) struct Trigger {
    /// The fact.
    fact: Fact,
    /// Only facts of this node, or of whoever holds this role; of anybody if absent.
    by: Option<Target>,
    /// Which of them; 1 if absent.
    #[schemars(range(min = 1))]
    nth: Option<u32>,
    /// How long after it; 0s if absent.
    after: Option<Duration>,
}

/// `role.ROLE`, a fact of the design, or one of every node.
#[derive(JsonSchema)]
#[schemars(rename = "fact")]
pub(super) struct Fact(String);
