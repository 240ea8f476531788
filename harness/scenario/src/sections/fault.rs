//! `[[fault]]`: what is injected, into whom, and when.

use std::collections::BTreeMap;

use wrack_history::catalogue::FaultInfo;
use wrack_history::{Fault, ScheduledFault, Setting, Target, When};

use crate::diagnostic::Span;
use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters::{self, Given};
use crate::scope::Scope;
use crate::sections::{timing, trigger};
use crate::suggestion::unknown;
use crate::value;

/// A fault of the file, with the places that later judgements point at.
pub(crate) struct Draft {
    /// The fault itself.
    pub scheduled: ScheduledFault,
    /// What the catalogue says of it.
    pub info: &'static FaultInfo,
    /// Where its kind stands.
    pub kind: Span,
    /// Where its parameters and its `id` stand.
    pub spans: BTreeMap<&'static str, Span>,
}

impl Draft {
    /// Whom it is for: every target that its parameters name.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.scheduled.fault.settings.0.values().flat_map(targets)
    }

    /// Where it says whom it is for, else where its kind stands.
    pub fn place(&self) -> Span {
        let aimed = |info: &&_| parameters::is_aim(info);
        let names = self.info.parameters.iter().filter(aimed).map(|info| info.name);
        let mut spans = names.filter_map(|name| self.spans.get(name));
        spans.next().unwrap_or(&self.kind).clone()
    }
}

/// Reads every fault; those with a mistake in them are left out.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> Vec<Draft> {
    let faults = root.list("fault").into_iter().enumerate();
    let drafts = faults.filter_map(|(position, fields)| draft(fields, position as u32, scope));
    let drafts = drafts.collect::<Vec<_>>();
    judge_ids(&drafts, root);
    drafts
}

fn draft(mut fields: Fields, position: u32, scope: &Scope) -> Option<Draft> {
    let (findings, before) = (fields.findings, fields.findings.count());
    let item = fields.need("kind")?;
    let kind = fields.keep("kind", value::name(item))?;
    let Some(info) = scope.catalogue.fault(&kind) else {
        let known = scope.catalogue.faults.iter().map(|info| info.name).collect::<Vec<_>>();
        fields.report(unknown("fault", &kind, item.span(), &known));
        return None;
    };
    fields.keep("kind", scope.fault(info, item.span()));
    fields.keep("kind", scope.injected(info, item.span()));
    let own = parameters::read(&mut fields, info.parameters, scope);
    let when = trigger::when(&mut fields, scope);
    let timing = timing::read(&mut fields, info, when.as_ref(), scope);
    if let Some(When::At(_)) = when {
        judge_source(&own, &fields);
    }
    fields.finish();
    let (when, timing) = (when?, timing?);
    let mut spans = own.spans;
    spans.extend(timing.id_span.map(|span| ("id", span)));
    let fault = Fault { kind, settings: own.settings };
    let scheduled = ScheduledFault {
        id: timing.id.unwrap_or(position),
        occurrence: timing.occurrence,
        when,
        lasts_ns: timing.lasts_ns,
        every_ns: timing.every_ns,
        times: timing.times,
        jitter_ns: timing.jitter_ns,
        within_ns: timing.within_ns,
        min_effect: timing.min_effect,
        fault,
    };
    let sound = findings.count() == before;
    sound.then(|| Draft { scheduled, info, kind: item.span(), spans })
}

/// The targets in a setting.
fn targets(setting: &Setting) -> Vec<&Target> {
    match setting {
        Setting::Target(target) => vec![target],
        Setting::Groups(groups) => groups.iter().flatten().collect(),
        _ => Vec::new(),
    }
}

/// Only a fault that waits for a fact knows who noted it.
fn judge_source(own: &Given, fields: &Fields) {
    for (name, span) in &own.spans {
        let setting = own.settings.0.get(*name);
        let targets = setting.map(targets).unwrap_or_default();
        if targets.contains(&&Target::Source) {
            let title = "`source` is the node that noted a fact, but this fault waits for none";
            let mistake = Mistake::new(span.clone(), title, "can never match");
            fields.report(mistake.help("start it with `on = { fact = … }` instead of `at`"));
        }
    }
}

