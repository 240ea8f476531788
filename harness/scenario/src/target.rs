//! Targets: whom a fault is for.
//!
//! `"n1"`, `"client-2"`, `["n1", "n2"]`, `{ role = "leader" }`, `{ random = "follower" }`, `{ count = 2 }`,
//! `{ some = "minority" }` (or `majority`, `all`, `clients`), `{ source = true }`.

use toml::de::DeValue;
use wrack_history::{SmolStr, Target};

use crate::diagnostic::Span;
use crate::fields::{Fields, Item, spoken};
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::scope::Scope;
use crate::value;

const FORMS: &[&str] = &["role", "random", "count", "some", "source"];

/// What `some` may be.
pub(crate) const GROUPS: &[&str] = &["minority", "majority", "all", "clients"];

/// Reads a target, and judges whether it can ever match.
pub(crate) fn target<'a>(
    item: &'a Item<'a>,
    path: &str,
    findings: &'a Findings,
    scope: &Scope,
) -> Option<Target> {
    match item.get_ref() {
        DeValue::String(_) => named(item, path, findings, scope).map(Target::Node),
        DeValue::Array(_) => {
            let members = list(item, path, findings)?.iter();
            let names = members.map(|member| named(member, path, findings, scope));
            names.collect::<Option<_>>().map(Target::Nodes)
        }
        DeValue::Table(_) => table(Fields::of(item, path.into(), findings), scope),
        _ => {
            let expected = "a target such as \"n1\" or { role = \"leader\" }";
            findings.report(value::mismatch(item, expected).of_key(&spoken(path)));
            None
        }
    }
}

/// The name of a node or client.
fn named<'a>(
    item: &'a Item<'a>,
    path: &str,
    findings: &'a Findings,
    scope: &Scope,
) -> Option<SmolStr> {
    let name = value::name(item).map_err(|mistake| mistake.of_key(&spoken(path)));
    let judged = name.and_then(|name| scope.member(&name, item.span()).map(|()| name));
    judged.map_err(|mistake| findings.report(mistake)).ok()
}

fn table(mut fields: Fields, scope: &Scope) -> Option<Target> {
    let chosen = fields.form(FORMS);
    let target = chosen.and_then(|(form, item)| {
        let target = fields.keep(form, read_form(form, item))?;
        let possible = can_match(&target, item.span(), scope);
        possible.map_err(|mistake| fields.report(mistake)).ok()?;
        Some(target)
    });
    fields.finish();
    target
}

fn read_form(form: &str, item: &Item) -> Result<Target, Mistake> {
    Ok(match form {
        "role" => Target::Role(value::name(item)?),
        "random" => Target::Random(value::name(item)?),
        "count" => Target::Count(value::whole(item, 1, i64::from(u32::MAX))? as u32),
        "some" => match value::choice(item, GROUPS)?.as_str() {
            "minority" => Target::Minority,
            "majority" => Target::Majority,
            "all" => Target::All,
            _ => Target::Clients,
        },
        _ => match value::flag(item)? {
            true => Target::Source,
            false => {
                return Err(Mistake::new(item.span(), "`false` means nobody", "write `true`"));
            }
        },
    })
}

fn can_match(target: &Target, span: Span, scope: &Scope) -> Result<(), Mistake> {
    let nodes = scope.nodes.as_ref().map(|nodes| nodes.len() as u32);
    match (target, nodes) {
        (Target::Role(role) | Target::Random(role), _) => scope.role(role, span),
        (Target::Count(count), Some(nodes)) if *count > nodes => {
            let title = format!("there are not {count} nodes");
            Err(Mistake::new(span, title, format!("the design has {nodes}")))
        }
        (Target::Minority, Some(nodes)) if nodes < 3 => {
            let title = format!("of {nodes} nodes no group is a minority");
            Err(Mistake::new(span, title, "can never match"))
        }
        _ => Ok(()),
    }
}

/// Reads groups of targets: the sides of a partition.
pub(crate) fn groups<'a>(
    item: &'a Item<'a>,
    path: &str,
    findings: &'a Findings,
    scope: &Scope,
) -> Option<Vec<Vec<Target>>> {
    let sides = list(item, path, findings)?;
    let side = |side: &'a Item<'a>| {
        let members = list(side, path, findings)?;
        let one = |member| target(member, path, findings, scope);
        // Every member is judged before any is missed.
        let read = members.iter().map(one).collect::<Vec<_>>();
        read.into_iter().collect::<Option<Vec<_>>>()
    };
    let read = sides.iter().map(side).collect::<Vec<_>>();
    read.into_iter().collect()
}

