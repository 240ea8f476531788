//! `wrack verify-certificate`: orders held against the history that they are for.

use std::fs::File;
use std::io::BufReader;

use wrack_history::certificate::Certificate;
use wrack_history::import::Reading;
use wrack_runner::certificate;

use super::check::{format, initial, read_history};
use crate::Catalogue;
use crate::cli::VerifyCertificate;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Reads both and says what is shown.
pub fn verify(designs: &Catalogue, options: &VerifyCertificate) -> Result<Exit, Failure> {
    let path = &options.certificate;
    let file = File::open(path).map_err(|error| Failure::file(path.display(), error))?;
    let read: Certificate = serde_json::from_reader(BufReader::new(file)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::input(format!(
            "{}:{line}:{column}: this is no certificate: {error}: write one with `wrack check \
             --certificate`",
            path.display()
        ))
    })?;
    let initial = initial(options.initial.as_deref())?;
    let from = options.from.as_deref().map(format).transpose()?;
    let reading = Reading { model: &read.model, initial, failed_cas: None, from };
    let imported = read_history(&options.history, &reading)?;
    let name = options.history.display();
    match certificate::verify(&read, &imported, designs.own()) {
        Ok(levels) if levels.is_empty() => {
            print(format!("{name}: the certificate shows nothing\n"))?;
            Ok(Exit::Unknown)
        }
        Ok(levels) => {
            print(format!("{name}: verified: {}\n", levels.join(", ")))?;
            Ok(Exit::AsExpected)
        }
        Err(reason) => {
            print(format!("{name}: REFUSED: {reason}\n"))?;
            Ok(Exit::NotAsExpected)
        }
    }
}
