//! What a scenario does to a service: faults that aim at a role, panics in tasks that nobody joins, and the
//! same run again.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::Instant;
use wrack::history::Run;
use wrack::net::{TcpListener, TcpStream};
use wrack::{
    DesignInfo, Fact, Host, Outcome, Reply, Request, Service, SmolStr, Tolerance, Value,
    VariantInfo, Verdict,
};

const MS: u64 = 1_000_000;
const PORT: u16 = 7_000;
/// Until then `n1` leads, and from then on `n2`; each counts it from its own boot.
const HANDOVER: Duration = Duration::from_secs(1);
/// When a host of a variant with a bug does what it should not.
const MISHAP: Duration = Duration::from_millis(1_500);

/// Hosts that answer whatever they are asked, and lead in turns.
struct Rota;

const fn variant(name: &'static str, broken: bool) -> VariantInfo {
    VariantInfo { name, doc: "As its name says.", broken }
}

impl Service for Rota {
    const INFO: &'static DesignInfo = &DesignInfo {
        name: "rota",
        title: "Hosts that lead in turns",
        doc: "Each host answers everything with a word.",
        variants: &[
            variant("reference", false),
            variant("panics_in_a_task", true),
            variant("panics_in_its_main_task", true),
            variant("ends_with_an_error", true),
        ],
        functions: &["add"],
        roles: &["leader"],
        guarantees: &["ASSERT"],
        tolerates: &Tolerance::any(["crash", "partition"]),
        nodes: |_| ["n1", "n2", "n3"].map(SmolStr::from).to_vec(),
        ..DesignInfo::BLANK
    };

    async fn start(host: Host) -> Result<(), Box<dyn Error>> {
        let booted = Instant::now();
        let serving = tokio::spawn(serve(host.name.clone(), booted));
        if host.name != "n3" {
            return Ok(serving.await??);
        }
        tokio::time::sleep_until(booted + MISHAP).await;
        match host.cluster.variant.as_str() {
            "panics_in_a_task" => drop(tokio::spawn(async { panic!("nobody joins this task") })),
            "panics_in_its_main_task" => panic!("the main task is gone"),
            "ends_with_an_error" => return Err("the disk is full".into()),
            _ => {}
        }
        Ok(serving.await??)
    }

    async fn call(host: SmolStr, _: Arc<Request>) -> io::Result<Reply> {
        ask(&host, "ADD\n").await.map(|_| Reply::Ok(Value::Nil))
    }

    async fn role(host: SmolStr) -> Option<(SmolStr, u64)> {
        let told = ask(&host, "ROLE\n").await.ok()?;
        let (role, term) = told.trim().split_once(' ')?;
        Some((role.into(), term.parse().ok()?))
    }
}

async fn serve(name: SmolStr, booted: Instant) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let name = name.clone();
        tokio::spawn(async move {
            // Whoever hangs up in the middle is served no more.
            let _ = answer(stream, &name, booted).await;
        });
    }
}

async fn answer(stream: TcpStream, name: &str, booted: Instant) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let has_passed_on = booted.elapsed() >= HANDOVER;
    let told = match (line.trim(), name, has_passed_on) {
        ("ROLE", "n1", false) => "leader 1\n",
        ("ROLE", "n2", true) => "leader 2\n",
        _ => "nothing\n",
    };
    stream.write_all(told.as_bytes()).await
}

async fn ask(host: &str, line: &str) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((host, PORT)).await?);
    stream.write_all(line.as_bytes()).await?;
    let mut told = String::new();
    stream.read_line(&mut told).await?;
    Ok(told)
}

/// Runs a scenario of three seconds with these faults, which are TOML.
fn run(variant: &str, faults: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rota.toml");
    std::fs::write(&path, scenario(variant, faults)).unwrap();
    trial(&path, variant).runs().remove(0)
}

fn trial(path: &Path, variant: &str) -> wrack::Trial {
    wrack::scenario(path.to_str().unwrap()).service::<Rota>().variant(variant)
}

fn scenario(variant: &str, faults: &str) -> String {
    let expect = match variant {
        "reference" => "expect = \"valid\"".into(),
        _ => format!(
            "expect = \"valid\"\n[variants.{variant}]\nexpect = \"ASSERT\"\nshare = \"100%\""
        ),
    };
    format!(
        r#"title = "Hosts lead in turns"
story = "Something happens to them."
hypothesis = "They answer."
[design]
name = "rota"
[variants.reference]
{expect}
[workload]
name = "append-set"
clients = 3
rate = "100/s"
mix = {{ add = 1 }}
[client]
timeout = "2s"
attempts = 2
{faults}
[phases]
faults = "3s"
quiet = "1s"
[minimum]
open_in_fault = 1
overlapping_pairs = 0
reads = 0
"#
    )
}

