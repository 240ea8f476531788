//! The scenarios of the repository.

use std::path::{Path, PathBuf};

use wrack_runner::Catalogue;
use wrack_scenario::Scenario;

/// Every scenario, in name order.
pub fn scenarios(designs: &Catalogue) -> Vec<Scenario> {
    let mut files = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"), &mut files);
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a scenario can be read");
        wrack_scenario::read(&path.display().to_string(), &text, &designs.names())
            .expect("a good scenario")
    };
    files.iter().map(read).collect()
}

/// Every scenario file under the folder; playlists of game days are none.
fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("gamedays") {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}
