//! `[swarm]`: what is drawn for every seed, beside what the file injects itself.

use std::collections::BTreeSet;

use wrack_history::catalogue::{DefaultSetting, FaultInfo, ParameterInfo, ParameterKind};
use wrack_history::{ScheduledFault, Setting, SmolStr, Swarm};

use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::parameters;
use crate::scope::Scope;
use crate::suggestion::{quoted, unknown};
use crate::value;

/// Keys of `[swarm]`, beside `faults`, `without`, `parameters`, `mix` and `reach`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "absent",
        ParameterKind::PerMillion,
        DefaultSetting::PerMillion(500_000),
        "How often a kind of fault is left out of a run altogether.",
    ),
    ParameterInfo::new(
        "times",
        ParameterKind::Integer { min: 1, max: 100 },
        DefaultSetting::Integer(3),
        "How often a kind of fault comes in one run at most.",
    ),
];

/// Reads the section, if there is one; `fixed` are the faults that the file injects itself.
pub(crate) fn read(root: &mut Fields, fixed: &[ScheduledFault], scope: &Scope) -> Option<Swarm> {
    root.get("swarm")?;
    let mut fields = root.section("swarm");
    let given = parameters::read(&mut fields, KEYS, scope);
    let faults = faults(&mut fields, fixed, scope);
    let reach = reach(&mut fields, scope);
    let parameters = design_parameters(&mut fields, scope);
    let mix = mix(&mut fields, scope);
    fields.finish();
    given.sound.then(|| Swarm {
        faults,
        absent_per_million: given.share("absent"),
        times_max: given.integer("times") as u32,
        parameters,
        mix,
        reach,
    })
}

/// Kinds of faults: those that are named, or all that the design tolerates and the file does not inject
/// itself.
fn faults(fields: &mut Fields, fixed: &[ScheduledFault], scope: &Scope) -> Vec<SmolStr> {
    let Some(design) = scope.design else {
        return Vec::new();
    };
    let tolerated = |info: &FaultInfo| design.tolerates.iter().any(|one| one.fault == info.name);
    let is_fixed = |name: &str| fixed.iter().any(|fault| fault.fault.kind == name);
    let possible = |info: &&&FaultInfo| {
        tolerated(info) && !is_fixed(info.name) && scope.fault(info, 0..0).is_ok()
    };
    let drawn = scope.catalogue.faults.iter().filter(possible).map(|info| info.name);
    let drawn = drawn.collect::<Vec<_>>();
    let known = scope.catalogue.faults.iter().map(|info| info.name).collect::<Vec<_>>();
    let fits = |name: &SmolStr, item: &Item| match scope.catalogue.fault(name) {
        None => Err(unknown("fault", name, item.span(), &known)),
        Some(_) if drawn.contains(&name.as_str()) => Ok(()),
        Some(_) if is_fixed(name) => {
            let title = format!("`{name}` is injected by a `[[fault]]` already");
            Err(Mistake::new(item.span(), title, "both together could be too much")
                .help("leave one of them out"))
        }
        Some(_) => {
            let title = format!("`{}` is not made to survive `{name}`", design.name);
            Err(Mistake::new(item.span(), title, "a swarm stays within what the design tolerates")
                .help(format!("it can draw {}", quoted(&drawn))))
        }
    };
    let mut named = |key| {
        let items = names(fields, key)?;
        let sound = items.into_iter().filter(|(name, item)| {
            fits(name, item).map_err(|mistake| fields.report(mistake)).is_ok()
        });
        Some(sound.map(|(name, _)| name).collect::<BTreeSet<_>>())
    };
    let (only, without) = (named("faults"), named("without").unwrap_or_default());
    if only.is_none() {
        fields.default("faults", drawn.join(", "));
    }
    let all = || drawn.iter().map(|name| SmolStr::new_static(name)).collect();
    only.unwrap_or_else(all).difference(&without).cloned().collect()
}

/// Situations that must be reached: those that are named.
fn reach(fields: &mut Fields, scope: &Scope) -> Vec<SmolStr> {
    let items = names(fields, "reach").unwrap_or_default();
    let known = scope.design.map_or(&[][..], |design| design.situations);
    let known = known.iter().map(|situation| situation.name).collect::<Vec<_>>();
    for (name, item) in &items {
        if scope.design.is_some() && !known.contains(&name.as_str()) {
            fields.report(unknown("situation", name, item.span(), &known));
        }
    }
    items.into_iter().map(|(name, _)| name).collect()
}

