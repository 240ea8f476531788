//! Sweeps on disk: `sweep.json` is the plan, `runs.jsonl` has a line a run, `summary.json` says what
//! they showed; the first run of each kind of failure is kept in full.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wrack_history::SmolStr;
use wrack_history::swarm::FAMILIES;
use wrack_runner::guide::Guide;
use wrack_runner::swarm::Coverage;
use wrack_runner::sweep::{self, Record, Report, Tally};
use wrack_runner::{Group, GroupSummary, Standing};

use crate::cli::SEED_END;
use crate::exit::{Exit, Failure};
use crate::output::{print, read_text, write_file};
use crate::results::write_json;

/// The name of the plan.
pub const PLAN: &str = "sweep.json";
const RUNS: &str = "runs.jsonl";
const FORMAT: u32 = 1;

/// Which runs there are to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    format: u32,
    wrack_version: String,
    engine: String,
    groups: Vec<PlannedGroup>,
    seeds: Range<u64>,
    /// Which share of the seeds, from 1, and of how many; absent in a merged sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<(u64, u64)>,
    /// Whether runs end as soon as they show what is looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stop_early: bool,
    /// Whether what runs reach decides which seeds come next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    guided: bool,
}

/// A scenario and a variant of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGroup {
    pub scenario: String,
    pub scenario_hash: String,
    pub variant: String,
    pub expected: String,
    pub share_per_million: u32,
    pub follows: BTreeSet<SmolStr>,
    pub coverage: Coverage,
}

impl Plan {
    pub fn new(
        engine: &str,
        groups: Vec<PlannedGroup>,
        seeds: Range<u64>,
        shard: Option<(u64, u64)>,
    ) -> Self {
        let wrack_version = env!("CARGO_PKG_VERSION").to_owned();
        let (format, engine) = (FORMAT, engine.into());
        let (stop_early, guided) = (false, false);
        Self { format, wrack_version, engine, groups, seeds, shard, stop_early, guided }
    }

    /// The same plan of runs that may end as soon as they show what is looked for.
    pub fn stopping_early(self, stop_early: bool) -> Self {
        Self { stop_early, ..self }
    }

    /// The same plan with seeds that depend on what others reached.
    pub fn guided(self, guided: bool) -> Self {
        Self { guided, ..self }
    }

    /// The seeds of this shard: each takes every n-th, so that all take as long.
    pub fn seeds_of_shard(&self) -> impl Iterator<Item = u64> + use<> {
        let (number, of) = self.shard.unwrap_or((1, 1));
        self.seeds.clone().skip(number as usize - 1).step_by(of as usize)
    }

    /// The runs of one group, in the order in which they come; `draws` names what a seed draws.
    pub fn order<'a>(&self, draws: impl Fn(u64) -> Vec<SmolStr> + 'a) -> Order<'a> {
        if !self.guided {
            return Order::Plain(Box::new(self.seeds_of_shard()), BTreeSet::new());
        }
        let firsts = self.seeds_of_shard().take_while(|seed| *seed < FAMILIES);
        Order::Guided(Box::new(Guide::new(firsts, self.runs_of_group(), draws)))
    }

    fn runs_of_group(&self) -> u64 {
        let (number, of) = self.shard.unwrap_or((1, 1));
        (self.seeds.end - self.seeds.start + of - number) / of
    }

    /// How many runs the plan has.
    pub fn runs(&self) -> u64 {
        self.runs_of_group().saturating_mul(self.groups.len() as u64)
    }

    /// Runs of the plan that are not among these; none if it has as many as there is time for.
    pub fn absent(&self, records: &[Record]) -> u64 {
        match self.seeds.end {
            SEED_END => 0,
            _ => self.runs().saturating_sub(records.len() as u64),
        }
    }

    /// A tally for each group.
    pub fn tallies(&self) -> Vec<Tally> {
        let tally = |group: &PlannedGroup| {
            let PlannedGroup { scenario, variant, expected, share_per_million, .. } = group;
            let mut codes = group.follows.clone();
            codes.insert(expected.as_str().into());
            let required = u64::from(*share_per_million);
            Tally::new(
                Group::of(scenario, variant, expected, required),
                codes,
                group.coverage.clone(),
            )
            .guided(self.guided)
        };
        self.groups.iter().map(tally).collect()
    }
}

