//! A gate that cannot turn red is no gate: here reference designs are broken on purpose.
//!
//! This program runs itself as a `wrack` in which the reference of `raft` answers reads without asking
//! the others and `optimistic-lock` is not the same design in every process, and looks at what its gate
//! says. Nothing of it is compiled into the real one.

use std::marker::PhantomData;
use std::path::Path;
use std::process::{Command, ExitCode};

use wrack::history::catalogue::DesignInfo;
use wrack::sim::{Cluster, NodeId};
use wrack::{Catalogue, Design};
use wrack_designs::optimistic_lock::OptimisticLock;
use wrack_designs::raft::RaftDesign;

/// Which variant is booted in place of the reference.
trait Plant: 'static {
    /// Its name.
    fn variant() -> &'static str;
}

/// A design whose reference is another variant.
struct Planted<D, P>(PhantomData<(D, P)>);

impl<D: Design, P: Plant> Design for Planted<D, P> {
    type Peer = D::Peer;
    type Node = D::Node;
    const INFO: &'static DesignInfo = D::INFO;

    fn boot(cluster: &Cluster, id: NodeId) -> D::Node {
        match cluster.variant.as_str() {
            "reference" => {
                D::boot(&Cluster { variant: P::variant().into(), ..cluster.clone() }, id)
            }
            _ => D::boot(cluster, id),
        }
    }

    fn kind(message: &D::Peer) -> &'static str {
        D::kind(message)
    }

    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        D::entries(cluster)
    }
}

struct StaleReads;

impl Plant for StaleReads {
    fn variant() -> &'static str {
        "stale_local_read"
    }
}

/// The second process of a comparison has another time zone.
struct ByTimeZone;

impl Plant for ByTimeZone {
    fn variant() -> &'static str {
        if std::env::var_os("TZ").is_some_and(|zone| zone == "UTC") {
            "reference"
        } else {
            "blind_rmw"
        }
    }
}

/// Says that this process is to be `wrack`.
const AS_WRACK: &str = "WRACK_PLANTED";

fn main() -> ExitCode {
    if std::env::var_os(AS_WRACK).is_some() {
        let planted = Catalogue::builtin().design::<Planted<RaftDesign, StaleReads>>();
        return wrack::main(planted.design::<Planted<OptimisticLock, ByTimeZone>>());
    }
    // As other test programs do, it leaves out what was not asked for.
    let mut names = std::env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
    if names.peek().is_some() && !names.any(|name| "planted".contains(&name)) {
        return ExitCode::SUCCESS;
    }
    a_broken_reference_turns_the_gate_red_and_is_named();
    a_design_that_is_not_deterministic_turns_the_gate_red();
    println!("the gate turns red where it must");
    ExitCode::SUCCESS
}

/// Runs this program as `wrack gate`; gives its exit code, what it printed, and its JUnit XML.
fn gate(scenario: &str) -> (Option<i32>, String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command
        .current_dir(root)
        .env("TZ", "UTC")
        .env(AS_WRACK, "1")
        .args(["gate", scenario, "--seeds", "0..2", "--out"]);
    let output = command.arg(folder.path()).output().expect("this program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap_or_default();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr), junit)
}

fn a_broken_reference_turns_the_gate_red_and_is_named() {
    let (code, told, junit) = gate("scenarios/raft/leader-isolated.toml");
    assert_eq!(code, Some(1), "{told}");
    let expected = "FAILURE: raft/leader-isolated reference: new LIN (linearizability)";
    assert!(told.contains(expected), "{told}");
    assert!(told.contains("at scenarios/raft/leader-isolated.toml:"), "{told}");
    assert!(junit.contains("<failure") && junit.contains("new LIN"), "{junit}");
}

fn a_design_that_is_not_deterministic_turns_the_gate_red() {
    let (code, told, junit) = gate("scenarios/optimistic-lock/conflicting-writers.toml");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("reference: nondeterminism"), "{told}");
    assert!(told.contains("the same seed gave two different runs"), "{told}");
    assert!(junit.contains("nondeterminism"), "{junit}");
}
