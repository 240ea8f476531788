//! Results on disk, and the JSON of `run` and `summary.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wrack_history::alert::Alert;
use wrack_history::history::Counts;
use wrack_history::run::{RESULT_FORMAT, Slo};
use wrack_history::{Anomaly, Picture, Run, SmolStr, Verdict, codec};
use wrack_runner::GroupSummary;

use crate::exit::Failure;
use crate::output::write_file;

/// The whole outcome, as one document.
#[derive(Default, Serialize)]
pub struct Summary {
    pub runs: Vec<RunSummary>,
    pub groups: Vec<GroupSummary>,
}

/// One run.
#[derive(Serialize)]
pub struct RunSummary {
    scenario: String,
    variant: String,
    seed: u64,
    engine: String,
    verdict: Verdict,
    as_expected: bool,
    anomalies: Vec<Anomaly>,
    faults: Vec<FaultSummary>,
    slos: Vec<Slo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<Alert>,
    operations: Counts,
    examined: BTreeMap<SmolStr, BTreeMap<SmolStr, u64>>,
    doubts: Vec<String>,
    trace_hash: String,
    history: Option<String>,
    report: Option<String>,
}

#[derive(Serialize)]
struct FaultSummary {
    kind: SmolStr,
    effect: u64,
}

impl RunSummary {
    /// Of a run; `folder` is where its result stands, relative to the summary, if it was kept.
    pub fn new(run: &Run, folder: Option<&Path>) -> Self {
        let file = |name: &str| folder.map(|folder| folder.join(name).display().to_string());
        let faults = run.faults.iter();
        Self {
            scenario: run.scenario.clone(),
            variant: run.variant.clone(),
            seed: run.seed,
            engine: run.engine.clone(),
            verdict: run.verdict,
            as_expected: run.as_expected,
            anomalies: run.anomalies().cloned().collect(),
            faults: faults
                .map(|f| FaultSummary { kind: f.kind.clone(), effect: f.effect })
                .collect(),
            slos: run.slos.clone(),
            alerts: run.alerts.clone(),
            operations: run.counts,
            examined: run.judgements.iter().map(|j| (j.code.clone(), j.examined.clone())).collect(),
            doubts: run.doubts.clone(),
            trace_hash: run.trace_hash.clone(),
            history: file("history.jsonl"),
            report: file("report.html"),
        }
    }
}

/// The folder of a run's result, relative to the output folder.
pub fn folder_of(run: &Run) -> PathBuf {
    Path::new(&run.scenario).join(&run.variant).join(run.seed.to_string())
}

/// Writes a result: `result.json`, `history.jsonl`, `report.html`, and `picture.json` if there is one.
pub fn write(run: &Run, folder: &Path) -> Result<(), Failure> {
    let picture = folder.join("picture.json");
    if !run.picture.is_empty() {
        write_file(&picture, |to| Ok(serde_json::to_writer(to, &run.picture)?))?;
    } else if picture.exists() {
        std::fs::remove_file(&picture).map_err(|error| Failure::file(picture.display(), error))?;
    }
    write_file(&folder.join("history.jsonl"), |to| codec::write(&run.history, to))?;
    let html = wrack_reports::html(run);
    write_file(&folder.join("report.html"), |to| to.write_all(html.as_bytes()))?;
    write_json(&folder.join("result.json"), run)
}

/// Writes a JSON document.
pub fn write_json(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    write_file(path, |to| {
        serde_json::to_writer_pretty(&mut *to, content)?;
        to.write_all(b"\n")
    })
}

/// Reads what is drawn beside a history; nothing if there is no such file.
fn picture(path: &Path) -> Result<Picture, Failure> {
    if !path.exists() {
        return Ok(Picture::default());
    }
    let text = crate::output::read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        let place = format!("{}:{}:{}", path.display(), error.line(), error.column());
        Failure::input(format!("{place}: not a picture of this version of Wrack: {error}"))
    })
}

/// Reads a result with its history.
pub fn read(folder: &Path) -> Result<Run, Failure> {
    let path = folder.join("result.json");
    let text = crate::output::read_text(&path)?;
    let mut run: Run = serde_json::from_str(&text).map_err(|error| {
        let place = format!("{}:{}:{}", path.display(), error.line(), error.column());
        Failure::input(format!("{place}: not a result of this version of Wrack: {error}"))
    })?;
    if run.format != RESULT_FORMAT {
        let message =
            format!("format {} is not known: this version reads {RESULT_FORMAT}", run.format);
        return Err(Failure::input(format!("{}: {message}", path.display())));
    }
    let path = folder.join("history.jsonl");
    let file = std::fs::File::open(&path).map_err(|e| Failure::file(path.display(), e))?;
    let recorded = codec::read(std::io::BufReader::new(file));
    let recorded =
        recorded.map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    if !recorded.finished {
        let message = format!("{}: the history was cut off before its end", path.display());
        return Err(Failure::input(message));
    }
    run.history = recorded.history;
    run.picture = picture(&folder.join("picture.json"))?;
    Ok(run)
}
