//! SETFULL: what became of every element of a set that only grows.
//!
//! Valid: one read misses 1 although it was acknowledged; from then on all find it. It is stable, with
//! a delay: stale.
//! ```text
//! p1  |- add 1 -|
//! p2               |- read {} -|   |- read {1} -|
//! ```
//! Invalid, because the last read misses it again: it is lost.
//! ```text
//! p1  |- add 1 -|
//! p2               |- read {1} -|   |- read {} -|
//! ```
//! The definition. An element is *known* from the completion of its ok add or of the first read that
//! found it, whichever was first. Of the reads, by invocation: it is *stable* if the last one that
//! misses it stands before the last one that finds it; *lost* if it was known before the last one that
//! misses it was invoked, and that stands behind the last one that finds it; otherwise *never read*:
//! no read tells. A stable one was *stale* from when it was known to the invocation of the last read
//! that misses it. No read finds an element twice, or one that nobody tried to add.
//!
//! An add in doubt makes nothing known; an element that some remove may have taken out is left out.
//!
//! Source: Jepsen's `set-full`, of which this is the definition with *by invocation* made explicit.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Moment, Operation, Outcome, Settings, Value, duration};

use crate::tally::{Sizes, Tally, some_ids};
use crate::words::{done_at, of, short};
use crate::{Evidence, Guarantee, Judge};

/// The fate of every element.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "SETFULL",
        name: "every element is found",
        doc: "What was added to a set, and was acknowledged or seen, is found by every read from some \
              point on; no read finds an element twice, or one that nobody added.\n\n\
              An element is stable if, from some read on, all find it; lost if the last reads miss it \
              although it was known before they began; never read if no read tells. The report counts \
              them, and how long after they were known stable ones were still missed and lost ones \
              last missed. With `immediate`, a read that misses what was known before it began is an \
              anomaly even if later reads find it: that is linearizability of single elements.\n\n\
              The usual ways to break it: a write that is acknowledged before it is replicated; gossip \
              without resynchronisation; a message that is sent once; a delivery that is applied \
              twice.",
        parameters: &[ParameterInfo::new(
            "immediate",
            ParameterKind::Flag,
            DefaultSetting::Flag(false),
            "Whether an element must be found from the moment on that it is known.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let immediate = settings.flag("immediate").expect("it has a default");
    let mut tally = Tally::default();
    let mut stale_for = Sizes::new("time until stable", "ns");
    let mut lost_for = Sizes::new("time until lost", "ns");
    for operations in evidence.by_key().values() {
        let set = Set::of(operations, evidence.initial);
        for read in &set.reads {
            judgement.examine("reads", 1);
            tally.look(read, false);
        }
        for (read, value, why) in &set.impossible {
            tally.look(read, true);
            tell(&mut judgement, impossible(read, value, why));
        }
        for element in &set.elements {
            judgement.examine("elements", 1);
            let fate = element.fate();
            judgement.examine(fate.name(), 1);
            let stale = match fate {
                Fate::Lost { missed_ns } => {
                    lost_for.record(element.add, missed_ns);
                    true
                }
                Fate::Stable { missed_ns } => {
                    stale_for.record(element.add, missed_ns);
                    judgement.examine("stale", u64::from(element.is_stale()));
                    immediate && element.is_stale()
                }
                _ => false,
            };
            tally.look(element.add, stale);
            if stale {
                tell(&mut judgement, element.anomaly(&fate));
            }
        }
    }
    conclude(&mut judgement);
    stale_for.tell(&mut judgement);
    lost_for.tell(&mut judgement);
    tally.tell(&mut judgement);
    judgement
}

fn conclude(judgement: &mut Judgement) {
    let seen = |what: &str| judgement.examined.get(what).copied().unwrap_or(0);
    let (stable, lost, stale) = (seen("stable"), seen("lost"), seen("stale"));
    let never = seen("never read");
    judgement.observed =
        Some(format!("{stable} stable, {lost} lost, {never} never read; {stale} were stale"));
    if stable == 0 && lost == 0 {
        judgement.doubt("no read tells of any element");
    }
}

fn tell(judgement: &mut Judgement, anomaly: Anomaly) {
    if judgement.anomalies.len() < ANOMALIES_MAX {
        judgement.contradict(anomaly);
    }
}

/// What became of an element; times since it was known.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// Found from then on.
    Stable { missed_ns: u64 },
    /// Missed from then on, at least until.
    Lost { missed_ns: u64 },
    /// No read tells.
    NeverRead,
    /// A remove may explain it.
    Removed,
}

