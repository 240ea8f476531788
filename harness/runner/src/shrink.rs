//! Shrinking: the smallest story that still shows the same anomaly.
//!
//! A `Shrinker` holds the best scenario so far and tries others that say less: fewer faults, operations,
//! clients, keys and nodes, and less time. Each candidate is written as a file, read again and run, so
//! that whatever is best is a scenario that anybody can run. Candidates come in rounds, in which the first
//! that shows the anomaly wins: how many run at once does not matter.
//!
//! An anomaly must not turn into another one of the same name: in a run that ends too soon everybody
//! misses what was under way. So the reference design must hold its promises in the story of a broken
//! variant, as it did in the scenario; where there is nobody to compare with, the quiet period stays as
//! long as it was.

mod faults;
mod loosen;
mod members;
mod minimize;
mod operations;
mod quick;
mod timing;

use std::collections::BTreeSet;

use wrack_history::duration::MILLISECOND;
use wrack_history::{Anomaly, Catalogue, Run, SmolStr, Verdict};
use wrack_scenario::{Expectation, Minimum, Remarks, Scenario};

use crate::catalogue::DesignEntry;
use crate::execute::TraceLevel;
use crate::regression::{self, Story};
use crate::{parallel, resolve};

pub use minimize::minimize;

/// The anomaly that must not get lost.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The variant that shows it.
    pub variant: SmolStr,
    /// The seed that showed it.
    pub seed: u64,
    /// Its code.
    pub code: SmolStr,
}

/// How long the search may go on.
pub struct Budget<'a> {
    /// At most so many candidates are tried.
    pub runs_max: u64,
    /// Whether the time is over: then the best so far is what is found.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
}

/// How large a story is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Operations in its history, the final reads among them.
    pub operations: usize,
    /// Faults that were injected.
    pub faults: usize,
    /// Nodes of the design.
    pub nodes: usize,
    /// Clients, idle or not.
    pub clients: u32,
    /// Virtual nanoseconds until clients stop asking.
    pub lasts_ns: u64,
}

/// What was found.
pub struct Shrunk {
    /// The anomaly's code.
    pub code: SmolStr,
    /// The smallest scenario.
    pub scenario: Scenario,
    /// Its run.
    pub run: Run,
    /// How large the story was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Candidates that were tried.
    pub runs: u64,
    /// Whether the search came to its end, within budget.
    pub finished: bool,
}

/// Makes the story of an anomaly smaller, from a scenario and seed that show it; `None` if they do not.
pub fn shrink(
    scenario: &Scenario,
    design: &DesignEntry,
    catalogue: &Catalogue,
    goal: &Goal,
    budget: &Budget<'_>,
) -> Option<Shrunk> {
    let mut shrinker = Shrinker::of(scenario, design, catalogue, goal, budget)?;
    let written = shrinker.best.clone();
    shrinker.begin(&written).then_some(())?;
    shrinker.search();
    Some(shrinker.finish())
}

/// The run itself as a scenario with explicit operations and faults, nothing left out; `None` if the
/// scenario and seed do not show the anomaly.
pub fn write_down(
    scenario: &Scenario,
    design: &DesignEntry,
    catalogue: &Catalogue,
    goal: &Goal,
    budget: &Budget<'_>,
) -> Option<Shrunk> {
    let mut shrinker = Shrinker::of(scenario, design, catalogue, goal, budget)?;
    shrinker.best.minimum = scenario.minimum;
    shrinker.best.slos.clone_from(&scenario.slos);
    let faults = resolve::faults(&shrinker.best, &shrinker.run);
    let resolved = Scenario { faults, ..shrinker.best.clone() };
    let begun = shrinker.begin(&resolved) || {
        // A fault that must come at the very instant of a fact has no other time.
        let waiting = shrinker.best.clone();
        shrinker.begin(&waiting) && {
            shrinker.named_targets();
            true
        }
    };
    begun.then(|| shrinker.finish())
}

/// The scenario with the operations of its run in place of those that it draws, every occurrence of a
/// fault by itself, and no more said than matters for this variant.
fn explicit(scenario: &Scenario, variant: &Expectation, run: &Run) -> Scenario {
    Scenario {
        operations: Some(resolve::operations(scenario, run)),
        faults: resolve::occurrences(scenario),
        variants: vec![variant.clone()],
        slos: Vec::new(),
        minimum: Minimum { ok_operations: 0, reads: 0, overlapping_pairs: 0, open_in_fault: 0 },
        ..scenario.clone()
    }
}

