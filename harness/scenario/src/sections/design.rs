//! `[design]`: the design under test, with its parameters beside its name.

use wrack_history::{Settings, SmolStr};

use crate::fields::Fields;
use crate::parameters;
use crate::scope::Scope;
use crate::suggestion::unknown;
use crate::value;

/// The design's name and parameters.
#[derive(Default)]
pub(crate) struct Design {
    pub name: SmolStr,
    pub parameters: Settings,
}

/// Reads the section, and tells `scope` of the design and its nodes.
pub(crate) fn read(root: &mut Fields, scope: &mut Scope) -> Design {
    let mut fields = root.required_section("design");
    let Some(item) = fields.need("name") else {
        return Design::default();
    };
    let Some(name) = fields.keep("name", value::name(item)) else {
        return Design::default();
    };
    let Some(design) = scope.catalogue.design(&name) else {
        let known = scope.catalogue.designs.iter().map(|info| info.name).collect::<Vec<_>>();
        fields.report(unknown("design", &name, item.span(), &known));
        return Design::default();
    };
    let given = parameters::read(&mut fields, design.parameters, scope);
    scope.design = Some(design);
    scope.nodes = given.sound.then(|| (design.nodes)(&given.settings));
    if let Some(nodes) = &scope.nodes {
        let span = given.spans.get("nodes").unwrap_or(&fields.span);
        fields.keep("nodes", scope.crowd(nodes, span.clone()));
    }
    fields.finish();
    Design { name, parameters: given.settings }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_on_small_engine};

    #[test]
    fn an_engine_may_be_too_small_for_all_nodes_of_a_variant() {
        check_on_small_engine(
            "[design]\nname = \"raft\"\nnodes = «11»",
            "`design.nodes`: 11 nodes are too many for small\nit carries 10 at most\nchoose another engine",
        );
    }

    #[test]
    fn a_design_is_one_that_exists() {
        check(
            "[design]\nname = «\"rfat\"»\nnodes = 5",
            "unknown design `rfat`\ndid you mean `raft`?\nthere are: `cache`, `raft`",
        );
        check("«[design]»\nnodes = 5", "missing key `name` in `design`");
        check("# no design", "missing section `[design]`");
    }

    #[test]
    fn a_parameter_is_one_of_the_design_and_required_ones_are_there() {
        check(
            "[design]\nname = \"raft\"\n«nodse» = 5",
            "unknown key `nodse` in `design`\ndid you mean `nodes`?",
        );
        check(
            "[design]\nname = \"raft\"\nnodes = «99»",
            "`design.nodes`: 99 is out of bounds\nmust be from 1 to 25",
        );
        check(
            "«[design]»\nname = \"cache\"\n[workload]\nname = \"register\"\nmix = { read = 1 }",
            "missing key `ttl` in `design`",
        );
    }

    #[test]
    fn nodes_are_not_judged_where_their_number_is_a_mistake() {
        check(
            "[design]\nname = \"raft\"\nnodes = «\"nine\"»\n[[fault]]\nkind = \"crash\"\ntarget = \"n9\"\nat = \"1s\"",
            "`design.nodes`: expected a whole number, found a string",
        );
    }
}