/// Which seeds of a group come next.
pub enum Order<'a> {
    /// One after the other, without those that were done before.
    Plain(Box<dyn Iterator<Item = u64>>, BTreeSet<u64>),
    /// As what others reached suggests.
    Guided(Box<Guide<'a>>),
}

impl Order<'_> {
    /// The next seeds, at most so many; none at the end.
    pub fn next(&mut self, most: usize) -> Vec<u64> {
        match self {
            Self::Plain(seeds, done) => {
                seeds.by_ref().filter(|seed| !done.contains(seed)).take(most).collect()
            }
            Self::Guided(guide) => guide.next(most),
        }
    }

    /// Learns of a run that this order gave.
    pub fn learn(&mut self, record: &Record) {
        if let Self::Guided(guide) = self {
            guide.learn(record);
        }
    }

    /// Learns of a run of an earlier process; whether it was not known.
    fn done(&mut self, record: &Record) -> bool {
        match self {
            Self::Plain(_, done) => done.insert(record.seed),
            Self::Guided(guide) => guide.learn(record),
        }
    }
}

/// The lines of a sweep, written as they come.
pub struct Log {
    pub folder: PathBuf,
    to: BufWriter<File>,
}

impl Log {
    /// Begins a sweep in the folder, or goes on with the one that is there.
    ///
    /// Errors: there is one and nobody said to go on, or it has another plan.
    pub fn open(folder: &Path, plan: &Plan, resume: bool) -> Result<Self, Failure> {
        let path = folder.join(PLAN);
        let shown = folder.display();
        if path.exists() {
            if !resume {
                return Err(Failure::usage(format!(
                    "{shown} holds a sweep already: choose another --out (`wrack sweep --resume` goes on with it)"
                )));
            }
            if read_plan(folder)? != *plan {
                return Err(Failure::usage(format!(
                    "{shown} holds another sweep: of other scenarios, seeds or shards, or of another \
                     version of Wrack"
                )));
            }
        }
        write_json(&path, plan)?;
        let path = folder.join(RUNS);
        let failed = |error: std::io::Error| Failure::file(path.display(), error);
        let mut options = OpenOptions::new();
        let file = options.create(true).read(true).append(true).open(&path).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), to: BufWriter::new(file) })
    }

    /// Tells the tallies and the orders what is written down already. A line that a killed process left
    /// unfinished is cut off.
    pub fn replay(
        &mut self,
        plan: &Plan,
        tallies: &mut [Tally],
        orders: &mut [Order<'_>],
    ) -> Result<(), Failure> {
        let path = self.folder.join(RUNS);
        let whole = read_records(&path, plan, |record| {
            let group = record.group as usize;
            if orders[group].done(&record) {
                tallies[group].add(&record);
            }
            Ok(())
        })?;
        let failed = |error: std::io::Error| Failure::file(path.display(), error);
        let file = self.to.get_mut();
        file.set_len(whole).map_err(failed)?;
        file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        Ok(())
    }

    pub fn add(&mut self, record: &Record) -> Result<(), Failure> {
        let line = serde_json::to_string(record).expect("a record is plain data");
        self.failing(|to| writeln!(to, "{line}"))
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        self.failing(std::io::Write::flush)
    }

    fn failing(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        let path = self.folder.join(RUNS);
        write(&mut self.to).map_err(|error| Failure::file(path.display(), error))
    }
}

