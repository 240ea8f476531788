//! `mix`: how often clients ask for which function.

use wrack_history::SmolStr;
use wrack_history::catalogue::{DesignInfo, WorkloadInfo};

use crate::diagnostic::Span;
use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::scope::Scope;
use crate::suggestion::{quoted, unknown};
use crate::value;

/// The weight of each function, in the order of the workload's functions.
type Mix = Vec<(SmolStr, u32)>;

/// Reads the mix; without one, every function that the design serves weighs the same.
pub(crate) fn read(fields: &mut Fields, info: &WorkloadInfo, scope: &Scope) -> Mix {
    if fields.get("mix").is_none() {
        return default(fields, info, scope);
    }
    let mut table = fields.section("mix");
    let mut weights = vec![0; info.functions.len()];
    let mut sound = true;
    for (name, span, item) in table.entries() {
        let Some(position) = info.functions.iter().position(|function| *function == name) else {
            let what = format!("function of `{}`", info.name);
            table.report(unknown(&what, name, span, info.functions));
            sound = false;
            continue;
        };
        match table.keep(name, value::whole(item, 0, 1_000_000)) {
            Some(weight) => weights[position] = weight as u32,
            None => sound = false,
        }
        if weights[position] > 0 {
            judge_served(&table, name, span, scope);
        }
    }
    if sound && table.is_sound() && weights.iter().all(|weight| *weight == 0) {
        let title = "every weight of `workload.mix` is zero";
        table.report(Mistake::new(table.span.clone(), title, "nothing would be asked"));
    }
    info.functions.iter().map(|function| SmolStr::new_static(function)).zip(weights).collect()
}

fn default(fields: &Fields, info: &WorkloadInfo, scope: &Scope) -> Mix {
    let served = |function: &str| scope.design.is_none_or(|d| d.functions.contains(&function));
    let weigh = |function: &&'static str| {
        let weight = u32::from(served(function));
        fields.default(&format!("mix.{function}"), weight);
        (SmolStr::new_static(function), weight)
    };
    let mix = info.functions.iter().map(weigh).collect::<Mix>();
    if let (Some(design), true) = (scope.design, mix.iter().all(|(_, weight)| *weight == 0)) {
        let title = format!("`{}` serves no function of `{}`", design.name, info.name);
        let mistake = Mistake::new(fields.place_of("name"), title, "nothing could be asked");
        fields.report(help(mistake, design, scope));
    }
    mix
}

fn judge_served(table: &Fields, function: &str, span: Span, scope: &Scope) {
    let Some(design) = scope.design.filter(|design| !design.functions.contains(&function)) else {
        return;
    };
    let title = format!("`{}` does not serve `{function}`", design.name);
    table.report(help(Mistake::new(span, title, "would never be answered"), design, scope));
}

/// Says which functions the design serves, and in which workloads they are: in those that it serves as a
/// whole, or else in those of which it serves more than reads.
fn help(mistake: Mistake, design: &DesignInfo, scope: &Scope) -> Mistake {
    let mistake = mistake.help(format!("`{}` serves {}", design.name, quoted(design.functions)));
    let served = |function: &&str| design.functions.contains(function);
    let names = |fits: &dyn Fn(&WorkloadInfo) -> bool| {
        let fitting = scope.catalogue.workloads.iter().filter(|info| fits(info));
        fitting.map(|info| info.name).collect::<Vec<_>>()
    };
    let whole = names(&|info| info.functions.iter().all(&served));
    if !whole.is_empty() {
        return mistake.help(format!("workloads that it serves: {}", quoted(&whole)));
    }
    let changes = |function: &&str| *function != "read" && served(function);
    match &names(&|info| info.functions.iter().any(changes))[..] {
        [] => mistake,
        some => mistake.help(format!(
            "workloads of which it serves some functions: {}; name only these in `mix`",
            quoted(some)
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn mix(mix: &str, expected: &str) {
        check(&format!("[workload]\nname = \"register\"\nmix = {mix}"), expected);
    }

    const CACHE: &str = "[design]\nname = \"cache\"\nttl = \"1s\"";

    #[test]
    fn a_mix_names_functions_of_the_workload_with_weights() {
        mix(
            "{ read = 1, «enqueue» = 1 }",
            "unknown function `enqueue` of `register`\nthere are: `read`, `write`, `cas`",
        );
        mix(
            "{ read = «0.5» }",
            "`workload.mix.read`: expected a whole number, found a decimal number",
        );
        mix("{ read = «-1» }", "`workload.mix.read`: -1 is out of bounds");
        mix("«{ read = 0 }»", "every weight of `workload.mix` is zero");
        mix("«{}»", "every weight of `workload.mix` is zero");
        mix("«[]»", "`workload.mix`: expected a table, found an array");
    }

    #[test]
    fn a_function_that_is_asked_is_one_that_the_design_serves() {
        let mix = |mix| format!("{CACHE}\n[workload]\nname = \"register\"\nmix = {mix}");
        check(
            &mix("{ read = 1, «cas» = 1 }"),
            "`cache` does not serve `cas`\n`cache` serves `read`, `write`\n\
             workloads of which it serves some functions: `register`; name only these in `mix`",
        );
        read_good(&mix("{ read = 1, cas = 0 }"));
        check(
            &format!("{CACHE}\n[workload]\nname = «\"queue\"»"),
            "`cache` serves no function of `queue`\n`cache` serves `read`, `write`\n\
             workloads of which it serves some functions: `register`; name only these in `mix`",
        );
        check(
            "[workload]\nname = \"queue\"\nmix = { «enqueue» = 1 }",
            "`raft` does not serve `enqueue`\n`raft` serves `read`, `write`, `cas`\n\
             workloads that it serves: `register`",
        );
    }

    #[test]
    fn without_a_mix_all_that_the_design_serves_weighs_the_same() {
        let mix = read_good(CACHE).workload.mix;
        assert_eq!(mix, [("read".into(), 1), ("write".into(), 1), ("cas".into(), 0)]);
    }
}
