//! Histories in parts: which files are one history, and how they are opened.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use wrack_history::import::{self, ImportError, Imported, Reading};

use crate::exit::Failure;

/// What stands in a folder for each client, plain or compressed.
const PART: &str = "operations.json";
const BUFFER_BYTES: usize = 1 << 16;

/// One history: a file, or several that are parts of it.
pub struct Source {
    /// What to call it.
    pub name: String,
    files: Vec<PathBuf>,
    has_parts: bool,
}

/// The histories that these paths are: each file is one, each folder is one of which every
/// `operations.json` below it is a part, and with `joined` all of them together are one.
///
/// Errors: a folder without such files, and what cannot be read.
pub fn sources(paths: &[PathBuf], joined: bool) -> Result<Vec<Source>, Failure> {
    let mut sources = paths.iter().map(|path| source(path)).collect::<Result<Vec<_>, _>>()?;
    if joined && sources.len() > 1 {
        let name = format!("{} and {} more", sources[0].name, sources.len() - 1);
        let files = sources.into_iter().flat_map(|source| source.files).collect();
        sources = vec![Source { name, files, has_parts: true }];
    }
    Ok(sources)
}

fn source(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    if !path.is_dir() {
        return Ok(Source { name, files: vec![path.to_owned()], has_parts: false });
    }
    let mut files = Vec::new();
    find(path, &mut files)?;
    match files.is_empty() {
        false => Ok(Source { name, files, has_parts: true }),
        true => Err(Failure::input(format!(
            "{name}: a folder is one history, whose parts are called {PART}, but there is none in it"
        ))),
    }
}

/// Every part below a folder, in name order.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file(folder.display(), error);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, files)?;
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PART)) {
            files.push(path);
        }
    }
    Ok(())
}

impl Source {
    /// Reads it.
    pub fn read(&self, reading: &Reading<'_>) -> Result<Imported, Failure> {
        let mut parts = Vec::new();
        for path in &self.files {
            let file = File::open(path).map_err(|error| Failure::file(path.display(), error))?;
            let file = BufReader::with_capacity(BUFFER_BYTES, file);
            parts.push((path.display().to_string(), file));
        }
        let imported = match (self.has_parts, parts.pop()) {
            (false, Some((name, file))) => import::read(&name, file, reading),
            (_, last) => import::read_parts(&self.name, parts.into_iter().chain(last), reading),
        };
        imported.map_err(|error| match error {
            ImportError::Malformed { .. } => Failure::input(error.to_string()),
            ImportError::Io { path, error } => Failure::file(path, error),
        })
    }
}
