//! `wrack report`: the HTML again from a result.

use std::path::Path;

use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};
use crate::results;

/// Reads a result and writes its report.
pub fn report(folder: &Path, out: Option<&Path>) -> Result<Exit, Failure> {
    let run = results::read(folder)?;
    let path = out.map_or_else(|| folder.join("report.html"), Path::to_owned);
    let html = wrack_reports::html(&run);
    write_file(&path, |to| to.write_all(html.as_bytes()))?;
    print(format!("wrote {}\n", path.display())).map(|()| Exit::AsExpected)
}
