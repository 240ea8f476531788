//! Histories that others recorded, from files.
//!
//! With `WRACK_CONFORMANCE_DATA` naming a folder of foreign histories, every one of them is read:
//! `WRACK_CONFORMANCE_DATA=… cargo test -p wrack-history --test import`.

#[path = "conformance/cases.rs"]
mod cases;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wrack_history::history::Counts;
use wrack_history::import::{self, ImportError, Imported, Reading};
use wrack_history::{Operation, Value};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read_file(path: &Path, reading: &Reading<'_>) -> Result<Imported, ImportError> {
    let file = File::open(path).expect("the file exists");
    import::read(&path.to_string_lossy(), BufReader::new(file), reading)
}

/// Every sample: its file, its model and its format.
const SAMPLES: &[(&str, &str, &str)] = &[
    ("etcd_000.log", "cas-register", "jepsen-log"),
    ("etcd_002.log", "cas-register", "jepsen-log"),
    ("etcd_076.edn", "cas-register", "jepsen-edn"),
    ("kv-c01-ok.txt", "kv", "porcupine-kv"),
    ("kv-c01-bad.txt", "kv", "porcupine-kv"),
    ("cas-dup5-c4-n1000-bad.jsonl.gz", "cas-register", "synth-lin"),
    ("queue-c4-n1000-ok.jsonl.zst", "queue", "synth-lin"),
    ("set20-c8-n1000-ok.jsonl", "set", "synth-lin"),
    ("maelstrom-lk-proxy.edn", "cas-register", "jepsen-edn"),
    ("mm-lk-seq.json", "cas-register", "jepsen-json"),
    ("rw-write-skew-t0.jsonl", "rw-register", "synth-txn"),
    ("la-fractured-read-t0-init.jsonl", "list-append", "synth-txn"),
    ("la-G1c-circular-t0-init.edn", "list-append", "jepsen-edn"),
    ("rw-G1a-aborted-read-t0-init.plume.txt", "rw-register", "plume"),
    ("galera.txt", "rw-register", "plume"),
    ("pg_ser_bug.txt", "rw-register", "plume"),
    ("awdit-biswas-enea.txt", "rw-register", "awdit"),
    ("etcd-robustness-client-8.json", "etcd", "etcd-robustness"),
    ("maelstrom-ka-ok-empty.edn", "log", "jepsen-edn"),
    ("mm-ka-rak.json", "log", "jepsen-json"),
];

fn sample(name: &str) -> Imported {
    let (_, model, _) = SAMPLES.iter().find(|sample| sample.0 == name).expect("it is a sample");
    read_file(&data(name), &Reading { model, ..Reading::default() }).unwrap()
}

#[test]
fn the_format_of_every_sample_is_recognised() {
    for (name, _, format) in SAMPLES {
        assert_eq!(sample(name).format.name, *format, "{name}");
    }
}

#[test]
fn every_sample_has_the_operations_that_are_in_it() {
    let check = |name: &str, ok, fail, info| {
        assert_eq!(sample(name).history.counts(), Counts { ok, fail, info }, "{name}");
    };
    // Of the logs, a cas that failed is an observation; of the maps without errors it is not.
    check("etcd_000.log", 69, 0, 16);
    check("etcd_002.log", 58, 0, 19);
    check("etcd_076.edn", 51, 23, 11);
    check("kv-c01-ok.txt", 58, 0, 0);
    check("kv-c01-bad.txt", 38, 0, 0);
    check("cas-dup5-c4-n1000-bad.jsonl.gz", 1000, 0, 0);
    check("queue-c4-n1000-ok.jsonl.zst", 1000, 0, 0);
    check("set20-c8-n1000-ok.jsonl", 1000, 0, 0);
    check("maelstrom-lk-proxy.edn", 331, 0, 0);
    check("mm-lk-seq.json", 200, 0, 0);
    check("rw-write-skew-t0.jsonl", 5, 0, 0);
    check("rw-G1a-aborted-read-t0-init.plume.txt", 3, 1, 0);
    check("galera.txt", 7, 0, 0);
    check("pg_ser_bug.txt", 21, 0, 0);
    check("awdit-biswas-enea.txt", 4, 0, 0);
}

