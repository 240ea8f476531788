//! `wrack list`: the catalogue as it is built.

use std::path::Path;

use serde_json::{Value, json};
use wrack_history::catalogue::EngineInfo;
use wrack_runner::engines;
use wrack_scenario::Scenario;

use super::files;
use crate::Catalogue;
use crate::cli::{Format, Kind};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// One row: what identifies it, and a line about it.
struct Row {
    name: String,
    about: String,
}

impl Row {
    fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self { name: name.into(), about: about.into() }
    }
}

/// Prints what there is of a kind.
pub fn list(designs: &Catalogue, kind: Kind, format: Format) -> Result<Exit, Failure> {
    let rows = rows(designs, kind)?;
    let text = match format {
        Format::Json => {
            let row = |row: &Row| json!({"name": row.name, "about": row.about});
            format!("{:#}\n", Value::from(rows.iter().map(row).collect::<Vec<_>>()))
        }
        Format::Human => table(&rows),
    };
    print(text).map(|()| Exit::AsExpected)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|row| format!("{:width$}  {}\n", row.name, row.about)).collect()
}

fn rows(designs: &Catalogue, kind: Kind) -> Result<Vec<Row>, Failure> {
    let catalogue = designs.names();
    Ok(match kind {
        Kind::Designs => {
            let row = |info: &&_| {
                let info: &wrack_history::catalogue::DesignInfo = info;
                let codes = match info.codes {
                    [] => String::new(),
                    codes => format!(" ({})", codes.join(", ")),
                };
                Row::new(info.name, format!("{}{codes}", info.title))
            };
            catalogue.designs.iter().map(row).collect()
        }
        Kind::Variants => {
            let variants = |info: &&'static wrack_history::catalogue::DesignInfo| {
                let name = info.name;
                info.variants.iter().map(move |v| Row::new(format!("{name} {}", v.name), v.doc))
            };
            catalogue.designs.iter().flat_map(variants).collect()
        }
        Kind::Faults => {
            let row = |info: &&'static wrack_history::catalogue::FaultInfo| {
                Row::new(info.name, format!("{} {}", info.code, first_sentence(info.doc)))
            };
            catalogue.faults.iter().map(row).collect()
        }
        Kind::Guarantees => {
            let row = |info: &&'static wrack_history::catalogue::GuaranteeInfo| {
                Row::new(info.code, format!("{}: {}", info.name, first_sentence(info.doc)))
            };
            catalogue.guarantees.iter().map(row).collect()
        }
        Kind::Workloads => {
            let row = |info: &&'static wrack_history::catalogue::WorkloadInfo| {
                let functions = info.functions.join(", ");
                Row::new(info.name, format!("{functions}: {}", first_sentence(info.doc)))
            };
            catalogue.workloads.iter().map(row).collect()
        }
        Kind::Models => {
            let rows = catalogue.models.iter();
            rows.map(|info| Row::new(info.name, first_sentence(info.doc))).collect()
        }
        Kind::Metrics => {
            let rows = catalogue.metrics.iter();
            rows.map(|info| Row::new(info.name, first_sentence(info.doc))).collect()
        }
        Kind::Scenarios => scenarios(designs)?,
        Kind::Engines => engines::ALL.into_iter().map(engine).collect(),
    })
}

/// What an engine can do, in the order in which people ask.
fn engine(info: &EngineInfo) -> Row {
    let repeats = if info.deterministic { "deterministic" } else { "not deterministic" };
    let nodes = match info.nodes_max {
        Some(most) => format!("at most {most} nodes"),
        None => "any number of nodes".into(),
    };
    let faults = match info.faults_refused {
        [] => "every fault of `wrack list faults`".into(),
        refused => format!("every fault but {}", refused.join(", ")),
    };
    let missing = info.missing.map(|why| format!(" Missing: {why}.")).unwrap_or_default();
    Row::new(info.name, format!("{repeats}; {nodes}; {faults}. {}{missing}", info.doc))
}

/// The scenario files under `scenarios/` of the working directory.
fn scenarios(designs: &Catalogue) -> Result<Vec<Row>, Failure> {
    let folder = Path::new("scenarios").to_owned();
    if !folder.is_dir() {
        let message = "there is no folder scenarios here: go to a folder that has one";
        return Err(Failure::file("scenarios", message));
    }
    let row = |scenario: Scenario| {
        let expected = |variant: &wrack_scenario::Expectation| {
            format!("{} → {}", variant.variant, variant.expected())
        };
        let variants: Vec<_> = scenario.variants.iter().map(expected).collect();
        Row::new(scenario.path, format!("{} ({})", scenario.title, variants.join(", ")))
    };
    Ok(files::scenarios(&[folder], &designs.names())?.into_iter().map(row).collect())
}

/// The first sentence of a text, on one line.
pub fn first_sentence(text: &str) -> String {
    let end = text.find(". ").or_else(|| text.find(".\n")).map_or(text.len(), |end| end + 1);
    text[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}
