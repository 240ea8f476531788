//! Which histories a folder of foreign histories holds, how they have to be read, and what is known
//! of them.
//!
//! The folder has the form of `histories/` and `synthetic/` as this project keeps them: verdicts stand
//! in `histories/verdicts.json`, `histories/MANIFEST.csv` and `synthetic/MANIFEST.csv`. Of histories of
//! transactions a verdict is said for each level of isolation; `levels` says how.
//!
//! Whoever judges them includes this file with `#[path]`, and reads what it needs.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

#[path = "levels.rs"]
mod levels;

use wrack_history::Value;
use wrack_history::import::{self, FailedCas, ImportError, Imported, Reading};

/// One history of somebody else's.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its path below the folder.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The model it was recorded for.
    pub model: &'static str,
    /// Where its objects start.
    pub initial: Option<Value>,
    /// What its failed cas mean.
    pub failed_cas: Option<FailedCas>,
    /// Its format, where the content does not tell.
    pub from: Option<&'static str>,
    /// The guarantee that the verdict is about, by code; `None` for what the model is about.
    pub guarantee: Option<&'static str>,
    /// Whether it holds; `None` if nobody said so.
    pub valid: Option<bool>,
    /// Of transactions: whether each of these levels of isolation holds, by name.
    pub levels: BTreeMap<&'static str, bool>,
    /// Whether it must be refused, and what the refusal says.
    pub refused: Option<&'static str>,
}

impl Case {
    /// Whether it is judged by levels of isolation.
    pub fn is_of_transactions(&self) -> bool {
        matches!(self.model, "list-append" | "rw-register")
    }

    /// Reads it, in parts if it is a folder.
    pub fn read(&self) -> Result<Imported, ImportError> {
        let open = |path: &Path| {
            let file = File::open(path).expect("it was found");
            (path.to_string_lossy().into_owned(), BufReader::new(file))
        };
        if !self.path.is_dir() {
            let (name, file) = open(&self.path);
            return import::read(&name, file, &self.reading());
        }
        let mut files = Vec::new();
        walk(&self.path, &mut files);
        files.retain(|path| path.ends_with("operations.json"));
        import::read_parts(&self.name, files.iter().map(|path| open(path)), &self.reading())
    }

    /// How it has to be read.
    pub fn reading(&self) -> Reading<'static> {
        Reading {
            model: self.model,
            initial: self.initial.clone(),
            failed_cas: self.failed_cas,
            from: self.from.and_then(import::by_name),
        }
    }
}

/// How the histories of one folder have to be read.
struct Family {
    /// What their paths begin with; the first family that fits is it.
    prefix: &'static str,
    model: &'static str,
    initial: fn() -> Option<Value>,
    failed_cas: Option<FailedCas>,
    from: Option<&'static str>,
    /// The guarantee that the recorded verdict is about, unless it is what the model is about.
    guarantee: Option<&'static str>,
}

const fn family(prefix: &'static str, model: &'static str) -> Family {
    let initial = || None;
    Family { prefix, model, initial, failed_cas: None, from: None, guarantee: None }
}

/// A family that is held to another guarantee than its model suggests.
const fn held_to(code: &'static str, family: Family) -> Family {
    Family { guarantee: Some(code), ..family }
}

/// Knossos starts its registers at 0 and takes every failure as no effect.
const fn knossos(prefix: &'static str) -> Family {
    Family {
        initial: || Some(0.into()),
        failed_cas: Some(FailedCas::Ignored),
        ..family(prefix, "cas-register")
    }
}

/// The etcd runs start at nil, and their failed cas had been compared.
const fn etcd(prefix: &'static str, from: &'static str) -> Family {
    Family {
        initial: || Some(Value::Nil),
        failed_cas: Some(FailedCas::Observed),
        from: Some(from),
        ..family(prefix, "cas-register")
    }
}

/// Ten accounts, all of the money in the first.
fn all_in_one_account() -> Option<Value> {
    let balance =
        |account: i64| Value::pair(account.into(), (if account == 0 { 100 } else { 0 }).into());
    Some(Value::list((0..10).map(balance)))
}

fn zero() -> Option<Value> {
    Some(0.into())
}