/// Parameters of the design, each with a list of settings.
fn design_parameters(fields: &mut Fields, scope: &Scope) -> Vec<(SmolStr, Vec<Setting>)> {
    let (Some(design), Some(_)) = (scope.design, fields.get("parameters")) else {
        return Vec::new();
    };
    let mut table = fields.section("parameters");
    let mut drawn = Vec::new();
    for (name, span, item) in table.entries() {
        let Some(info) = design.parameters.iter().find(|info| info.name == name) else {
            let known = design.parameters.iter().map(|info| info.name).collect::<Vec<_>>();
            let what = format!("parameter of `{}`", design.name);
            table.report(unknown(&what, name, span, &known));
            continue;
        };
        let settings = list(item, &table, info.name);
        let settings =
            settings.iter().filter_map(|item| parameters::setting(&table, info, item, scope));
        drawn.push((SmolStr::new_static(info.name), settings.collect()));
    }
    drawn
}

/// Functions of the workload, each with a list of weights.
fn mix(fields: &mut Fields, scope: &Scope) -> Vec<(SmolStr, Vec<u32>)> {
    let (Some(workload), Some(_)) = (scope.workload, fields.get("mix")) else {
        return Vec::new();
    };
    let mut table = fields.section("mix");
    let mut drawn = Vec::new();
    for (name, span, item) in table.entries() {
        let Some(function) = workload.functions.iter().find(|function| **function == name) else {
            let what = format!("function of `{}`", workload.name);
            table.report(unknown(&what, name, span, workload.functions));
            continue;
        };
        let weights = list(item, &table, function);
        let weight = |item: &Item| table.keep(function, value::whole(item, 1, 1_000_000));
        let weights = weights.iter().filter_map(weight).map(|weight| weight as u32);
        drawn.push((SmolStr::new_static(function), weights.collect()));
    }
    drawn
}

/// A list of names, and where each stands.
fn names<'a>(fields: &mut Fields<'a>, key: &'static str) -> Option<Vec<(SmolStr, &'a Item<'a>)>> {
    let item = fields.get(key)?;
    let Some(items) = item.get_ref().as_array() else {
        fields.keep::<()>(key, Err(value::mismatch(item, "a list of names")));
        return None;
    };
    let items = items.iter();
    Some(items.filter_map(|item| Some((fields.keep(key, value::name(item))?, item))).collect())
}

/// The items of a list that is not empty.
fn list<'a>(item: &'a Item<'a>, fields: &Fields, key: &str) -> &'a [Item<'a>] {
    match item.get_ref().as_array() {
        Some(array) if !array.is_empty() => array,
        _ => {
            fields.keep::<()>(key, Err(value::mismatch(item, "a list with something in it")));
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testing::{check, read_good};

    #[test]
    fn a_swarm_draws_what_the_design_tolerates() {
        let swarm = read_good("[swarm]").swarm.unwrap();
        assert!(swarm.faults.iter().any(|name| name == "crash"));
        assert!(!swarm.faults.iter().any(|name| name == "disk_loss"));
        assert_eq!((swarm.absent_per_million, swarm.times_max), (500_000, 3));
        let some = read_good(
            "[swarm]\nfaults = [\"crash\"]\nparameters = { nodes = [3, 5] }\nmix = { read = [1, 9] }",
        );
        let swarm = some.swarm.unwrap();
        assert_eq!(swarm.faults, ["crash"]);
        assert_eq!(
            swarm.parameters,
            [("nodes".into(), vec![Setting::Integer(3), Setting::Integer(5)])]
        );
        assert_eq!(swarm.mix, [("read".into(), vec![1, 9])]);
        let without = read_good("[swarm]\nwithout = [\"crash\"]").swarm.unwrap();
        assert!(!without.faults.is_empty() && !without.faults.iter().any(|name| name == "crash"));
        assert!(read_good("[swarm]\nfaults = []").swarm.unwrap().faults.is_empty());
        assert!(read_good("").swarm.is_none());
    }

    #[test]
    fn what_a_swarm_cannot_draw_says_so_in_its_place() {
        check(
            "[swarm]\nfaults = [«\"disk_loss\"»]",
            "`raft` is not made to survive `disk_loss`\na swarm stays within what the design tolerates\nit can draw",
        );
        check("[swarm]\nfaults = [«\"crush\"»]", "unknown fault `crush`\ndid you mean `crash`?");
        check(
            "[swarm.mix]\nread = «[]»",
            "`swarm.mix.read`: expected a list with something in it, found an array",
        );
        check(
            "[swarm]\nfaults = «3»",
            "`swarm.faults`: expected a list of names, found a whole number",
        );
        check(
            "[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"5s\"\n[swarm]\nfaults = [«\"crash\"»]",
            "`crash` is injected by a `[[fault]]` already",
        );
        check(
            "[swarm.parameters]\n«node» = [3]",
            "unknown parameter `node` of `raft`\ndid you mean `nodes`?",
        );
        check("[swarm.mix]\nread = [«0»]", "`swarm.mix.read`: 0 is out of bounds");
        check("[swarm]\nreach = [«\"paradise\"»]", "unknown situation `paradise`");
        check("[swarm]\n«time» = 3", "unknown key `time` in `swarm`");
    }
}