fn read_plan(folder: &Path) -> Result<Plan, Failure> {
    let path = folder.join(PLAN);
    let text = read_text(&path)?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| {
        let place = format!("{}:{}:{}", path.display(), error.line(), error.column());
        Failure::input(format!("{place}: not the plan of a sweep: {error}"))
    })?;
    match plan.format {
        FORMAT => Ok(plan),
        other => Err(Failure::input(format!(
            "{}: format {other} is not known: this version reads {FORMAT}",
            path.display()
        ))),
    }
}

/// Reads every whole line; says how many bytes they are.
fn read_records(
    path: &Path,
    plan: &Plan,
    mut take: impl FnMut(Record) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| Failure::file(path.display(), error);
    let mut lines = BufReader::new(File::open(path).map_err(failed)?);
    let (mut line, mut number, mut whole) = (String::new(), 0, 0);
    loop {
        line.clear();
        lines.read_line(&mut line).map_err(failed)?;
        if !line.ends_with('\n') {
            return Ok(whole);
        }
        number += 1;
        whole += line.len() as u64;
        let bad = |column: usize, what: String| {
            Failure::input(format!("{}:{number}:{column}: {what}", path.display()))
        };
        let record: Record =
            serde_json::from_str(&line).map_err(|error| bad(error.column(), error.to_string()))?;
        if record.group as usize >= plan.groups.len() {
            return Err(bad(1, format!("the plan has no group {}", record.group)));
        }
        take(record)?;
    }
}

/// The runs of several sweeps of one plan, in order of groups and seeds, each once.
///
/// Errors: the plans differ in more than the shard, or a run came out differently in two of them.
pub fn union(folders: &[PathBuf]) -> Result<(Plan, Vec<Record>), Failure> {
    let mut whole: Option<Plan> = None;
    let mut records: Vec<Record> = Vec::new();
    for folder in folders {
        let plan = Plan { shard: None, ..read_plan(folder)? };
        if whole.as_ref().is_some_and(|whole| *whole != plan) {
            return Err(Failure::input(format!(
                "{}: another version, scenario, or range of seeds than {}",
                folder.display(),
                folders[0].display()
            )));
        }
        read_records(&folder.join(RUNS), &plan, |record| {
            records.push(record);
            Ok(())
        })?;
        whole = Some(plan);
    }
    let whole = whole.ok_or_else(|| Failure::usage("name at least one folder of a sweep"))?;
    records.sort_by_key(|record| (record.group, record.seed));
    records.dedup();
    if let Some(pair) = records
        .windows(2)
        .find(|pair| (pair[0].group, pair[0].seed) == (pair[1].group, pair[1].seed))
    {
        let PlannedGroup { scenario, variant, .. } = &whole.groups[pair[0].group as usize];
        let message = format!(
            "{scenario} {variant} came out differently twice with seed {}: it is not deterministic",
            pair[0].seed
        );
        return Err(Failure { exit: Exit::NotAsExpected, message });
    }
    Ok((whole, records))
}

/// Copies a run that is kept in full from whichever folder has it.
pub fn copy_example(folders: &[PathBuf], example: &str, out: &Path) -> Result<(), Failure> {
    let Some(from) = folders.iter().map(|folder| folder.join(example)).find(|from| from.is_dir())
    else {
        return Ok(());
    };
    let to = out.join(example);
    let failed = |error: std::io::Error| Failure::file(to.display(), error);
    std::fs::create_dir_all(&to).map_err(failed)?;
    for entry in std::fs::read_dir(&from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
    }
    Ok(())
}

/// Writes the summary and prints it.
pub fn finish(folder: &Path, plan: &Plan, tallies: &[Tally], json: bool) -> Result<Exit, Failure> {
    let report = sweep::report(tallies);
    write_json(&folder.join("summary.json"), &report)?;
    let html = wrack_reports::sweep_html(&drawn(plan, &report));
    write_file(&folder.join("report.html"), |to| to.write_all(html.as_bytes()))?;
    let text = match json {
        true => serde_json::to_string_pretty(&report).expect("a report is plain data") + "\n",
        false => told(&report),
    };
    print(text)?;
    Ok(match report.standing {
        Standing::AsExpected => Exit::AsExpected,
        Standing::Unknown => Exit::Unknown,
        Standing::NotAsExpected => Exit::NotAsExpected,
    })
}

