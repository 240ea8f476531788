//! Wrack: distributed designs under faults, judged and explained.
//!
//! The binary runs the reference designs. A project that tests its own design depends on this
//! library, implements [`Design`], and has a `main` of its own:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     wrack::main_with(|designs| {
//!         // use wrack::Registry; designs.add::<MyDesign>();
//!         let _ = designs;
//!     })
//! }
//! ```
//! This crate is the only one that talks to a terminal, reads the environment and writes files.

mod cli;
mod commands;
mod exit;
mod output;
mod results;
mod sweeps;

use std::process::ExitCode;

pub use wrack_history as history;
pub use wrack_runner::Designs;
pub use wrack_sim as sim;
pub use wrack_sim::{Design, Registry};

/// The command line over the reference designs.
pub fn main() -> ExitCode {
    main_with(|_| {})
}

/// The command line over the reference designs and those that `register` adds.
pub fn main_with(register: impl FnOnce(&mut Designs)) -> ExitCode {
    let mut designs = Designs::reference();
    register(&mut designs);
    exit::guarded(|| commands::dispatch(&designs))
}
