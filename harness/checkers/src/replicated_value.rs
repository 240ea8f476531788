//! CRDT: the value in the end is that of all updates, each counted once.
//!
//! Valid: the remove had seen the first add of 7 and not the second, so 7 is there.
//! ```text
//! n1  add 7 ──▶ n2 │ remove 7 (at n2, which has seen the first add)
//! n1  add 7        │                                                 all read [7]
//! ```
//! Invalid, because nothing removed 7:
//! ```text
//! n1  add 7 ──▶ n2                                                   n2 reads []
//! ```
//! The definition. An update is what a replica made of an operation; its *past* is what that replica had
//! of the object before. The value is a function of the updates and their pasts:
//! * *counter:* the sum of all increments;
//! * *set:* the elements with an add that is in the past of no remove of that element; in which order they
//!   are read is the type's (a text is a set whose elements have places), and where adds do not merge an
//!   element may stand there once for each of them;
//! * *register:* the values of the writes that are in the past of no other write, in order;
//! * *cart:* the pair of sum and elements.
//!
//! Every final read returns that value, and every operation that was acknowledged became an update. An
//! operation that was tried at two replicas may have become two updates, and then both count: no replica
//! can know. That each update counts once however often it was delivered is what is judged here.
//!
//! Source: Burckhardt, Gotsman, Yang and Zawirski, "Replicated data types: specification, verification,
//! optimality", POPL 2014 (section 3); Shapiro et al., "A comprehensive study of convergent and
//! commutative replicated data types", 2011.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Judgement, Operation, Settings, SmolStr, Value};
use wrack_sequential::is_acknowledged_change;

use crate::deliveries::{Deliveries, Object};
use crate::final_reads::final_reads;
use crate::tally::Sizes;
use crate::words::{done_at, list, noun, of, short};
use crate::{Evidence, Guarantee, Judge};

/// The value of a replicated type.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "CRDT",
        name: "value of a replicated type",
        doc: "In the end every replica answers what all updates together are worth, each counted \
              once.\n\n\
              A counter is the sum of all increments. A set holds an element if somebody added it and \
              nobody who had seen that add removed it: an add wins against a remove that knows nothing \
              of it. A register holds every value that was written and that no other writer had seen. \
              What was acknowledged is among the updates. An operation that was retried at another \
              replica may have become two updates, which both count.\n\n\
              The usual ways to break it: an operation that is delivered twice and applied twice; a \
              merge that forgets one side; a removed element that comes back; a version that does not \
              tell concurrent writes from later ones.\n\n\
              Source: Burckhardt et al., Replicated Data Types, POPL 2014.",
        parameters: &[],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let Some(kind) = Kind::of(evidence.model) else {
        judgement.doubt(format!("the value of a {} is not defined by its updates", evidence.model));
        return judgement;
    };
    let deliveries = Deliveries::of(evidence.facts);
    if deliveries.0.is_empty() {
        judgement.doubt("no replica noted which updates it has");
        return judgement;
    }
    judge_acknowledged(evidence, &deliveries, &mut judgement);
    let operations = evidence.history.operations.iter();
    let operations: FxHashMap<u64, &Operation> = operations.map(|one| (one.id, one)).collect();
    let nothing = Object::default();
    let mut siblings = Sizes::new("siblings", "values");
    for (key, reads) in final_reads(evidence) {
        if let Kind::Register = kind {
            let values = |read: &Operation| read.result.as_list().map_or(0, <[Value]>::len);
            reads.iter().for_each(|read| siblings.record(read, values(read) as u64));
        }
        let object = deliveries.0.get(key).unwrap_or(&nothing);
        judgement.examine("final reads", reads.len() as u64);
        judgement.examine("updates", object.updates.len() as u64);
        let changes = match changes(object, &operations) {
            Ok(changes) => changes,
            Err(why) => {
                judgement.doubt(format!("{why} of {key}"));
                continue;
            }
        };
        let expected = kind.value(object, &changes);
        let wrong = reads.iter().find(|read| match kind {
            Kind::Set => !holds(&read.result, &expected, object, &changes),
            _ => read.result != expected,
        });
        if let Some(read) = wrong.filter(|_| judgement.anomalies.len() < ANOMALIES_MAX) {
            judgement.contradict(wrong_value(read, &expected, key));
        }
    }
    if judgement.examined.get("final reads").is_none_or(|reads| *reads == 0) {
        judgement.doubt("there is no final read");
    }
    siblings.tell(&mut judgement);
    judgement
}