/// Random draws are keyed by id and occurrence: two faults that have both in common would draw
/// alike.
fn judge_ids(drafts: &[Draft], root: &Fields) {
    for (position, draft) in drafts.iter().enumerate() {
        let occurrences = |draft: &Draft| {
            let first = draft.scheduled.occurrence;
            first..first + draft.scheduled.times
        };
        let (here, id) = (occurrences(draft), draft.scheduled.id);
        let same = |other: &&Draft| {
            let there = occurrences(other);
            other.scheduled.id == id && here.start < there.end && there.start < here.end
        };
        let Some(first) = drafts[..position].iter().find(same) else {
            continue;
        };
        let place = |draft: &Draft| draft.spans.get("id").unwrap_or(&draft.kind).clone();
        let title = format!("two faults have the id {}", draft.scheduled.id);
        root.report(
            Mistake::new(place(draft), title, "the second one")
                .related(place(first), "the first one")
                .help("give each fault an `id`, or none: without one it is the position, from 0"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_on_small_engine, read_good};

    #[test]
    fn an_engine_may_lack_a_fault() {
        check_on_small_engine(
            "[design]\nname = \"raft\"\nnodes = 3\n[workload]\nname = \"register\"\nclients = 2\n[[fault]]\n\
             kind = «\"clock_drift\"»\ntarget = \"n1\"\nat = \"5s\"\nfor = \"1s\"\nppm = 200",
            "`fault.kind`: `clock_drift` cannot be injected on small\nthe engine lacks it\nchoose another engine",
        );
    }

    #[test]
    fn a_design_has_what_a_fault_is_about() {
        let fault = |kind: &str, lines: &str| {
            format!("[[fault]]\nkind = {kind}\nat = \"5s\"\nfor = \"1s\"\n{lines}\n")
        };
        check(
            &fault("«\"eviction\"»", ""),
            "`fault.kind`: `raft` has no control `evict`, so `eviction` cannot do anything to it\n\
             can never match\nit has none at all",
        );
        check(
            &fault("«\"lost_invalidation\"»", ""),
            "`fault.kind`: `raft` has no messages of the kind `invalidation`, so `lost_invalidation` cannot do \
             anything to it\ncan never match\nit has append",
        );
        check(
            &fault("\"loss\"", "messages = «\"appends\"»"),
            "unknown kind `appends` of messages\nno such kind\ndid you mean `append`?",
        );
        read_good(&fault("\"loss\"", "messages = \"append\""));
        read_good(&fault("\"loss\"", "messages = \"peers\""));
    }

    #[test]
    fn a_fault_is_one_that_exists_with_its_own_parameters() {
        check(
            "[[fault]]\nkind = «\"partitoin\"»\nat = \"5s\"",
            "unknown fault `partitoin`\ndid you mean `partition`?\nthere are: `clock_drift`",
        );
        check("«[[fault]]»\nat = \"5s\"", "missing key `kind` in `fault`");
        check("«[[fault]]»\nkind = \"crash\"\nat = \"5s\"", "missing key `target` in `fault`");
        check(
            "[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"5s\"\n«shape» = \"isolate\"",
            "unknown key `shape` in `fault`",
        );
        check(
            "[[fault]]\nkind = \"clock_drift\"\ntarget = \"n1\"\nat = \"5s\"\nppm = «200000»",
            "`fault.ppm`: 200000 is out of bounds",
        );
        check(
            "[[fault]]\nkind = \"clock_step\"\ntarget = \"n1\"\nat = \"5s\"\noffset = «\"-2\"»",
            "`fault.offset`: a duration needs a unit: \"2s\" or \"2ms\"",
        );
    }

    #[test]
    fn a_failpoint_is_one_of_the_design() {
        check(
            "[[fault]]\nkind = \"crash_at_failpoint\"\ntarget = \"n1\"\nat = \"5s\"\nfailpoint = «\"raft.vote_send\"»",
            "unknown failpoint `raft.vote_send` of `raft`\ndid you mean `raft.vote_sent`?",
        );
    }

    #[test]
    fn an_id_is_the_position_unless_the_file_gives_one() {
        let fault = |line: &str, node: &str| {
            format!("[[fault]]\nkind = \"crash\"\ntarget = \"{node}\"\nat = \"5s\"\n{line}\n")
        };
        let scenario = read_good(&(fault("", "n1") + &fault("id = 7", "n2")));
        assert_eq!(scenario.faults.iter().map(|fault| fault.id).collect::<Vec<_>>(), [0, 7]);
        check(
            &(fault("id = 7", "n1") + &fault("id = «7»", "n2")),
            "two faults have the id 7\nthe first one",
        );
        let positional = fault("", "n2").replace("\"crash\"", "«\"crash\"»");
        check(&(fault("id = 1", "n1") + &positional), "two faults have the id 1\nor none");
    }
}
