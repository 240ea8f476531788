//! `wrack sweep`: many seeds on all cores, written down as they come.

use std::io::{IsTerminal, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wrack_history::swarm::FAMILIES;
use wrack_runner::TraceLevel;
use wrack_runner::swarm::{self, Coverage};
use wrack_runner::sweep::{Record, Tally};
use wrack_runner::{parallel, picture};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files, limit_jobs, now, run};
use crate::Catalogue;
use crate::cli::{self, Format};
use crate::exit::{Exit, Failure};
use crate::results;
use crate::sweeps::{self, Log, Order, Plan, PlannedGroup};

/// So many runs at first, and at most, between two looks at the time; fewer where they take long.
const CHUNK_FIRST: usize = 16;
const CHUNK_MAX: usize = 256;
/// A chunk takes about so long.
const CHUNK_TIME: Duration = Duration::from_millis(250);

/// Whether somebody wants it to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Runs every seed of every group that is not written down yet, and says what all of them showed.
pub fn sweep(designs: &Catalogue, options: &cli::Sweep) -> Result<Exit, Failure> {
    limit_jobs(options.jobs)?;
    let designs = &carried_by(designs, options.on.engine)?;
    let scenarios = files::scenarios(&options.paths, &designs.names())?;
    let groups = run::groups(&scenarios, &options.variant)?;
    if options.guided {
        verify_guided(&groups, options)?;
    }
    let plan = plan(designs, &groups, options);
    let mut log = Log::open(&options.out, &plan, options.resume)?;
    let mut tallies = plan.tallies();
    let order = |scenario| {
        let design = designs.of(scenario).info;
        plan.order(move |seed| swarm::draws(scenario, design, seed))
    };
    let mut orders: Vec<Order<'_>> = groups.iter().map(|(scenario, _)| order(*scenario)).collect();
    log.replay(&plan, &mut tallies, &mut orders)?;
    let watch = Watch::new(options);
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::file("the handler of interrupts", error))?;

    let turn =
        |(group, order)| Turn { group, chunk: CHUNK_FIRST, stop_early: options.stop_early, order };
    let mut turns: Vec<Turn<'_>> = groups.iter().zip(orders).map(turn).collect();
    // With a limit of time the groups take turns, and each has one at least; without, one comes after
    // the other.
    let (mut first_round, mut left) = (true, true);
    while left {
        left = false;
        for (place, turn) in turns.iter_mut().enumerate() {
            while !is_interrupted()
                && (first_round || !watch.is_over())
                && turn.go_on(designs, place as u32, &mut log, &mut tallies[place])?
            {
                left = true;
                watch.tell(turn.group.0, &tallies, plan.runs());
                if watch.limit.is_some() {
                    break;
                }
            }
        }
        first_round = false;
    }
    watch.clear();
    let exit = sweeps::finish(&options.out, &plan, &tallies, options.format == Format::Json)?;
    Ok(if is_interrupted() { Exit::Interrupted } else { exit })
}

/// A guided sweep needs what it is guided by.
fn verify_guided(
    groups: &[(&Scenario, &Expectation)],
    options: &cli::Sweep,
) -> Result<(), Failure> {
    let without: Vec<&str> = groups
        .iter()
        .filter(|(scenario, _)| scenario.swarm.is_none())
        .map(|(scenario, _)| scenario.name.as_str())
        .collect();
    if !without.is_empty() {
        let names = without.join(", ");
        return Err(Failure::usage(format!(
            "--guided follows what a [swarm] draws, and there is none in {names}"
        )));
    }
    if options.seeds.as_ref().is_some_and(|seeds| seeds.end > FAMILIES) {
        return Err(Failure::usage(format!(
            "--guided takes seeds up to {FAMILIES}: greater ones are relatives of these"
        )));
    }
    Ok(())
}

fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

fn plan(designs: &Catalogue, groups: &[(&Scenario, &Expectation)], options: &cli::Sweep) -> Plan {
    let coverage = |scenario: &Scenario| {
        let design = designs.of(scenario);
        Coverage::of(scenario, design.info)
    };
    let group = |(scenario, variant): &(&Scenario, &Expectation)| PlannedGroup {
        coverage: coverage(scenario),
        scenario: scenario.name.clone(),
        scenario_hash: scenario.hash.clone(),
        variant: variant.variant.to_string(),
        expected: variant.expected().into(),
        share_per_million: variant.share_per_million,
        follows: variant.follows.iter().map(|follow| follow.code.clone()).collect(),
    };
    // A limit of time without seeds means: as many as there is time for.
    let endless = options.time_limit.is_some().then_some(0..cli::SEED_END);
    let seeds = options.seeds.clone().or(endless).unwrap_or(0..1_000);
    let groups = groups.iter().map(group).collect();
    Plan::new(options.on.engine.name, groups, seeds, options.shard)
        .stopping_early(options.stop_early)
        .guided(options.guided)
}

