//! Scenario files: finding, reading and making them.

use std::path::{Path, PathBuf};

use wrack_history::Catalogue as Names;
use wrack_scenario::{Scenario, bring_in_openslo, is_playlist, read_openslo};

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
        let text = scenario_text(&path, catalogue)?;
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

/// The text of a scenario file, with the objectives of the OpenSLO file that it names brought in.
pub fn scenario_text(path: &Path, catalogue: &Names) -> Result<String, Failure> {
    let text = read_text(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    bring_in_openslo(&text, |file| {
        let path = folder.join(file);
        let shown = path.display().to_string();
        read_openslo(&shown, &read_text(&path)?, catalogue).map_err(|diagnostics| {
            anstream::eprintln!("{}", diagnostics.render(true));
            Failure::input(format!("{shown}: not an OpenSLO file that can be judged"))
        })
    })
}

/// Adds the file, or every scenario file under the folder in name order.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file(path.display(), error);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        if playlist(path)? {
            let path = path.display();
            let message = "is a game day, not a scenario: run it with";
            return Err(Failure::input(format!("{path} {message} `wrack gameday run {path}`")));
        }
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
            match playlist(&path)? {
                true => anstream::eprintln!("skipped: {} is a game day", path.display()),
                false => files.push(path),
            }
        }
    }
    Ok(())
}

/// Whether a file is a playlist; what cannot be read as text is none.
fn playlist(path: &Path) -> Result<bool, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path.display(), error))?;
    Ok(std::str::from_utf8(&bytes).is_ok_and(is_playlist))
}

/// Writes a commented scenario that runs at once, or a game day with its scenario.
pub fn new(designs: &Catalogue, name: &str, gameday: bool) -> Result<Exit, Failure> {
    let path = PathBuf::from(name).with_extension("toml");
    if !gameday {
        write_new(&path, &wrack_scenario::template(name), &designs.names())?;
        let shown = path.display();
        print(format!("wrote {shown}\nrun it: wrack run {shown}\n"))?;
        return Ok(Exit::AsExpected);
    }
    let beside = format!("{}-scenario.toml", name.strip_suffix(".toml").unwrap_or(name));
    let scenario = PathBuf::from(&beside);
    let file = scenario.file_name().unwrap_or_default().to_string_lossy();
    free(&path)?;
    write_new(&scenario, &wrack_scenario::playlist_scenario_template(name), &designs.names())?;
    let text = wrack_scenario::playlist_template(name, &file);
    write_file(&path, |to| to.write_all(text.as_bytes()))?;
    let shown = path.display();
    let next = format!("before: wrack gameday brief {shown}\nrun it: wrack gameday run {shown}\n");
    print(format!("wrote {shown}\nwrote {beside}\n{next}")).map(|()| Exit::AsExpected)
}

/// Errors: there is such a file.
fn free(path: &Path) -> Result<(), Failure> {
    let message = format!("{} exists: choose another name", path.display());
    if path.exists() { Err(Failure { exit: Exit::File, message }) } else { Ok(()) }
}

fn write_new(path: &Path, text: &str, names: &Names) -> Result<(), Failure> {
    free(path)?;
    let shown = path.display().to_string();
    wrack_scenario::read(&shown, text, names).expect("the template is a scenario");
    write_file(path, |to| to.write_all(text.as_bytes()))
}

/// Prints the JSON Schema of a kind of file.
pub fn schema(designs: &Catalogue, what: SchemaKind) -> Result<Exit, Failure> {
    let schema = match what {
        SchemaKind::Scenario => format!("{:#}\n", wrack_scenario::schema(&designs.names())),
        SchemaKind::Policy => wrack_scenario::POLICY_SCHEMA.into(),
        SchemaKind::Gameday => wrack_scenario::PLAYLIST_SCHEMA.into(),
    };
    print(schema).map(|()| Exit::AsExpected)
}
