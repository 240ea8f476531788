//! Ending a run as soon as it shows what is looked for.
//!
//! Whoever asks many runs only whether they show an anomaly need not wait for their ends. Between two
//! stretches of a run the operations that came in go to the online form of the checker
//! ([`wrack_checkers::online`]); when that finds something, the run is over, and the checker of whole
//! histories judges what there is. Linearizability is closed under prefixes, so a run that ends early is
//! invalid iff the whole of it is; other guarantees are not looked for.
//!
//! Nothing else changes: a run that shows nothing is the same run, event for event.

use wrack_checkers::online::{Online, online};
use wrack_history::{History, Moment, Operation, Outcome, Settings, Value};

/// The guarantee that runs may end early for.
pub(crate) const CODE: &str = "LIN";
/// So often it is looked, in virtual nanoseconds.
pub(crate) const LOOK_EVERY_NS: u64 = 100_000_000;

/// Looks at operations as they come in.
pub(crate) struct Early {
    checker: Box<dyn Online + Send>,
    /// Operations that were seen, and of these the places of those that are open.
    seen: usize,
    open: Vec<usize>,
}

impl Early {
    /// If anything can be said of this model while a run goes on.
    pub fn of(model: &str, initial: &Value) -> Option<Self> {
        let checker = online(CODE, model, initial, &Settings::default())?;
        Some(Self { checker, seen: 0, open: Vec::new() })
    }

    /// Takes what came since the last look; whether there is an anomaly.
    pub fn finds(&mut self, history: &History) -> bool {
        let operations = &history.operations;
        let new = self.seen..operations.len();
        self.seen = operations.len();
        let invoked = |place: usize| (operations[place].invoke.index, false, place);
        let mut events: Vec<(u64, bool, usize)> = new.clone().map(invoked).collect();
        self.open.extend(new);
        self.open.retain(|&place| {
            let complete = operations[place].complete;
            if complete != Moment::NEVER {
                events.push((complete.index, true, place));
            }
            complete == Moment::NEVER
        });
        events.sort_unstable();
        events.into_iter().any(|(_, completes, place)| match completes {
            false => {
                self.checker.invoke(&as_invoked(&operations[place]));
                false
            }
            true => self.checker.complete(&operations[place]).is_some(),
        })
    }
}

/// An operation may be over by the time that it is looked at.
fn as_invoked(operation: &Operation) -> Operation {
    let (result, outcome, complete) = (Value::Nil, Outcome::Info, Moment::NEVER);
    Operation { result, outcome, complete, details: None, ..operation.clone() }
}

#[cfg(test)]
mod tests {
    use wrack_history::Verdict;

    use crate::{Catalogue, TraceLevel, run, run_until_found};

    const ISOLATED: &str = include_str!("../../../scenarios/raft/leader-isolated.toml");

    #[test]
    fn a_run_that_ends_early_has_the_verdict_of_the_whole_and_others_are_the_whole() {
        let catalogue = Catalogue::builtin();
        let scenario = wrack_scenario::read("t.toml", ISOLATED, &catalogue.names()).unwrap();
        let design = catalogue.of(&scenario);
        let (mut early, mut whole) = (0, 0);
        for variant in &scenario.variants {
            for seed in 0..3 {
                let all = run(&scenario, design, variant, seed, TraceLevel::Hash);
                let found = run_until_found(&scenario, design, variant, seed);
                if found.phases.end_ns == all.phases.end_ns {
                    assert!(found == all, "seed {seed}");
                    whole += 1;
                    continue;
                }
                early += 1;
                assert_eq!((found.verdict, all.verdict), (Verdict::Invalid, Verdict::Invalid));
                assert_eq!((found.found(), all.found()), (true, true), "seed {seed}");
                assert!(found.phases.end_ns < all.phases.end_ns);
                let upto = &all.history.operations[..found.history.operations.len()];
                let same = found.history.operations.iter().zip(upto);
                assert!(same.clone().all(|(one, other)| one.invoke == other.invoke), "seed {seed}");
                let codes = found.judgements.iter().map(|judgement| judgement.code.as_str());
                assert_eq!(codes.collect::<Vec<_>>(), ["LIN"]);
            }
        }
        assert!(early == 3 && whole == 3, "{early} {whole}");
    }
}
