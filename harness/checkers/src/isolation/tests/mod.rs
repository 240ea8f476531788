//! Levels against a twin, papers' figures, and named anomalies.

mod figures;
mod naive;
mod random;

use proptest::prelude::{ProptestConfig, any, proptest};
use wrack_history::{Operation, Value};

use super::Answer;
use super::level::{ALL, Level};
use super::transactions::{Style, observe};

/// What is found out about one level alone.
fn decided(operations: &[Operation], style: Style, level: Level) -> Result<bool, String> {
    let observed = observe(operations, style, &Value::Nil).expect("transactions of the model");
    let mut answer = Answer::of(&observed, &[level]);
    answer.verdicts.remove(&level).expect("it was asked for")
}

/// What is found out about all levels together.
fn all_decided(operations: &[Operation], style: Style) -> Vec<Result<bool, String>> {
    let observed = observe(operations, style, &Value::Nil).expect("transactions of the model");
    let levels: Vec<Level> = ALL.iter().map(|info| info.level).collect();
    Answer::of(&observed, &levels).verdicts.into_values().collect()
}

fn compare(seed: u64, style: Style) {
    let operations = random::history(seed, style);
    let together = all_decided(&operations, style);
    for info in ALL {
        let expected = naive::keeps(&operations, style == Style::ListAppend, info.level);
        let told = || format!("{} of seed {seed}:\n{}", info.name, random::shown(&operations));
        assert_eq!(decided(&operations, style, info.level), Ok(expected), "{}", told());
        assert_eq!(together[info.level as usize], Ok(expected), "together: {}", told());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_level_of_lists_is_decided_as_by_trying_all_orders(seed in any::<u64>()) {
        compare(seed, Style::ListAppend);
    }

    #[test]
    fn every_level_of_registers_is_decided_as_by_trying_all_orders(seed in any::<u64>()) {
        compare(seed, Style::Register);
    }
}

/// What a generator made is strict serializable, and with one result replaced provably not.
#[test]
fn generated_histories_are_judged_as_they_were_made() {
    use wrack_workloads::generated::{Kind, Shape, generate};
    for kind in [Kind::ListAppend, Kind::RwRegister] {
        for (seed, mutated) in (0..20).flat_map(|seed| [(seed, false), (seed, true)]) {
            let shape = Shape {
                kind,
                keys: 5,
                clients: 6,
                operations: 300,
                values: 0,
                doubtful: 3,
                mutated,
                seed,
            };
            let made = generate(&shape).unwrap();
            let style = if kind == Kind::ListAppend { Style::ListAppend } else { Style::Register };
            let strict = Level::StrictSerializable;
            let found = decided(&made.history.operations, style, strict);
            assert_eq!(found, Ok(!mutated), "{kind:?} {seed}: {:?}", made.truth);
        }
    }
}

/// How often levels hold and do not in the random histories: neither may be rare.
#[test]
fn random_histories_keep_and_break_every_level() {
    for style in [Style::ListAppend, Style::Register] {
        let mut kept = vec![0; ALL.len()];
        for seed in 0..400 {
            let operations = random::history(seed, style);
            let verdicts = all_decided(&operations, style);
            for (count, verdict) in kept.iter_mut().zip(verdicts) {
                *count += u32::from(verdict == Ok(true));
            }
        }
        for (info, kept) in ALL.iter().zip(&kept) {
            let free = style == Style::Register && info.level == Level::ReadUncommitted;
            assert!((20..=390).contains(kept) || free, "{style:?} {}: {kept} of 400", info.name);
        }
    }
}