impl Fate {
    fn name(&self) -> &'static str {
        match self {
            Self::Stable { .. } => "stable",
            Self::Lost { .. } => "lost",
            Self::NeverRead => "never read",
            Self::Removed => "removed",
        }
    }
}

/// An element, its add, and the reads that tell of it.
struct Element<'a> {
    add: &'a Operation,
    known: Option<Moment>,
    /// How many of the last reads find it.
    streak: usize,
    last_found: Option<&'a Operation>,
    last_missed: Option<&'a Operation>,
    /// Whether some remove may have taken it out.
    removed: bool,
}

impl Element<'_> {
    fn fate(&self) -> Fate {
        let index = |read: Option<&Operation>| read.map(|read| read.invoke.index);
        let (found, missed) = (index(self.last_found), index(self.last_missed));
        let known_before = |read: &Operation| self.known.is_some_and(|known| known < read.invoke);
        let missed_ns = |read: &Operation| {
            self.known.map_or(0, |known| read.invoke.ns.saturating_sub(known.ns))
        };
        match self.last_missed {
            _ if self.removed => Fate::Removed,
            Some(read) if missed > found && known_before(read) => {
                Fate::Lost { missed_ns: missed_ns(read) }
            }
            _ if found.is_some() && missed < found => {
                Fate::Stable { missed_ns: self.last_missed.map_or(0, missed_ns) }
            }
            _ => Fate::NeverRead,
        }
    }

    /// Whether a read missed it that began after it was known.
    fn is_stale(&self) -> bool {
        let (Some(known), Some(missed)) = (self.known, self.last_missed) else {
            return false;
        };
        known < missed.invoke
    }

    fn anomaly(&self, fate: &Fate) -> Anomaly {
        let Self { add, last_found, last_missed, .. } = self;
        let read = last_missed.expect("it was missed");
        let element = short(&add.argument);
        let known = self.known.expect("it was known");
        let (since, at) = (duration::seconds(known.ns), duration::seconds(read.invoke.ns));
        let later = match (fate, last_found) {
            (Fate::Lost { .. }, Some(found)) => {
                format!("was last found by process {} at {}", found.process, done_at(found))
            }
            (Fate::Lost { .. }, None) => "was never found".to_owned(),
            _ => "was found only later".to_owned(),
        };
        let (process, key) = (read.process, of(add));
        Anomaly {
            explanation: format!(
                "{element}{key} was known from {since} on, but process {process}, which began to read \
                 at {at}, did not find it, and it {later}"
            ),
            operations: some_ids([*add, read].into_iter().chain(*last_found)),
            key: Some(add.key.clone()).filter(|key| !key.is_empty()),
            at_ns: Some(read.complete.ns),
            ..Anomaly::default()
        }
    }
}

fn impossible(read: &Operation, value: &Value, why: &str) -> Anomaly {
    let (process, key, at) = (read.process, of(read), done_at(read));
    Anomaly {
        explanation: format!("process {process} read {}{key} {why} at {at}", short(value)),
        operations: vec![read.id],
        key: Some(read.key.clone()).filter(|key| !key.is_empty()),
        at_ns: Some(read.complete.ns),
        ..Anomaly::default()
    }
}

/// The elements of one key.
struct Set<'a> {
    elements: Vec<Element<'a>>,
    /// Ok reads, the last invoked first.
    reads: Vec<&'a Operation>,
    /// Reads that found an element twice or from nowhere; of each the first such element.
    impossible: Vec<(&'a Operation, &'a Value, &'static str)>,
}