/// The report as a page draws it.
fn drawn(plan: &Plan, report: &Report) -> wrack_reports::Sweep {
    let group = |group: &sweep::GroupReport| wrack_reports::SweepGroup {
        scenario: group.summary.scenario.clone(),
        variant: group.summary.variant.clone(),
        expected: group.summary.expected.clone(),
        as_expected: group.summary.as_expected,
        seeds: group.summary.seeds,
        found: group.summary.found,
        failures: group.failures.clone(),
        unknown: group.unknown.clone(),
        at_most_per_million: group.at_most.map(|share| (share * 1_000_000.0).ceil() as u64),
        coverage: group
            .sometimes
            .iter()
            .chain(&group.cells)
            .map(|(k, v)| (k.clone(), *v))
            .collect(),
        missing: group.missing.clone(),
    };
    let cluster = |one: &sweep::SignatureReport| wrack_reports::SweepCluster {
        scenario: one.scenario.clone(),
        variant: one.variant.clone(),
        code: one.code.clone(),
        shape: one.shape.clone(),
        expected: one.expected,
        seeds: one.seeds.clone(),
        example: one.example.clone(),
    };
    wrack_reports::Sweep {
        seeds: plan.seeds.clone(),
        groups: report.groups.iter().map(group).collect(),
        clusters: report.signatures.iter().map(cluster).collect(),
    }
}

fn in_seeds(seeds: u64) -> String {
    match seeds {
        0 => "never".to_owned(),
        _ => format!("in {seeds} seeds"),
    }
}

/// The report for people.
fn told(report: &Report) -> String {
    let mut text = String::new();
    for group in &report.groups {
        let GroupSummary { scenario, variant, expected, found, seeds, as_expected, .. } =
            &group.summary;
        let standing = match (as_expected, group.failures.is_empty()) {
            (true, _) => "as expected",
            (false, true) => "UNKNOWN",
            (false, false) => "NOT AS EXPECTED",
        };
        let proven = match group.at_most {
            Some(at_most) => {
                format!("anomalies in 0 of {seeds} seeds; at most {:.2} % at 95 %", 100.0 * at_most)
            }
            None => format!("{expected} in {found} of {seeds} seeds"),
        };
        text += &format!("{standing}: {scenario} {variant}: {proven}\n");
        if let Some(first) = group.failures.first() {
            text += &format!(
                "  {} not as expected, the first with seed {first}\n",
                group.failures.len()
            );
        }
        if let Some(first) = group.unknown.first() {
            text += &format!("  {} unknown, the first with seed {first}\n", group.unknown.len());
        }
        if let Some(pooled) = &group.summary.pooled {
            text += &format!("  {pooled}\n");
        }
        for missing in &group.missing {
            text += &format!("  {missing}\n");
        }
        for (name, reached) in &group.sometimes {
            text += &format!("  sometimes \"{name}\": {}\n", in_seeds(*reached));
        }
        if !group.cells.is_empty() {
            let reached = group.cells.values().filter(|seeds| **seeds > 0).count();
            text += &format!("  {reached} of {} cells of faults reached\n", group.cells.len());
        }
        for (cell, _) in group.cells.iter().filter(|(_, seeds)| **seeds == 0) {
            text += &format!("  {cell}: never\n");
        }
    }
    for signature in &report.signatures {
        let expected = if signature.expected { "" } else { " (NOT EXPECTED)" };
        let count = signature.seeds.len();
        text += &format!(
            "{} {} {}: {}{expected} in {count} seeds, such as {}\n",
            signature.scenario,
            signature.variant,
            signature.code,
            signature.shape,
            signature.example
        );
    }
    text
}
