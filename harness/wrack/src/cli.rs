//! The command line, as clap reads it.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use wrack_history::catalogue::EngineInfo;
use wrack_history::duration;
use wrack_runner::engines;
use wrack_scenario::Date;

/// Runs distributed designs under faults, judges what clients saw, and says why.
#[derive(Debug, Parser)]
#[command(name = "wrack", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios, judge them, and write results and reports
    Run(Run),
    /// Judge histories that were recorded elsewhere
    Check(Check),
    /// List what there is
    List {
        /// Of which kind
        what: Kind,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Run many seeds on all cores, and say what they showed together
    ///
    /// Runs are written down as they come: an interrupted sweep keeps what it has, and `--resume` goes
    /// on. The first run of each kind of failure is kept in full.
    Sweep(Sweep),
    /// Run scenarios on several engines, and say whether each verdict is the expected one on all of them
    Matrix(Matrix),
    /// Make one sweep out of shards
    Merge {
        /// The folders of the shards
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
        /// Where the whole goes
        #[arg(long, value_name = "DIR", default_value = "wrack-merged")]
        out: PathBuf,
        /// How to print the outcome
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Run scenarios, and decide whether that may pass: for CI
    ///
    /// Every variant of every scenario runs with every seed, kept regressions first; some seeds run
    /// twice. What is new against the baseline fails, what nobody knows is never a pass, and nothing
    /// is tried again.
    Gate(Gate),
    /// Run a result or a scenario again, and show it step by step around its anomaly
    Replay(Replay),
    /// Keep the run of a result as a regression: a scenario with explicit operations and faults
    Keep(Regression),
    /// Explain two results that differ
    Diff {
        /// The folder of a result
        a: PathBuf,
        /// The folder of another
        b: PathBuf,
    },
    /// Make the story of an anomaly as small as it can be, and write it as a scenario
    ///
    /// Fewer faults, operations, clients, keys and nodes, and less time, as long as the same anomaly
    /// remains. What is written is an ordinary scenario with explicit operations and faults.
    Shrink(Shrink),
    /// Run every broken variant, and say which are found and how fast
    Scoreboard(Scoreboard),
    /// Explain a design, variant, fault, guarantee, metric, workload or exit-codes
    Explain {
        /// Its code or name
        name: String,
    },
    /// Plan a game day, run it, and write it up: several scenarios with people around them
    #[command(subcommand)]
    Gameday(Gameday),
    /// Write a commented scenario that runs at once
    New {
        /// Its name: `my-scenario`, or `folder/my-scenario`
        name: String,
        /// Write a game day instead: a playlist, and the scenario that it runs
        #[arg(long)]
        gameday: bool,
    },
    /// Write a project that tests a design of your own: it builds and runs at once
    Init(Init),
    /// Print the JSON Schema of scenario files, game days, or the gate's policy (draft 2020-12)
    Schema {
        /// Of which kind of file
        #[arg(value_enum, default_value = "scenario")]
        what: SchemaKind,
    },
    /// Verify a certificate that a history keeps isolation levels, or is linearizable
    ///
    /// Each order of the certificate is replayed against the history with code that shares nothing with
    /// the checkers and searches for nothing.
    VerifyCertificate(VerifyCertificate),
    /// Run twice, the second time in a fresh process, and show the first differing event
    VerifyDeterminism(VerifyDeterminism),
    /// Make a history whose truth is known, to test or measure a checker
    ///
    /// Clients in a closed loop act on objects that really are atomic, so the history is linearizable;
    /// with --mutate exactly one result is replaced so that provably no order explains it. The first
    /// line says which, and why. The same words give the same bytes everywhere. A key-value store is
    /// `register --keys N`.
    GenerateHistory(GenerateHistory),
    /// Write the HTML report again from a result
    Report {
        /// The folder of a result
        result: PathBuf,
        /// The folder of another result, to show what is different
        #[arg(long, value_name = "RESULT")]
        baseline: Option<PathBuf>,
        /// Where to write it; by default beside the result
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Write a result in the format of another tool
    ///
    /// Times are virtual: a run begins at the epoch. The same result gives the same bytes.
    Export(Export),
    /// Print a completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Subcommand)]
pub enum Gameday {
    /// Write the page before: who does what, what is run, what should be seen
    Brief(GamedayPage),
    /// Run the checks and every step, and write the report and gameday.json
    ///
    /// A check that is not as expected, or a stop condition that holds, ends the day: what was not run
    /// is named.
    Run(GamedayRun),
    /// Write the page after, out of what `run` left: what happened when, what it cost, what to do
    Postmortem(GamedayPage),
}

#[derive(Debug, Args)]
pub struct GamedayPage {
    /// The playlist
    pub playlist: PathBuf,
    /// Where the pages go
    #[arg(long, value_name = "DIR", default_value = "wrack-gameday")]
    pub out: PathBuf,
    /// Write it again whenever the playlist or a scenario of it is saved
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct GamedayRun {
    #[command(flatten)]
    pub page: GamedayPage,
    #[command(flatten)]
    pub on: On,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Export {
    /// In which format
    #[arg(value_enum)]
    pub kind: ExportKind,
    /// The folder of a result
    pub result: PathBuf,
    /// Where to write it; by default standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportKind {
    /// Metrics over the run's time, as `promtool tsdb create-blocks-from openmetrics` reads them
    Openmetrics,
    /// Traces in lines of JSON: operations and messages as spans, faults as events
    Otlp,
    /// A dashboard over the metrics
    Grafana,
    /// The scenario's objectives over the metrics, as `openslo` in a scenario reads them
    Openslo,
    /// The operations as a table
    Csv,
}

#[derive(Debug, Args)]
pub struct Run {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// One seed
    #[arg(long, value_name = "N", conflicts_with = "seeds", value_parser = seed)]
    pub seed: Option<u64>,
    /// Seeds from A up to, but without, B
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// The variant to run, or `all`
    #[arg(long, value_name = "NAME", default_value = "reference")]
    pub variant: String,
    #[command(flatten)]
    pub on: On,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "wrack-out")]
    pub out: PathBuf,
    /// Which results are kept in full; by default one a group, and what was not as expected
    #[arg(long, value_enum)]
    pub keep: Option<Keep>,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Show every default that was filled in
    #[arg(short, long)]
    pub verbose: bool,
}

impl Run {
    /// The seeds to run.
    pub fn seed_range(&self) -> Range<u64> {
        let seed = self.seed.unwrap_or(0);
        self.seeds.clone().unwrap_or(seed..seed + 1)
    }
}

#[derive(Debug, Args)]
pub struct Init {
    /// The folder of the project; its name is that of the package
    pub dir: PathBuf,
    /// Where its Wrack comes from; by default the checkout that this binary was built from
    #[arg(long, value_name = "PATH|GIT|VERSION")]
    pub wrack: Option<String>,
    /// Also what this CI system needs
    #[arg(long, value_enum)]
    pub ci: Option<CiSystem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CiSystem {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Files in any format of --from, plain, .gz or .zst; a folder of operations.json files is one
    /// history
    #[arg(required = true, value_name = "HISTORY")]
    pub histories: Vec<PathBuf>,
    /// All files together are one history
    #[arg(long)]
    pub parts: bool,
    /// Judge Wrack JSON Lines as they come, from a file, a pipe or `-`, and end at the first anomaly
    ///
    /// Memory is bounded by what is in flight and in doubt, not by the length of the history. It works for
    /// LIN of register, cas-register, g-set and set, for SETFULL, LOG, RYW, MR, MW and WFR. What cannot
    /// be told without the whole history, such as values that were written twice, makes the outcome
    /// unknown, never valid.
    #[arg(long, conflicts_with_all = ["parts", "report", "certificate", "consistency", "explain"])]
    pub follow: bool,
    /// What the objects are: see `wrack list models`
    #[arg(long)]
    pub model: String,
    /// Where every object starts, as JSON; by default as format and model say
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub initial: Option<String>,
    /// What a cas that failed says; by default as the format says
    #[arg(long, value_enum)]
    pub failed_cas: Option<FailedCas>,
    /// The format; recognised from the content if it is left out
    #[arg(long, value_name = "FORMAT")]
    pub from: Option<String>,
    /// A guarantee to hold it to, such as LIN or STALE:bound=1s; by default what the model is about
    #[arg(long = "guarantee", value_name = "CODE[:NAME=VALUE]")]
    pub guarantees: Vec<String>,
    /// The isolation level to hold transactions to; by default every level is answered
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub consistency: Option<String>,
    /// Configurations that a search visits per key at most
    #[arg(long, value_name = "N", default_value_t = wrack_runner::STATES_MAX)]
    pub max_states: u64,
    /// Tell each contradiction so that it can be followed on paper
    #[arg(long)]
    pub explain: bool,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write a report of one history as an HTML file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write orders that show what holds of one history, for verify-certificate: of its transactions for
    /// each level, or of the operations of each linearizable object
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct VerifyCertificate {
    /// What `wrack check --certificate` wrote
    pub certificate: PathBuf,
    /// The history that it is for
    pub history: PathBuf,
    /// Where every object starts, as JSON; as it was said to `wrack check`
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub initial: Option<String>,
    /// The format of the history; recognised from the content if it is left out
    #[arg(long, value_name = "FORMAT")]
    pub from: Option<String>,
}

/// The names of isolation levels.
fn levels() -> PossibleValuesParser {
    PossibleValuesParser::new(wrack_runner::level_names().map(|(name, _)| name))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailedCas {
    /// It ran, and found another value
    Observed,
    /// It had no effect, and says nothing of the value
    Ignored,
}

impl From<FailedCas> for wrack_history::import::FailedCas {
    fn from(failed: FailedCas) -> Self {
        match failed {
            FailedCas::Observed => Self::Observed,
            FailedCas::Ignored => Self::Ignored,
        }
    }
}

#[derive(Debug, Args)]
pub struct Sweep {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Seeds from A up to, but without, B; 0..1000 unless there is a time limit
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// Stop after so long, in real time: 10m
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time_limit: Option<Duration>,
    /// The variant to run, or `all`
    #[arg(long, value_name = "NAME", default_value = "reference")]
    pub variant: String,
    /// How many runs at once; by default one for each core
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Only every N-th seed, beginning with the I-th
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(u64, u64)>,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "wrack-sweep")]
    pub out: PathBuf,
    /// Go on with the sweep that is there
    #[arg(long)]
    pub resume: bool,
    /// Prefer seeds that promise what few others reached
    ///
    /// Every scenario needs a `[swarm]`. After 64 new seeds in their order, half of the runs are seeds that
    /// draw what runs drew that came near to a bound or into rare situations, and a quarter are relatives of
    /// such runs: seeds that are equal modulo 1,048,576 draw the same kinds of faults, settings and mix, and
    /// share three faults of four. What is found this way proves no share of seeds.
    #[arg(long)]
    pub guided: bool,
    /// End a run as soon as it is not linearizable, where that is what is looked for
    ///
    /// The verdict and whether the anomaly was found are those of the whole run; what else it would have
    /// shown, such an ended run does not say. The first of each kind is kept in full all the same.
    #[arg(long)]
    pub stop_early: bool,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub on: On,
}

#[derive(Debug, Args)]
pub struct Matrix {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// On which engines, separated by commas; by default all deterministic ones that there are
    #[arg(long = "engine", value_name = "E,…", value_delimiter = ',', value_parser = engine())]
    pub engines: Vec<&'static EngineInfo>,
    /// Seeds from A up to, but without, B
    #[arg(long, value_name = "A..B", default_value = "0..3", value_parser = seeds)]
    pub seeds: Range<u64>,
    /// Look at up to so many seeds while a broken variant does not show its anomaly
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub seeds_max: u64,
    /// How many runs at once; by default one for each core
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

#[derive(Debug, Args)]
pub struct Gate {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// What may pass: seeds, minimums, known anomalies, tolerances of metrics
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// What was there before
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write down what is there now, for the next gate to compare with
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Where reports go, and runs that show something
    #[arg(long, value_name = "DIR", default_value = "wrack-gate")]
    pub out: PathBuf,
    /// Seeds from A up to, but without, B; by default those of the policy
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// How many runs at once; by default one for each core
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// The day that allowances are held against; by default today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub on: On,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The folder of a result, or a scenario file
    #[arg(value_name = "RESULT|FILE")]
    pub path: PathBuf,
    /// The seed, of a scenario file
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// The variant, of a scenario file; `reference` by default
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Show the steps up to this virtual time: 12.5s
    #[arg(long, value_name = "T", value_parser = time)]
    pub until: Option<Duration>,
    /// Show what every node has of this key, step by step
    #[arg(long, value_name = "KEY")]
    pub entity: Option<String>,
    /// Show every event of the engine, too
    #[arg(long)]
    pub trace: bool,
    /// Take the scenario as it is now, even if it has changed
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub on: OnAgain,
}

#[derive(Debug, Args)]
pub struct Regression {
    /// The folder of a result
    pub result: PathBuf,
    /// Where the scenario goes
    #[arg(long, value_name = "DIR", default_value = "scenarios/regressions")]
    pub out: PathBuf,
    /// What happened, as a name: `leader-isolated`; by default as the scenario is called
    #[arg(long, value_name = "EVENT", value_parser = event)]
    pub name: Option<String>,
    /// Take the scenario as it is now, even if it has changed
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub on: OnAgain,
}

#[derive(Debug, Args)]
pub struct Shrink {
    /// The folder of a result
    pub result: PathBuf,
    /// Where the scenario goes
    #[arg(long, value_name = "DIR", default_value = "wrack-shrunk")]
    pub out: PathBuf,
    /// Stop after so long, in real time; 60s unless there is a limit of runs
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time_limit: Option<Duration>,
    /// Stop after so many runs; then the outcome is the same everywhere
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_runs: Option<u64>,
    /// How many runs at once; by default one for each core
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Take the scenario as it is now, even if it has changed
    #[arg(long)]
    pub force: bool,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub on: OnAgain,
}

#[derive(Debug, Args)]
pub struct Scoreboard {
    /// Only this design
    pub design: Option<String>,
    /// Scenario files, or folders of them
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    pub scenarios: Vec<PathBuf>,
    /// Seeds from A up to, but without, B
    #[arg(long, value_name = "A..B", default_value = "0..20", value_parser = seeds)]
    pub seeds: Range<u64>,
    /// Run each scenario once more with faults at times of their own, and say in how many seeds those
    /// find the anomaly; nothing is asked of that share
    #[arg(long)]
    pub undirected: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
    #[command(flatten)]
    pub on: On,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// A table of Markdown
    Markdown,
}

#[derive(Debug, Args)]
pub struct VerifyDeterminism {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    #[command(flatten)]
    pub on: On,
    /// Print digests instead of comparing: the second process does
    #[arg(long, hide = true)]
    pub print: bool,
    /// Print every event of this variant of the one scenario
    #[arg(long, hide = true, value_name = "VARIANT")]
    pub trace: Option<String>,
}

#[derive(Debug, Args)]
pub struct GenerateHistory {
    /// What the objects are
    #[arg(value_enum)]
    pub kind: HistoryKind,
    /// How many operations
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub operations: u32,
    /// How many clients: about so many operations are open at any time
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub clients: u32,
    /// How many objects
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub keys: u32,
    /// How many values registers are written (by default every one is unique), or elements sets have
    /// (by default 20)
    #[arg(long, value_name = "N")]
    pub values: Option<u32>,
    /// How many operations that change something never return
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub doubtful: u32,
    /// Make one result wrong, in the middle
    #[arg(long)]
    pub mutate: bool,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Where to write it; by default standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryKind {
    /// read, write
    Register,
    /// read, write, cas
    CasRegister,
    /// append, read
    List,
    /// enqueue, dequeue
    Queue,
    /// push, pop
    Stack,
    /// add, remove, contains
    Set,
    /// Transactions of append and r, on so many keys at a time
    ListAppend,
    /// Transactions of w and r, on so many keys at a time
    RwRegister,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
}

/// What carries the nodes.
#[derive(Clone, Copy, Debug, Args)]
pub struct On {
    /// What carries the nodes: see `wrack list engines`
    #[arg(long, value_name = "E", default_value = engines::SIM.name, value_parser = engine())]
    pub engine: &'static EngineInfo,
}

/// What carries the nodes of a run that is done again.
#[derive(Clone, Copy, Debug, Args)]
pub struct OnAgain {
    /// What carries the nodes; by default what carried them in the result
    #[arg(long, value_name = "E", value_parser = engine())]
    pub engine: Option<&'static EngineInfo>,
}

fn engine() -> impl TypedValueParser<Value = &'static EngineInfo> {
    let names = PossibleValuesParser::new(engines::ALL.map(|info| info.name));
    names.map(|name| engines::find(&name).expect("it is one of them"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Every run
    All,
    /// Every run that is not as expected
    Failures,
    /// The summary alone
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Designs,
    Variants,
    Faults,
    Guarantees,
    Workloads,
    Models,
    Metrics,
    Scenarios,
    Engines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    Scenario,
    Policy,
    Gameday,
}

/// Seeds stay below 2^53, so that every JSON reader keeps them whole.
pub const SEED_END: u64 = 1 << 53;

fn seed(text: &str) -> Result<u64, String> {
    let seed = text.parse::<u64>().map_err(|error| error.to_string())?;
    if seed < SEED_END { Ok(seed) } else { Err("a seed is below 2^53".into()) }
}

fn time(text: &str) -> Result<Duration, String> {
    duration::parse(text).map(Duration::from_nanos)
}

fn event(text: &str) -> Result<String, String> {
    let known = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match !text.is_empty() && text.chars().all(known) {
        true => Ok(text.into()),
        false => Err("write letters, digits and hyphens, such as leader-isolated".into()),
    }
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let parts = text
        .split_once('/')
        .and_then(|(number, of)| Some((number.parse::<u64>().ok()?, of.parse::<u64>().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) => Ok((number, of)),
        _ => Err("write I/N with I from 1 to N, such as 2/4".into()),
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (first, end) = text.split_once("..").ok_or("write a range such as 0..20")?;
    let (first, end) = (seed(first)?, seed(end)?);
    if first < end {
        Ok(first..end)
    } else {
        Err("the range is empty: write A..B with A < B".into())
    }
}
