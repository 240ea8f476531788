//! Numbers and words as every report writes them.

use wrack_history::duration::{MICROSECOND, MILLISECOND, SECOND};
use wrack_history::{Operation, Outcome, Run};

/// A label, value or name is clipped to so many characters.
pub(crate) const LABEL_CHARS_MAX: usize = 48;
/// A paragraph is clipped to so many characters.
pub(crate) const PARAGRAPH_CHARS_MAX: usize = 4_000;

/// Writes a count with thousands separators: `3,012`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a count with its noun, which is given in the plural: `1 read`, `1,480 reads`.
pub(crate) fn counted(number: u64, plural: &str) -> String {
    if number != 1 {
        return format!("{} {plural}", count(number));
    }
    match plural.strip_suffix("ies") {
        Some(stem) => format!("1 {stem}y"),
        None => format!("1 {}", plural.strip_suffix('s').unwrap_or(plural)),
    }
}

/// Writes an effect with its unit, which may go on after the noun: `1 message dropped`.
pub(crate) fn effect(number: u64, unit: &str) -> String {
    match unit.split_once(' ') {
        Some((noun, rest)) if number == 1 && noun.len() > 2 => {
            format!("{} {rest}", counted(1, noun))
        }
        Some(_) => format!("{} {unit}", count(number)),
        None => counted(number, unit),
    }
}

/// Writes `first`, `second` and `third` as a list in a sentence.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// Writes a duration with three significant digits: `1.23 ms`, `45.6 s`, `812 us`.
pub(crate) fn short_duration(ns: u64) -> String {
    // Rounded first, so that 9.996 ms is written as 10.0 ms.
    let step = 10u64.pow(ns.checked_ilog10().unwrap_or(0).saturating_sub(2));
    let ns = ns.saturating_add(step / 2) / step * step;
    let (unit, scale) = match ns {
        0..MICROSECOND => return format!("{ns} ns"),
        MICROSECOND..MILLISECOND => ("us", MICROSECOND),
        MILLISECOND..SECOND => ("ms", MILLISECOND),
        _ => ("s", SECOND),
    };
    let (whole, rest) = (ns / scale, ns % scale);
    match whole {
        0..10 => format!("{whole}.{:02} {unit}", rest / (scale / 100)),
        10..100 => format!("{whole}.{} {unit}", rest / (scale / 10)),
        _ => format!("{} {unit}", count(whole)),
    }
}

/// Writes a point in time to the millisecond, or `never`.
pub(crate) fn moment(ns: u64) -> String {
    if ns == u64::MAX {
        return "never".into();
    }
    wrack_history::duration::seconds(ns)
}

/// Cuts a text after so many characters, and shows that it did.
pub(crate) fn clip(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Clips a label or name.
pub(crate) fn label(text: &str) -> String {
    clip(text, LABEL_CHARS_MAX)
}

/// Clips a paragraph.
pub(crate) fn paragraph(text: &str) -> String {
    clip(text.trim(), PARAGRAPH_CHARS_MAX)
}

/// Clips a paragraph, and begins it with a capital unless it begins with a name such as `n1`.
pub(crate) fn sentence(text: &str) -> String {
    let mut text = paragraph(text);
    let first = text.split(' ').next().unwrap_or("");
    let is_word = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_word {
        text[..1].make_ascii_uppercase();
    }
    text
}

/// The same with a full stop, unless it ends with a mark of its own.
pub(crate) fn full_sentence(text: &str) -> String {
    let mut text = sentence(text);
    if text.ends_with(|last: char| last.is_alphanumeric() || matches!(last, ')' | '\'' | '"')) {
        text.push('.');
    }
    text
}

/// The word of a history for how an operation ended.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "fail",
        Outcome::Info => "info",
    }
}

/// The client whose process invoked an operation, where the run names its clients.
pub(crate) fn client(run: &Run, operation: &Operation) -> Option<String> {
    let servers = run.nodes.len().checked_sub(run.clients as usize)?;
    run.nodes.get(servers + operation.session as usize).map(|name| label(name))
}

/// What an operation asked and learned, in a few words: `write 4 → ok`, `read → 4`.
pub(crate) fn operation(operation: &Operation, with_key: bool) -> String {
    const VALUE_CHARS_MAX: usize = 24;
    let mut words = clip(&operation.function, VALUE_CHARS_MAX);
    if with_key && !operation.key.is_empty() {
        words = format!("{words} {}", clip(&operation.key, VALUE_CHARS_MAX));
    }
    if !operation.argument.is_nil() {
        let argument = clip(&operation.argument.to_string(), VALUE_CHARS_MAX);
        words = format!("{words} {argument}");
    }
    let answer = match operation.outcome {
        // A read that finds nothing learned `nil`; a write that learned nothing was just ok.
        Outcome::Ok if operation.argument.is_nil() || !operation.result.is_nil() => {
            clip(&operation.result.to_string(), VALUE_CHARS_MAX)
        }
        other => outcome(other).into(),
    };
    format!("{words} → {answer}")
}

