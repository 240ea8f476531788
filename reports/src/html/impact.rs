//! What it meant for those who were served, in a few numbers.

use askama::Template;
use wrack_history::{Run, Verdict};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::time::tick_label;
use crate::text;

#[derive(Template)]
#[template(path = "impact.html")]
struct Impact {
    tiles: Vec<Tile>,
}

/// A number with what it means.
struct Tile {
    name: &'static str,
    value: String,
    words: String,
    /// `bad`, `doubt` or `calm`.
    mood: &'static str,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let tiles = [
        Some(wrong(sheet.run)),
        Some(served(sheet)),
        worst(sheet),
        Some(bit(sheet.run)),
        detected(sheet.run),
        recovered(sheet),
    ];
    let body = Impact { tiles: tiles.into_iter().flatten().collect() };
    sheet.panel("impact", "What it meant", Audience::Executive, body)
}

fn wrong(run: &Run) -> Tile {
    let found = run.anomalies().count() as u64;
    let promises = run.judgements.iter();
    let broken = promises.clone().filter(|one| one.verdict == Verdict::Invalid).count();
    let of = format!("{broken} of {} broken", text::counted(promises.count() as u64, "promises"));
    Tile {
        name: "Anomalies",
        value: text::count(found),
        words: of,
        mood: if found > 0 { "bad" } else { "calm" },
    }
}

fn served(sheet: &Sheet<'_>) -> Tile {
    let whole = &sheet.blast.whole;
    let share = whole.failed * 10_000 / whole.operations.max(1);
    Tile {
        name: "Operations not served",
        value: format!("{}.{:02}%", share / 100, share % 100),
        words: format!(
            "{} of {} did not end ok",
            text::count(whole.failed),
            text::count(whole.operations)
        ),
        mood: if whole.failed > 0 { "doubt" } else { "calm" },
    }
}

fn worst(sheet: &Sheet<'_>) -> Option<Tile> {
    let (place, worst) = sheet.blast.worst()?;
    let from = place as u64 * sheet.bins.width_ns;
    Some(Tile {
        name: "Blast radius at worst",
        value: format!("{}%", worst.share_per_mille() / 10),
        words: format!(
            "of operations in the {} from {}; {} of {} and {} of {}",
            tick_label(sheet.bins.width_ns),
            text::moment(from),
            worst.clients,
            text::counted(worst.clients_all, "clients"),
            worst.keys,
            text::counted(worst.keys_all, "keys"),
        ),
        mood: "doubt",
    })
}

fn bit(run: &Run) -> Tile {
    let bit = run.faults.iter().filter(|fault| fault.effect > 0).count();
    let all = run.faults.len();
    Tile {
        name: "Faults that bit",
        value: format!("{bit} of {all}"),
        words: match run.faults.first() {
            Some(first) => format!("first: {}", text::label(&first.kind)),
            None => "nothing was injected".into(),
        },
        mood: if bit < all { "doubt" } else { "calm" },
    }
}

/// How soon somebody would have been called.
fn detected(run: &Run) -> Option<Tile> {
    let burns = &run.picture.budget.as_ref()?.burns;
    let pages = burns.iter().filter(|burn| burn.severity == "page");
    let fired = pages.filter(|burn| burn.fired_ns.is_some());
    Some(match fired.min_by_key(|burn| burn.fired_ns) {
        Some(alert) => Tile {
            name: "Would have paged",
            value: alert
                .detected_after_ns
                .map_or("at once".into(), |ns| format!("after {}", text::short_duration(ns))),
            words: format!("the windows {} burnt too fast", alert.windows),
            mood: "doubt",
        },
        None => Tile {
            name: "Would have paged",
            value: "nobody".into(),
            words: "no pair of windows burnt its budget fast enough".into(),
            mood: if run.verdict == Verdict::Invalid { "bad" } else { "calm" },
        },
    })
}

/// When, after the last heal, nothing was touched any more.
fn recovered(sheet: &Sheet<'_>) -> Option<Tile> {
    let healed = sheet.bands.iter().map(|band| band.to_ns).max()?;
    let width = sheet.bins.width_ns;
    let later = sheet.blast.bins.iter().enumerate().skip((healed / width) as usize);
    let last = later.rev().find(|(_, touched)| touched.touched() > 0).map(|(place, _)| place);
    let until = last.map(|place| (place as u64 + 1) * width);
    Some(match until {
        Some(ns) if ns > healed + width => Tile {
            name: "Served as usual again",
            value: format!("after {}", text::short_duration(ns - healed)),
            words: format!(
                "from the last heal, {}, to the last touched operation",
                text::moment(healed)
            ),
            mood: "doubt",
        },
        _ => Tile {
            name: "Served as usual again",
            value: "at once".into(),
            words: format!("after the last heal, {}", text::moment(healed)),
            mood: "calm",
        },
    })
}