/// The items of an array that holds something.
fn list<'a>(item: &'a Item<'a>, path: &str, findings: &Findings) -> Option<&'a [Item<'a>]> {
    let array = item.get_ref().as_array();
    let mistake = match array {
        Some(array) if !array.is_empty() => return Some(array),
        Some(_) => Mistake::new(item.span(), "an empty group", "name at least one"),
        None => value::mismatch(item, "groups such as [[\"n1\", \"n2\"], [\"n3\"]]"),
    };
    findings.report(mistake.of_key(&spoken(path)));
    None
}

/// How many nodes the target is for, clients left out.
pub(crate) fn extent(target: &Target, nodes: &[SmolStr]) -> usize {
    match target {
        Target::Node(name) => usize::from(nodes.contains(name)),
        Target::Nodes(names) => names.iter().filter(|name| nodes.contains(name)).count(),
        Target::Role(_) | Target::Random(_) | Target::Source => 1,
        Target::Count(count) => *count as usize,
        Target::Minority => nodes.len().saturating_sub(1) / 2,
        Target::Majority => nodes.len() / 2 + 1,
        Target::All => nodes.len(),
        Target::Clients => 0,
    }
}

/// Whether it is the same nodes whenever it is resolved.
pub(crate) fn is_fixed(target: &Target) -> bool {
    matches!(target, Target::Node(_) | Target::Nodes(_) | Target::All | Target::Clients)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn crash(target: &str, expected: &str) {
        let fault = "[[fault]]\nkind = \"crash\"\nat = \"5s\"\nfor = \"1s\"";
        check(&format!("{fault}\ntarget = {target}"), expected);
    }

    #[test]
    fn a_node_that_is_not_there_can_never_match() {
        crash("«\"n6\"»", "unknown node `n6`\nthere are: `n1`, `n2`, `n3`, `n4`, `n5`");
        crash(
            "«\"client-6\"»",
            "there is no client `client-6`\nthe clients are `client-1` to `client-5`",
        );
        crash("«\"client-0\"»", "there is no client `client-0`");
        crash("{ count = «6» }", "there are not 6 nodes\nthe design has 5");
        crash("{ count = «0» }", "`fault.target.count`: 0 is out of bounds");
    }

    #[test]
    fn a_role_or_a_group_in_place_of_a_node_is_recognised() {
        crash("«\"leader\"»", "unknown node `leader`\nfor a role write { role = \"leader\" }");
        crash(
            "«\"minority\"»",
            "unknown node `minority`\nfor a group write { some = \"minority\" }",
        );
    }

    #[test]
    fn a_role_that_the_design_does_not_report_is_refused() {
        crash(
            "{ role = «\"primary\"» }",
            "unknown role `primary` of `raft`\nthere are: `leader`, `follower`, `candidate`",
        );
        crash(
            "{ random = «\"folower\"» }",
            "unknown role `folower` of `raft`\ndid you mean `follower`?",
        );
    }

    #[test]
    fn a_target_has_one_form() {
        crash("{ role = \"leader\", count = «2» }", "`role` and `count` exclude each other");
        crash("«{}»", "`fault.target` needs one of `role`, `random`, `count`, `some`, `source`");
        crash(
            "{ some = «\"few\"» }",
            "`fault.target.some`: unknown value `few`\nthere are: `minority`",
        );
        crash("{ source = «false» }", "`fault.target.source`: `false` means nobody");
        crash(
            "«5»",
            "`fault.target`: expected a target such as \"n1\" or { role = \"leader\" }, found a whole number",
        );
    }

    #[test]
    fn the_source_of_a_fact_needs_a_fact() {
        crash(
            "«{ source = true }»",
            "`source` is the node that noted a fact, but this fault waits for none\nstart it with `on",
        );
    }

    #[test]
    fn of_two_nodes_none_is_a_minority() {
        check(
            "[design]\nname = \"raft\"\nnodes = 2\n[[fault]]\nkind = \"partition\"\nat = \"1s\"\ntarget = { some = «\"minority\"» }",
            "of 2 nodes no group is a minority",
        );
    }

    #[test]
    fn groups_hold_targets_that_exist() {
        let groups = |value: &str, expected: &str| {
            let fault = "[[fault]]\nkind = \"partition\"\nshape = \"groups\"\nat = \"5s\"";
            check(&format!("{fault}\ngroups = {value}"), expected);
        };
        groups("[[\"n1\", «\"n9\"»], [\"n3\"]]", "unknown node `n9`");
        groups("«[]»", "`fault.groups`: an empty group");
        groups(
            "[«\"n1\"»]",
            "`fault.groups`: expected groups such as [[\"n1\", \"n2\"], [\"n3\"]], found a string",
        );
    }
}
