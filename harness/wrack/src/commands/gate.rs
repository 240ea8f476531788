//! `wrack gate`: everything runs, some of it twice, and what may pass is decided.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use wrack_gate::{Baseline, Known, METRICS, Observed, Tally, decide};
use wrack_history::gate::{Class, Gate, Level};
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::{Group, Standing, TraceLevel, engines, metrics, parallel};
use wrack_scenario::{Date, Expectation, Policy, Scenario, read_policy};

use super::determinism::{self, Case};
use super::{carried_by, files, limit_jobs, must_repeat, run};
use crate::Catalogue;
use crate::cli::{self, Format};
use crate::exit::{Exit, Failure};
use crate::output::{print, read_text, write_file};
use crate::results;

/// So many runs are held in memory at once.
const CHUNK: usize = 64;
/// Scenarios of this folder are kept regressions.
const REGRESSIONS: &str = "regressions/";

/// Runs every variant of every scenario, decides, and writes what CI systems read.
pub fn gate(designs: &Catalogue, options: &cli::Gate) -> Result<Exit, Failure> {
    limit_jobs(options.jobs)?;
    let policy = options.policy.as_deref().map(policy).transpose()?.unwrap_or_default();
    let baseline = options.baseline.as_deref().map(baseline).transpose()?;
    must_repeat(options.on.engine)?;
    let designs = &carried_by(designs, options.on.engine)?;
    let files = files::find_all(&options.paths)?;
    let mut scenarios = files::read(files, &designs.names())?;
    distinct(&scenarios)?;
    scenarios.sort_by_key(|scenario| !scenario.name.starts_with(REGRESSIONS));
    let seeds = options.seeds.clone().unwrap_or(policy.seeds.clone());
    let mut watched = Vec::new();
    for (scenario, variant) in run::groups(&scenarios, "all")? {
        let design = designs.of(scenario);
        let twice = policy.twice.min(seeds.end - seeds.start) as usize;
        watched.push(watch((scenario, variant, design), seeds.clone(), twice, &options.out)?);
    }
    let observed = compare(watched, options, &seeds)?;
    let today = options.today.unwrap_or_else(today);
    let seeds = (seeds.start, seeds.end);
    let known = Known { policy: &policy, baseline: baseline.as_ref(), seeds, today };
    let gate = decide(&known, &observed);
    write(&gate, &options.out)?;
    match options.format {
        Format::Human => print(wrack_reports::gate_human(&gate))?,
        Format::Json => print(json(&gate))?,
    }
    if let Some(path) = &options.write_baseline {
        write_baseline(path, &gate, &Baseline::after(&known, &observed))?;
    }
    Ok(match gate.level {
        Level::Note | Level::Warning => Exit::AsExpected,
        Level::Unknown => Exit::Unknown,
        Level::Regression => Exit::Regression,
        Level::Failure => Exit::NotAsExpected,
    })
}

fn policy(path: &Path) -> Result<Policy, Failure> {
    let known: Vec<_> = METRICS.iter().chain(metrics::ALL).copied().collect();
    read_policy(&path.display().to_string(), &read_text(path)?, &known).map_err(|diagnostics| {
        anstream::eprintln!("{}", diagnostics.render(true));
        let count = diagnostics.len();
        let mistakes = if count == 1 { "mistake" } else { "mistakes" };
        Failure::input(format!("{count} {mistakes} in the policy: nothing was run"))
    })
}

fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = read_text(path)?;
    Baseline::read(&text).map_err(|error| Failure::input(format!("{}:{error}", path.display())))
}

/// A group has a name of its own, or a baseline could not tell which is which.
fn distinct(scenarios: &[Scenario]) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    match scenarios.iter().find(|scenario| !names.insert(&scenario.name)) {
        Some(scenario) => Err(Failure::input(format!(
            "{}: another scenario is named {} already",
            scenario.path, scenario.name
        ))),
        None => Ok(()),
    }
}

/// A group that ran.
struct Watched<'a> {
    case: Case<'a>,
    group: Group,
    tally: Tally,
    /// What the second run of the first seeds must agree on.
    digests: Vec<(u64, String)>,
}

