//! `[workload]`: what clients ask, and how fast.

use std::collections::BTreeSet;

use toml::de::DeValue;
use wrack_history::SmolStr;
use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};

use wrack_history::load::{ExplicitOperation, KeyDistribution, Pace, Workload};

use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::parameters;
use crate::scope::Scope;
use crate::sections::{mix, operation};
use crate::suggestion::{suggest, unknown};
use crate::value;

/// Keys of `[workload]`, beside `name`, `rate`, `distribution`, `mix` and the workload's own.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "clients",
        ParameterKind::Integer { min: 1, max: 10_000 },
        DefaultSetting::Integer(5),
        "How many clients; their names are `client-1` and so on.",
    ),
    ParameterInfo::new(
        "keys",
        ParameterKind::Integer { min: 1, max: 10_000_000 },
        DefaultSetting::Integer(5),
        "How many keys.",
    ),
    ParameterInfo::new(
        "pace",
        ParameterKind::Choice(&["open", "closed"]),
        DefaultSetting::Choice("open"),
        "Whether operations are due at their time, or a think time after the last one.",
    ),
    ParameterInfo::optional(
        "operations",
        ParameterKind::Integer { min: 1, max: i64::MAX },
        "At most so many operations in all; no limit if absent.",
    ),
    ParameterInfo::new(
        "final_reads",
        ParameterKind::Flag,
        DefaultSetting::Flag(true),
        "Whether every key is read when all is quiet.",
    ),
];

/// Keys that say how operations are drawn, which explicit operations are not.
const DRAWN: &[&str] = &["keys", "pace", "operations", "rate", "distribution", "mix"];

/// What the section says.
pub(crate) struct Asked {
    pub workload: Workload,
    /// Explicit operations, in order of time; `None` if they are drawn.
    pub operations: Option<Vec<ExplicitOperation>>,
    pub final_reads: bool,
}

/// The rate if the file does not say, and its text.
const RATE: (u64, &str) = (50_000, "50/s");

/// Reads the section and `[[operation]]`, and tells `scope` of the workload and the clients.
pub(crate) fn read(root: &mut Fields, scope: &mut Scope) -> Option<Asked> {
    let mut fields = root.required_section("workload");
    let info = info(&mut fields, scope);
    scope.workload = info;
    if root.get("operation").is_some() {
        return explicit(fields, root, scope);
    }
    let common = parameters::read(&mut fields, KEYS, scope);
    let clients = common.integer("clients") as u32;
    scope.clients = common.sound.then_some(clients);
    let rate_per_kilosecond = rate(&mut fields);
    let distribution = distribution(&mut fields);
    // Which keys there are, the workload says.
    let info = info?;
    let mix = mix::read(&mut fields, info, scope);
    let own = parameters::read(&mut fields, info.parameters, scope);
    fields.finish();
    let workload = Workload {
        name: info.name.into(),
        clients,
        keys: common.integer("keys") as u32,
        distribution,
        rate_per_kilosecond,
        pace: match common.settings.choice("pace").as_deref() {
            Some("closed") => Pace::Closed,
            _ => Pace::Open,
        },
        mix,
        operations_max: common.settings.integer("operations").map(|count| count as u64),
        settings: own.settings,
    };
    let final_reads = common.settings.flag("final_reads").unwrap_or(true);
    Some(Asked { workload, operations: None, final_reads })
}

/// Reads what is left of the section beside explicit operations, and these.
fn explicit(mut fields: Fields, root: &mut Fields, scope: &mut Scope) -> Option<Asked> {
    let kept = |key: &&ParameterInfo| !DRAWN.contains(&key.name);
    let kept = KEYS.iter().filter(kept).copied().collect::<Vec<_>>();
    let common = parameters::read(&mut fields, &kept, scope);
    for key in DRAWN {
        if let Some(item) = fields.get(key) {
            let title = format!("`{key}` has no meaning beside explicit operations");
            fields.report(Mistake::new(item.span(), title, "leave it out"));
        }
    }
    let clients = common.integer("clients") as u32;
    scope.clients = common.sound.then_some(clients);
    let operations = operation::read(root, scope)?;
    let info = scope.workload?;
    let own = parameters::read(&mut fields, info.parameters, scope);
    fields.finish();
    let keys: BTreeSet<&SmolStr> = operations.iter().map(|operation| &operation.key).collect();
    let final_reads = common.settings.flag("final_reads").unwrap_or(true);
    let workload = Workload {
        name: info.name.into(),
        clients,
        keys: keys.len() as u32,
        distribution: KeyDistribution::Uniform,
        rate_per_kilosecond: RATE.0,
        pace: Pace::Open,
        mix: operation::mix(info.functions, &operations, final_reads),
        operations_max: None,
        settings: own.settings,
    };
    Some(Asked { workload, operations: Some(operations), final_reads })
}

