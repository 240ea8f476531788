//! A scenario as an ordinary test.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use wrack_history::Run;
use wrack_reports::Links;
use wrack_runner::{Group, Standing, TraceLevel, parallel};
use wrack_scenario::{Expectation, Scenario, bring_in_openslo, read_openslo};

use crate::{Catalogue, Design, Guarantee, Model, Workload};

/// Seeds that are named of those that are not as expected.
const SEEDS_NAMED_MAX: usize = 10;
/// So many runs are held in memory at once.
const CHUNK: usize = 64;

/// A scenario that a test runs: see [`scenario`].
///
/// By default it runs the variant `reference` with seed 0, over what Wrack has.
#[derive(Clone)]
#[must_use = "nothing runs before `assert_ok`"]
pub struct Trial {
    path: String,
    catalogue: Catalogue,
    variant: String,
    seeds: Range<u64>,
}

/// The scenario in this file, as a test. The path is relative to the package, as tests run there.
///
/// ```no_run
/// # use wrack::{Cluster, Design, DesignInfo, Flow, FlowContext, NodeId, Wire};
/// # struct MyDesign;
/// # async fn my_node(cx: FlowContext<Wire<()>>) { cx.recv().await; }
/// # const INFO: DesignInfo = DesignInfo { name: "my-design", ..DesignInfo::BLANK };
/// # impl Design for MyDesign {
/// #     type Peer = ();
/// #     type Node = Flow<Wire<()>>;
/// #     const INFO: &'static DesignInfo = &INFO;
/// #     fn boot(_: &Cluster, _: NodeId) -> Self::Node { Flow::new(my_node) }
/// # }
/// #[test]
/// fn a_crash_loses_nothing() {
///     wrack::scenario("scenarios/node-crashes.toml").design::<MyDesign>().seeds(0..200).assert_ok();
/// }
/// ```
pub fn scenario(path: impl Into<String>) -> Trial {
    Trial {
        path: path.into(),
        catalogue: Catalogue::builtin(),
        variant: "reference".into(),
        seeds: 0..1,
    }
}

impl Trial {
    /// Over this catalogue: what `main` gives to the command line can be given here, too.
    pub fn catalogue(self, catalogue: Catalogue) -> Self {
        Self { catalogue, ..self }
    }

    /// Takes a design in: [`Catalogue::design`].
    pub fn design<D: Design>(self) -> Self {
        Self { catalogue: self.catalogue.design::<D>(), ..self }
    }

    /// Takes a service in: [`Catalogue::service`].
    #[cfg(feature = "service")]
    pub fn service<S: crate::Service>(self) -> Self {
        Self { catalogue: self.catalogue.service::<S>(), ..self }
    }

    /// Takes a workload in: [`Catalogue::workload`].
    pub fn workload(self, workload: &'static Workload) -> Self {
        Self { catalogue: self.catalogue.workload(workload), ..self }
    }

