//! What an anomaly is called.
//!
//! Cycles are called as Adya and Elle call them, by their steps: only ww (G0), ww and wr (G1c), one rw
//! (G-single), several rw of which none follow one another (G-nonadjacent), and the rest (G2-item; all
//! reads here are of items, so that G2 is no more). `-process` and `-realtime` stand behind the name of
//! a cycle that needs the order of a session or of time. Some have a name of their own: lost update,
//! write skew, long fork, fractured read, the session guarantees.

use super::finding::Step;
use super::graph::Kind;
use super::level::Level;

/// The name of a cycle, which breaks this level.
pub fn name(level: Level, steps: &[Step]) -> String {
    let special = match level {
        Level::ReadCommittedAxiomatic | Level::ReadAtomic | Level::Causal => visible(level, steps),
        _ => pattern(steps),
    };
    let general = || match count(steps, Kind::Forced) > 0 && !ordered(level) {
        true => match level {
            Level::Causal => "causal-violation".to_owned(),
            _ => "fractured-read".to_owned(),
        },
        false => class(steps),
    };
    special.map_or_else(general, str::to_owned)
}

/// Levels whose forced steps are of an order of versions.
fn ordered(level: Level) -> bool {
    !matches!(level, Level::ReadCommittedAxiomatic | Level::ReadAtomic | Level::Causal)
}

fn count(steps: &[Step], kind: Kind) -> usize {
    steps.iter().filter(|step| step.kind == kind).count()
}

/// The class of a cycle by its steps.
fn class(steps: &[Step]) -> String {
    let reads: Vec<usize> =
        (0..steps.len()).filter(|place| steps[*place].kind == Kind::ReadWrite).collect();
    let beside = |place: &usize| steps[(place + 1) % steps.len()].kind == Kind::ReadWrite;
    let class = match reads.len() {
        0 if count(steps, Kind::WriteRead) == 0 => "G0",
        0 => "G1c",
        1 => "G-single",
        _ if reads.iter().any(beside) => "G2-item",
        _ => "G-nonadjacent",
    };
    let suffix = match (count(steps, Kind::RealTime), count(steps, Kind::Session)) {
        (0, 0) => "",
        (0, _) => "-process",
        (..) => "-realtime",
    };
    format!("{class}{suffix}")
}

/// The names of cycles of a certain shape.
fn pattern(steps: &[Step]) -> Option<&'static str> {
    let kinds: Vec<Kind> = steps.iter().map(|step| step.kind).collect();
    let turned = |kinds: &[Kind], wanted: &[Kind]| {
        kinds.len() == wanted.len()
            && (0..kinds.len()).any(|turn| {
                (0..kinds.len()).all(|at| kinds[(at + turn) % kinds.len()] == wanted[at])
            })
    };
    let first = steps.first()?;
    if steps.iter().all(|step| step.kind == Kind::WriteRead && step.key == first.key) {
        // Each read the key of the one before, and wrote it for the next.
        return Some("cyclic-versions");
    }
    let fork = [Kind::ReadWrite, Kind::WriteRead, Kind::ReadWrite, Kind::WriteRead];
    if turned(&kinds, &[Kind::ReadWrite, Kind::ReadWrite]) {
        return Some(if steps[0].key == steps[1].key { "lost-update" } else { "write-skew" });
    }
    if turned(&kinds, &[Kind::ReadWrite, Kind::WriteWrite]) && steps[0].key == steps[1].key {
        return Some("lost-update");
    }
    turned(&kinds, &fork).then_some("long-fork")
}

/// What a reader missed that it must have seen: one rw step, then how the missed writer is before it.
fn visible(level: Level, steps: &[Step]) -> Option<&'static str> {
    let missed = steps.iter().position(|step| step.kind == Kind::ReadWrite)?;
    let path: Vec<Kind> =
        (1..steps.len()).map(|next| steps[(missed + next) % steps.len()].kind).collect();
    // What the reader's own session did in between.
    let own = path.iter().rev().take_while(|kind| **kind == Kind::Session).count();
    let theirs = &path[..path.len() - own];
    let sessions = |kinds: &[Kind]| kinds.iter().all(|kind| *kind == Kind::Session);
    match theirs {
        [] => Some("read-your-writes"),
        [Kind::WriteRead] if own == 0 => Some("fractured-read"),
        [Kind::WriteRead] => Some("monotonic-reads"),
        _ if level != Level::Causal => None,
        [before @ .., Kind::WriteRead] if sessions(before) => Some("monotonic-writes"),
        [Kind::WriteRead, between @ .., Kind::WriteRead] if sessions(between) => {
            Some("writes-follow-reads")
        }
        _ => Some("causal-violation"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Step;
    use super::super::graph::Kind::{self, ReadWrite, RealTime, Session, WriteRead, WriteWrite};
    use super::super::level::Level;
    use super::name;

    fn check(level: Level, kinds: &[(Kind, u32)], expected: &str) {
        let step = |(place, (kind, key)): (usize, &(Kind, u32))| Step {
            from: place as u32,
            to: ((place + 1) % kinds.len()) as u32,
            kind: *kind,
            key: Some(*key),
            reader: None,
        };
        let steps: Vec<Step> = kinds.iter().enumerate().map(step).collect();
        assert_eq!(name(level, &steps), expected);
    }

    #[test]
    fn cycles_are_called_by_their_steps() {
        let serializable = Level::Serializable;
        check(serializable, &[(WriteWrite, 1), (WriteWrite, 2)], "G0");
        check(serializable, &[(WriteWrite, 1), (WriteRead, 2)], "G1c");
        check(serializable, &[(WriteRead, 1), (WriteRead, 1)], "cyclic-versions");
        check(serializable, &[(ReadWrite, 1), (WriteRead, 2)], "G-single");
        check(serializable, &[(ReadWrite, 1), (WriteWrite, 1)], "lost-update");
        check(serializable, &[(ReadWrite, 1), (ReadWrite, 2)], "write-skew");
        check(serializable, &[(ReadWrite, 1), (ReadWrite, 2), (WriteRead, 3)], "G2-item");
        let fork = [(ReadWrite, 1), (WriteRead, 2), (ReadWrite, 2), (WriteRead, 1)];
        check(serializable, &fork, "long-fork");
        let apart = [(ReadWrite, 1), (WriteWrite, 2), (ReadWrite, 2), (WriteRead, 1)];
        check(serializable, &apart, "G-nonadjacent");
        let strict = Level::StrictSerializable;
        check(strict, &[(ReadWrite, 1), (RealTime, 0)], "G-single-realtime");
        check(strict, &[(ReadWrite, 1), (Session, 0), (WriteRead, 1)], "G-single-process");
    }

    #[test]
    fn broken_session_guarantees_have_names() {
        let causal = Level::Causal;
        check(causal, &[(ReadWrite, 1), (Session, 0), (Session, 0)], "read-your-writes");
        check(causal, &[(ReadWrite, 1), (WriteRead, 1), (Session, 0)], "monotonic-reads");
        let writes = [(ReadWrite, 1), (Session, 0), (WriteRead, 2), (Session, 0)];
        check(causal, &writes, "monotonic-writes");
        let follow = [(ReadWrite, 1), (WriteRead, 1), (Session, 0), (WriteRead, 2)];
        check(causal, &follow, "writes-follow-reads");
        check(Level::ReadAtomic, &[(ReadWrite, 1), (WriteRead, 1)], "fractured-read");
    }
}
