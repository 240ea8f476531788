//! `[phases]`: how long faults are on, and how long the quiet period is.

use wrack_history::SmolStr;
use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::duration::SECOND;

use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::parameters;
use crate::scenario::PhaseLengths;
use crate::scope::Scope;
use crate::value;

/// Keys of `[phases]`, beside `stays_down`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::new(
        "faults",
        ParameterKind::Duration,
        DefaultSetting::Duration(50 * SECOND),
        "How long operations run and faults are injected; then everything is healed.",
    ),
    ParameterInfo::new(
        "quiet",
        ParameterKind::Duration,
        DefaultSetting::Duration(10 * SECOND),
        "How long operations go on after that: liveness and convergence are judged here.",
    ),
    ParameterInfo::new(
        "beyond_model",
        ParameterKind::Flag,
        DefaultSetting::Flag(false),
        "Whether the faults are beyond what the design tolerates; then nothing is promised.",
    ),
];

/// What the section says.
pub(crate) struct Phases {
    pub lengths: PhaseLengths,
    pub stays_down: Vec<SmolStr>,
}

/// Reads the section, and tells `scope` of the fault phase and of what is beyond the model.
pub(crate) fn read(root: &mut Fields, scope: &mut Scope) -> Phases {
    let mut fields = root.section("phases");
    let given = parameters::read(&mut fields, KEYS, scope);
    given.positive(&fields, &["faults", "quiet"]);
    let lengths =
        PhaseLengths { faults_ns: given.duration("faults"), quiet_ns: given.duration("quiet") };
    scope.beyond_model = given.settings.flag("beyond_model").unwrap_or(false);
    scope.faults_ns = (given.sound && lengths.faults_ns > 0).then_some(lengths.faults_ns);
    let end_ns = lengths.faults_ns.saturating_add(lengths.quiet_ns);
    scope.end_ns = given.sound.then_some(end_ns);
    let stays_down = match fields.get("stays_down") {
        Some(item) => stays_down(item, &fields, scope),
        None => Vec::new(),
    };
    fields.finish();
    Phases { lengths, stays_down }
}

fn stays_down(item: &Item, fields: &Fields, scope: &Scope) -> Vec<SmolStr> {
    let Some(array) = item.get_ref().as_array() else {
        let mistake = value::mismatch(item, "names of nodes such as [\"n1\"]");
        fields.keep::<()>("stays_down", Err(mistake));
        return Vec::new();
    };
    let mut names = Vec::<SmolStr>::new();
    for item in array.iter() {
        let Some(name) = fields.keep("stays_down", value::name(item)) else {
            continue;
        };
        match scope.node(&name, item.span()) {
            Ok(()) if names.contains(&name) => {
                let title = format!("`{name}` stays down already");
                fields.report(Mistake::new(item.span(), title, "named twice"));
            }
            Ok(()) => names.push(name),
            Err(mistake) => fields.report(mistake),
        }
    }
    judge_majority(item, &names, fields, scope);
    names
}

fn judge_majority(item: &Item, names: &[SmolStr], fields: &Fields, scope: &Scope) {
    let nodes = scope.nodes.as_ref().map_or(usize::MAX, Vec::len);
    if !scope.beyond_model && names.len() > nodes.saturating_sub(1) / 2 {
        let title = format!("{} of {nodes} nodes would stay down", names.len());
        fields.report(
            Mistake::new(item.span(), title, "not a minority")
                .help("name less than half of the nodes, or say `beyond_model = true`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn phases(lines: &str, expected: &str) {
        check(&format!("[phases]\n{lines}"), expected);
    }

    #[test]
    fn both_phases_take_time() {
        phases("faults = «\"0s\"»", "`phases.faults`: must be longer than zero");
        phases("quiet = «\"0s\"»", "`phases.quiet`: must be longer than zero");
    }

    #[test]
    fn a_minority_of_the_nodes_may_stay_down() {
        phases("stays_down = [«\"n9\"»]", "unknown node `n9`");
        phases("stays_down = [\"n1\", «\"n1\"»]", "`n1` stays down already");
        phases(
            "stays_down = «[\"n1\", \"n2\", \"n3\"]»",
            "3 of 5 nodes would stay down\nbeyond_model = true",
        );
        phases(
            "stays_down = «\"n1\"»",
            "`phases.stays_down`: expected names of nodes such as [\"n1\"], found a string",
        );
        phases("stays_down = [«\"client-1\"»]", "unknown node `client-1`");
        read_good("[phases]\nstays_down = [\"n1\", \"n2\"]");
        read_good("[phases]\nbeyond_model = true\nstays_down = [\"n1\", \"n2\", \"n3\"]");
    }
}