impl<'a> Set<'a> {
    /// Why: going back from the last read, an element is in the streak as long as every read finds it;
    /// the first read that does not is the last that misses it. So each read is looked at once an
    /// element that it holds, and never for those it misses.
    fn of(operations: &[&'a Operation], initial: &'a Value) -> Self {
        let happened = || operations.iter().copied().filter(|one| one.outcome != Outcome::Fail);
        let mut numbers = FxHashMap::<&Value, u32>::default();
        let mut elements = Vec::<Element<'a>>::new();
        for add in happened().filter(|one| one.function == "add") {
            let next = elements.len() as u32;
            let number = *numbers.entry(&add.argument).or_insert(next);
            let known = add.is_ok().then_some(add.complete);
            match elements.get_mut(number as usize) {
                None => elements.push(Element {
                    add,
                    known,
                    streak: 0,
                    last_found: None,
                    last_missed: None,
                    removed: false,
                }),
                Some(element) => element.known = earlier(element.known, known),
            }
        }
        for remove in happened().filter(|one| one.function == "remove") {
            if let Some(number) = numbers.get(&remove.argument) {
                elements[*number as usize].removed = true;
            }
        }
        let reads = happened().filter(|one| one.is_ok() && one.function == "read");
        let mut reads: Vec<&Operation> = reads.collect();
        reads.reverse();
        let mut this = Self { elements, reads, impossible: Vec::new() };
        this.look_back(&numbers, initial.as_list().unwrap_or_default());
        this
    }

    fn look_back(&mut self, numbers: &FxHashMap<&Value, u32>, initial: &[Value]) {
        let mut seen_in = vec![usize::MAX; self.elements.len()];
        for (back, &read) in self.reads.iter().enumerate() {
            let found = read.result.as_list().unwrap_or_default();
            let mut wrong = None;
            for value in found {
                let Some(&number) = numbers.get(value) else {
                    if !initial.contains(value) {
                        wrong.get_or_insert((read, value, "which nobody added,"));
                    }
                    continue;
                };
                if std::mem::replace(&mut seen_in[number as usize], back) == back {
                    wrong.get_or_insert((read, value, "twice"));
                    continue;
                }
                let element = &mut self.elements[number as usize];
                element.last_found.get_or_insert(read);
                element.known = earlier(element.known, Some(read.complete));
                element.streak += usize::from(element.streak == back);
            }
            self.impossible.extend(wrong);
        }
        for element in &mut self.elements {
            element.last_missed = self.reads.get(element.streak).copied();
        }
    }
}

/// The earlier of two moments, of which either may be unknown.
fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::{History, Operation, Setting, Settings};

    use super::GUARANTEE;
    use crate::story::{Case, history};

    fn observed(history: &str) -> String {
        Case::new("set", history).judge(&GUARANTEE).observed.unwrap()
    }

    #[test]
    fn an_element_that_is_found_late_is_stable_and_was_stale() {
        let history = "p1 add  k 1 10..20
                       p2 read k - 30..40 []
                       p2 read k - 50..60 [1]";
        Case::new("set", history).accepted_by(&GUARANTEE);
        assert_eq!(observed(history), "1 stable, 0 lost, 0 never read; 1 were stale");
        let judgement = Case::new("set", history).judge(&GUARANTEE);
        assert_eq!(judgement.distribution("time until stable").unwrap().max, 10_000_000);
        let immediate = Settings::default().with("immediate", Setting::Flag(true));
        Case::new("set", history).settings(immediate).rejected_by(
            &GUARANTEE,
            "1 of k was known from 0.020 s on, but process 2, which began to read at 0.030 s, did not \
             find it, and it was found only later",
        );
    }

