//! `at` and `on`: when a fault is injected first.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::{SmolStr, Target, When};

use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::parameters;
use crate::scope::Scope;
use crate::target;
use crate::value;

/// Keys of `on`, beside `fact` and `by`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "nth",
        ParameterKind::Integer { min: 1, max: u32::MAX as i64 },
        DefaultSetting::Integer(1),
        "Which of these facts, from 1.",
    ),
    ParameterInfo::new(
        "after",
        ParameterKind::Duration,
        DefaultSetting::Duration(0),
        "How long after it.",
    ),
];

/// Reads `at` or `on`, of which there must be one.
pub(crate) fn when(fields: &mut Fields, scope: &Scope) -> Option<When> {
    match fields.one_of(&["at", "on"])? {
        ("at", item) => fields.keep("at", value::duration(item)).map(When::At),
        (_, item) => on_fact(Fields::of(item, fields.path_of("on"), fields.findings), scope),
    }
}

fn on_fact(mut fields: Fields, scope: &Scope) -> Option<When> {
    let fact = fields.need("fact").and_then(|item| {
        let name = fields.keep("fact", value::name(item))?;
        let known = scope.fact(&name, item.span());
        known.map_err(|mistake| fields.report(mistake)).ok()?;
        Some(name)
    });
    let by = fields.get("by").map(|item| by(item, &fields, scope));
    let given = parameters::read(&mut fields, KEYS, scope);
    fields.finish();
    let by = match by {
        Some(by) => Some(by?),
        None => None,
    };
    given.sound.then_some(())?;
    on(fact?, by, given.integer("nth") as u32, given.duration("after"))
}

fn on(fact: SmolStr, by: Option<Target>, nth: u32, delay_ns: u64) -> Option<When> {
    Some(When::OnFact { fact, by, nth, delay_ns })
}

/// A fact is noted by one node: the one of this name, or whoever holds this role.
fn by<'a>(item: &'a Item<'a>, fields: &Fields<'a>, scope: &Scope) -> Option<Target> {
    let target = target::target(item, &fields.path_of("by"), fields.findings, scope)?;
    let is_node = match &target {
        Target::Node(name) => !name.starts_with("client-"),
        other => matches!(other, Target::Role(_)),
    };
    if !is_node {
        let title = format!("`by` cannot be {target}");
        let label = "must be one node or { role = … }";
        fields.report(Mistake::new(item.span(), title, label));
        return None;
    }
    Some(target)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn crash(lines: &str, expected: &str) {
        check(&format!("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\n{lines}"), expected);
    }

    #[test]
    fn a_fault_starts_at_a_time_or_on_a_fact() {
        check("«[[fault]]»\nkind = \"crash\"\ntarget = \"n1\"", "`fault` needs one of `at`, `on`");
        crash("at = \"5s\"\non = «{ fact = \"booted\" }»", "`at` and `on` exclude each other");
        crash(
            "at = «5»",
            "`fault.at`: expected a duration such as \"150ms\", found a whole number",
        );
        crash("on = «\"booted\"»", "`fault.on`: expected a table, found a string");
    }

    #[test]
    fn a_fact_is_one_that_can_be_noted() {
        crash(
            "on = { fact = «\"role.leadr\"» }",
            "unknown fact `role.leadr`\ndid you mean `role.leader`?\nthere are: `raft.snapshot`",
        );
        crash("on = «{ nth = 2 }»", "missing key `fact` in `fault.on`");
        crash("on = { fact = \"booted\", nth = «0» }", "`fault.on.nth`: 0 is out of bounds");
        crash("on = { fact = \"booted\", «delay» = \"1s\" }", "unknown key `delay` in `fault.on`");
    }

    #[test]
    fn a_fact_is_noted_by_one_node() {
        crash("on = { fact = \"booted\", by = «\"n9\"» }", "unknown node `n9`");
        crash("on = { fact = \"booted\", by = «{ some = \"all\" }» }", "`by` cannot be all nodes");
        crash("on = { fact = \"booted\", by = «\"client-1\"» }", "`by` cannot be client-1");
    }
}
