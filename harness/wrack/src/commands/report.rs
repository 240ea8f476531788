//! `wrack report`: the HTML again from a result.

use std::path::Path;

use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};
use crate::results;

/// Reads a result and writes its report, compared with another result if there is one.
pub fn report(folder: &Path, baseline: Option<&Path>, out: Option<&Path>) -> Result<Exit, Failure> {
    let run = results::read(folder)?;
    let baseline = baseline.map(results::read).transpose()?;
    let path = out.map_or_else(|| folder.join("report.html"), Path::to_owned);
    let html = match &baseline {
        Some(baseline) => wrack_reports::html_against(&run, baseline),
        None => wrack_reports::html(&run),
    };
    write_file(&path, |to| to.write_all(html.as_bytes()))?;
    print(format!("wrote {}\n", path.display())).map(|()| Exit::AsExpected)
}