/// The reference design beside a variant that is another, if it does nothing wrong in the scenario.
fn reference(
    scenario: &Scenario,
    design: &DesignEntry,
    variant: &Expectation,
    seed: u64,
) -> Option<Expectation> {
    let reference = regression::reference_of(design, variant)?;
    let run = crate::run(scenario, design, &reference, seed, TraceLevel::Hash);
    (run.verdict != Verdict::Invalid).then_some(reference)
}

/// Searches for a smaller story.
struct Shrinker<'a> {
    design: &'a DesignEntry,
    catalogue: &'a Catalogue,
    goal: Goal,
    /// Anomalies that were foreign from the beginning.
    foreign: BTreeSet<SmolStr>,
    budget: &'a Budget<'a>,
    /// How large the story was.
    before: Size,
    /// The design without the fault that the variant has, if it can be compared with.
    reference: Option<Expectation>,
    best: Scenario,
    /// The run of the best.
    run: Run,
    runs: u64,
}

/// So many times everything is tried again at most, as long as that helps.
const ROUNDS_MAX: usize = 8;

/// Operations are first left out in so many parts at most.
const PARTS_FIRST: usize = 32;

impl<'a> Shrinker<'a> {
    /// At the beginning, with the run as it was; `None` if it does not show the anomaly.
    fn of(
        scenario: &Scenario,
        design: &'a DesignEntry,
        catalogue: &'a Catalogue,
        goal: &Goal,
        budget: &'a Budget<'a>,
    ) -> Option<Self> {
        let variant = scenario.variants.iter().find(|variant| variant.variant == goal.variant)?;
        let run = crate::run(scenario, design, variant, goal.seed, TraceLevel::Events);
        run.anomalies().find(|anomaly| anomaly.code == goal.code)?;
        Some(Self {
            design,
            catalogue,
            goal: goal.clone(),
            foreign: run.foreign.iter().cloned().collect(),
            budget,
            reference: reference(scenario, design, variant, goal.seed),
            best: explicit(scenario, variant, &run),
            before: Size::of(scenario, &run),
            run,
            runs: 0,
        })
    }

    fn finish(self) -> Shrunk {
        let finished = !self.is_over();
        let after = Size::of(&self.best, &self.run);
        let Self { goal, best, run, runs, before, .. } = self;
        Shrunk { code: goal.code, scenario: best, run, before, after, runs, finished }
    }

    /// Runs what was written down. With seed 0, if that shows it: whoever runs the file gives no seed.
    fn begin(&mut self, written: &Scenario) -> bool {
        let seed = self.goal.seed;
        let seeds = BTreeSet::from([0, seed]);
        seeds.into_iter().any(|seed| {
            self.goal.seed = seed;
            self.first([written.clone()]).is_some()
        })
    }

    fn search(&mut self) {
        self.forget_the_rest();
        self.loosen(loosen::DRAWS_FIRST);
        // Of many operations only larger parts are left out before other ways were tried.
        for parts_max in [PARTS_FIRST, usize::MAX] {
            self.reduce(parts_max);
            for _ in 0..ROUNDS_MAX {
                if !self.loosen(loosen::DRAWS) {
                    break;
                }
                self.reduce(parts_max);
            }
        }
        self.named_targets();
        self.fewer_faults_elsewhere();
        self.reduce(usize::MAX);
        self.plainer_faults();
        self.plainer_operations();
        self.plainer_values();
        self.rounder_times();
        self.seed_of_nobody();
        self.valid_reference();
    }

    /// Everything that leaves something out, as long as that helps.
    fn reduce(&mut self, parts_max: usize) {
        let rounds = if parts_max == PARTS_FIRST { 1 } else { ROUNDS_MAX };
        for _ in 0..rounds {
            let before = Size::of(&self.best, &self.run);
            self.fewer_faults();
            self.fewer_operations(parts_max);
            self.fewer_members();
            self.less_time();
            if self.is_over() || Size::of(&self.best, &self.run) >= before {
                break;
            }
        }
    }