fn x_and_y() -> Option<Value> {
    Some(Value::list(["x", "y"].map(|key| Value::pair(key.into(), 0.into()))))
}

const FAMILIES: &[Family] = &[
    family("histories/knossos/mutex", "mutex"),
    knossos("histories/knossos/"),
    knossos("histories/knossos-cas/cas-register"),
    family("histories/knossos-cas/mutex", "mutex"),
    Family { initial: x_and_y, ..family("histories/knossos-cas/multi", "multi-register") },
    Family { initial: all_in_one_account, ..family("histories/elle-cli/bank.", "bank") },
    family("histories/elle-cli/bank", "bank"),
    family("histories/elle-cli/counter", "counter"),
    knossos("histories/elle-cli/memstress"),
    family("histories/elle-cli/mutex", "mutex"),
    family("histories/elle-cli/set.", "g-set"),
    // What was judged is whether elements are lost or stale, not linearizability.
    held_to("SETFULL", family("histories/elle-cli/set_full", "g-set")),
    family("histories/porcupine-kv/", "kv"),
    // Maelstrom judges broadcast, counters and sets by what they come to in the end.
    held_to("SETFULL", family("histories/maelstrom/bc-", "g-set")),
    held_to("SUM:reads=settled", family("histories/maelstrom/gc-", "counter")),
    held_to("SUM:reads=settled", family("histories/maelstrom/pn-", "counter")),
    family("histories/maelstrom/ids-", "unique-ids"),
    family("histories/maelstrom/lk-", "cas-register"),
    held_to("SETFULL", family("histories/mm-runs/bc-", "g-set")),
    held_to("SETFULL", family("histories/mm-runs/x-bc-", "g-set")),
    held_to("SUM:reads=settled", family("histories/mm-runs/gc-", "counter")),
    held_to("SETFULL", family("histories/mm-runs/gs-", "g-set")),
    held_to("SUM:reads=settled", family("histories/mm-runs/pn-", "counter")),
    family("histories/maelstrom/ka-", "log"),
    family("histories/mm-runs/ka-", "log"),
    family("histories/maelstrom/la-", "list-append"),
    family("histories/mm-runs/la-", "list-append"),
    // A node that answers 0 for what nobody wrote.
    Family { initial: zero, ..family("histories/maelstrom/rw-teivah", "rw-register") },
    Family { initial: zero, ..family("histories/mm-runs/rw-teivah", "rw-register") },
    family("histories/maelstrom/rw-", "rw-register"),
    family("histories/mm-runs/rw-", "rw-register"),
    family("histories/elle/", "list-append"),
    family("histories/elle-cli/paper-example", "list-append"),
    family("histories/elle-cli/rw-register", "rw-register"),
    family("histories/elle-cli/long-fork", "rw-register"),
    family("histories/history-sim/", "list-append"),
    family("histories/polysi", "rw-register"),
    family("histories/isovista-plume/", "rw-register"),
    family("histories/awdit-test-format/", "rw-register"),
    family("histories/txn-text/", "rw-register"),
    family("synthetic/synth-txn/la-", "list-append"),
    family("synthetic/synth-txn/rw-", "rw-register"),
    held_to("SUM:reads=settled", family("histories/mm-runs/x-pn-", "counter")),
    family("histories/mm-runs/x-ids", "unique-ids"),
    family("histories/mm-runs/lk-", "cas-register"),
    family("histories/mm-runs/x-lk-", "cas-register"),
    family("synthetic/synth-lin/append", "list"),
    family("synthetic/synth-lin/cas", "cas-register"),
    // Initial value and failed cas are those of the format.
    family("synthetic/synth-lin/kv", "kv"),
    family("synthetic/synth-lin/queue", "queue"),
    family("synthetic/synth-lin/reg", "register"),
    family("synthetic/synth-lin/set", "set"),
    family("synthetic/synth-lin/stack", "stack"),
];

/// Runs whose verdict is about something that the history does not hold: a reply with a field too many,
/// which Maelstrom refused.
const BEYOND_THE_HISTORY: [&str; 1] = ["histories/maelstrom/bc-extra"];