/// The name of a guarantee in words; empty if the code is somebody's own.
///
/// Source: the catalogue of guarantees, whose codes are stable.
pub(crate) fn guarantee(code: &str) -> &'static str {
    match code {
        "LIN" => "linearizability",
        "SEQ" => "sequential consistency",
        "SSER" => "strict serializability",
        "SER" => "serializability",
        "SI" => "snapshot isolation",
        "RU" => "read uncommitted",
        "RC" => "read committed",
        "RCA" => "read committed, axiomatic",
        "RA" => "read atomic",
        "CC" => "causal, of transactions",
        "PC" => "prefix",
        "PSI" => "parallel snapshot isolation",
        "RR" => "repeatable read",
        "SSSI" => "strong session snapshot isolation",
        "SSSER" => "strong session serializability",
        "STALE" => "bounded staleness in time",
        "DELTA" => "Δ-atomicity",
        "KST" => "bounded staleness in versions",
        "RYW" => "read your writes",
        "MR" => "monotonic reads",
        "MW" => "monotonic writes",
        "WFR" => "writes follow reads",
        "CAUS" => "causal consistency",
        "PHANTOM" => "no value from nowhere",
        "ASSERT" => "the design's own assertions",
        "CONV" | "DIV" => "convergence",
        "SEC" => "strong eventual consistency",
        "CRDT" => "value and merge laws",
        "LOST" => "no lost write",
        "LUPD" => "no lost update",
        "DUP" => "no effect twice",
        "MISS" => "no effect missing",
        "ORD" => "order per key",
        "SPLIT" => "fencing: one writer per epoch",
        "RAFT" => "Raft's five properties",
        "AGREE" => "agreement",
        "ATOM" => "atomic commitment",
        "BLOCK" => "bounded in-doubt time",
        "EXT" => "external consistency",
        "MUTEX" => "mutual exclusion",
        "MONO" => "monotone versions",
        "DET" => "deterministic replay",
        "DRIFT" => "derived state follows its base",
        "ORPH" => "no orphans",
        "AUD" => "complete audit",
        "OVER" => "no oversell",
        "CONS" => "conservation",
        "LOG" => "append-only log",
        "SETFULL" => "every element is found",
        "SUM" => "counter bounds",
        "UNIQ" => "unique identifiers",
        "SAGA" => "saga outcome",
        "SHARD" => "one owner per key and epoch",
        "SCHEMA" => "compatible schemas",
        "CORR" => "no corruption served",
        "AUTHZ" => "access control",
        "FLAG" => "one flag version per request",
        "LIVE" => "progress after heal",
        "RETRY" => "goodput after an outage",
        "BACKLOG" => "backlog drains",
        "OBS" => "truthful indicators",
        _ => "",
    }
}

/// What a metric measures, in a few words; empty if it says so itself.
///
/// Source: the catalogue of metrics, whose codes are stable.
pub(crate) fn metric(code: &str) -> &'static str {
    match code {
        "M1" => "writes that succeed and stay",
        "M2" => "staleness of reads",
        "M4" => "event lag, in true time",
        "M4-as-seen" => "event lag, as the nodes' clocks show it",
        "M5" => "duplicate effects",
        "M6" => "cache hits",
        "M7" => "replica lag",
        "M8" => "backlog of copies",
        "error-budget" => "what the run spent of its own",
        _ => "",
    }
}

/// The code of a guarantee with its name, where it has one: `LIN (linearizability)`.
pub(crate) fn code_and_name(code: &str) -> String {
    match guarantee(code) {
        "" => label(code),
        name => format!("{code} ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{clip, count, counted, effect, full_sentence, list, sentence, short_duration};

    #[test]
    fn a_count_has_thousands_separators() {
        let texts = [0, 12, 999, 1_000, 3_012, 1_234_567].map(count);
        assert_eq!(texts, ["0", "12", "999", "1,000", "3,012", "1,234,567"]);
    }

    #[test]
    fn one_of_something_is_singular() {
        assert_eq!(counted(1, "keys"), "1 key");
        assert_eq!(counted(1, "histories"), "1 history");
        assert_eq!(counted(0, "reads"), "0 reads");
        assert_eq!(effect(1, "messages dropped"), "1 message dropped");
        assert_eq!(effect(1_200, "messages dropped"), "1,200 messages dropped");
        assert_eq!(effect(1, "ms paused"), "1 ms paused");
    }

    #[test]
    fn a_duration_has_three_significant_digits() {
        let texts = [999, 1_234, 45_678_000, 999_600_000, 12_031_900_000].map(short_duration);
        assert_eq!(texts, ["999 ns", "1.23 us", "45.7 ms", "1.00 s", "12.0 s"]);
        assert_eq!(short_duration(9_996_000), "10.0 ms");
    }

    #[test]
    fn a_clipped_text_shows_it_and_respects_characters() {
        assert_eq!(clip("räksmörgås", 4), "räks…");
        assert_eq!(clip("räks", 4), "räks");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_name_stays_as_it_is() {
        assert_eq!(sentence("process 3 read 4"), "Process 3 read 4");
        assert_eq!(sentence("n1 and n2 led"), "n1 and n2 led");
        assert_eq!(sentence(""), "");
        assert_eq!(full_sentence("process 3 read 4"), "Process 3 read 4.");
        assert_eq!([full_sentence("is it?"), full_sentence("")], ["Is it?", ""]);
    }

    #[test]
    fn a_list_reads_like_a_sentence() {
        let items = ["a", "b", "c"].map(String::from);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
    }
}