    #[test]
    fn an_element_that_the_last_reads_miss_is_lost() {
        Case::new(
            "set",
            "p1 add  k 1 10..?
             p2 read k - 30..40 [1]
             p2 read k - 50..60 []",
        )
        .rejected_by(
            &GUARANTEE,
            "1 of k was known from 0.040 s on, but process 2, which began to read at 0.050 s, did not \
             find it, and it was last found by process 2 at 0.040 s",
        );
        Case::new("set", "p1 add k 1 10..20\n p2 read k - 30..40").rejected_by(
            &GUARANTEE,
            "1 of k was known from 0.020 s on, but process 2, which began to read at 0.030 s, did not \
             find it, and it was never found",
        );
    }

    #[test]
    fn no_read_finds_an_element_twice_or_from_nowhere() {
        let rejected = |read: &str, why: &str| {
            let history = format!("p1 add k 1 10..20\n p2 read k - 30..40 {read}");
            Case::new("set", &history).rejected_by(&GUARANTEE, why);
        };
        rejected("[1,1]", "process 2 read 1 of k twice at 0.040 s");
        rejected("[1,7]", "process 2 read 7 of k which nobody added, at 0.040 s");
        rejected("[7]", "process 2 read 7 of k which nobody added, at 0.040 s");
    }

    #[test]
    fn without_reads_that_tell_nothing_can_be_said() {
        let history = "p1 add k 1 10..20\n p2 read k - 15..40";
        assert_eq!(observed(history), "0 stable, 0 lost, 1 never read; 0 were stale");
        Case::new("set", history).unknown_to(&GUARANTEE, "no read tells of any element");
    }

    /// The definition, word for word: counts of stable, lost, never read and stale elements.
    fn fates(history: &History) -> [u64; 4] {
        let reads: Vec<&Operation> =
            history.operations.iter().filter(|one| one.function == "read").collect();
        let adds = history.operations.iter().filter(|one| one.function == "add");
        let mut counts = [0; 4];
        for add in adds {
            let holds = |read: &&&Operation| read.result.as_list().unwrap().contains(&add.argument);
            let ok = add.is_ok().then_some(add.complete);
            let found: Vec<&&Operation> = reads.iter().filter(holds).collect();
            let known = found.iter().map(|read| read.complete).chain(ok).min();
            let missing: Vec<&&Operation> = reads.iter().filter(|read| !holds(read)).collect();
            let last = |reads: &[&&Operation]| reads.iter().map(|read| read.invoke).max();
            let (last_found, last_missed) = (last(&found), last(&missing));
            let stable = last_found.is_some() && last_missed < last_found;
            let known_before = known.is_some_and(|known| last_missed.is_some_and(|at| known < at));
            let lost = known_before && last_missed > last_found;
            counts[0] += u64::from(stable);
            counts[1] += u64::from(lost);
            counts[2] += u64::from(!stable && !lost);
            counts[3] += u64::from(stable && known_before);
        }
        counts
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

        #[test]
        fn going_back_once_finds_what_comparing_every_read_finds(
            adds in prop::collection::vec((0..40u64, 0..20u64, any::<bool>()), 1..5),
            reads in prop::collection::vec((0..60u64, 0..9u64, 0..16u8), 0..7),
        ) {
            let mut text = String::new();
            for (value, (begin, length, ok)) in (1..).zip(&adds) {
                let (end, outcome) = (begin + length + 1, if *ok { "" } else { "info" });
                text += &format!("p{value} add k {value} {begin}..{end} {outcome}\n");
            }
            for (process, (begin, length, held)) in (20..).zip(&reads) {
                let held = (1..=adds.len()).filter(|value| held >> (value - 1) & 1 == 1);
                let held: Vec<String> = held.map(|value| value.to_string()).collect();
                let (end, held) = (begin + length + 1, held.join(","));
                text += &format!("p{process} read k - {begin}..{end} [{held}]\n");
            }
            let [stable, lost, never, stale] = fates(&history(&text));
            let expected =
                format!("{stable} stable, {lost} lost, {never} never read; {stale} were stale");
            let judgement = Case::new("set", &text).judge(&GUARANTEE);
            let observed = judgement.observed.unwrap();
            prop_assert!(observed.starts_with(&expected), "{} {}", observed, text);
            prop_assert_eq!(!judgement.anomalies.is_empty(), lost > 0);
        }
    }
}
