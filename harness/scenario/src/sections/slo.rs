//! `[[slo]]`: service level objectives.

use wrack_history::SmolStr;
use wrack_history::catalogue::{MetricInfo, ParameterKind};

use crate::diagnostic::Span;
use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::scenario::{BY_DEADLINE, Bound, Objective};
use crate::scope::Scope;
use crate::suggestion::unknown;
use crate::value;

/// The quantile of a duration if the file does not say.
const P99: u32 = 990_000;

/// Reads every objective.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> Vec<Objective> {
    root.list("slo").into_iter().filter_map(|fields| objective(fields, scope)).collect()
}

fn objective(mut fields: Fields, scope: &Scope) -> Option<Objective> {
    let item = fields.need("metric")?;
    let metric = fields.keep("metric", value::name(item))?;
    let Some(info) = scope.catalogue.metric(&metric) else {
        let known = scope.catalogue.metrics.iter().map(|info| info.name).collect::<Vec<_>>();
        fields.report(unknown("metric", &metric, item.span(), &known));
        return None;
    };
    let function = function(&mut fields, info, scope);
    let deadline = deadline(&mut fields, info);
    let quantile_per_million = quantile(&mut fields, info);
    let bound = bound(&mut fields, info);
    fields.finish();
    let (deadline_ns, bound) = (deadline?, bound?);
    Some(Objective { metric, function, deadline_ns, quantile_per_million, bound })
}

/// What is done by a deadline has one, and nothing else; `None` if that is not so.
fn deadline(fields: &mut Fields, info: &MetricInfo) -> Option<Option<u64>> {
    if info.name == BY_DEADLINE {
        let item = fields.need("deadline")?;
        return fields.keep("deadline", value::duration(item)).map(Some);
    }
    if let Some(item) = fields.get("deadline") {
        fields.report(meaningless(item.span(), "deadline", "is for `M3` alone"));
    }
    Some(None)
}

fn bound(fields: &mut Fields, info: &MetricInfo) -> Option<Bound> {
    let (key, item) = fields.one_of(&["at_least", "at_most"])?;
    let (wanted, better) = match info.higher_is_better {
        true => ("at_least", "more"),
        false => ("at_most", "less"),
    };
    if key != wanted {
        let title = format!("`{}` promises nothing with `{key}`: {better} is better", info.name);
        let label = format!("use `{wanted}`");
        fields.report(Mistake::new(item.span(), title, label));
        return None;
    }
    fields.keep(key, amount(item, info))
}

fn amount(item: &Item, info: &MetricInfo) -> Result<Bound, Mistake> {
    Ok(match (info.kind, info.higher_is_better) {
        (ParameterKind::PerMillion, true) => Bound::AtLeast(value::share(item)?),
        (ParameterKind::PerMillion, false) => Bound::AtMostShare(value::share(item)?),
        (ParameterKind::Integer { min, max }, _) => {
            Bound::AtMostCount(value::whole(item, min.max(0), max)? as u64)
        }
        _ => Bound::AtMost(value::duration(item)?),
    })
}

fn function(fields: &mut Fields, info: &MetricInfo, scope: &Scope) -> Option<SmolStr> {
    let item = fields.get("function")?;
    let function = fields.keep("function", value::name(item))?;
    if info.name != "latency" {
        fields.report(meaningless(item.span(), "function", "is for `latency` alone"));
    }
    match scope.workload {
        Some(workload) if !workload.functions.contains(&function.as_str()) => {
            let what = format!("function of `{}`", workload.name);
            fields.report(unknown(&what, &function, item.span(), workload.functions));
            None
        }
        _ => Some(function),
    }
}

/// Times that a run has one of.
const SUMS: &[&str] = &["dual-belief", "leaderless"];

fn quantile(fields: &mut Fields, info: &MetricInfo) -> u32 {
    let is_time = info.kind == ParameterKind::Duration && !SUMS.contains(&info.name);
    match fields.get("quantile") {
        Some(item) if is_time => fields.keep("quantile", value::quantile(item)).unwrap_or(P99),
        Some(item) => {
            fields.report(meaningless(
                item.span(),
                "quantile",
                "is for metrics that are times of many events",
            ));
            P99
        }
        None if is_time => {
            fields.default("quantile", "p99");
            P99
        }
        None => P99,
    }
}

fn meaningless(span: Span, key: &str, why: &str) -> Mistake {
    Mistake::new(span, format!("`{key}` {why}"), "has no meaning here")
}

#[cfg(test)]
mod tests {
    use crate::scenario::Bound;
    use crate::testing::{check, read_good};

    fn slo(lines: &str, expected: &str) {
        check(&format!("[[slo]]\n{lines}"), expected);
    }

    #[test]
    fn an_objective_has_one_bound_in_the_direction_that_is_better() {
        check("«[[slo]]»\nmetric = \"availability\"", "`slo` needs one of `at_least`, `at_most`");
        slo(
            "metric = \"availability\"\nat_least = \"99%\"\nat_most = «\"1s\"»",
            "`at_least` and `at_most` exclude each other",
        );
        slo(
            "metric = \"availability\"\nat_most = «\"1%\"»",
            "`availability` promises nothing with `at_most`: more is better\nuse `at_least`",
        );
        slo(
            "metric = \"latency\"\nat_least = «\"1s\"»",
            "`latency` promises nothing with `at_least`: less is better",
        );
    }

    #[test]
    fn a_bound_is_of_the_kind_of_its_metric() {
        slo(
            "metric = \"availability\"\nat_least = «\"1s\"»",
            "`slo.at_least`: \"1s\" is not a share: a share ends with `%`",
        );
        slo(
            "metric = \"latency\"\nat_most = «\"1%\"»",
            "`slo.at_most`: unknown unit \"%\": use ns, us, ms, s, m or h",
        );
        slo(
            "metric = \"M10\"\nat_most = «\"none\"»",
            "`slo.at_most`: expected a whole number, found a string",
        );
        let bound = |text: &str| read_good(text).slos[0].bound;
        assert_eq!(bound("[[slo]]\nmetric = \"M5\"\nat_most = \"0.01%\""), Bound::AtMostShare(100));
        assert_eq!(bound("[[slo]]\nmetric = \"M10\"\nat_most = 0"), Bound::AtMostCount(0));
    }

    #[test]
    fn a_metric_takes_the_keys_that_mean_something_for_it() {
        slo(
            "metric = «\"latencies\"»\nat_most = \"1s\"",
            "unknown metric `latencies`\ndid you mean `latency`?",
        );
        slo(
            "metric = \"latency\"\nfunction = «\"reed\"»\nat_most = \"1s\"",
            "unknown function `reed` of `register`\ndid you mean `read`?",
        );
        slo(
            "metric = \"latency\"\nquantile = «\"99\"»\nat_most = \"1s\"",
            "`slo.quantile`: \"99\" is not a quantile above p0 and up to p100",
        );
        slo(
            "metric = \"M5\"\nfunction = «\"read\"»\nat_most = \"1%\"",
            "`function` is for `latency` alone",
        );
        check("«[[slo]]»\nmetric = \"M3\"\nat_least = \"95%\"", "missing key `deadline` in `slo`");
        slo(
            "metric = \"M5\"\ndeadline = «\"1s\"»\nat_most = \"1%\"",
            "`deadline` is for `M3` alone",
        );
        slo(
            "metric = \"M5\"\nquantile = «\"p99\"»\nat_most = \"1%\"",
            "`quantile` is for metrics that are times of many events",
        );
    }
}
