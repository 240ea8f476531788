//! Faults beyond what the design is made to survive: of a kind that it does not know, or on too
//! many nodes at once.

use std::collections::BTreeMap;

use wrack_history::SmolStr;
use wrack_history::catalogue::{DesignInfo, Extent, Lasting, Tolerance};
use wrack_history::duration::seconds;
use wrack_history::setting::Setting;

use crate::checks::window::windows;
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::scope::Scope;
use crate::sections::fault::Draft;
use crate::target::extent;

const WAY_OUT: &str = "to run it all the same say `beyond_model = true` in `[phases]`; \
                       then nothing is promised";

/// Puts down each fault that the design does not tolerate, alone or beside others of its kind.
pub(crate) fn judge(drafts: &[&Draft], scope: &Scope, findings: &Findings) {
    let (Some(design), Some(nodes), false) = (scope.design, &scope.nodes, scope.beyond_model)
    else {
        return;
    };
    let model = Model { design, nodes };
    let mut kinds = BTreeMap::<&str, Vec<&Draft>>::new();
    for draft in drafts {
        match model.alone(draft) {
            Some(mistake) => findings.report(mistake),
            None if draft.info.lasts == Lasting::Instant => {}
            None => kinds.entry(draft.info.name).or_default().push(draft),
        }
    }
    let Some(faults_ns) = scope.faults_ns else {
        return;
    };
    for (kind, drafts) in kinds {
        let together = model.together(kind, &drafts, faults_ns);
        together.into_iter().for_each(|mistake| findings.report(mistake));
    }
}

/// What the design is made to survive.
struct Model<'a> {
    design: &'a DesignInfo,
    nodes: &'a [SmolStr],
}

impl Model<'_> {
    /// On how many nodes at once this fault is survived; `None` if not at all.
    fn allowed(&self, fault: &str) -> Option<usize> {
        let of_fault = self.design.tolerates.iter().filter(|tolerance| tolerance.fault == fault);
        let count = |tolerance: &Tolerance| match tolerance.nodes {
            Extent::Any => usize::MAX,
            Extent::Minority => self.nodes.len().saturating_sub(1) / 2,
            Extent::AtMost(count) => count as usize,
        };
        of_fault.map(count).max()
    }

    fn alone(&self, draft: &Draft) -> Option<Mistake> {
        let (design, fault) = (self.design.name, draft.info.name);
        if self.spares_nodes(draft) {
            return None;
        }
        let Some(allowed) = self.allowed(fault) else {
            let title = format!("`{design}` is not made to survive `{fault}`");
            let mistake = Mistake::new(draft.kind.clone(), title, "beyond its model");
            return Some(mistake.help(survives(self.design)).help(WAY_OUT));
        };
        let (touched, nodes) = (touched(draft, self.nodes), self.nodes.len());
        (touched > allowed).then(|| {
            let title = format!("`{fault}` of {touched} of {nodes} nodes is beyond the model");
            let label = format!("`{design}` survives it on {allowed} at once");
            Mistake::new(draft.place(), title, label).help(WAY_OUT)
        })
    }

    /// Whether the fault is for clients alone: of these the design promises nothing.
    fn spares_nodes(&self, draft: &Draft) -> bool {
        let mut targets = draft.targets().peekable();
        targets.peek().is_some() && targets.all(|target| extent(target, self.nodes) == 0)
    }

    /// Faults of one kind that are too much where they are on together, each put down once.
    fn together(&self, kind: &str, drafts: &[&Draft], faults_ns: u64) -> Vec<Mistake> {
        let allowed = self.allowed(kind).unwrap_or(usize::MAX);
        let mut mistakes = BTreeMap::new();
        let mut on = Vec::new();
        for (at_ns, starts, position) in changes(drafts, faults_ns) {
            if !starts {
                on.retain(|other| *other != position);
                continue;
            }
            let sum = on.iter().chain([&position]).map(|i| touched(drafts[*i], self.nodes)).sum();
            if usize::min(sum, self.nodes.len()) > allowed {
                let others = on.iter().map(|other| drafts[*other]);
                let mistake = || self.too_many(drafts[position], others, sum, at_ns);
                mistakes.entry(position).or_insert_with(mistake);
            }
            on.push(position);
        }
        mistakes.into_values().collect()
    }

    fn too_many<'a>(
        &self,
        draft: &Draft,
        others: impl Iterator<Item = &'a Draft>,
        sum: usize,
        at_ns: u64,
    ) -> Mistake {
        let (kind, nodes, at) = (draft.info.name, self.nodes.len(), seconds(at_ns));
        let sum = sum.min(nodes);
        let title = format!("`{kind}` of up to {sum} of {nodes} nodes at {at} is beyond the model");
        let allowed = self.allowed(kind).unwrap_or(nodes);
        let label = format!("`{}` survives it on {allowed} at once", self.design.name);
        let mistake = Mistake::new(draft.place(), title, label).help(WAY_OUT);
        others.fold(mistake, |mistake, other| {
            mistake.related(other.place(), "which is on at the same time")
        })
    }
}

