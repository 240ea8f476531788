//! `wrack keep`: a result as a regression, which runs for ever after.

use std::path::{Path, PathBuf};

use wrack_runner::regression::{self, Origin};
use wrack_runner::shrink::{Budget, write_down};

use super::again::{self, Again};
use super::must_repeat;
use super::shrink::event;
use crate::Catalogue;
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};

/// Writes the run of a result as a scenario with explicit operations and faults.
pub fn keep(designs: &Catalogue, options: &cli::Regression) -> Result<Exit, Failure> {
    let again = Again::read(&options.result, designs, options.force, options.on)?;
    must_repeat(again.design().engine)?;
    let designs = &again.designs;
    let Some(goal) = again.goal() else {
        anstream::eprintln!("{} has no anomaly: nothing to keep", options.result.display());
        return Ok(Exit::NotAsExpected);
    };
    let design = again.design();
    let catalogue = designs.names();
    let budget = Budget { runs_max: u64::MAX, is_over: &|| false };
    let Some(kept) = write_down(&again.scenario, design, &catalogue, &goal, &budget) else {
        anstream::eprintln!("{}", again::not_reproduced(&goal));
        return Ok(Exit::NotAsExpected);
    };
    let name = options.name.as_deref().unwrap_or_else(|| event(&again.scenario.name));
    let path = place(&options.out, name)?;
    let origin = Origin {
        scenario: &again.scenario,
        path: path.display().to_string(),
        goal: &goal,
        what: "A regression",
    };
    let story = kept.story();
    let text = regression::file(&story, design, &catalogue, &origin);
    write_file(&path, |to| to.write_all(text.as_bytes()))?;
    let (operations, faults) = (kept.after.operations, kept.after.faults);
    print(format!(
        "wrote {}: {operations} operations, {faults} faults\nrun it: {}\n",
        path.display(),
        story.command(path.display())
    ))?;
    Ok(Exit::AsExpected)
}

/// The file of the next number in the folder: `<folder>/007-leader-isolated.toml`.
fn place(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::file(folder.display(), error);
    let mut next = 1;
    if folder.exists() {
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let number = file.to_str().and_then(|file| file.split('-').next()?.parse::<u32>().ok());
            next = next.max(number.map_or(0, |number| number + 1));
        }
    }
    Ok(folder.join(format!("{next:03}-{name}.toml")))
}
