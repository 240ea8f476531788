//! What led to the anomaly that is told first, in one sentence.
//!
//! A story tells every step; whoever has five seconds wants the one that made the difference. Ways to go
//! wrong are looked for from the most to the least telling: somebody answered who had been replaced; somebody
//! slept while another took over; two did the same work; a copy answered; a fault was at work. Where none of
//! them is found nothing is said: a guess would be worse.

use std::collections::BTreeMap;

use wrack_history::picture::Step;
use wrack_history::{Anomaly, Fact, Run};

use crate::plot::nodes::LEADING;
use crate::{summary, text};

/// The sentence, if there is anything to say.
pub(crate) fn cause(run: &Run) -> Option<String> {
    let first = summary::first_anomaly(run)?;
    let place = run.anomalies().position(|one| std::ptr::eq(one, first))?;
    let story = run.picture.stories.iter().find(|story| story.anomaly as usize == place);
    let steps = story.map_or(&[][..], |story| &story.steps);
    let said = replaced(steps)
        .or_else(|| overslept(run, first))
        .or_else(|| twice(first, steps))
        .or_else(|| from_a_copy(steps))
        .or_else(|| under_a_fault(run, steps))?;
    Some(text::full_sentence(&said))
}

/// The last step of which something holds.
fn last(steps: &[Step], holds: impl Fn(&str) -> bool) -> Option<&str> {
    steps.iter().rev().map(|step| step.text.as_str()).find(|words| holds(words))
}

/// Somebody answered although another already had a later epoch.
fn replaced(steps: &[Step]) -> Option<String> {
    let telling = |words: &str| words.contains("answered by") && words.contains(" while ");
    last(steps, telling).map(Into::into)
}

/// One of the nodes that it is about stood still while another of them took over.
fn overslept(run: &Run, anomaly: &Anomaly) -> Option<String> {
    let until_ns = anomaly.at_ns.unwrap_or(u64::MAX);
    let name = |node: u16| Some(text::label(run.nodes.get(usize::from(node))?));
    let mut since = BTreeMap::new();
    let mut found = None;
    for record in run.facts.iter().filter(|record| record.ns <= until_ns) {
        if !anomaly.nodes.contains(&record.node) {
            continue;
        }
        match &record.fact {
            Fact::Paused => drop(since.insert(record.node, (record.ns, None))),
            Fact::Role { role, epoch } if LEADING.contains(&role.as_str()) => {
                let others = since.iter_mut().filter(|(node, _)| **node != record.node);
                others.for_each(|(_, (_, by))| *by = Some((record, role, *epoch)));
            }
            Fact::Resumed => {
                if let Some((from_ns, Some(by))) = since.remove(&record.node) {
                    found = Some((record.node, from_ns, record.ns, by));
                }
            }
            _ => {}
        }
    }
    let (node, from_ns, to_ns, (record, role, epoch)) = found?;
    Some(format!(
        "{} stood still from {} to {}; meanwhile, at {}, {} became {} in epoch {epoch}, and {} went on as if \
         nothing had happened",
        name(node)?,
        text::moment(from_ns),
        text::moment(to_ns),
        text::moment(record.ns),
        name(record.node)?,
        text::label(role),
        name(node)?,
    ))
}

/// For an effect that came twice: who sent the same message twice, or which two did.
fn twice(anomaly: &Anomaly, steps: &[Step]) -> Option<String> {
    if anomaly.code != "DUP" {
        return None;
    }
    let mut senders = BTreeMap::<&str, Vec<&str>>::new();
    for step in steps {
        // As a story tells it: `relay-1 sends Publish to broker (client-2: add 152 under k1)`.
        let Some((from, what)) = step.text.split_once(" sends ") else { continue };
        let of = senders.entry(what).or_default();
        of.push(from);
        if of.len() == 2 {
            let (message, operation) = what.split_once(" (").unwrap_or((what, ""));
            let operation = operation.trim_end_matches(')');
            return Some(match of[0] == of[1] {
                true => format!("{from} sent {message} twice for {operation}"),
                false => format!("{} and {} both sent {message} for {operation}", of[0], of[1]),
            });
        }
    }
    None
}

/// A cache answered from what it held.
fn from_a_copy(steps: &[Step]) -> Option<String> {
    let words = last(steps, |words| words.contains(" answers from its cache "))?;
    let (who, operation) = words.split_once(" answers from its cache ")?;
    Some(format!(
        "{who} answered {operation} from its cache, which still held what had been replaced"
    ))
}

/// Somebody answered while a fault was at work on it.
fn under_a_fault(run: &Run, steps: &[Step]) -> Option<String> {
    let words = last(steps, |words| words.contains("answered by") && words.contains(", under F"))?;
    let number: usize = words.rsplit_once(", under F")?.1.split(' ').next()?.parse().ok()?;
    let fault = run.faults.get(number.checked_sub(1)?)?;
    Some(format!("{words} ({})", text::clip(&fault.detail, 120)))
}

#[cfg(test)]
mod tests {
    use wrack_history::picture::{Picture, StepKind, Story};
    use wrack_history::{FactRecord, Judgement, SmolStr};

    use super::*;

    fn check(anomaly: Anomaly, steps: &[&str], facts: Vec<FactRecord>, expected: Option<&str>) {
        let mut judgement = Judgement::new(&anomaly.code.clone());
        judgement.contradict(anomaly);
        let steps =
            steps.iter().map(|text| Step { ns: 0, kind: StepKind::Effect, text: (*text).into() });
        let story = Story { anomaly: 0, steps: steps.collect(), left_out: 0 };
        let run = Run {
            judgements: vec![judgement],
            facts,
            nodes: ["n1", "n2"].map(SmolStr::from).into(),
            picture: Picture { stories: vec![story], ..Picture::default() },
            ..Run::default()
        };
        assert_eq!(cause(&run).as_deref(), expected);
    }

    fn anomaly(code: &str, nodes: Vec<u16>) -> Anomaly {
        Anomaly { code: code.into(), nodes, ..Anomaly::default() }
    }

    #[test]
    fn two_who_did_the_same_work_are_named() {
        let steps = [
            "r1 sends Publish to bus (add 1)",
            "r1 sends Ack to r2 (add 1)",
            "r2 sends Publish to bus (add 1)",
        ];
        let both = "r1 and r2 both sent Publish to bus for add 1.";
        check(anomaly("DUP", vec![]), &steps, vec![], Some(both));
        check(anomaly("LOST", vec![]), &steps, vec![], None);
    }

    #[test]
    fn who_slept_while_another_took_over_is_named() {
        let fact = |ns: u64, node, fact| FactRecord { ns: ns * 1_000_000_000, node, fact };
        let role = || Fact::Role { role: "owner".into(), epoch: 2 };
        let facts = vec![fact(1, 0, Fact::Paused), fact(2, 1, role()), fact(3, 0, Fact::Resumed)];
        let words = "n1 stood still from 1.000 s to 3.000 s; meanwhile, at 2.000 s, n2 became owner in epoch 2, and n1 \
                     went on as if nothing had happened.";
        check(anomaly("SPLIT", vec![0, 1]), &[], facts.clone(), Some(words));
        check(anomaly("SPLIT", vec![1]), &[], facts, None);
    }

    #[test]
    fn a_copy_that_answered_is_named() {
        let words = "n1 answered c: read from its cache, which still held what had been replaced.";
        check(
            anomaly("STALE", vec![]),
            &["n1 answers from its cache c: read"],
            vec![],
            Some(words),
        );
    }
}