fn survives(design: &DesignInfo) -> String {
    let one = |tolerance: &Tolerance| match tolerance.nodes {
        Extent::Any => format!("`{}`", tolerance.fault),
        Extent::Minority => format!("`{}` of less than half of the nodes", tolerance.fault),
        Extent::AtMost(count) => format!("`{}` of at most {count}", tolerance.fault),
    };
    match design.tolerates {
        [] => "it survives no fault at all".into(),
        some => format!("it survives {}", some.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// How many nodes the fault is for; of several targets the largest counts, and of groups all but
/// the largest.
fn touched(draft: &Draft, nodes: &[SmolStr]) -> usize {
    let of_setting = |setting: &Setting| match setting {
        Setting::Target(target) => extent(target, nodes),
        Setting::Groups(groups) => {
            let size = |group: &Vec<_>| group.iter().map(|target| extent(target, nodes)).sum();
            let sizes = groups.iter().map(size).collect::<Vec<usize>>();
            sizes.iter().sum::<usize>() - sizes.iter().max().unwrap_or(&0)
        }
        _ => 0,
    };
    let settings = draft.scheduled.fault.settings.0.values();
    settings.map(of_setting).max().unwrap_or(0)
}

/// The starts and ends of every occurrence in order of time, ends first.
fn changes(drafts: &[&Draft], faults_ns: u64) -> Vec<(u64, bool, usize)> {
    let of_draft = |(position, draft): (usize, &&Draft)| {
        let both = |(start, end)| [(start, true, position), (end, false, position)];
        windows(&draft.scheduled, faults_ns).into_iter().flat_map(both).collect::<Vec<_>>()
    };
    let mut changes = drafts.iter().enumerate().flat_map(of_draft).collect::<Vec<_>>();
    changes.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn fault(kind: &str, target: &str) -> String {
        format!("[[fault]]\nkind = \"{kind}\"\nat = \"5s\"\ntarget = {target}\n")
    }

    const BEYOND: &str = "[phases]\nbeyond_model = true";

    #[test]
    fn a_fault_that_the_design_does_not_survive_is_beyond_its_model() {
        let marked = fault("disk_loss", "\"n1\"").replace("\"disk_loss\"", "«\"disk_loss\"»");
        check(
            &marked,
            "`raft` is not made to survive `disk_loss`\nit survives `clock_drift`, `clock_step` of at most 1, `crash` of less than half of the nodes\nbeyond_model = true",
        );
        read_good(&(fault("disk_loss", "\"n1\"") + BEYOND));
        read_good(&fault("disk_loss", "\"client-1\""));
    }

    #[test]
    fn a_fault_on_too_many_nodes_is_beyond_the_model() {
        check(
            &fault("crash", "«{ some = \"majority\" }»"),
            "`crash` of 3 of 5 nodes is beyond the model\n`raft` survives it on 2 at once",
        );
        check(&fault("crash", "«{ count = 3 }»"), "`crash` of 3 of 5 nodes is beyond the model");
        check(
            &fault("crash", "«{ some = \"all\" }»"),
            "`crash` of 5 of 5 nodes is beyond the model",
        );
        read_good(&fault("crash", "{ some = \"minority\" }"));
        read_good(&fault("crash", "{ some = \"clients\" }"));
        read_good(&(fault("crash", "{ some = \"all\" }") + BEYOND));
    }

    #[test]
    fn faults_that_are_on_together_add_up() {
        let three = fault("crash", "\"n1\"") + &fault("crash", "\"n2\"");
        check(
            &(three.clone() + &fault("crash", "«\"n3\"»")),
            "`crash` of up to 3 of 5 nodes at 5.000 s is beyond the model\nwhich is on at the same time",
        );
        read_good(&(three + &fault("partition", "\"n3\"")));
        let apart = |at| fault("crash", "{ count = 2 }").replace("5s", at) + "for = \"5s\"\n";
        read_good(&(apart("5s") + &apart("10s")));
    }
}