    /// Takes a sequential model in: [`Catalogue::model`].
    pub fn model<M: Model + Default + 'static>(self) -> Self {
        Self { catalogue: self.catalogue.model::<M>(), ..self }
    }

    /// Takes a guarantee in: [`Catalogue::guarantee`].
    pub fn guarantee(self, guarantee: &'static Guarantee) -> Self {
        Self { catalogue: self.catalogue.guarantee(guarantee), ..self }
    }

    /// This variant of the scenario.
    pub fn variant(self, name: impl Into<String>) -> Self {
        Self { variant: name.into(), ..self }
    }

    /// One seed.
    pub fn seed(self, seed: u64) -> Self {
        self.seeds(seed..seed + 1)
    }

    /// Seeds from the first up to, but without, the last. They run on all cores.
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds, ..self }
    }

    /// Runs every seed, and panics unless all is as the scenario expects of this variant: every run
    /// valid, or the expected anomaly found in its share of the seeds and no other.
    ///
    /// # Panics
    /// With the explanation of the first run that is not as expected and the command that replays it;
    /// also if the verdict is unknown, and if the scenario cannot be read.
    #[track_caller]
    pub fn assert_ok(self) {
        if let Err(told) = self.outcome() {
            panic!("{told}");
        }
    }

    /// What [`Trial::assert_ok`] would panic with, if it would.
    pub fn outcome(&self) -> Result<(), String> {
        let scenario = self.read()?;
        let variant = self.find(&scenario)?;
        if self.seeds.is_empty() {
            return Err(format!("{}: there is no seed to run", self.path));
        }
        let mut tally = Tally::new(Group::new(&scenario.name, variant));
        let design = self.catalogue.of(&scenario);
        let seeds: Vec<u64> = self.seeds.clone().collect();
        for chunk in seeds.chunks(CHUNK) {
            let run =
                |seed: &u64| wrack_runner::run(&scenario, design, variant, *seed, TraceLevel::Hash);
            parallel::map(chunk, run).into_iter().for_each(|run| tally.add(run));
        }
        tally.outcome(&self.path)
    }

    /// Every run, in the order of the seeds: for a test that looks at more than the verdict.
    ///
    /// # Panics
    /// If the scenario cannot be read.
    #[track_caller]
    pub fn runs(&self) -> Vec<Run> {
        let scenario = self.read().unwrap_or_else(|told| panic!("{told}"));
        let variant = self.find(&scenario).unwrap_or_else(|told| panic!("{told}"));
        let design = self.catalogue.of(&scenario);
        let seeds: Vec<u64> = self.seeds.clone().collect();
        let run =
            |seed: &u64| wrack_runner::run(&scenario, design, variant, *seed, TraceLevel::Hash);
        parallel::map(&seeds, run)
    }

    fn read(&self) -> Result<Scenario, String> {
        let names = self.catalogue.names();
        let text = bring_in_openslo(&text_of(&self.path)?, |file| {
            let path = Path::new(&self.path).with_file_name(file).display().to_string();
            let read = read_openslo(&path, &text_of(&path)?, &names);
            read.map_err(|diagnostics| format!("nothing was run\n{}", diagnostics.render(false)))
        })?;
        let read = wrack_scenario::read(&self.path, &text, &names);
        read.map_err(|diagnostics| format!("nothing was run\n{}", diagnostics.render(false)))
    }

    fn find<'a>(&self, scenario: &'a Scenario) -> Result<&'a Expectation, String> {
        let found = scenario.variants.iter().find(|variant| variant.variant == self.variant);
        found.ok_or_else(|| {
            let names: Vec<_> = scenario.variants.iter().map(|v| v.variant.as_str()).collect();
            let (path, variant, names) = (&self.path, &self.variant, names.join(", "));
            format!("{path} has no variant \"{variant}\": it has {names}")
        })
    }
}

fn text_of(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| {
        let here = std::env::current_dir().unwrap_or_default();
        format!("{path}: {error} (in {})", here.display())
    })
}

/// What many runs came to.
struct Tally {
    group: Group,
    /// The first run that is not as expected.
    first: Option<Run>,
    /// The first run of all.
    example: Option<Run>,
    /// Seeds that are not as expected.
    seeds: Vec<u64>,
}

impl Tally {
    fn new(group: Group) -> Self {
        Self { group, first: None, example: None, seeds: Vec::new() }
    }

    fn add(&mut self, run: Run) {
        if self.group.add(&run) != Standing::AsExpected {
            self.seeds.push(run.seed);
            self.first.get_or_insert(run);
        } else {
            self.example.get_or_insert(run);
        }
    }

    fn outcome(self, path: &str) -> Result<(), String> {
        let Group { variant, expected, found, seeds, standing, .. } = &self.group;
        if *standing == Standing::AsExpected {
            return Ok(());
        }
        let mut told = match self.seeds.len() {
            0 => format!("{path}: {variant} showed {expected} in {found} of {seeds} seeds only\n"),
            count => {
                let few = self.seeds.iter().take(SEEDS_NAMED_MAX).map(u64::to_string);
                let few = few.collect::<Vec<_>>().join(", ");
                let more = if count > SEEDS_NAMED_MAX { " …" } else { "" };
                format!(
                    "{path}: {variant}, expected {expected}: {count} of {seeds} seeds are not as \
                     expected: {few}{more}\n"
                )
            }
        };
        let run = self.first.or(self.example).expect("at least one seed ran");
        let replay = format!("cargo run -- {}", run.replay.trim_start_matches("wrack "));
        let links = Links { report: None, replay: Some(&replay) };
        write!(told, "\n{}", wrack_reports::human(&run, &links)).expect("writing to a string");
        Err(told)
    }
}
