//! A run written down as a scenario of its own: explicit operations, explicit faults, and what it shows.

use wrack_history::{Catalogue, Run, SmolStr};
use wrack_scenario::{Expectation, Follow, Scenario};

use crate::catalogue::DesignEntry;
use crate::execute::TraceLevel;
use crate::shrink::Goal;
use crate::{parallel, story};

/// A scenario that shows an anomaly with a seed, and its run.
pub struct Story<'a> {
    /// The scenario, with explicit operations.
    pub scenario: &'a Scenario,
    /// Its run.
    pub run: &'a Run,
    /// The anomaly's code.
    pub code: &'a SmolStr,
}

/// Where a story comes from.
pub struct Origin<'a> {
    /// The scenario that it was found with.
    pub scenario: &'a Scenario,
    /// Where the file will be.
    pub path: String,
    /// What was found.
    pub goal: &'a Goal,
    /// What the file is, as the beginning of a sentence.
    pub what: &'a str,
}

impl Story<'_> {
    /// The story in words.
    pub fn tell(&self) -> String {
        let shown = self.run.anomalies().find(|anomaly| anomaly.code == *self.code);
        story::tell(self.run, shown.expect("a story shows its anomaly"))
    }

    /// The command that runs the file at `path` so that it shows the anomaly.
    pub fn command(&self, path: impl std::fmt::Display) -> String {
        let Run { variant, seed, .. } = self.run;
        let seed = if *seed == 0 { String::new() } else { format!(" --seed {seed}") };
        format!("wrack run {path} --variant {variant}{seed}")
    }
}

/// So many seeds say in what share of seeds the anomaly is to be expected.
const SEEDS: u64 = 10;

/// The text of a file that tells the story, expects its anomaly of its variant, and that the reference
/// design holds in it, if it does.
pub fn file(
    story: &Story<'_>,
    design: &DesignEntry,
    catalogue: &Catalogue,
    origin: &Origin<'_>,
) -> String {
    let goal = origin.goal;
    let mut variants = vec![expectation(story, design, goal)];
    if let Some(reference) = reference(story, design) {
        variants.insert(0, reference);
    }
    let scenario = Scenario {
        title: format!("{} in {}: {}", goal.code, goal.variant, origin.scenario.title),
        story: story.tell(),
        variants,
        ..story.scenario.clone()
    };
    let mut remarks = story::remarks(&scenario, story.run);
    remarks.head = vec![
        format!("{} of {} in {} {}.", origin.what, goal.code, scenario.design, goal.variant),
        format!("Found with {}, seed {}.", origin.scenario.name, goal.seed),
        format!("Run it: {}", story.command(&origin.path)),
    ];
    wrack_scenario::write(&scenario, catalogue, &remarks)
}

/// What is expected of the variant: this anomaly, unless it is a good one, of which nothing but a valid
/// run can be expected.
fn expectation(story: &Story<'_>, design: &DesignEntry, goal: &Goal) -> Expectation {
    let given = &story.scenario.variants[0];
    let broken = design.info.variant(&goal.variant).is_some_and(|variant| variant.broken);
    if !broken && !story.scenario.beyond_model {
        return given.clone();
    }
    let mut follows = given.follows.clone();
    follows.retain(|follow| follow.code != goal.code);
    if let Some(code) = given.anomaly.clone().filter(|code| *code != goal.code) {
        follows.push(Follow { code, because: "it is what this variant is known for".into() });
    }
    let share_per_million = share(story, design);
    Expectation { anomaly: Some(goal.code.clone()), share_per_million, follows, ..given.clone() }
}

/// In every seed, if it is found in all that are tried; else in half of the share that is found.
fn share(story: &Story<'_>, design: &DesignEntry) -> u32 {
    let (scenario, variant) = (story.scenario, &story.scenario.variants[0]);
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let found = parallel::map(&seeds, |seed| {
        let run = crate::run(scenario, design, variant, *seed, TraceLevel::Hash);
        run.anomalies().any(|anomaly| anomaly.code == *story.code)
    });
    let found = found.into_iter().filter(|found| *found).count() as u64;
    let share = match found {
        SEEDS => 1_000_000,
        _ => (found * 1_000_000 / SEEDS / 2).max(10_000),
    };
    share as u32
}

/// The reference design beside a broken variant; nothing is wrong with a good one that it could show.
pub(crate) fn reference_of(design: &DesignEntry, variant: &Expectation) -> Option<Expectation> {
    let broken = design.info.variant(&variant.variant).is_some_and(|variant| variant.broken);
    let good = design.info.variants.first().filter(|first| broken && !first.broken)?;
    Some(Expectation {
        variant: good.name.into(),
        anomaly: None,
        share_per_million: 1_000_000,
        follows: Vec::new(),
        parameters: variant.parameters.clone(),
    })
}

/// The reference design in the same story, if its run is valid.
fn reference(story: &Story<'_>, design: &DesignEntry) -> Option<Expectation> {
    let reference = reference_of(design, &story.scenario.variants[0])?;
    let run = crate::run(story.scenario, design, &reference, story.run.seed, TraceLevel::Hash);
    (run.as_expected).then_some(reference)
}
