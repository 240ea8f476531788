//! Plain data that every crate of Wrack speaks, and the codecs that carry it.
//!
//! This crate is the bottom layer: it knows nothing of simulators, checkers or terminals. A history
//! recorded by somebody else and one recorded by the simulator are the same type here.

pub mod alert;
pub mod catalogue;
pub mod certificate;
pub mod check;
pub mod codec;
pub mod duration;
pub mod fact;
pub mod fault;
pub mod gameday;
pub mod gate;
pub mod history;
pub mod import;
pub mod load;
pub mod operation;
pub mod picture;
pub mod run;
pub mod setting;
pub mod swarm;
pub mod trace;
pub mod truth;
pub mod value;
pub mod verdict;

pub use catalogue::Catalogue;
pub use fact::{Fact, FactRecord};
pub use fault::{Fault, ScheduledFault, Target, When};
pub use history::{History, NemesisEvent};
pub use operation::{Details, Moment, Operation, Outcome};
pub use picture::Picture;
pub use run::Run;
pub use setting::{Setting, Settings};
pub use swarm::Swarm;
pub use trace::{Trace, TraceEvent, TraceKind};
pub use truth::Truth;
pub use value::Value;
pub use verdict::{Anomaly, Distribution, Judgement, Share, Verdict};

pub use smol_str::SmolStr;

/// A node or client of a run: its position in the cluster, servers first, then clients.
pub type NodeIndex = u16;
