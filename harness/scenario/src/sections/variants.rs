//! `[variants.…]`: what is expected of which variant of the design.

use wrack_history::catalogue::{DesignInfo, VariantInfo};
use wrack_history::{Settings, SmolStr};

use crate::diagnostic::Span;
use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::parameters;
use crate::scenario::{Expectation, Follow};
use crate::scope::{Resized, Scope};
use crate::suggestion::{quoted, unknown};
use crate::value;

/// Every design is held to its own assertions.
const ALWAYS_JUDGED: &str = "ASSERT";

/// All seeds.
const EVERY_SEED: u32 = 1_000_000;

/// Reads what is expected; without any, the design's first variant must be valid.
pub(crate) fn read(root: &mut Fields, base: &Settings, scope: &mut Scope) -> Vec<Expectation> {
    let mut fields = root.section("variants");
    let entries = fields.entries();
    if let ([], Some(first)) = (&entries[..], scope.design.and_then(|d| d.variants.first())) {
        fields.default(&format!("{}.expect", first.name), "valid");
        return vec![valid(first.name.into())];
    }
    let one = |(name, span, item)| variant((name, span), item, &fields, (base, scope));
    entries.into_iter().filter_map(one).collect()
}

fn valid(variant: SmolStr) -> Expectation {
    Expectation {
        variant,
        anomaly: None,
        share_per_million: EVERY_SEED,
        follows: Vec::new(),
        parameters: Settings::default(),
    }
}

fn variant<'a>(
    (name, span): (&'a str, Span),
    item: &'a Item<'a>,
    parent: &Fields<'a>,
    (base, scope): (&Settings, &mut Scope),
) -> Option<Expectation> {
    let info = match scope.design {
        Some(design) => Some(known(name, span, design).map_err(|m| parent.report(m)).ok()?),
        None => None,
    };
    let mut fields = Fields::of(item, parent.path_of(name), parent.findings);
    let mut expectation = valid(name.into());
    expectation.parameters = own_parameters(&mut fields, name, base, scope);
    let expected = fields.need("expect").and_then(|item| {
        let code = fields.keep("expect", value::name(item))?;
        Some((code, item.span()))
    });
    match expected {
        Some((code, span)) if code != "valid" => {
            judge_code(&code, span, info, scope).unwrap_or_else(|m| fields.report(m));
            read_anomaly(&mut fields, code, &mut expectation, scope);
        }
        Some((_, span)) => refuse_anomaly_keys(&mut fields, &span),
        None => forgive_anomaly_keys(&mut fields),
    }
    fields.finish();
    Some(expectation)
}

fn known(name: &str, span: Span, design: &DesignInfo) -> Result<&'static VariantInfo, Mistake> {
    design.variant(name).ok_or_else(|| {
        let names = design.variants.iter().map(|variant| variant.name).collect::<Vec<_>>();
        unknown(&format!("variant of `{}`", design.name), name, span, &names)
    })
}

/// Reads the parameters that differ, and tells `scope` if they change the nodes.
fn own_parameters(
    fields: &mut Fields,
    variant: &str,
    base: &Settings,
    scope: &mut Scope,
) -> Settings {
    let Some(design) = scope.design else {
        fields.get("parameters");
        return Settings::default();
    };
    let mut section = fields.section("parameters");
    let given = parameters::read_given(&mut section, design.parameters, scope);
    let span = section.span.clone();
    section.finish();
    if let (Some(nodes), true, false) = (&scope.nodes, given.sound, given.spans.is_empty()) {
        let mut settings = base.clone();
        settings.0.extend(given.settings.0.clone());
        let own = (design.nodes)(&settings);
        if own != *nodes {
            if let Err(mistake) = scope.crowd(&own, span.clone()) {
                fields.report(mistake);
            }
            scope.resized.push(Resized { variant: variant.into(), span, nodes: own });
        }
    }
    given.settings
}

/// Judges the anomaly that is expected of a variant.
fn judge_code(
    code: &str,
    span: Span,
    info: Option<&VariantInfo>,
    scope: &Scope,
) -> Result<(), Mistake> {
    known_code(code, span.clone(), scope, &["valid"])?;
    match info {
        Some(info) if !info.broken && !scope.beyond_model => {
            let title =
                format!("variant `{}` is not a broken one, but `{code}` is expected", info.name);
            Err(Mistake::new(span, title, "should be \"valid\"").help(
                "a design may break its promises only under faults beyond its model: \
                 then say `beyond_model = true` in `[phases]`",
            ))
        }
        _ => judge_promised(code, span, scope),
    }
}

/// An anomaly that no checker of this scenario looks for can never be found.
fn judge_promised(code: &str, span: Span, scope: &Scope) -> Result<(), Mistake> {
    let Some(design) = scope.design else {
        return Ok(());
    };
    let by_design = design.guarantees.contains(&code) || code == ALWAYS_JUDGED;
    if by_design || scope.promised.iter().any(|promised| promised == code) {
        return Ok(());
    }
    let title = format!("`{code}` is not promised, so nobody would look for it");
    let promises = format!("`{}` promises {}", design.name, quoted(design.guarantees));
    let add = format!("to promise it here as well add `[[guarantee]]` with `code = \"{code}\"`");
    Err(Mistake::new(span, title, "can never be found").help(promises).help(add))
}

fn known_code(code: &str, span: Span, scope: &Scope, more: &[&str]) -> Result<(), Mistake> {
    let codes = scope.catalogue.guarantees.iter().map(|info| info.code);
    let codes = more.iter().copied().chain(codes).collect::<Vec<_>>();
    if codes.contains(&code) {
        return Ok(());
    }
    Err(unknown("anomaly", code, span, &codes))
}