#[test]
fn a_crash_that_aims_at_a_role_hits_whoever_has_it_then() {
    let crash = |at: &str| {
        format!(
            "[[fault]]\nkind = \"crash\"\ntarget = {{ role = \"leader\" }}\nat = \"{at}\"\nfor = \"200ms\"\n"
        )
    };
    let run = run("reference", &(crash("400ms") + &crash("2s")));
    let hit: Vec<_> = run.faults.iter().map(|fault| fault.nodes.join(" ")).collect();
    assert_eq!(hit, ["n1", "n2"]);
    let crashed = run.facts.iter().filter(|record| record.fact == Fact::Crashed);
    assert_eq!(crashed.map(|record| record.node).collect::<Vec<_>>(), [0, 1]);
    let led = run.facts.iter().filter_map(|record| match &record.fact {
        Fact::Role { epoch, .. } => Some((record.node, *epoch)),
        _ => None,
    });
    assert!(led.eq([(0, 1), (0, 1), (1, 2), (1, 2)]), "{:?}", run.facts);
    assert_eq!(run.verdict, Verdict::Valid, "{:?}", run.doubts);
}

#[test]
fn a_panic_or_an_error_is_an_anomaly_of_that_host_and_the_others_go_on() {
    for (variant, words) in [
        ("panics_in_a_task", "nobody joins this task"),
        ("panics_in_its_main_task", "the main task is gone"),
        ("ends_with_an_error", "the disk is full"),
    ] {
        let run = run(variant, "");
        assert_eq!(run.verdict, Verdict::Invalid, "{variant}");
        assert!(run.as_expected, "{variant}: {:?}", run.foreign);
        let failed = run.facts.iter().filter_map(|record| match &record.fact {
            Fact::AssertionFailed { message, .. } => Some((record.node, message.as_str())),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        let [(node, message)] = failed[..] else { panic!("{variant}: {failed:?}") };
        assert!(message.contains(words), "{variant}: {message}");
        assert_eq!(node, 2, "{variant}");
        let told = run.anomalies().next().expect("it is invalid");
        assert!(told.explanation.contains(words), "{variant}: {}", told.explanation);
        let later = run.history.operations.iter().filter(|operation| {
            operation.invoke.ns > 2_000 * MS && operation.outcome == Outcome::Ok
        });
        assert!(later.count() > 50, "{variant}");
    }
}

#[test]
fn what_a_link_holds_arrives_when_it_is_released() {
    let partition = |mode: &str| {
        format!(
            "[[fault]]\nkind = \"partition\"\nmode = \"{mode}\"\ntarget = \"n3\"\nat = \"1s\"\nfor = \"500ms\"\n"
        )
    };
    let [held, dropped] = ["hold", "drop"].map(|mode| run("reference", &partition(mode)));
    // Who asked n3 in vain is answered at once after the release; what was dropped is sent anew, or never.
    let answered = |run: &Run| {
        let asked = |operation: &&wrack::history::Operation| {
            let ended = operation.complete.ns;
            operation.invoke.ns < 1_450 * MS && (1_500 * MS..1_520 * MS).contains(&ended)
        };
        run.history.operations.iter().filter(asked).count()
    };
    assert!(held.faults[0].effect > 0, "{:?}", held.faults);
    assert!(
        answered(&held) > 0 && answered(&dropped) == 0,
        "{} {}",
        answered(&held),
        answered(&dropped)
    );
}

#[test]
fn the_same_seed_gives_the_same_run_with_all_of_it() {
    let crash = "[[fault]]\nkind = \"crash\"\ntarget = { role = \"leader\" }\nat = \"2s\"\nfor = \"200ms\"\n";
    let hold = "[[fault]]\nkind = \"partition\"\nmode = \"hold\"\ntarget = \"n3\"\nat = \"1s\"\nfor = \"500ms\"\n";
    let faults = crash.to_owned() + hold;
    let [once, again] = [0, 1].map(|_| run("panics_in_a_task", &faults));
    assert_eq!(once.history, again.history);
    assert_eq!((once.trace_hash, once.facts), (again.trace_hash, again.facts));
}
