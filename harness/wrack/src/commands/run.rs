//! `wrack run`: scenarios over seeds and variants, judged, written and told.

use std::fmt::Write as _;
use std::path::PathBuf;

use wrack_history::Run;
use wrack_reports::Links;
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::{Group, GroupSummary, Standing, TraceLevel, parallel};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files};
use crate::Catalogue;
use crate::cli::{self, Format, Keep};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::results::{self, RunSummary, Summary};

/// So many runs are held in memory at once.
const CHUNK: usize = 64;
/// At most so many runs that are not as expected are kept of a group.
const KEPT_FAILURES_MAX: usize = 10;

/// Runs everything that was asked for.
pub fn run(designs: &Catalogue, options: &cli::Run) -> Result<Exit, Failure> {
    let designs = &carried_by(designs, options.on.engine)?;
    let scenarios = files::scenarios(&options.paths, &designs.names())?;
    let groups = groups(&scenarios, &options.variant)?;
    let single = groups.len() == 1 && options.seed_range().count() == 1;
    let mut summary = Summary::default();
    let mut worst = Exit::AsExpected;
    for (scenario, variant) in groups {
        if options.verbose {
            anstream::eprintln!("{}", defaults(scenario));
        }
        let design = designs.of(scenario);
        let mut kept = Kept::new(options, (scenario, design, variant));
        let group = run_group(scenario, design, variant, options, &mut kept, &mut summary)?;
        kept.finish(&mut summary)?;
        summary.groups.push(GroupSummary::from(&group));
        worst = worse(worst, group.standing);
        if options.format == Format::Human && !single {
            print(group_line(&group))?;
        }
        if options.format == Format::Human && single {
            print(kept.told.unwrap_or_default())?;
        }
    }
    results::write_json(&options.out.join("summary.json"), &summary)?;
    if options.format == Format::Json {
        let json = serde_json::to_string_pretty(&summary).expect("a summary is plain data");
        print(json + "\n")?;
    }
    Ok(worst)
}

/// Every scenario with each of its variants that is asked for.
///
/// Of several scenarios those without that variant are left out, and named: a regression may have the
/// broken one alone. Errors: there are scenarios, and none has it.
pub(super) fn groups<'a>(
    scenarios: &'a [Scenario],
    wanted: &str,
) -> Result<Vec<(&'a Scenario, &'a Expectation)>, Failure> {
    let mut groups = Vec::new();
    let mut without = Vec::new();
    for scenario in scenarios {
        let known = scenario.variants.iter();
        let before = groups.len();
        let asked = known.filter(|variant| wanted == "all" || variant.variant == wanted);
        groups.extend(asked.map(|variant| (scenario, variant)));
        if groups.len() == before {
            let names: Vec<_> = scenario.variants.iter().map(|v| v.variant.as_str()).collect();
            let names = names.join(", ");
            let path = &scenario.path;
            without.push(format!("{path} has no variant \"{wanted}\": it has {names}, and all"));
        }
    }
    if groups.is_empty() && !without.is_empty() {
        return Err(Failure::usage(without.join("\n")));
    }
    for one in without {
        anstream::eprintln!("left out: {one}");
    }
    Ok(groups)
}

fn run_group(
    scenario: &Scenario,
    design: &DesignEntry,
    variant: &Expectation,
    options: &cli::Run,
    kept: &mut Kept<'_>,
    summary: &mut Summary,
) -> Result<Group, Failure> {
    let mut group = Group::new(&scenario.name, variant);
    let seeds: Vec<u64> = options.seed_range().collect();
    for chunk in seeds.chunks(CHUNK) {
        let runs = parallel::map(chunk, |seed| {
            wrack_runner::run(scenario, design, variant, *seed, TraceLevel::Hash)
        });
        for run in runs {
            let standing = group.add(&run);
            summary.runs.push(RunSummary::new(&run, None));
            kept.offer(run, standing, summary.runs.len() - 1)?;
        }
    }
    Ok(group)
}

