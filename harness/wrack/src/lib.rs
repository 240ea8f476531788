//! Wrack: distributed systems under faults, judged and explained.
//!
//! The binary runs the reference designs. A project that tests something of its own depends on this
//! library, and has the same command line over its own catalogue:
//!
//! ```no_run
//! # use wrack::{Cluster, Design, DesignInfo, Flow, FlowContext, NodeId, Wire};
//! # struct MyDesign;
//! # async fn my_node(cx: FlowContext<Wire<()>>) { cx.recv().await; }
//! # const INFO: DesignInfo = DesignInfo { name: "my-design", ..DesignInfo::BLANK };
//! # impl Design for MyDesign {
//! #     type Peer = ();
//! #     type Node = Flow<Wire<()>>;
//! #     const INFO: &'static DesignInfo = &INFO;
//! #     fn boot(_: &Cluster, _: NodeId) -> Self::Node { Flow::new(my_node) }
//! # }
//! use wrack::Catalogue;
//!
//! fn main() -> std::process::ExitCode {
//!     wrack::main(Catalogue::builtin().design::<MyDesign>())
//! }
//! ```
//! From then on scenario files can name `my-design`, and `wrack list`, the schema, diagnostics and
//! `wrack explain` know it. `wrack init DIR` writes such a project.
//!
//! # A design
//! A [`Design`] says what its nodes are and what it promises. A node is a pure reaction: messages,
//! timers and syncs come in, effects go out; it has no thread, socket, file, clock or chance of its
//! own. There are two ways to write one, and an engine cannot tell them apart: a state machine that is
//! a [`Node`], or an `async fn` that is a [`Flow`]. This is a whole design, three nodes that know
//! nothing of each other:
//!
//! ```
//! use std::collections::BTreeMap;
//! use wrack::{
//!     Catalogue, Cluster, Design, DesignInfo, Flow, FlowContext, NodeId, Reply, Response, SmolStr,
//!     Value, Wire,
//! };
//!
//! struct Islands;
//!
//! const INFO: DesignInfo = DesignInfo {
//!     name: "islands",
//!     title: "Three nodes that know nothing of each other",
//!     functions: &["read", "write"],
//!     guarantees: &["LIN"],
//!     ..DesignInfo::BLANK
//! };
//!
//! impl Design for Islands {
//!     type Peer = ();
//!     type Node = Flow<Wire<()>>;
//!     const INFO: &'static DesignInfo = &INFO;
//!
//!     fn boot(_: &Cluster, _: NodeId) -> Self::Node {
//!         Flow::new(island)
//!     }
//! }
//!
//! async fn island(cx: FlowContext<Wire<()>>) {
//!     let mut values = BTreeMap::<SmolStr, Value>::new();
//!     loop {
//!         let (client, Wire::Request(request)) = cx.recv().await else { continue };
//!         let value = match request.function.as_str() {
//!             "write" => {
//!                 values.insert(request.key.clone(), request.argument.clone());
//!                 Value::Nil
//!             }
//!             _ => values.get(&request.key).cloned().unwrap_or_default(),
//!         };
//!         let reply = Reply::Ok(value);
//!         cx.send(client, Wire::Response(Response { number: request.number, reply }));
//!     }
//! }
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(folder.path()).unwrap();
//! # std::fs::write("quiet.toml", r#"
//! # title = "Nothing goes wrong"
//! # story = "Clients read and write."
//! # hypothesis = "Reads see the last write."
//! # [design]
//! # name = "islands"
//! # [variants.reference]
//! # expect = "valid"
//! # [workload]
//! # name = "register"
//! # [phases]
//! # faults = "10s"
//! # quiet = "2s"
//! # "#).unwrap();
//! let trial = wrack::scenario("quiet.toml").design::<Islands>().seeds(0..3);
//! let told = trial.outcome().unwrap_err();
//! assert!(told.contains("read nil of k"), "{told}");
//! ```
//! # Tests
//! [`scenario`] is the same run as an ordinary test: [`assert_ok`](Trial::assert_ok) panics with the
//! explanation and the command that replays it.
//!
//! # What does not fit
//! Where a workload, a sequential model or a guarantee is missing, a catalogue takes in one's own:
//! [`Catalogue::workload`], [`Catalogue::model`], [`Catalogue::guarantee`]. Roles, failpoints, facts,
//! parameters and kinds of messages are names that a [`DesignInfo`] lists.

// This crate is the only one that talks to a terminal, reads the environment and writes files.
mod cli;
mod commands;
mod exit;
mod output;
mod results;
mod sweeps;
mod trial;

use std::process::ExitCode;

/// How operations are judged, and what by: for guarantees of one's own.
pub use wrack_checkers::{Evidence, Guarantee, Invariant, Judge};
pub use wrack_history as history;
pub use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, Extent, GuaranteeInfo, ModelInfo, NamedDoc, ParameterInfo,
    ParameterKind, Tolerance, VariantInfo, WorkloadInfo,
};
pub use wrack_history::{
    Anomaly, Fact, FactRecord, Judgement, Operation, Outcome, Settings, SmolStr, Value, Verdict,
};
pub use wrack_runner::Catalogue;
/// What one client at a time may see: for objects of one's own.
pub use wrack_sequential::{Effect, Model, ModelError};
pub use wrack_sim as sim;
pub use wrack_sim::client::Argument;
pub use wrack_sim::{
    Cluster, Context, Control, Cx, Design, DiskError, Flow, FlowContext, Idempotency, Node, NodeId,
    Reply, Request, Response, Stream, Tag, Wire, nodes, timers,
};
/// What clients ask: for workloads of one's own.
pub use wrack_workloads::{Entry as Workload, Question};

/// Sockets and files of hosts in a simulation: with the feature `service`.
#[cfg(feature = "service")]
pub use wrack_io::{fs, net};
#[cfg(feature = "service")]
pub use wrack_service::{Host, Service};

/// The wall clock of the simulated host that runs on this thread, for `wrack_clock::install`.
#[cfg(feature = "service")]
pub use wrack_service::clock::wall_ns as host_clock;

pub use trial::{Trial, scenario};

/// The command line over this catalogue: what `main` of the binary is, and of a project of one's own.
///
/// It reads the arguments of the process, and answers with the exit codes of `wrack explain
/// exit-codes`.
pub fn main(catalogue: Catalogue) -> ExitCode {
    exit::guarded(|| commands::dispatch(&catalogue))
}