/// Runs all seeds of a group.
fn watch<'a>(
    case: Case<'a>,
    seeds: Range<u64>,
    twice: usize,
    out: &Path,
) -> Result<Watched<'a>, Failure> {
    let (scenario, variant, design): (&Scenario, &Expectation, &DesignEntry) = case;
    let mut group = Group::new(&scenario.name, variant);
    let mut tally = Tally::new(scenario, variant);
    let mut digests = Vec::new();
    let seeds: Vec<u64> = seeds.collect();
    for chunk in seeds.chunks(CHUNK) {
        let runs = parallel::map(chunk, |seed| {
            wrack_runner::run(scenario, design, variant, *seed, TraceLevel::Hash)
        });
        for mut run in runs {
            group.add(&run);
            if tally.add(&run) {
                run.picture = wrack_runner::picture::of(&run, scenario, design, variant);
                results::write(&run, &out.join(results::folder_of(&run)))?;
            }
            if digests.len() < twice {
                digests.push((run.seed, determinism::digests(run)));
            }
        }
    }
    Ok(Watched { case, group, tally, digests })
}

/// Runs the first seeds a second time, in a fresh process elsewhere, and sums every group up.
fn compare(
    mut watched: Vec<Watched<'_>>,
    options: &cli::Gate,
    seeds: &Range<u64>,
) -> Result<Vec<Observed>, Failure> {
    let twice = watched.iter().map(|one| one.digests.len()).max().unwrap_or(0);
    for (index, seed) in seeds.clone().take(twice).enumerate() {
        let there = determinism::second_process(&options.paths, seed, None, options.on.engine)?;
        let there: BTreeSet<&str> = there.lines().collect();
        for Watched { case, tally, digests, .. } in &mut watched {
            let (seed, here) = &digests[index];
            if there.contains(here.trim_end()) {
                continue;
            }
            let (scenario, variant, _) = *case;
            let text = format!(
                "the same seed gave two different runs:\n{}",
                determinism::first_difference(case, *seed)?
            );
            let replay = format!(
                "wrack verify-determinism {} --seed {seed}{}",
                scenario.path,
                engines::flag(options.on.engine)
            );
            tally.differs(*seed, format!("{} {text}", variant.variant), replay);
        }
    }
    let finish = |Watched { group, mut tally, digests, .. }: Watched<'_>| {
        tally.ran_twice(digests.len() as u64);
        let share = match group.share_standing() {
            Standing::AsExpected => Level::Note,
            Standing::Unknown => Level::Unknown,
            Standing::NotAsExpected => Level::Failure,
        };
        tally.finish(group.found, share, group.pooled)
    };
    Ok(watched.into_iter().map(finish).collect())
}

/// Every report of the gate.
fn write(gate: &Gate, out: &Path) -> Result<(), Failure> {
    let reports = [
        ("gate.json", json(gate)),
        ("junit.xml", wrack_reports::gate_junit(gate)),
        ("wrack.sarif", wrack_reports::gate_sarif(gate)),
        ("annotations.txt", wrack_reports::gate_annotations(gate)),
        ("summary.md", wrack_reports::gate_markdown(gate)),
        ("gl-code-quality.json", wrack_reports::gate_code_quality(gate)),
    ];
    for (name, text) in reports {
        write_file(&out.join(name), |to| to.write_all(text.as_bytes()))?;
    }
    Ok(())
}

fn json(gate: &Gate) -> String {
    serde_json::to_string_pretty(gate).expect("a gate is plain data") + "\n"
}

/// Writes the baseline, unless it would hold what nobody knows.
fn write_baseline(path: &Path, gate: &Gate, baseline: &Baseline) -> Result<(), Failure> {
    let says_nothing = |class| matches!(class, Class::Unknown | Class::Nondeterminism);
    // That a group of the old baseline is gone is what a new one is written for.
    let mut findings = gate.cases.iter().flat_map(|case| &case.findings);
    if gate.cases.is_empty() || findings.any(|finding| says_nothing(finding.class)) {
        let shown = path.display();
        anstream::eprintln!("{shown} was not written: what is unknown is no baseline");
        return Ok(());
    }
    write_file(path, |to| to.write_all(baseline.write().as_bytes()))
}

/// The day in Greenwich, for allowances that end.
#[expect(clippy::disallowed_methods, reason = "allowances end in real time; no run sees it")]
fn today() -> Date {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    date(since.map_or(0, |since| since.as_secs() / 86_400))
}

/// The date of a day since 1970-01-01.
///
/// Source: Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in
/// March, so that the leap day is the last.
fn date(days: u64) -> Date {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, more) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Date { year: (era * 400 + year + more) as u16, month: month as u8, day: day as u8 }
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_their_dates() {
        let check = |days, expected: &str| assert_eq!(date(days).to_string(), expected);
        check(0, "1970-01-01");
        check(11_016, "2000-02-29");
        check(20_777, "2026-11-20");
        check(47_540, "2100-02-28");
        check(47_541, "2100-03-01");
    }
}
