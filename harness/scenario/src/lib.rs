//! Reads and validates scenario files.
//!
//! [`read`] makes a [`Scenario`] of a file, or finds everything that is wrong with it: it walks the
//! parsed TOML, in which every value has its place, and goes on after each mistake. It knows no
//! design, workload or fault by itself: what a file may name is a
//! [`Catalogue`](wrack_history::Catalogue) that the caller fills. [`schema()`] says the same to
//! editors, and [`template()`] is a file to begin with.
//!
//! A section of the file is a file in `sections`; most keys are rows of a table of
//! [`ParameterInfo`](wrack_history::catalogue::ParameterInfo)s there, from which reading, defaults
//! and schema all follow. What concerns several sections is judged in `checks`.
//!
#![doc = include_str!("../FORMAT.md")]

mod checks;
mod decimal;
mod delay;
mod diagnostic;
mod fields;
mod findings;
mod mistake;
mod openslo;
mod parameters;
mod playlist;
mod policy;
mod reader;
pub mod scenario;
mod schema;
mod scope;
mod secret;
mod sections;
mod suggestion;
mod syntax;
mod target;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use diagnostic::{Diagnostic, Diagnostics, Related, Span};
pub use openslo::{bring_in as bring_in_openslo, read as read_openslo};
pub use playlist::{
    Check, PLAYLIST_SCHEMA, Plan, Playlist, Role, Signal, Step, Stop, is_playlist, read_playlist,
};
pub use policy::{Allowance, Date, POLICY_SCHEMA, Policy, Tolerance, read_policy};
pub use reader::read;
pub use scenario::{
    Alerting, Bound, Expectation, Follow, Minimum, Objective, PhaseLengths, Promise, Scenario,
};
pub use schema::schema;
pub use template::{playlist_scenario_template, playlist_template, template};
pub use wrack_history::load::{
    Environment, ExplicitOperation, KeyDistribution, Pace, RetryKey, RetryPolicy, Workload,
};
pub use writer::{Remarks, write};