/// What was acknowledged became an update.
fn judge_acknowledged(evidence: &Evidence<'_>, deliveries: &Deliveries, judgement: &mut Judgement) {
    let names = deliveries.0.values().flat_map(|object| &object.updates);
    let updated: FxHashMap<u64, ()> = names.map(|update| (update.name.operation, ())).collect();
    let acknowledged = evidence.history.operations.iter().filter(|one| is_acknowledged_change(one));
    let mut missing = Vec::new();
    for operation in acknowledged {
        judgement.examine("acknowledged updates", 1);
        if !updated.contains_key(&operation.id) {
            missing.push(operation);
        }
    }
    if let Some(first) = missing.first() {
        let nouns: Vec<String> = missing.iter().map(|one| noun(one)).collect();
        judgement.contradict(Anomaly {
            explanation: format!(
                "{}{} was acknowledged by {}, but no replica ever had it as an update",
                list(&nouns),
                of(first),
                done_at(first)
            ),
            operations: missing.iter().take(20).map(|one| one.id).collect(),
            key: Some(first.key.clone()).filter(|key| !key.is_empty()),
            at_ns: Some(first.complete.ns),
            ..Anomaly::default()
        });
    }
}

fn wrong_value(read: &Operation, expected: &Value, key: &SmolStr) -> Anomaly {
    let (what, at) = (noun(read), done_at(read));
    Anomaly {
        explanation: format!(
            "{what}{} at {at} should have found {}, which is what all updates together are worth",
            of(read),
            short(expected)
        ),
        operations: vec![read.id],
        key: Some(key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(read.complete.ns),
        ..Anomaly::default()
    }
}

/// What an update does, with its number.
struct Change<'a> {
    number: usize,
    function: &'a str,
    argument: &'a Value,
}

/// What each update of the object does.
///
/// Errors: why the updates do not tell the value.
fn changes<'a>(
    object: &Object,
    operations: &FxHashMap<u64, &'a Operation>,
) -> Result<Vec<Change<'a>>, &'static str> {
    let change = |(number, update): (usize, &crate::deliveries::Update)| {
        let operation = operations.get(&update.name.operation);
        let operation = operation.ok_or("an operation is not in the history that is an update")?;
        if update.past.is_none() {
            return Err("nobody noted what was known to the replica that accepted an update");
        }
        Ok(Change { number, function: &operation.function, argument: &operation.argument })
    };
    object.updates.iter().enumerate().map(change).collect()
}

/// What an object is.
#[derive(Clone, Copy)]
enum Kind {
    Cart,
    Counter,
    Register,
    Set,
}

impl Kind {
    fn of(model: &str) -> Option<Self> {
        match model {
            "cart" => Some(Self::Cart),
            "counter" => Some(Self::Counter),
            "register" | "cas-register" => Some(Self::Register),
            "set" | "g-set" => Some(Self::Set),
            _ => None,
        }
    }

    fn value(self, object: &Object, changes: &[Change<'_>]) -> Value {
        match self {
            Self::Cart => Value::pair(sum(changes), elements(object, changes)),
            Self::Counter => sum(changes),
            Self::Register => siblings(object, changes),
            Self::Set => elements(object, changes),
        }
    }
}

fn sum(changes: &[Change<'_>]) -> Value {
    let increments = changes.iter().filter(|change| change.function == "increment");
    let deltas = increments.filter_map(|change| change.argument.as_integer());
    Value::Integer(deltas.fold(0, i64::saturating_add))
}

fn elements(object: &Object, changes: &[Change<'_>]) -> Value {
    let mut elements = added(object, changes);
    elements.dedup();
    Value::list(elements.into_iter().cloned())
}

/// The arguments of all adds that no remove has seen, in order of their values.
fn added<'a>(object: &Object, changes: &[Change<'a>]) -> Vec<&'a Value> {
    let of = |function: &'static str| changes.iter().filter(move |one| one.function == function);
    let is_there = |add: &&Change<'a>| {
        !of("remove").any(|remove| {
            remove.argument == add.argument && object.has_seen(remove.number, add.number)
        })
    };
    let mut elements: Vec<&Value> = of("add").filter(is_there).map(|add| add.argument).collect();
    elements.sort_unstable();
    elements
}

