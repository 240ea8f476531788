//! The simulator: the only source of time, chance and order.
//!
//! It carries [`Node`]s through virtual time on simulated links, clocks and disks, and does to them
//! what a [`Controller`] asks. It knows no design, no fault of the catalogue and no checker.

pub mod chance;
pub mod client;
pub mod clock;
pub mod design;
pub mod disk;
pub mod engine;
pub mod flow;
mod links;
pub mod member;
pub mod network;
pub mod node;
mod queue;
pub mod record;
mod timers;
pub mod wire;
pub mod world;

pub use chance::Stream;
pub use client::{Client, PlannedOperation};
pub use design::{Cluster, Design, Registry};
pub use disk::{Disk, DiskError};
pub use engine::carried::Carried;
pub use engine::{Engine, EngineConfig, LimitError};
pub use flow::{Flow, FlowContext};
pub use member::Member;
pub use node::{Context, Control, Cx, MessageClass, Node, NodeId, Tag};
pub use record::{Recorder, Recording, TraceLevel};
pub use wire::{Idempotency, Reply, Request, Response, Wire};
pub use world::{Controller, Observer, Watched, World};