fn info(fields: &mut Fields, scope: &Scope) -> Option<&'static WorkloadInfo> {
    let item = fields.need("name")?;
    let name = fields.keep("name", value::name(item))?;
    let info = scope.catalogue.workload(&name);
    if info.is_none() {
        let known = scope.catalogue.workloads.iter().map(|info| info.name).collect::<Vec<_>>();
        fields.report(unknown("workload", &name, item.span(), &known));
    }
    info
}

fn rate(fields: &mut Fields) -> u64 {
    match fields.get("rate") {
        Some(item) => fields.keep("rate", value::rate(item)).unwrap_or(RATE.0),
        None => {
            fields.default("rate", RATE.1);
            RATE.0
        }
    }
}

fn distribution(fields: &mut Fields) -> KeyDistribution {
    let Some(item) = fields.get("distribution") else {
        fields.default("distribution", "uniform");
        return KeyDistribution::Uniform;
    };
    let read = match item.get_ref() {
        DeValue::Table(_) => zipf(item, fields),
        _ => fields.keep("distribution", uniform(item)),
    };
    read.unwrap_or(KeyDistribution::Uniform)
}

fn uniform(item: &Item) -> Result<KeyDistribution, Mistake> {
    match item.get_ref().as_str() {
        Some("uniform") => Ok(KeyDistribution::Uniform),
        Some(other) => {
            let title = format!("unknown value `{other}`");
            let mistake = Mistake::new(item.span(), title, "not a distribution of keys");
            Err(suggest(mistake, other, &["uniform"]).help("or write { zipf = 1.1 }"))
        }
        None => Err(value::mismatch(item, "\"uniform\" or { zipf = 1.1 }")),
    }
}

fn zipf<'a>(item: &'a Item<'a>, parent: &Fields<'a>) -> Option<KeyDistribution> {
    let mut fields = Fields::of(item, parent.path_of("distribution"), parent.findings);
    let exponent_milli = fields.read_required("zipf", value::milli);
    fields.finish();
    exponent_milli.map(|exponent_milli| KeyDistribution::Zipf { exponent_milli })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn register(lines: &str, expected: &str) {
        check(&format!("[workload]\nname = \"register\"\n{lines}"), expected);
    }

    #[test]
    fn a_workload_is_one_that_exists() {
        check("# no [workload]", "missing section `[workload]`");
        check(
            "[workload]\nname = «\"registre\"»\nfinal_reads = true",
            "unknown workload `registre`\ndid you mean `register`?",
        );
        check("«[workload]»\nclients = 5", "missing key `name` in `workload`");
    }

    #[test]
    fn somebody_asks_for_something() {
        register(
            "clients = «0»",
            "`workload.clients`: 0 is out of bounds\nmust be from 1 to 10000",
        );
        register("keys = «0»", "`workload.keys`: 0 is out of bounds");
        register(
            "rate = «\"0/s\"»",
            "`workload.rate`: \"0/s\" is less than one operation in 1,000 seconds",
        );
        register(
            "rate = «\"50\"»",
            "`workload.rate`: \"50\" is not a rate: write how many, a slash and `s`, `m` or `h`",
        );
        register(
            "rate = «\"50/d\"»",
            "`workload.rate`: unknown unit \"d\" of a rate: use /s, /m or /h",
        );
        register(
            "rate = «50»",
            "`workload.rate`: expected a rate such as \"50/s\", found a whole number\n\"50/s\"",
        );
        register("operations = «0»", "`workload.operations`: 0 is out of bounds");
    }

    #[test]
    fn keys_are_chosen_in_one_of_two_ways() {
        register(
            "distribution = «\"zipf\"»",
            "`workload.distribution`: unknown value `zipf`\nor write { zipf = 1.1 }",
        );
        register(
            "distribution = { zipf = «0» }",
            "`workload.distribution.zipf`: 0 is out of bounds, or finer than a thousandth",
        );
        register(
            "distribution = { zipf = 1, «s» = 2 }",
            "unknown key `s` in `workload.distribution`",
        );
        register("pace = «\"fast\"»", "`workload.pace`: unknown value `fast`");
    }
}
