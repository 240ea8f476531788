//! Scenario files: finding, reading and making them.

use std::path::{Path, PathBuf};

use wrack_history::Catalogue as Names;
use wrack_scenario::Scenario;

use crate::Catalogue;
use crate::cli::SchemaKind;
use crate::exit::{Exit, Failure};
use crate::output::{print, read_text, write_file};

/// Reads every scenario under the paths; folders are walked in name order.
///
/// Errors: all mistakes of all files together, before anything runs.
pub fn scenarios(paths: &[PathBuf], catalogue: &Names) -> Result<Vec<Scenario>, Failure> {
    let files = find_all(paths)?;
    if files.is_empty() {
        let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::input(format!("{}: no scenario file (*.toml)", places.join(", "))));
    }
    read(files, catalogue)
}

/// Every scenario file under the paths; folders are walked in name order.
pub fn find_all(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        find(path, &mut files)?;
    }
    Ok(files)
}

/// Reads scenario files.
///
/// Errors: all mistakes of all files together.
pub fn read(files: Vec<PathBuf>, catalogue: &Names) -> Result<Vec<Scenario>, Failure> {
    let (mut scenarios, mut mistakes) = (Vec::new(), 0);
    for path in files {
        let text = read_text(&path)?;
        match wrack_scenario::read(&path.display().to_string(), &text, catalogue) {
            Ok(scenario) => scenarios.push(scenario),
            Err(diagnostics) => {
                anstream::eprintln!("{}", diagnostics.render(true));
                mistakes += diagnostics.len();
            }
        }
    }
    match mistakes {
        0 => Ok(scenarios),
        1 => Err(Failure::input("1 mistake in the scenario: nothing was run")),
        count => Err(Failure::input(format!("{count} mistakes in scenarios: nothing was run"))),
    }
}

/// Adds the file, or every scenario file under the folder in name order.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file(path.display(), error);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// Writes a commented scenario that runs at once.
pub fn new(designs: &Catalogue, name: &str) -> Result<Exit, Failure> {
    let path = PathBuf::from(name).with_extension("toml");
    if path.exists() {
        let message = format!("{} exists: choose another name", path.display());
        return Err(Failure { exit: Exit::File, message });
    }
    let text = wrack_scenario::template(name);
    let shown = path.display().to_string();
    wrack_scenario::read(&shown, &text, &designs.names()).expect("the template is a scenario");
    write_file(&path, |to| to.write_all(text.as_bytes()))?;
    print(format!("wrote {shown}\nrun it: wrack run {shown}\n")).map(|()| Exit::AsExpected)
}

/// Prints the JSON Schema of a kind of file.
pub fn schema(designs: &Catalogue, what: SchemaKind) -> Result<Exit, Failure> {
    let schema = match what {
        SchemaKind::Scenario => format!("{:#}\n", wrack_scenario::schema(&designs.names())),
        SchemaKind::Policy => wrack_scenario::POLICY_SCHEMA.into(),
    };
    print(schema).map(|()| Exit::AsExpected)
}