/// Whether what was read are the expected elements, none of them more often than it was added.
fn holds(read: &Value, expected: &Value, object: &Object, changes: &[Change<'_>]) -> bool {
    let mut found: Vec<&Value> = read.as_list().unwrap_or_default().iter().collect();
    found.sort_unstable();
    let mut different = found.clone();
    different.dedup();
    let mut left = added(object, changes).into_iter().peekable();
    let often = |element: &&Value| {
        while left.next_if(|other| other < element).is_some() {}
        left.next_if_eq(element).is_some()
    };
    different.iter().copied().eq(expected.as_list().unwrap_or_default())
        && matches!(read, Value::List(_))
        && found.iter().all(often)
}

fn siblings(object: &Object, changes: &[Change<'_>]) -> Value {
    let writes = || changes.iter().filter(|change| change.function == "write");
    let is_there =
        |write: &&Change<'_>| !writes().any(|later| object.has_seen(later.number, write.number));
    let mut siblings: Vec<&Value> = writes().filter(is_there).map(|one| one.argument).collect();
    siblings.sort_unstable();
    Value::list(siblings.into_iter().cloned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use wrack_history::{FactRecord, NodeIndex, Value, Verdict};

    use super::GUARANTEE;
    use crate::deliveries::testing::{Told, delivered};
    use crate::story::Case;

    fn case<'a>(model: &'a str, history: &'a str, told: &[Told<'_>]) -> Case<'a> {
        Case::new(model, history).phases(50, 90, 120).facts(delivered(told))
    }

    #[test]
    fn an_add_that_a_remove_has_not_seen_stays() {
        let history = |found: &str| {
            format!(
                "p1 add    k 7 1..2
                 p1 add    k 7 5..6
                 p2 remove k 7 7..8
                 p3 read   k - 100..110 {found}"
            )
        };
        let told: &[Told<'_>] = &[
            (0, 1, &[(0, 0)], 0),
            (1, 3, &[(0, 0)], 0),
            (0, 5, &[(1, 0)], 0),
            (1, 7, &[(2, 1)], 0),
        ];
        case("set", &history("[7]"), told).accepted_by(&GUARANTEE);
        case("set", &history("[]"), told).rejected_by(
            &GUARANTEE,
            "read [] by process 3 of k at 0.110 s should have found [7], which is what all updates \
             together are worth",
        );
        let all: &[Told<'_>] = &[
            (0, 1, &[(0, 0)], 0),
            (0, 5, &[(1, 0)], 0),
            (1, 6, &[(0, 0), (1, 0)], 0),
            (1, 7, &[(2, 1)], 0),
        ];
        case("set", &history("[]"), all).accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_counter_is_the_sum_of_its_increments_each_once() {
        let history = "p1 increment k 2 1..2
                       p2 increment k -1 1..?
                       p3 read      k - 100..110 1";
        let told: &[Told<'_>] = &[
            (0, 1, &[(0, 0)], 0),
            (1, 1, &[(1, 1)], 0),
            (1, 9, &[(0, 0)], 0),
            (1, 10, &[(0, 0)], 0),
        ];
        case("counter", history, told).accepted_by(&GUARANTEE);
        case("counter", &history.replace("110 1", "110 3"), told).rejected_by(
            &GUARANTEE,
            "read 3 by process 3 of k at 0.110 s should have found 1, which is what all updates \
             together are worth",
        );
    }

    #[test]
    fn what_was_acknowledged_is_an_update() {
        case("counter", "p1 increment k 2 1..2\n p2 increment k 1 3..4\n p3 read k - 100..110 2", &[(
            0,
            1,
            &[(0, 0)],
            0,
        )])
        .rejected_by(
            &GUARANTEE,
            "increment 1 by process 2 of k was acknowledged by 0.004 s, but no replica ever had it as \
             an update",
        );
    }

    #[test]
    fn concurrent_writes_are_both_kept() {
        let history = "p1 write k 5 1..2
                       p2 write k 4 1..2
                       p1 write k 6 5..6
                       p3 read  k - 100..110 [4,6]";
        let told: &[Told<'_>] = &[
            (0, 1, &[(0, 0)], 0),
            (1, 1, &[(1, 1)], 0),
            (0, 5, &[(2, 0)], 0),
            (1, 9, &[(2, 0)], 0),
        ];
        case("register", history, told).accepted_by(&GUARANTEE);
        let judgement = case("register", history, told).judge(&GUARANTEE);
        assert_eq!(judgement.distribution("siblings").unwrap().max, 2);
        case("register", &history.replace("[4,6]", "[6]"), told).rejected_by(
            &GUARANTEE,
            "read [6] by process 3 of k at 0.110 s should have found [4, 6], which is what all updates \
             together are worth",
        );
    }

    #[test]
    fn elements_may_be_read_in_any_order_but_not_more_often_than_they_were_added() {
        let history = "p1 add  k 5 1..2
                       p2 add  k 4 1..2
                       p3 read k - 100..110 [5,4]";
        let told: &[Told<'_>] = &[
            (0, 1, &[(0, 0)], 0),
            (1, 1, &[(1, 1)], 0),
            (0, 5, &[(1, 1)], 0),
            (1, 9, &[(0, 0)], 0),
        ];
        case("set", history, told).accepted_by(&GUARANTEE);
        case("set", &history.replace("[5,4]", "[4,5,4]"), told).rejected_by(
            &GUARANTEE,
            "read [4, 5, 4] by process 3 of k at 0.110 s should have found [4, 5], which is what all \
             updates together are worth",
        );
    }

    #[test]
    fn without_notes_of_replicas_nothing_can_be_said() {
        case("set", "p1 add k 1 1..2", &[])
            .unknown_to(&GUARANTEE, "no replica noted which updates it has");
        case("queue", "p1 read k - 1..2", &[])
            .unknown_to(&GUARANTEE, "the value of a queue is not defined by its updates");
        let unseen: &[Told<'_>] = &[(1, 1, &[(0, 0)], 0)];
        case("set", "p1 add k 1 1..2\n p2 read k - 100..110 [1]", unseen).unknown_to(
            &GUARANTEE,
            "nobody noted what was known to the replica that accepted an update of k",
        );
    }

    /// The definition with plain sets: what each replica had, step by step, and each pair of updates.
    fn twin(model: &str, steps: &[(usize, bool, i64, usize)]) -> (String, Vec<FactRecord>, Value) {
        let (mut has, mut past) = (vec![BTreeSet::new(); 2], Vec::<BTreeSet<u64>>::new());
        let (mut text, mut commands, mut records) = (String::new(), Vec::new(), Vec::new());
        for (ms, (at, first, argument, tells)) in (1..).zip(steps) {
            let number = past.len() as u64;
            let function = match (model, first) {
                ("set", true) => "add",
                ("set", false) => "remove",
                ("counter", _) => "increment",
                _ => "write",
            };
            let argument = if model == "register" { number as i64 } else { *argument };
            text += &format!("p{number} {function} k {argument} {ms}..{}\n", ms + 1);
            commands.push((function, argument));
            past.push(has[*at].clone());
            has[*at].insert(number);
            let origin = *at as NodeIndex;
            records.extend(delivered(&[(origin, ms, &[(number, origin)], 0)]));
            if *tells == 0 {
                let (from, to) = (has[*at].clone(), 1 - at);
                for update in from.difference(&has[to].clone()) {
                    // Whoever accepted it, the other is the only one that can lack it.
                    records.extend(delivered(&[(to as NodeIndex, ms, &[(*update, origin)], 0)]));
                    has[to].insert(*update);
                }
            }
        }
        let seen_by = |number: usize, function: &str| {
            let later = commands.iter().zip(&past).filter(|((f, argument), _)| {
                *f == function && (function == "write" || *argument == commands[number].1)
            });
            later.map(|(_, past)| past).any(|past| past.contains(&(number as u64)))
        };
        let value = match model {
            "counter" => Value::Integer(commands.iter().map(|(_, delta)| delta).sum()),
            "set" => {
                let there = (0..commands.len())
                    .filter(|number| commands[*number].0 == "add" && !seen_by(*number, "remove"));
                let all: BTreeSet<i64> = there.map(|number| commands[number].1).collect();
                Value::list(all.into_iter().map(Value::from))
            }
            _ => {
                let there = (0..commands.len()).filter(|number| !seen_by(*number, "write"));
                let all: BTreeSet<i64> = there.map(|number| commands[number].1).collect();
                Value::list(all.into_iter().map(Value::from))
            }
        };
        (text, records, value)
    }

    proptest! {
        #[test]
        fn it_says_what_its_twin_says(
            steps in prop::collection::vec((0..2_usize, any::<bool>(), 0..3_i64, 0..3_usize), 1..8),
            kind in 0..3_usize,
            wrong in 0..3_u8,
        ) {
            let model = ["counter", "register", "set"][kind];
            let (mut text, facts, value) = twin(model, &steps);
            let told = match (wrong, &value) {
                (0, Value::Integer(sum)) => Value::Integer(sum + 1),
                (0, Value::List(_)) => Value::list([99.into()]),
                _ => value,
            };
            let told = told.to_string().replace(' ', "");
            text += &format!("p90 read k - 100..110 {told}");
            let case = Case::new(model, &text).phases(50, 90, 120).facts(facts);
            let verdict = case.judge(&GUARANTEE).verdict;
            prop_assert_eq!(verdict, if wrong == 0 { Verdict::Invalid } else { Verdict::Valid });
        }
    }
}
