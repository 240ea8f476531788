//! Sets.

use proptest::prelude::*;
use wrack_history::{History, Setting, Settings, Value};

use super::Twin;
use crate::story;

/// Adds over (element, begin, length, how it ends), and reads over (begin, length, elements).
type Raw = (Vec<(u8, u64, u64, u8)>, Vec<(u64, u64, u8, u8)>);

fn raws() -> impl Strategy<Value = Raw> {
    let add = (0..5u8, 0..60u64, 0..30u64, any::<u8>());
    let read = (0..70u64, 0..15u64, any::<u8>(), any::<u8>());
    (prop::collection::vec(add, 1..7), prop::collection::vec(read, 0..6))
}

/// Reads find what was added when they begin, or by the chance of each element what is being added;
/// now and then anything.
fn set((adds, reads): &Raw, removes: bool) -> History {
    let mut text = String::new();
    for (process, (element, begin, length, how)) in adds.iter().enumerate() {
        let outcome = ["", "", "", "", "info", "info", "fail", ""][*how as usize % 8];
        let function = if removes && how / 8 % 8 == 0 { "remove" } else { "add" };
        let end = begin + length + 1;
        text += &format!("p{process} {function} k {element} {begin}..{end} {outcome}\n");
    }
    for (process, (begin, length, choice, lie)) in (20..).zip(reads) {
        let mut found = Vec::new();
        let mut elements: Vec<u8> = (0..5).collect();
        elements.retain(|element| {
            let mut adds = adds.iter().filter(|(added, ..)| added == element);
            adds.any(|(_, add, length, how)| match how % 8 {
                6 => false,
                4 | 5 => *add < begin + 5 && choice >> element & 1 == 1,
                _ if add + length < *begin => true,
                _ => *add < begin + 5 && choice >> element & 1 == 1,
            })
        });
        if *lie < 12 {
            elements.push(lie % 6);
        }
        found.extend(elements.iter().map(u8::to_string));
        let (list, end) = (found.join(","), begin + length + 6);
        text += &format!("p{process} read k - {begin}..{end} [{list}]\n");
    }
    story::history(&text)
}

#[test]
fn a_set_that_only_grows_is_judged_alike() {
    let [none, some] = [Value::Nil, Value::list([4.into()])];
    for (model, initial) in [("g-set", none), ("set", some)] {
        let twin =
            Twin { code: "LIN", model, initial, settings: Settings::default(), for_good: true };
        let seen = twin.agrees_on(6_000, &raws(), |raw| set(raw, false));
        assert!(seen.valid > 500 && seen.invalid > 500, "{seen:?}");
    }
}

#[test]
fn every_element_is_found_alike() {
    let settings = Settings::default().with("immediate", Setting::Flag(true));
    for (settings, initial, removes) in [
        (settings.clone(), Value::Nil, false),
        (settings.clone(), Value::list([4.into()]), false),
        (settings, Value::Nil, true),
        (Settings::default(), Value::Nil, false),
    ] {
        let immediate = settings.flag("immediate").unwrap_or(false);
        let twin = Twin { code: "SETFULL", model: "set", initial, settings, for_good: true };
        let seen = twin.agrees_on(5_000, &raws(), |raw| set(raw, removes));
        assert!(seen.valid > 500 || !immediate, "{seen:?}");
        assert!(seen.invalid > 50 && (seen.doubted > 500 || immediate), "{seen:?}");
    }
}
