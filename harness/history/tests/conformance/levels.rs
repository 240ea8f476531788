//! Which levels of isolation a history of transactions satisfies, as those who recorded it say.
//!
//! | who says it | in these words | levels meant |
//! |---|---|---|
//! | synthetic/MANIFEST.csv | RC RA CC PC SI SER SSER | `read-committed-axiomatic`, `read-atomic`, `causal`, `prefix`, `strong-session-snapshot-isolation`, `strong-session-serializable`, `strict-serializable` |
//! | AWDIT | the strongest of RC < RA < CC | `read-committed-axiomatic`, `read-atomic`, `causal` |
//! | IsoVista, PolySI | violates, consistent | as written in [`SAID`] |
//! | verdicts.json | a level by its name | that one |
//! | Maelstrom | valid, for the level that the run was held to | `strict-serializable` for list-append, `read-committed` for rw-register |

use std::collections::BTreeMap;
use std::path::Path;

/// What holds and what does not, by level.
pub type Levels = BTreeMap<&'static str, bool>;

const SYNTHETIC: [(&str, &str); 7] = [
    ("RC", "read-committed-axiomatic"),
    ("RA", "read-atomic"),
    ("CC", "causal"),
    ("PC", "prefix"),
    ("SI", "strong-session-snapshot-isolation"),
    ("SER", "strong-session-serializable"),
    ("SSER", "strict-serializable"),
];

const WEAK: [(&str, bool); 3] =
    [("read-committed-axiomatic", true), ("read-atomic", true), ("causal", true)];

/// What is said in other words: files by what their paths below `histories` begin with, and levels.
const SAID: &[(&str, &[(&str, bool)])] = &[
    (
        "isovista-plume/dgraph_si",
        &[WEAK[0], WEAK[1], ("causal", false), ("snapshot-isolation", false)],
    ),
    ("isovista-plume/pg_ser_bug", &[WEAK[0], WEAK[1], WEAK[2], ("serializable", false)]),
    ("txn-text/isovista-pg_ser_bug", &[WEAK[0], WEAK[1], WEAK[2], ("serializable", false)]),
    ("polysi-plume/fig7", &[WEAK[0], WEAK[1], WEAK[2], ("snapshot-isolation", true)]),
    ("polysi-plume/galera", &[WEAK[0], WEAK[1], WEAK[2], ("snapshot-isolation", false)]),
    ("polysi-plume/twitter", &WEAK),
    // Elle's paper calls it a lost update; elle-cli held it to strict serializability.
    ("elle/paper-example", &[("strict-serializable", false), ("serializable", false)]),
    ("elle-cli/paper-example", &[("strict-serializable", false), ("serializable", false)]),
    ("elle-cli/long-fork", &[("snapshot-isolation", false), ("prefix", false), ("causal", true)]),
    // Labelled valid by elle-cli, but the second transaction reads 3, which nobody ever wrote:
    // no level allows that.
    ("elle-cli/rw-register", &[("strict-serializable", false), ("read-committed", false)]),
];

/// What the names of AWDIT's files say.
const AWDIT: [(&str, [bool; 3]); 4] = [
    ("none", [false, false, false]),
    ("read-committed", [true, false, false]),
    ("read-atomic", [true, true, false]),
    ("causal", [true, true, true]),
];

/// Levels by path below the folder; those of a run by its folder's path with a slash behind.
pub fn levels(folder: &Path) -> BTreeMap<String, Levels> {
    let mut levels = synthetic(folder);
    let manifest = read(folder, "histories/MANIFEST.csv");
    let text = read(folder, "histories/verdicts.json");
    let verdicts = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text);
    let verdicts = verdicts.unwrap_or_default();
    let names = manifest.lines().filter_map(|line| line.split(',').next()).map(str::to_owned);
    for name in names.chain(verdicts.keys().cloned()) {
        let mut found = said(&name);
        if let Some(verdict) = verdicts.get(&name) {
            found.extend(labelled(&name, verdict));
        }
        if !found.is_empty() {
            levels.entry(format!("histories/{name}")).or_default().extend(found);
        }
    }
    levels
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap_or_default()
}

fn synthetic(folder: &Path) -> BTreeMap<String, Levels> {
    let manifest = read(folder, "synthetic/MANIFEST.csv");
    let line = |line: &str| {
        let (name, rest) = line.split_once(',')?;
        let said = rest.split(',').next()?.strip_prefix("consistent with:")?;
        let (holds, violated) = said.split_once("; violates:")?;
        let all = [(holds, true), (violated, false)].into_iter().flat_map(|(list, holds)| {
            list.split_whitespace().map(move |short| (short.to_owned(), holds))
        });
        let named = all.filter_map(|(short, holds)| {
            let (_, level) = SYNTHETIC.iter().find(|(known, _)| *known == short)?;
            Some((*level, holds))
        });
        // A text without times cannot show what only times contradict, nor that they do not.
        let has_times = !name.ends_with(".plume.txt");
        let named = named.filter(|(level, _)| has_times || *level != "strict-serializable");
        Some((format!("synthetic/{name}"), named.collect::<Levels>()))
    };
    manifest.lines().filter_map(line).collect()
}

fn said(name: &str) -> Levels {
    let said = SAID.iter().filter(|(prefix, _)| name.starts_with(prefix));
    let mut levels: Levels = said.flat_map(|(_, levels)| levels.iter().copied()).collect();
    let file = name.strip_prefix("awdit-test-format/").or(name.strip_prefix("txn-text/awdit-"));
    let file = file.and_then(|file| file.split(['_', '.']).next());
    if let Some((_, holds)) = AWDIT.iter().find(|(strongest, _)| Some(*strongest) == file) {
        levels.extend(WEAK.iter().map(|(level, _)| *level).zip(*holds));
    }
    levels
}

/// What `verdicts.json` says, unless it is known to be wrong.
fn labelled(name: &str, verdict: &serde_json::Value) -> Levels {
    const NAMES: [&str; 3] = ["serializable", "snapshot-isolation", "strict-serializable"];
    if let Some(levels) = verdict["valid"].as_object() {
        let named = |(level, holds): (&String, &serde_json::Value)| {
            let level = NAMES.into_iter().find(|known| known == level);
            Some((level.expect("a level is known"), holds.as_bool()?))
        };
        return levels.iter().filter_map(named).collect();
    }
    let held_to = |prefix: &str, level| name.starts_with(prefix).then_some(level);
    let level = held_to("maelstrom/la-", "strict-serializable")
        .or(held_to("maelstrom/rw-", "read-committed"));
    let valid =
        verdict["maelstrom_valid"].as_bool().filter(|_| verdict.get("truth_differs").is_none());
    level.zip(valid).into_iter().collect()
}