/// A group whose turn comes again and again.
struct Turn<'a> {
    group: &'a (&'a Scenario, &'a Expectation),
    /// So many seeds come next.
    chunk: usize,
    /// Whether a run may end as soon as it shows what is looked for.
    stop_early: bool,
    order: Order<'a>,
}

impl Turn<'_> {
    /// Runs the next seeds; `false` if none are left.
    fn go_on(
        &mut self,
        designs: &Catalogue,
        number: u32,
        log: &mut Log,
        tally: &mut Tally,
    ) -> Result<bool, Failure> {
        let (scenario, variant) = *self.group;
        let design = designs.of(scenario);
        let seeds = self.order.next(self.chunk);
        let began = now();
        // A run is kept whole only if it may be the first of its kind.
        let whole = |seed| wrack_runner::run(scenario, design, variant, seed, TraceLevel::Hash);
        let runs = parallel::map(&seeds, |seed| {
            let run = match self.stop_early {
                true => wrack_runner::run_until_found(scenario, design, variant, *seed),
                false => whole(*seed),
            };
            let record = Record::new(number, &run, scenario.swarm.is_some());
            let is_new = record.signatures.iter().any(|signature| !tally.knows(signature));
            (record, is_new.then(|| Box::new(run)))
        });
        for (record, run) in runs {
            let is_first = record.signatures.iter().any(|signature| !tally.knows(signature));
            if let Some(mut run) = run.filter(|_| is_first) {
                if self.stop_early {
                    *run = whole(record.seed);
                }
                run.picture = picture::of(&run, scenario, design, variant);
                results::write(&run, &log.folder.join(results::folder_of(&run)))?;
            }
            log.add(&record)?;
            tally.add(&record);
            self.order.learn(&record);
        }
        log.flush()?;
        self.chunk = match began.elapsed() < CHUNK_TIME {
            true => (2 * self.chunk).min(CHUNK_MAX),
            false => (self.chunk / 2).max(parallel::threads()),
        };
        Ok(!seeds.is_empty())
    }
}

/// Looks at the clock, and tells how far it is.
struct Watch {
    began: Instant,
    limit: Option<Duration>,
    told: std::cell::Cell<Option<Instant>>,
    first: std::cell::Cell<Option<u64>>,
}

impl Watch {
    fn new(options: &cli::Sweep) -> Self {
        let (told, first) = Default::default();
        Self { began: now(), limit: options.time_limit, told, first }
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.began.elapsed() >= limit)
    }

    /// Tells how far it is, once a second on a terminal and every ten seconds elsewhere.
    fn tell(&self, scenario: &Scenario, tallies: &[Tally], all: u64) {
        let terminal = std::io::stderr().is_terminal();
        let pause = Duration::from_secs(if terminal { 1 } else { 10 });
        let runs: u64 = tallies.iter().map(Tally::seeds).sum();
        let first = self.first.get().unwrap_or(runs);
        self.first.set(Some(first));
        let told = self.told.get().unwrap_or(self.began);
        if told.elapsed() < pause {
            return;
        }
        self.told.set(Some(now()));
        let rate = (runs - first) as f64 / self.began.elapsed().as_secs_f64();
        let left = match self.limit {
            Some(limit) => limit.saturating_sub(self.began.elapsed()).as_secs(),
            None => ((all - runs) as f64 / rate.max(0.001)) as u64,
        };
        let failures: usize = tallies.iter().map(Tally::failures).sum();
        let name = &scenario.name;
        let of = if self.limit.is_some() { String::new() } else { format!(" of {all}") };
        let line =
            format!("{runs}{of} runs, {rate:.0}/s, {left} s left, {failures} failures: {name}");
        let _ = match terminal {
            true => write!(std::io::stderr(), "\r{line}\x1b[K"),
            false => writeln!(std::io::stderr(), "{line}"),
        };
    }

    /// Leaves the terminal as it was.
    fn clear(&self) {
        if self.told.get().is_some() && std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
