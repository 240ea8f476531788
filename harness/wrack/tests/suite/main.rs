//! What must hold of the whole: layers, the command line, the README, results, determinism.

mod check;
mod cli;
mod conformance;
mod engines;
mod export;
mod gameday;
mod gate;
mod init;
mod isolation;
mod layers;
mod program;
mod readme;
mod results;
mod scenarios;
mod secrets;
mod shrink;
mod swarm;
mod sweep;
