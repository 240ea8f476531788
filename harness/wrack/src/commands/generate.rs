//! `wrack generate-history`: a history whose truth is known.

use wrack_history::codec;
use wrack_workloads::generated::{self, Kind, Shape};

use crate::cli::{GenerateHistory, HistoryKind};
use crate::exit::{Exit, Failure};
use crate::output::{print, print_with, write_file};

/// How many elements a set has, unless it is said.
const ELEMENTS: u32 = 20;

/// Makes the history and writes it.
pub fn generate(options: &GenerateHistory) -> Result<Exit, Failure> {
    let kind = kind(options.kind);
    let shape = Shape {
        kind,
        keys: options.keys,
        clients: options.clients,
        operations: options.operations,
        values: options.values.unwrap_or(if kind == Kind::Set { ELEMENTS } else { 0 }),
        doubtful: options.doubtful,
        mutated: options.mutate,
        seed: options.seed,
    };
    let made = generated::generate(&shape).map_err(|error| Failure::usage(error.to_string()))?;
    let (history, truth) = (made.history, made.truth);
    match &options.out {
        None => print_with(|to| codec::write_with_truth(&history, truth, to))?,
        Some(path) => {
            write_file(path, |to| codec::write_with_truth(&history, truth, to))?;
            print(format!("wrote {}\n", path.display()))?;
        }
    }
    Ok(Exit::AsExpected)
}

fn kind(kind: HistoryKind) -> Kind {
    match kind {
        HistoryKind::Register => Kind::Register,
        HistoryKind::CasRegister => Kind::CasRegister,
        HistoryKind::List => Kind::List,
        HistoryKind::Queue => Kind::Queue,
        HistoryKind::Stack => Kind::Stack,
        HistoryKind::Set => Kind::Set,
        HistoryKind::ListAppend => Kind::ListAppend,
        HistoryKind::RwRegister => Kind::RwRegister,
    }
}
