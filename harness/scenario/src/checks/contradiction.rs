//! Two faults that contradict each other: the same fault in the same place at the same time.
//!
//! Two timed faults do if they are of one kind, last, are on at one time, and agree in every
//! parameter that says *where* (targets, groups, choices, failpoints, kinds of messages). They may differ in how much.
//! A target that is drawn or found when the fault is injected, such as `{ random = "follower" }`
//! or `{ role = "leader" }`, is somebody else each time and contradicts nothing. Nor does a fault
//! that could name a target but leaves it to chance.

use wrack_history::catalogue::{Lasting, ParameterInfo, ParameterKind};
use wrack_history::duration::seconds;

use crate::checks::window::{first_overlap, windows};
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::parameters::is_aim;
use crate::sections::fault::Draft;
use crate::target::is_fixed;

/// Puts down each fault that contradicts an earlier one, and gives back the others.
pub(crate) fn judge<'a>(
    drafts: &'a [Draft],
    faults_ns: u64,
    findings: &Findings,
) -> Vec<&'a Draft> {
    let mut aimed = Vec::<(&Draft, Vec<_>)>::new();
    let mut agrees = |draft: &&'a Draft| {
        if draft.info.lasts == Lasting::Instant || !is_aimed(draft) {
            return true;
        }
        let on = windows(&draft.scheduled, faults_ns);
        let clash = aimed.iter().find_map(|(other, other_on)| {
            let at_ns = same_place(draft, other).then(|| first_overlap(&on, other_on))??;
            Some(mistake(draft, other, at_ns))
        });
        aimed.push((*draft, on));
        let agrees = clash.is_none();
        clash.into_iter().for_each(|mistake| findings.report(mistake));
        agrees
    };
    drafts.iter().filter(|draft| agrees(draft)).collect()
}

fn mistake(draft: &Draft, other: &Draft, at_ns: u64) -> Mistake {
    let targets = draft.targets().map(ToString::to_string).collect::<Vec<_>>();
    let whom = match targets.is_empty() {
        true => String::new(),
        false => format!(" of {}", targets.join(", ")),
    };
    let kind = draft.info.name;
    let title = format!("two `{kind}` faults{whom} overlap at {}", seconds(at_ns));
    Mistake::new(draft.place(), title, "contradicts an earlier fault")
        .related(other.place(), "which is on at the same time")
        .help("end the first before the second, or aim them at different nodes")
}

/// Whether it is the same nodes whenever it is injected.
fn is_aimed(draft: &Draft) -> bool {
    let could_aim = draft.info.parameters.iter().any(is_aim);
    let mut targets = draft.targets().peekable();
    (targets.peek().is_some() || !could_aim) && targets.all(is_fixed)
}

fn same_place(a: &Draft, b: &Draft) -> bool {
    let mut places = a.info.parameters.iter().filter(|info| says_where(info));
    let setting = |draft: &Draft, name| draft.scheduled.fault.settings.0.get(name).cloned();
    a.info.name == b.info.name && places.all(|info| setting(a, info.name) == setting(b, info.name))
}

fn says_where(info: &ParameterInfo) -> bool {
    let names_place = matches!(
        info.kind,
        ParameterKind::Choice(_) | ParameterKind::Failpoint | ParameterKind::Messages
    );
    is_aim(info) || names_place
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn fault(kind: &str, at: &str, lines: &str) -> String {
        format!("[[fault]]\nkind = \"{kind}\"\nat = \"{at}\"\nfor = \"10s\"\n{lines}\n")
    }

    fn check_two(first: String, second: String, expected: &str) {
        check(&(first + &second), expected);
    }

    #[test]
    fn the_same_fault_in_the_same_place_at_the_same_time_is_refused() {
        check_two(
            fault("crash", "5s", "target = \"n1\""),
            fault("crash", "12s", "target = «\"n1\"»"),
            "two `crash` faults of n1 overlap at 12.000 s\nwhich is on at the same time",
        );
        check_two(
            fault("clock_drift", "5s", "target = \"n1\"\nppm = 100"),
            fault("clock_drift", "5s", "target = «\"n1\"»\nppm = -100"),
            "two `clock_drift` faults of n1 overlap at 5.000 s",
        );
        check_two(
            fault("latency", "5s", "from = \"n1\"\ndelay = \"1s\""),
            fault("latency", "5s", "from = «\"n1\"»\ndelay = \"2s\""),
            "two `latency` faults of n1, all nodes overlap at 5.000 s",
        );
        check_two(
            fault("crash", "1s", "target = \"n1\"\nevery = \"15s\""),
            fault("crash", "30s", "target = «\"n1\"»"),
            "two `crash` faults of n1 overlap at 31.000 s",
        );
    }

    #[test]
    fn faults_apart_in_time_place_or_direction_are_not_contradictory() {
        let crash = |at, target: &str| fault("crash", at, &format!("target = {target}"));
        read_good(&(crash("5s", "\"n1\"") + &crash("15s", "\"n1\"")));
        read_good(&(crash("5s", "\"n1\"") + &crash("5s", "\"n2\"")));
        read_good(&(crash("5s", "{ role = \"leader\" }") + &crash("8s", "{ role = \"leader\" }")));
        let partition = |shape| {
            let lines = format!("target = \"n1\"\nshape = \"{shape}\"");
            fault("partition", "5s", &lines)
        };
        read_good(&(partition("isolate") + &partition("halves")));
        let (to, from) = ("to = \"n1\"\ndelay = \"1s\"", "from = \"n1\"\ndelay = \"1s\"");
        read_good(&(fault("latency", "5s", to) + &fault("latency", "5s", from)));
    }
}