/// Decides which runs of a group are kept in full, and writes them.
struct Kept<'a> {
    options: &'a cli::Run,
    /// What is run once more for the picture of a run that is kept.
    case: (&'a Scenario, &'a DesignEntry, &'a Expectation),
    /// The first run, or the first with the expected anomaly.
    example: Option<(Run, usize)>,
    found: bool,
    failures: usize,
    written: Vec<(PathBuf, Run, usize)>,
    /// What is told of the only run.
    told: Option<String>,
}

impl<'a> Kept<'a> {
    fn new(options: &'a cli::Run, case: (&'a Scenario, &'a DesignEntry, &'a Expectation)) -> Self {
        let (example, written, told) = (None, Vec::new(), None);
        Self { options, case, example, found: false, failures: 0, written, told }
    }

    fn offer(&mut self, run: Run, standing: Standing, place: usize) -> Result<(), Failure> {
        let failure = standing != Standing::AsExpected && self.failures < KEPT_FAILURES_MAX;
        self.failures += usize::from(failure);
        match self.options.keep {
            Some(Keep::All) => self.write(run, place),
            Some(Keep::Failures) if failure => self.write(run, place),
            None if failure => self.write(run, place),
            None if self.example.is_none() || (run.found() && !self.found) => {
                self.found = run.found();
                self.example = Some((run, place));
                Ok(())
            }
            _ => {
                self.tell(&run, None);
                Ok(())
            }
        }
    }

    fn write(&mut self, mut run: Run, place: usize) -> Result<(), Failure> {
        let (scenario, design, variant) = self.case;
        run.picture = wrack_runner::picture::of(&run, scenario, design, variant);
        let folder = results::folder_of(&run);
        results::write(&run, &self.options.out.join(&folder))?;
        self.tell(&run, Some(&folder));
        self.found |= run.found();
        self.written.push((
            folder,
            Run { history: Default::default(), picture: Default::default(), ..run },
            place,
        ));
        Ok(())
    }

    fn tell(&mut self, run: &Run, folder: Option<&PathBuf>) {
        let report = folder.map(|folder| self.options.out.join(folder).join("report.html"));
        let report = report.map(|path| path.display().to_string());
        let links = Links { report: report.as_deref(), replay: Some(&run.replay) };
        self.told.get_or_insert_with(|| wrack_reports::human(run, &links));
    }

    /// Writes the example, unless a run that shows the same was written already.
    fn finish(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        if let Some((run, place)) = self.example.take() {
            self.write(run, place)?;
        }
        for (folder, run, place) in &self.written {
            summary.runs[*place] = RunSummary::new(run, Some(folder));
        }
        Ok(())
    }
}

pub(super) fn worse(worst: Exit, standing: Standing) -> Exit {
    match (worst, standing) {
        (_, Standing::NotAsExpected) | (Exit::NotAsExpected, _) => Exit::NotAsExpected,
        (_, Standing::Unknown) => Exit::Unknown,
        _ => worst,
    }
}

fn group_line(group: &Group) -> String {
    let standing = match group.standing {
        Standing::AsExpected => "as expected",
        Standing::Unknown => "UNKNOWN",
        Standing::NotAsExpected => "NOT AS EXPECTED",
    };
    let Group { scenario, variant, expected, found, seeds, pooled, .. } = group;
    let pooled = pooled.map_or_else(String::new, |pooled| format!("; {pooled}"));
    format!("{standing}: {scenario} {variant} → {expected} in {found} of {seeds} seeds{pooled}\n")
}

/// Every default that the reader filled in.
fn defaults(scenario: &Scenario) -> String {
    let mut text = format!("{}: defaults that were filled in\n", scenario.path);
    for (key, value) in &scenario.defaults {
        writeln!(text, "  {key} = {value}").expect("writing to a string succeeds");
    }
    text
}