    /// A smaller story may need no particular seed any more.
    fn seed_of_nobody(&mut self) {
        let (seed, best) = (self.goal.seed, self.best.clone());
        self.goal.seed = 0;
        if seed != 0 && self.first([best]).is_none() {
            self.goal.seed = seed;
        }
    }

    fn is_over(&self) -> bool {
        self.runs >= self.budget.runs_max || (self.budget.is_over)()
    }

    /// The anomaly of the best run.
    fn anomaly(&self) -> &Anomaly {
        let same = |anomaly: &&Anomaly| anomaly.code == self.goal.code;
        self.run.anomalies().find(same).expect("the best shows the anomaly")
    }

    /// Tries candidates in their order; the first that shows the anomaly becomes the best.
    fn first(&mut self, candidates: impl IntoIterator<Item = Scenario>) -> Option<usize> {
        let mut candidates = candidates.into_iter();
        let mut place = 0;
        while !self.is_over() {
            let left = usize::try_from(self.budget.runs_max - self.runs).unwrap_or(usize::MAX);
            let count = parallel::threads().min(left);
            let batch: Vec<Scenario> = candidates.by_ref().take(count).collect();
            if batch.is_empty() {
                break;
            }
            let runs = parallel::map(&batch, |candidate| self.attempt(candidate));
            let length = runs.len();
            if let Some(winner) = runs.iter().position(Option::is_some) {
                self.runs += winner as u64 + 1;
                let found = runs.into_iter().nth(winner).flatten();
                (self.best, self.run) = found.expect("the winner shows the anomaly");
                return Some(place + winner);
            }
            self.runs += length as u64;
            place += length;
        }
        None
    }

    /// Runs a candidate as the file that it would be; `None` if it does not show the anomaly, or a new
    /// one beside it.
    fn attempt(&self, candidate: &Scenario) -> Option<(Scenario, Run)> {
        let text = wrack_scenario::write(candidate, self.catalogue, &Remarks::default());
        let read = wrack_scenario::read(&candidate.path, &text, self.catalogue).ok()?;
        let variant = &read.variants[0];
        let run = crate::run(&read, self.design, variant, self.goal.seed, TraceLevel::Hash);
        let shows = run.anomalies().any(|anomaly| anomaly.code == self.goal.code);
        let foreign = run.foreign.iter().any(|code| !self.foreign.contains(code));
        (shows && !foreign && self.is_of_the_variant(&read)).then_some((read, run))
    }
}

impl Shrinker<'_> {
    /// Whether the reference design, if there is one to compare with, does nothing wrong here.
    fn is_of_the_variant(&self, scenario: &Scenario) -> bool {
        self.reference.as_ref().is_none_or(|reference| {
            let run = crate::run_until_found(scenario, self.design, reference, self.goal.seed);
            run.verdict != Verdict::Invalid
        })
    }

    /// The quiet period is at least so long.
    fn quiet_min_ns(&self) -> u64 {
        match self.reference {
            Some(_) => MILLISECOND,
            None => self.best.phases.quiet_ns,
        }
    }

    /// With the final reads the reference design may be seen to hold, rather than not to do wrong.
    fn valid_reference(&mut self) {
        let valid = |scenario: &Scenario, shrinker: &Self| {
            shrinker.reference.as_ref().is_some_and(|reference| {
                let seed = shrinker.goal.seed;
                crate::run(scenario, shrinker.design, reference, seed, TraceLevel::Hash).as_expected
            })
        };
        let with = Scenario { final_reads: true, ..self.best.clone() };
        if !self.best.final_reads && !valid(&self.best, self) && valid(&with, self) {
            self.first([with]);
        }
    }
}

impl Shrunk {
    /// The story that is left.
    pub fn story(&self) -> Story<'_> {
        Story { scenario: &self.scenario, run: &self.run, code: &self.code }
    }
}

impl Size {
    /// Of a scenario and its run.
    pub fn of(scenario: &Scenario, run: &Run) -> Self {
        let injected = run.faults.iter().filter(|fault| fault.injected_ns.is_some());
        Self {
            operations: run.history.operations.len(),
            faults: injected.count(),
            nodes: scenario.nodes.len(),
            clients: scenario.workload.clients,
            lasts_ns: scenario.phases.faults_ns + scenario.phases.quiet_ns,
        }
    }
}