fn family_of(name: &str) -> Option<&'static Family> {
    const ETCD_LOG: &Family = &etcd("histories/porcupine-etcd/", "jepsen-log");
    const ETCD_EDN: &Family = &etcd("histories/porcupine-etcd/", "jepsen-edn");
    if name.starts_with(ETCD_LOG.prefix) {
        return Some(if name.ends_with(".log") { ETCD_LOG } else { ETCD_EDN });
    }
    FAMILIES.iter().find(|family| name.starts_with(family.prefix))
}

/// Histories that are no answer to what was asked, and so are refused.
const REFUSED: [(&str, &str); 1] =
    [("histories/maelstrom/la-wrongfn", "is none to the micro-operations")];

/// Every history below `folder`, in order of their names.
pub fn cases(folder: &Path) -> Vec<Case> {
    let verdicts = verdicts(folder);
    let levels = levels::levels(folder);
    let mut files = Vec::new();
    walk(folder, &mut files);
    let case = |path: &PathBuf| {
        let name = path.strip_prefix(folder).expect("it is below").to_str()?.replace('\\', "/");
        let known = ["bincode", "edn", "json", "jsonl", "log", "txt", "gz"];
        let extension = path.extension()?.to_str()?;
        if !known.contains(&extension) || name.ends_with("results.edn") {
            return None;
        }
        let family = family_of(&name)?;
        let run = name.rsplit_once('/').map_or("", |(run, _)| run);
        let verdict = verdicts.get(&name).or_else(|| verdicts.get(&format!("{run}/")));
        let refused = REFUSED.iter().find(|(refused, _)| *refused == run).map(|(_, why)| *why);
        let of_levels = levels.get(&name).or_else(|| levels.get(&format!("{run}/")));
        let transactions = matches!(family.model, "list-append" | "rw-register");
        Some(Case {
            levels: of_levels.filter(|_| transactions).cloned().unwrap_or_default(),
            refused,
            model: family.model,
            initial: (family.initial)(),
            failed_cas: family.failed_cas,
            from: family.from,
            guarantee: family.guarantee,
            valid: verdict.copied().filter(|_| !transactions && !BEYOND_THE_HISTORY.contains(&run)),
            path: path.clone(),
            name,
        })
    };
    let mut cases = files.iter().filter_map(case).collect::<Vec<_>>();
    cases.extend(robustness(folder, &verdicts));
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// The runs of etcd's robustness tests, each a folder with a folder of each client.
fn robustness(folder: &Path, verdicts: &BTreeMap<String, bool>) -> Vec<Case> {
    let runs = std::fs::read_dir(folder.join("histories/etcd-robustness"));
    let runs = runs.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let case = |path: PathBuf| {
        let run = path.file_name()?.to_str()?.to_owned();
        let name = format!("histories/etcd-robustness/{run}");
        Some(Case {
            valid: verdicts.get(&format!("{name}/")).copied(),
            name,
            path,
            model: "etcd",
            initial: None,
            failed_cas: None,
            from: None,
            guarantee: None,
            levels: BTreeMap::new(),
            refused: None,
        })
    };
    runs.filter_map(case).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// Verdicts by path below the folder; that of a run by its folder's path with a slash behind.
fn verdicts(folder: &Path) -> BTreeMap<String, bool> {
    let mut verdicts = BTreeMap::new();
    for part in ["histories", "synthetic"] {
        let manifest = std::fs::read_to_string(folder.join(part).join("MANIFEST.csv"));
        for line in manifest.unwrap_or_default().lines() {
            let Some((name, rest)) = line.split_once(',') else { continue };
            let said = rest.trim_start_matches('"');
            if said.starts_with("linearizable") || said.starts_with("NOT-linearizable") {
                verdicts.insert(format!("{part}/{name}"), said.starts_with("linearizable"));
            }
        }
    }
    let text = std::fs::read_to_string(folder.join("histories/verdicts.json")).unwrap_or_default();
    let said = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text);
    for (name, verdict) in said.unwrap_or_default() {
        // Where the truth differs, none of ours is of a kind that is judged.
        let valid = verdict["valid"].as_bool().or(verdict["maelstrom_valid"].as_bool());
        if let (Some(valid), None) = (valid, verdict.get("truth_differs")) {
            verdicts.insert(format!("histories/{name}"), valid);
        }
    }
    verdicts
}
