//! One command a file.

mod again;
mod certificate;
mod check;
mod determinism;
mod diff;
mod explain;
mod export;
mod files;
mod follow;
mod gameday;
mod gate;
mod generate;
mod init;
mod keep;
mod list;
mod matrix;
mod merge;
mod parts;
mod replay;
mod report;
mod run;
mod scoreboard;
mod shrink;
mod sweep;
mod watch;

use std::num::NonZeroUsize;
use std::time::Instant;

use clap::{CommandFactory, Parser};
use wrack_history::catalogue::EngineInfo;
use wrack_runner::parallel;

use crate::Catalogue;
use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Reads the command line and runs the command.
pub fn dispatch(designs: &Catalogue) -> Result<Exit, Failure> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            anstream::eprint!("{}", error.render().ansi());
            return Ok(Exit::Usage);
        }
        Err(help) => return print(help.render().ansi().to_string()).map(|()| Exit::AsExpected),
    };
    match cli.command {
        Command::Run(run) => run::run(designs, &run),
        Command::Check(options) if options.follow => follow::follow(designs, &options),
        Command::Check(options) => check::check(designs, &options),
        Command::List { what, format } => list::list(designs, what, format),
        Command::Matrix(options) => matrix::matrix(designs, &options),
        Command::Sweep(options) => sweep::sweep(designs, &options),
        Command::Merge { folders, out, format } => merge::merge(&folders, &out, format),
        Command::Gate(options) => gate::gate(designs, &options),
        Command::Replay(options) => replay::replay(designs, &options),
        Command::Keep(options) => keep::keep(designs, &options),
        Command::Diff { a, b } => diff::diff(designs, &a, &b),
        Command::Shrink(options) => shrink::shrink(designs, &options),
        Command::Scoreboard(options) => scoreboard::scoreboard(designs, &options),
        Command::Explain { name } => explain::explain(designs, &name),
        Command::Gameday(what) => gameday::gameday(designs, &what),
        Command::New { name, gameday } => files::new(designs, &name, gameday),
        Command::Init(options) => init::init(&options),
        Command::Schema { what } => files::schema(designs, what),
        Command::VerifyCertificate(options) => certificate::verify(designs, &options),
        Command::VerifyDeterminism(verify) => determinism::verify(designs, &verify),
        Command::GenerateHistory(generate) => generate::generate(&generate),
        Command::Report { result, baseline, out } => {
            report::report(&result, baseline.as_deref(), out.as_deref())
        }
        Command::Export(options) => export::export(designs, &options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wrack", &mut script);
            print(String::from_utf8_lossy(&script)).map(|()| Exit::AsExpected)
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::file("the manual page", error))?;
            print(String::from_utf8_lossy(&page)).map(|()| Exit::AsExpected)
        }
    }
}

/// The designs, carried by the engine that is asked for.
///
/// Errors: this program was built without it.
fn carried_by(designs: &Catalogue, engine: &'static EngineInfo) -> Result<Catalogue, Failure> {
    match engine.missing {
        Some(why) => Err(Failure::usage(format!("--engine {}: {why}", engine.name))),
        None => Ok(designs.clone().carried_by(engine)),
    }
}

/// For what makes sense only if a seed gives the same run twice.
///
/// Errors: on this engine it does not.
fn must_repeat(engine: &EngineInfo) -> Result<(), Failure> {
    if engine.deterministic {
        return Ok(());
    }
    let message = "runs on it are not deterministic, and this needs one run twice: choose another";
    Err(Failure::usage(format!("--engine {}: {message}", engine.name)))
}

/// At most so many runs at once; one for each core if nothing is said.
fn limit_jobs(jobs: Option<NonZeroUsize>) -> Result<(), Failure> {
    let limited = jobs.map_or(Ok(()), |jobs| parallel::limit(jobs.get()));
    limited.map_err(|error| Failure::usage(format!("--jobs: {error}")))
}

#[expect(clippy::disallowed_methods, reason = "people wait in real time; no run sees it")]
fn now() -> Instant {
    Instant::now()
}
