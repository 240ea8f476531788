//! `wrack verify-determinism`: the same run here and in a fresh process elsewhere.
//!
//! The second process has another time zone, language and working directory, and another number of
//! threads, so that a run that depends on any of these is caught.

use std::path::{Path, PathBuf};
use std::process::Command;

use wrack_history::catalogue::EngineInfo;
use wrack_history::picture::Picture;
use wrack_history::{Run, codec};
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::{TraceLevel, determinism, parallel};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files, must_repeat};
use crate::Catalogue;
use crate::cli::VerifyDeterminism;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// One variant of one scenario.
pub(super) type Case<'a> = (&'a Scenario, &'a Expectation, &'a DesignEntry);

/// Compares, or is the second process.
pub fn verify(designs: &Catalogue, options: &VerifyDeterminism) -> Result<Exit, Failure> {
    must_repeat(options.on.engine)?;
    let designs = &carried_by(designs, options.on.engine)?;
    let scenarios = files::scenarios(&options.paths, &designs.names())?;
    let cases: Vec<Case<'_>> = scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)))
        .map(|(scenario, variant)| {
            let design = designs.of(scenario);
            (scenario, variant, design)
        })
        .collect();
    if let Some(variant) = &options.trace {
        return print_trace(&cases, variant, options.seed);
    }
    let here = parallel::map(&cases, |(scenario, variant, design)| {
        digests(wrack_runner::run(scenario, design, variant, options.seed, TraceLevel::Hash))
    });
    if options.print {
        return print(here.concat()).map(|()| Exit::AsExpected);
    }
    compare(&cases, &here, options)
}

/// What two runs must agree on, as one line.
pub(super) fn digests(run: Run) -> String {
    let digest = |bytes: &[u8]| wrack_sim::chance::Digest::of(&bytes);
    let mut history = Vec::new();
    codec::write(&run.history, &mut history).expect("writing to memory succeeds");
    let run = anonymous(run);
    let result = serde_json::to_vec(&run).expect("a run is plain data");
    let report = wrack_reports::html(&run);
    format!(
        "{} {} trace {} history {:016x} result {:016x} report {:016x}\n",
        run.scenario,
        run.variant,
        run.trace_hash,
        digest(&history),
        digest(&result),
        digest(report.as_bytes())
    )
}

/// The second process reads the same file by another path; a picture is of results that are kept alone.
fn anonymous(run: Run) -> Run {
    Run { scenario_path: String::new(), replay: String::new(), picture: Picture::default(), ..run }
}

fn compare(
    cases: &[Case<'_>],
    here: &[String],
    options: &VerifyDeterminism,
) -> Result<Exit, Failure> {
    let there = second_process(&options.paths, options.seed, None, options.on.engine)?;
    let mut exit = Exit::AsExpected;
    // A second process that says too little differs, too.
    let there = there.lines().chain(std::iter::repeat(""));
    for ((case, here), there) in cases.iter().zip(here).zip(there) {
        let (scenario, variant, _) = case;
        if here.trim_end() == there {
            print(format!("same: {} {}\n", scenario.name, variant.variant))?;
            continue;
        }
        exit = Exit::NotAsExpected;
        print(format!("DIFFERENT: {} {}\n", scenario.name, variant.variant))?;
        print(format!("  here:  {}  there: {there}\n", here))?;
        print(first_difference(case, options.seed)? + "\n")?;
    }
    Ok(exit)
}

/// Both traces in full, up to where they part.
pub(super) fn first_difference(case: &Case<'_>, seed: u64) -> Result<String, Failure> {
    let (scenario, variant, design) = case;
    let paths = [PathBuf::from(&scenario.path)];
    let there = second_process(&paths, seed, Some(&variant.variant), design.engine)?;
    let here = trace(case, seed);
    let there: Vec<&str> = there.lines().collect();
    let event = |index| {
        let ended = "the trace has ended";
        let here = here.get(index).map_or(ended, String::as_str);
        (here, there.get(index).copied().unwrap_or(ended))
    };
    let length = here.len().max(there.len());
    let first = (0..length).find(|index| event(*index).0 != event(*index).1);
    Ok(match first {
        Some(index) => {
            let (here, there) = event(index);
            format!("  event {index} differs:\n    here:  {here}\n    there: {there}")
        }
        None => "  the traces agree: the difference is in judging or writing".into(),
    })
}

fn trace((scenario, variant, design): &Case<'_>, seed: u64) -> Vec<String> {
    let run = wrack_runner::run(scenario, design, variant, seed, TraceLevel::Texts);
    let trace = run.trace.expect("it was asked for");
    (0..trace.events.len()).map(|index| determinism::line(&trace, index)).collect()
}

fn print_trace(cases: &[Case<'_>], variant: &str, seed: u64) -> Result<Exit, Failure> {
    let case = cases.iter().find(|(_, known, _)| known.variant == variant);
    let case = case.ok_or_else(|| Failure::usage(format!("no variant \"{variant}\"")))?;
    print(trace(case, seed).join("\n") + "\n").map(|()| Exit::AsExpected)
}

/// Asks a fresh process, in another place, for its digests or for a trace.
pub(super) fn second_process(
    paths: &[PathBuf],
    seed: u64,
    trace: Option<&str>,
    engine: &EngineInfo,
) -> Result<String, Failure> {
    let program = std::env::current_exe().map_err(|e| Failure::file("this program", e))?;
    let absolute = |path: &PathBuf| {
        std::path::absolute(path).map_err(|error| Failure::file(path.display(), error))
    };
    let mut command = Command::new(program);
    command.arg("verify-determinism").arg("--seed").arg(seed.to_string());
    command.arg("--engine").arg(engine.name);
    match trace {
        Some(variant) => command.arg("--trace").arg(variant),
        None => command.arg("--print"),
    };
    for path in paths {
        command.arg(absolute(path)?);
    }
    command
        .env("TZ", "Pacific/Kiritimati")
        .env("LANG", "tr_TR.UTF-8")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(elsewhere());
    let output = command.output().map_err(|error| Failure::file("the second process", error))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure { exit: Exit::Bug, message: format!("the second process: {message}") });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn elsewhere() -> &'static Path {
    Path::new(if cfg!(windows) { "C:\\" } else { "/" })
}