fn read_anomaly(fields: &mut Fields, code: SmolStr, expectation: &mut Expectation, scope: &Scope) {
    if let Some(item) = fields.get("share") {
        let share = fields.keep("share", value::share(item)).unwrap_or(EVERY_SEED);
        expectation.share_per_million = share;
        if share == 0 {
            let title = "a share of 0% expects nothing";
            let help = "if nothing is to be found, write `expect = \"valid\"` and leave it out";
            fields.report(Mistake::new(item.span(), title, "must be above 0%").help(help));
        }
    } else {
        fields.default("share", "100%");
    }
    let follows = fields.list("follows");
    let one = |fields| follow(fields, &code, scope);
    expectation.follows = follows.into_iter().filter_map(one).collect();
    expectation.anomaly = Some(code);
}

fn follow(mut fields: Fields, expected: &str, scope: &Scope) -> Option<Follow> {
    let code = fields.need("code").and_then(|item| {
        let code = fields.keep("code", value::name(item))?;
        let judged = known_code(&code, item.span(), scope, &[]).and_then(|()| {
            if code != expected {
                return Ok(());
            }
            let title = format!("`{code}` is what is expected: it need not follow");
            Err(Mistake::new(item.span(), title, "the same code as `expect`"))
        });
        judged.map_err(|mistake| fields.report(mistake)).ok()?;
        Some(code)
    });
    let because = fields.read_required("because", value::words);
    fields.finish();
    Some(Follow { code: code?, because: because? })
}

/// A variant that must be valid has no anomaly to say more about.
fn refuse_anomaly_keys(fields: &mut Fields, expect: &Span) {
    for key in ["share", "follows"] {
        if let Some(item) = fields.get(key) {
            let title = format!("`{key}` has no meaning where \"valid\" is expected");
            let mistake = Mistake::new(item.span(), title, "belongs to an expected anomaly");
            fields.report(mistake.related(expect.clone(), "expected here"));
        }
    }
}

fn forgive_anomaly_keys(fields: &mut Fields) {
    fields.get("share");
    fields.get("follows");
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn variant(name: &str, lines: &str, expected: &str) {
        check(&format!("[variants.{name}]\n{lines}"), expected);
    }

    #[test]
    fn a_variant_is_one_of_the_design() {
        variant(
            "«stale_read»",
            "expect = \"LIN\"",
            "unknown variant `stale_read` of `raft`\ndid you mean `stale_local_read`?\nthere are: `reference`",
        );
        check("«[variants.reference]»", "missing key `expect` in `variants.reference`");
    }

    #[test]
    fn an_expected_anomaly_is_one_that_somebody_looks_for() {
        variant(
            "stale_local_read",
            "expect = «\"LINN\"»",
            "unknown anomaly `LINN`\ndid you mean `LIN`?\nthere are: `valid`, `LIN`",
        );
        variant(
            "stale_local_read",
            "expect = «\"LOST\"»",
            "`LOST` is not promised, so nobody would look for it\n`raft` promises `LIN`, `RAFT`\nadd `[[guarantee]]`",
        );
        read_good("[variants.stale_local_read]\nexpect = \"LOST\"\n[[guarantee]]\ncode = \"LOST\"");
    }

    #[test]
    fn only_a_broken_variant_may_break_a_promise() {
        variant(
            "reference",
            "expect = «\"LIN\"»",
            "variant `reference` is not a broken one, but `LIN` is expected\nbeyond_model = true",
        );
        read_good("[variants.reference]\nexpect = \"LIN\"\n[phases]\nbeyond_model = true");
        read_good("[variants.stale_local_read]\nexpect = \"valid\"");
    }

    #[test]
    fn what_follows_is_another_anomaly_with_a_reason() {
        let lin = |rest: &str, expected: &str| {
            variant("stale_local_read", &format!("expect = \"LIN\"\n{rest}"), expected);
        };
        lin(
            "follows = [{ code = «\"LIN\"», because = \"…\" }]",
            "`LIN` is what is expected: it need not follow",
        );
        lin(
            "follows = [{ code = «\"STAL\"», because = \"…\" }]",
            "unknown anomaly `STAL`\ndid you mean `STALE`?",
        );
        lin(
            "follows = [«{ code = \"STALE\" }»]",
            "missing key `because` in `variants.stale_local_read.follows`",
        );
        lin(
            "follows = [«\"STALE\"»]",
            "`variants.stale_local_read.follows`: expected a table, found a string",
        );
        lin("share = «\"0%\"»", "a share of 0% expects nothing\nexpect = \"valid\"");
    }

    #[test]
    fn a_valid_variant_has_no_share() {
        variant(
            "reference",
            "expect = \"valid\"\nshare = «\"90%\"»",
            "`share` has no meaning where \"valid\" is expected\nexpected here",
        );
    }

    #[test]
    fn a_variant_with_fewer_nodes_limits_whom_a_fault_may_name() {
        variant(
            "vote_volatile",
            "expect = \"RAFT\"\nparameters = { «lese» = \"1s\" }",
            "unknown key `lese` in `variants.vote_volatile.parameters`\ndid you mean `lease`?",
        );
        variant(
            "vote_volatile",
            "expect = \"RAFT\"\nparameters = { nodes = 3 }\n[[fault]]\nkind = \"crash\"\ntarget = «\"n5\"»\nat = \"1s\"",
            "variant `vote_volatile` has no node `n5`\nits nodes are chosen here",
        );
    }
}
