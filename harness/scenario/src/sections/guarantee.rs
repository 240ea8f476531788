//! `[[guarantee]]`: what is promised with a bound, beyond what the design promises always.

use crate::diagnostic::Span;
use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters;
use crate::scenario::Promise;
use crate::scope::Scope;
use crate::suggestion::unknown;
use crate::value;

/// Reads every promise, and tells `scope` of it.
pub(crate) fn read(root: &mut Fields, scope: &mut Scope) -> Vec<Promise> {
    let mut seen = Vec::new();
    let promises = root.list("guarantee").into_iter();
    let promises = promises.filter_map(|fields| promise(fields, &mut seen, scope));
    let promises = promises.collect::<Vec<_>>();
    scope.promised = promises.iter().map(|promise| promise.code.clone()).collect();
    promises
}

fn promise(mut fields: Fields, seen: &mut Vec<(String, Span)>, scope: &Scope) -> Option<Promise> {
    let item = fields.need("code")?;
    let code = fields.keep("code", value::name(item))?;
    let Some(info) = scope.catalogue.guarantee(&code) else {
        let known = scope.catalogue.guarantees.iter().map(|info| info.code).collect::<Vec<_>>();
        fields.report(unknown("guarantee", &code, item.span(), &known));
        return None;
    };
    if let Some((_, first)) = seen.iter().find(|(other, _)| *other == code) {
        let mistake = Mistake::new(item.span(), format!("`{code}` is promised twice"), "again");
        fields.report(mistake.related(first.clone(), "first promised here"));
    }
    seen.push((code.to_string(), item.span()));
    let given = parameters::read(&mut fields, info.parameters, scope);
    fields.finish();
    Some(Promise { code, settings: given.settings })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn a_promise_has_a_code_and_its_bounds_once() {
        check(
            "[[guarantee]]\ncode = «\"STALLE\"»",
            "unknown guarantee `STALLE`\ndid you mean `STALE`?",
        );
        check("«[[guarantee]]»\ncode = \"STALE\"", "missing key `bound` in `guarantee`");
        check(
            "[[guarantee]]\ncode = \"LIN\"\n«bound» = \"5s\"",
            "unknown key `bound` in `guarantee`\nthe keys here are `code`",
        );
        check(
            "[[guarantee]]\ncode = \"LIN\"\n[[guarantee]]\ncode = «\"LIN\"»",
            "`LIN` is promised twice\nfirst promised here",
        );
    }
}
