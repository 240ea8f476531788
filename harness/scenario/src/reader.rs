//! From the text of a file to a [`Scenario`], or to everything that is wrong with it.

use wrack_history::{Catalogue, ScheduledFault};

use crate::checks;
use crate::diagnostic::Diagnostics;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::scenario::Scenario;
use crate::scope::Scope;
use crate::sections::{
    alert, client, design, environment, fault, guarantee, heading, phases, slo, swarm, variants,
    workload,
};
use crate::{openslo, secret, syntax};

/// Reads the scenario file `text`, which was found at `path`, and judges it against `catalogue`.
///
/// Errors: every mistake of the file, each with its place. What cannot be judged because of
/// another mistake is not reported.
pub fn read(path: &str, text: &str, catalogue: &Catalogue) -> Result<Scenario, Diagnostics> {
    let redacted = secret::redact(text);
    let text = redacted.text.as_str();
    let (document, syntax) = syntax::parse(text);
    let findings = Findings::default();
    redacted.mistakes.into_iter().for_each(|mistake| findings.report(mistake));
    let root = Fields::root(&findings, &document);
    let scenario = sections(root, Scope::new(catalogue));
    let (meaning, defaults) = findings.into_parts();
    let mistakes = syntax.join(meaning);
    match scenario {
        Some(scenario) if mistakes.is_empty() => Ok(Scenario {
            name: name_of(path),
            path: path.into(),
            hash: blake3::hash(text.as_bytes()).to_hex()[..16].into(),
            source: text.into(),
            defaults,
            ..scenario
        }),
        _ => Err(Diagnostics::new(path, text, mistakes)),
    }
}

/// Reads every section; `None` if the workload cannot be known.
///
/// The order is that of what depends on what: phases say whether the model is left, guarantees
/// what may be expected, the workload how many clients a fault may name.
fn sections(mut root: Fields, mut scope: Scope) -> Option<Scenario> {
    let heading = heading::read(&mut root);
    let design = design::read(&mut root, &mut scope);
    let phases = phases::read(&mut root, &mut scope);
    let guarantees = guarantee::read(&mut root, &mut scope);
    let variants = variants::read(&mut root, &design.parameters, &mut scope);
    let environment = environment::read(&mut root, &scope);
    let asked = workload::read(&mut root, &mut scope);
    let client = client::read(&mut root, &scope);
    let faults = faults(&mut root, &scope);
    let swarm = swarm::read(&mut root, &faults, &scope);
    let slos = slo::read(&mut root, &scope);
    let alert = alert::read(&mut root, &scope);
    openslo::not_brought_in(&mut root);
    let minimum = environment::read_minimum(&mut root, &scope);
    root.finish();
    let asked = asked?;
    Some(Scenario {
        name: String::new(),
        path: String::new(),
        hash: String::new(),
        source: String::new(),
        defaults: Vec::new(),
        title: heading.title,
        story: heading.story,
        hypothesis: heading.hypothesis,
        owner: heading.owner,
        tier: heading.tier,
        design: design.name,
        parameters: design.parameters,
        nodes: scope.nodes.clone().unwrap_or_default(),
        variants,
        environment,
        workload: asked.workload,
        operations: asked.operations,
        final_reads: asked.final_reads,
        client,
        faults,
        swarm,
        phases: phases.lengths,
        stays_down: phases.stays_down,
        beyond_model: scope.beyond_model,
        guarantees,
        slos,
        alert,
        minimum,
    })
}

fn faults(root: &mut Fields, scope: &Scope) -> Vec<ScheduledFault> {
    let drafts = fault::read(root, scope);
    let faults_ns = scope.faults_ns.unwrap_or(0);
    let agreeing = checks::contradiction::judge(&drafts, faults_ns, root.findings);
    checks::tolerance::judge(&agreeing, scope, root.findings);
    drafts.into_iter().map(|draft| draft.scheduled).collect()
}

/// `<family>/<event>`: the last two parts of `path`, without `.toml`.
pub(crate) fn name_of(path: &str) -> String {
    let parts = path.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    let parts = parts.collect::<Vec<_>>();
    let name = parts[parts.len().saturating_sub(2)..].join("/");
    name.strip_suffix(".toml").unwrap_or(&name).into()
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_scenario_is_named_by_the_last_two_parts_of_its_path() {
        assert_eq!(name_of("scenarios/raft/leader-isolated.toml"), "raft/leader-isolated");
        assert_eq!(name_of("./raft/leader-isolated.toml"), "raft/leader-isolated");
        assert_eq!(name_of("first.toml"), "first");
        assert_eq!(name_of("../first.toml"), "first");
        assert_eq!(name_of(""), "");
    }
}
