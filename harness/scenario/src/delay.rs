//! Delays: `"5ms"`, `"1ms..5ms"`, `{ exponential = "5ms", min = "1ms" }`,
//! `{ lognormal = "5ms", sigma = 0.5 }`.

use toml::de::DeValue;
use wrack_history::duration;
use wrack_history::setting::Delay;

use crate::fields::{Fields, Item, spoken};
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::value;

const FORMS: &[&str] = &["exponential", "lognormal"];

/// Reads a delay.
pub(crate) fn delay<'a>(item: &'a Item<'a>, path: &str, findings: &'a Findings) -> Option<Delay> {
    let read = match item.get_ref() {
        DeValue::String(text) => range(text, item),
        DeValue::Table(_) => return table(Fields::of(item, path.into(), findings)),
        DeValue::Integer(_) | DeValue::Float(_) => value::duration(item).map(Delay::constant),
        _ => Err(value::mismatch(item, "a delay such as \"5ms\" or \"1ms..5ms\"")),
    };
    read.map_err(|mistake| findings.report(mistake.of_key(&spoken(path)))).ok()
}

fn range(text: &str, item: &Item) -> Result<Delay, Mistake> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let part = |part: &str| {
        let label = "expected a delay such as \"5ms\" or \"1ms..5ms\"";
        duration::parse(part.trim()).map_err(|reason| Mistake::new(item.span(), reason, label))
    };
    let (min_ns, max_ns) = (part(min)?, part(max)?);
    if min_ns > max_ns {
        let title = format!("the shortest delay, {min}, is longer than the longest, {max}");
        return Err(Mistake::new(item.span(), title, format!("write \"{max}..{min}\"")));
    }
    Ok(Delay::uniform(min_ns, max_ns))
}

fn table(mut fields: Fields) -> Option<Delay> {
    let delay = match fields.form(FORMS) {
        Some(("exponential", item)) => {
            let mean_ns = fields.keep("exponential", value::duration(item));
            let min_ns = fields.read("min", value::duration);
            mean_ns.map(|mean_ns| Delay::Exponential { min_ns: min_ns.unwrap_or(0), mean_ns })
        }
        Some((_, item)) => {
            let median_ns = fields.keep("lognormal", value::duration(item));
            let sigma_milli = fields.read_required("sigma", value::milli);
            median_ns
                .zip(sigma_milli)
                .map(|(median_ns, sigma_milli)| Delay::LogNormal { median_ns, sigma_milli })
        }
        None => None,
    };
    fields.finish();
    delay
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};
    use wrack_history::setting::Delay;

    fn network(value: &str, expected: &str) {
        check(&format!("[network]\npeer_latency = {value}"), expected);
    }

    #[test]
    fn a_delay_has_four_forms() {
        let delay = |value: &str| {
            let scenario = read_good(&format!("[network]\npeer_latency = {value}"));
            scenario.environment.peer_latency
        };
        assert_eq!(delay("\"5ms\""), Delay::constant(5_000_000));
        assert_eq!(delay("\"1ms..5ms\""), Delay::uniform(1_000_000, 5_000_000));
        let (min_ns, mean_ns) = (1_000_000, 5_000_000);
        let exponential = Delay::Exponential { min_ns, mean_ns };
        assert_eq!(delay("{ exponential = \"5ms\", min = \"1ms\" }"), exponential);
        let lognormal = Delay::LogNormal { median_ns: 5_000_000, sigma_milli: 500 };
        assert_eq!(delay("{ lognormal = \"5ms\", sigma = 0.5 }"), lognormal);
    }

    #[test]
    fn a_delay_that_means_nothing_is_refused() {
        network(
            "«\"5ms..1ms\"»",
            "`network.peer_latency`: the shortest delay, 5ms, is longer than the longest, 1ms\nwrite \"1ms..5ms\"",
        );
        network(
            "«\"1..5ms\"»",
            "`network.peer_latency`: a duration needs a unit: \"1s\" or \"1ms\"",
        );
        network(
            "«5»",
            "`network.peer_latency`: expected a duration such as \"150ms\", found a whole number",
        );
        network(
            "«true»",
            "`network.peer_latency`: expected a delay such as \"5ms\" or \"1ms..5ms\", found a boolean",
        );
        network("«{ lognormal = \"5ms\" }»", "missing key `sigma` in `network.peer_latency`");
        network(
            "{ lognormal = \"5ms\", sigma = «0» }",
            "`network.peer_latency.sigma`: 0 is out of bounds, or finer than a thousandth",
        );
        network(
            "{ «normal» = \"5ms\" }",
            "unknown key `normal` in `network.peer_latency`\ndid you mean `lognormal`?",
        );
        network("«{}»", "`network.peer_latency` needs one of `exponential`, `lognormal`");
        network(
            "{ exponential = \"5ms\", «sigma» = 1 }",
            "unknown key `sigma` in `network.peer_latency`",
        );
    }
}