#[test]
fn what_was_assumed_is_told() {
    let told = |name: &str| {
        let assumed = sample(name).assumed;
        assumed.iter().map(|said| format!("{}={}", said.name, said.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        told("etcd_000.log"),
        [
            "format=\"jepsen-log\"",
            "model=\"cas-register\"",
            "initial=nil",
            "failed_cas=\"observed\"",
            "nil_reads=\"observed\"",
            "keys=\"none\"",
            "times=\"none\"",
        ]
    );
    assert_eq!(
        told("cas-dup5-c4-n1000-bad.jsonl.gz"),
        [
            "format=\"synth-lin\"",
            "model=\"cas-register\"",
            "initial=0",
            "failed_cas=\"observed\"",
            "keys=\"none\"",
        ]
    );
    assert_eq!(
        told("maelstrom-lk-proxy.edn"),
        [
            "format=\"jepsen-edn\"",
            "model=\"cas-register\"",
            "initial=nil",
            "failed_cas=\"by-error\"",
            "nil_reads=\"observed\"",
            "keys=\"independent\"",
        ]
    );
}

#[test]
fn a_log_and_the_same_events_as_maps_are_one_history() {
    let edn = read_file(
        &data("etcd_076.edn"),
        &Reading {
            model: "cas-register",
            failed_cas: Some(import::FailedCas::Observed),
            ..Reading::default()
        },
    );
    let edn = edn.unwrap();
    let mut log = String::new();
    for line in std::fs::read_to_string(data("etcd_076.edn")).unwrap().lines() {
        let part = |name: &str, until: &str| {
            let start = line.find(name).map(|at| &line[at + name.len()..]);
            start.and_then(|rest| rest.split(until).next()).unwrap_or("nil").trim_end_matches('}')
        };
        let value = match line.contains(":error") {
            true => part(":error ", "}"),
            false => part(":value ", "}"),
        };
        let head = format!("{}\t{}", part(":process ", ","), part(":type ", ","));
        log += &format!("INFO  jepsen.util - {head}\t{}\t{value}\n", part(":f ", ","));
    }
    let reading = Reading { model: "cas-register", ..Reading::default() };
    let log = import::read("log", log.as_bytes(), &reading).unwrap();
    assert_eq!(log.format.name, "jepsen-log");
    assert_eq!(log.history, edn.history);
}

/// Everything that a history of foreign events promises.
fn promises(imported: &Imported) -> Result<(), TestCaseError> {
    let operations = &imported.history.operations;
    prop_assert!(operations.is_sorted_by_key(|operation| operation.invoke.index));
    for operation in operations {
        prop_assert!(operation.invoke.index < operation.complete.index);
        prop_assert!(operation.is_ok() || operation.result == Value::Nil);
        prop_assert!(!operation.function.is_empty());
    }
    let mut last = std::collections::BTreeMap::<u32, &Operation>::new();
    for operation in operations {
        if let Some(before) = last.insert(operation.process, operation) {
            prop_assert!(before.complete < operation.invoke && !before.is_info());
        }
    }
    Ok(())
}

/// The text of a sample, decompressed.
fn text(name: &str) -> Vec<u8> {
    let bytes = std::fs::read(data(name)).unwrap();
    let mut text = Vec::new();
    let read = |mut from: Box<dyn std::io::Read + '_>, to: &mut Vec<u8>| from.read_to_end(to);
    match name.rsplit('.').next() {
        Some("gz") => read(Box::new(flate2::read::GzDecoder::new(bytes.as_slice())), &mut text),
        Some("zst") => read(Box::new(zstd::Decoder::new(bytes.as_slice()).unwrap()), &mut text),
        _ => return bytes,
    }
    .unwrap();
    text
}

fn reading_of(index: usize, forced: usize) -> (Vec<u8>, Reading<'static>) {
    let (name, model, _) = SAMPLES[index % SAMPLES.len()];
    // Out of reach of the list: the format is recognised.
    let from = import::ALL.get(forced).copied();
    (text(name), Reading { model, from, ..Reading::default() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_samples_are_read_or_refused(
        index in 0..SAMPLES.len(),
        forced in 0..4 * import::ALL.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..6),
    ) {
        let (mut text, reading) = reading_of(index, forced);
        for (at, byte, how) in edits {
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, b"{}[]()\"\\#;:, \n-0"[byte as usize % 16]),
                _ => { text.remove(at); }
            }
        }
        if let Ok(imported) = import::read("f", text.as_slice(), &reading) {
            promises(&imported)?;
        }
    }

    #[test]
    fn samples_that_were_cut_off_are_read_or_refused(
        index in 0..SAMPLES.len(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (text, reading) = reading_of(index, usize::MAX);
        let cut = cut.index(text.len());
        if let Ok(imported) = import::read("f", &text[..cut], &reading) {
            promises(&imported)?;
        }
    }

    #[test]
    fn compressed_samples_with_a_wrong_byte_are_read_or_refused(
        gzip in any::<bool>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let sample = SAMPLES[if gzip { 5 } else { 6 }];
        let mut bytes = std::fs::read(data(sample.0)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let reading = Reading { model: sample.1, ..Reading::default() };
        if let Ok(imported) = import::read("f", bytes.as_slice(), &reading) {
            promises(&imported)?;
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        start in prop::sample::select(vec!["", "{", "[", "({:type :invoke", "\x1f\u{8b}", "{\"a\":"]),
        forced in 0..2 * import::ALL.len(),
    ) {
        let text = [start.as_bytes(), &bytes].concat();
        let from = import::ALL.get(forced).copied();
        let reading = Reading { model: "register", from, ..Reading::default() };
        if let Ok(imported) = import::read("f", text.as_slice(), &reading) {
            promises(&imported)?;
        }
    }
}

#[test]
fn what_is_no_text_is_refused_at_its_place() {
    let mut text = text("maelstrom-lk-proxy.edn");
    let line = text.iter().position(|byte| *byte == b'\n').unwrap();
    text[line + 3] = 0xff;
    let reading = Reading { model: "cas-register", ..Reading::default() };
    let error = import::read("f", text.as_slice(), &reading).unwrap_err();
    assert_eq!(error.to_string(), "f:2:3: this is not UTF-8");
}

#[test]
fn a_history_without_end_is_refused_once_an_operation_is_too_long() {
    // 20 MB of one bracket and one text, of which compressed 20 kB are left.
    for part in ["[ 1 ", "[[[[", "\"aaa", "{:a "] {
        let text = String::from("{:type :invoke :value ") + &part.repeat(5_000_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let reading = Reading { model: "register", ..Reading::default() };
        let error = import::read("f", gzip.as_slice(), &reading).unwrap_err();
        assert_eq!(error.to_string(), "f:1:1: this operation is longer than 16 MiB");
    }
}

#[test]
fn every_history_of_the_conformance_folder_is_read() {
    #[expect(clippy::disallowed_methods, reason = "the folder is not part of the project")]
    let Ok(folder) = std::env::var("WRACK_CONFORMANCE_DATA") else {
        return;
    };
    let cases = cases::cases(Path::new(&folder));
    assert!(!cases.is_empty(), "no histories below {folder}");
    let complaint = |case: &cases::Case| match (case.read(), case.refused) {
        (Ok(_), None) => None,
        (Ok(_), Some(_)) => Some(format!("{} as {} must be refused", case.name, case.model)),
        (Err(error), Some(why)) if error.to_string().contains(why) => None,
        (Err(error), _) => Some(format!("{} as {}: {error}", case.name, case.model)),
    };
    let refused = cases.iter().filter_map(complaint).collect::<Vec<_>>();
    let judged = cases.iter().filter(|case| case.valid.is_some() || !case.levels.is_empty());
    let judged = judged.count();
    println!("{} histories read, {judged} with a verdict, {} refused", cases.len(), refused.len());
    assert!(refused.is_empty(), "{refused:#?}");
}
