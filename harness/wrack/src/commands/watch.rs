//! Doing something again whenever a file is saved.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::RecursiveMode;
use notify_debouncer_full::{DebounceEventResult, new_debouncer};

use crate::exit::{Exit, Failure};

/// What an editor does to save a file is over after so long.
const SETTLED: Duration = Duration::from_millis(100);

/// Does it now, and again whenever one of the files that it names is saved, until somebody interrupts.
///
/// What goes wrong is told, and the next save may mend it. Folders are watched rather than files,
/// because editors save by renaming; a file that is named and not there yet is waited for.
pub fn watch(
    mut again: impl FnMut() -> Result<Exit, Failure>,
    files: impl Fn() -> Vec<PathBuf>,
) -> Result<Exit, Failure> {
    let (to, from) = channel();
    let failed = |error: notify::Error| Failure::file("watching files", error);
    let mut debouncer = new_debouncer(SETTLED, None, to).map_err(failed)?;
    let mut folders = BTreeSet::new();
    loop {
        // Before it is done: what is saved meanwhile is seen afterwards.
        let files: BTreeSet<PathBuf> = files().iter().filter_map(|file| in_full(file)).collect();
        for folder in files.iter().filter_map(|file| file.parent()) {
            if folders.insert(folder.to_owned()) {
                debouncer.watch(folder, RecursiveMode::NonRecursive).map_err(failed)?;
            }
        }
        if let Err(failure) = again() {
            anstream::eprintln!("error: {}", failure.message);
        }
        anstream::eprintln!("watching {} files; interrupt to end", files.len());
        wait(&from, &files)?;
    }
}

/// Waits until one of the files is written, and not only read.
fn wait(from: &Receiver<DebounceEventResult>, files: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    let ended = |_| Failure::file("watching files", "the watcher ended");
    loop {
        let events = from.recv().map_err(ended)?.unwrap_or_default();
        let written = events.iter().filter(|event| !event.kind.is_access());
        if written.flat_map(|event| &event.paths).any(|path| files.contains(path)) {
            return Ok(());
        }
    }
}

/// The file in its real folder, as events name it.
fn in_full(file: &Path) -> Option<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(file.file_name()?))
}
