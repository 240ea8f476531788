//! `wrack diff`: where two results differ.

use std::path::Path;

use wrack_history::{Run, Trace};
use wrack_runner::difference::{differences, first_event};

use super::again;
use super::replay::in_full;
use crate::Catalogue;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::results;

/// Compares two results, and runs both again to find the first event that differs.
pub fn diff(designs: &Catalogue, a: &Path, b: &Path) -> Result<Exit, Failure> {
    let (one, other) = (results::read(a)?, results::read(b)?);
    let mut lines = differences(&one, &other);
    if lines.is_empty() {
        print("the same run\n")?;
        return Ok(Exit::AsExpected);
    }
    match (trace(designs, &one)?, trace(designs, &other)?) {
        (Some(one), Some(other)) => match first_event(&one, &other) {
            Some(event) => lines.extend(event),
            None => lines.push("run again, both go the same way, event for event".into()),
        },
        _ => lines.push(
            "at least one of them goes another way now, so no event can be compared: it is of another \
             version of Wrack"
                .into(),
        ),
    }
    print(format!("{} | {}\n{}\n", a.display(), b.display(), lines.join("\n")))?;
    Ok(Exit::NotAsExpected)
}

/// The trace of a result, run again with the scenario that it holds; `None` if that is another run now.
fn trace(designs: &Catalogue, result: &Run) -> Result<Option<Trace>, Failure> {
    let Run { scenario_path, scenario_source, variant, seed, .. } = result;
    let scenario = again::read_scenario(scenario_path, scenario_source, designs)?;
    let run = in_full(designs, &scenario, again::variant(&scenario, variant)?, *seed);
    Ok(run.trace.filter(|_| run.trace_hash == result.trace_hash))
}
