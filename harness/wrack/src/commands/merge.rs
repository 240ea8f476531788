//! `wrack merge`: shards of a sweep become one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wrack_runner::sweep;

use crate::cli::Format;
use crate::exit::{Exit, Failure};
use crate::sweeps::{self, Log};

/// The folders of sweeps that become one.
pub fn merge(folders: &[PathBuf], out: &Path, format: Format) -> Result<Exit, Failure> {
    let missing: Vec<_> =
        folders.iter().filter(|folder| !folder.join(sweeps::PLAN).is_file()).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|folder| folder.display().to_string()).collect();
        let message = format!("no sweep in {}: nothing was merged", names.join(", "));
        return Err(Failure { exit: Exit::Unknown, message });
    }
    let (plan, records) = sweeps::union(folders)?;
    if records.is_empty() {
        let message = "the sweeps hold no run: nothing was merged".to_owned();
        return Err(Failure { exit: Exit::Unknown, message });
    }
    let mut tallies = plan.tallies();
    let mut log = Log::open(out, &plan, false)?;
    for record in &records {
        log.add(record)?;
        tallies[record.group as usize].add(record);
    }
    log.flush()?;
    let report = sweep::report(&tallies);
    for example in
        report.signatures.iter().map(|signature| &signature.example).collect::<BTreeSet<_>>()
    {
        sweeps::copy_example(folders, example, out)?;
    }
    let exit = sweeps::finish(out, &plan, &tallies, format == Format::Json)?;
    let absent = plan.absent(&records);
    if absent > 0 && exit == Exit::AsExpected {
        anstream::eprintln!("{absent} runs of the plan are in none of these folders");
        return Ok(Exit::Unknown);
    }
    Ok(exit)
}
