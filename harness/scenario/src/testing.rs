//! What the tests share: a small catalogue of its own, and one way to check a file.

mod catalogue;

pub(crate) use catalogue::catalogue;

use wrack_history::catalogue::{Catalogue, EngineInfo};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::Scenario;

/// The example of the reference page.
pub(crate) fn example() -> &'static str {
    let page = include_str!("../FORMAT.md");
    let start = page.find("```toml\n").expect("the page has an example") + "```toml\n".len();
    let length = page[start..].find("```").expect("the example ends");
    &page[start..start + length]
}

/// Reads `fixture` as a scenario.
pub(crate) fn read(fixture: &str) -> Result<Scenario, Diagnostics> {
    crate::read("raft/test.toml", &whole(fixture), &catalogue())
}

/// Reads `fixture`, which must be good.
pub(crate) fn read_good(fixture: &str) -> Scenario {
    read(fixture).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// Checks that `fixture` has exactly one mistake, and that it is the text between `«` and `»`
/// (missing keys have the section's header there, those of the top level nothing).
///
/// The first line of `expected` is the title; each further line is part of what stands beside it.
/// A fixture needs only the sections it is about: `whole` adds the others.
#[track_caller]
pub(crate) fn check(fixture: &str, expected: &str) {
    check_against(&catalogue(), fixture, expected);
}

/// As [`check`], for an engine that carries ten nodes and cannot make clocks drift.
#[track_caller]
pub(crate) fn check_on_small_engine(fixture: &str, expected: &str) {
    check_against(&Catalogue { engine: Some(&SMALL), ..catalogue() }, fixture, expected);
}

static SMALL: EngineInfo = EngineInfo {
    name: "small",
    doc: "An engine with limits.",
    deterministic: true,
    nodes_max: Some(10),
    faults_refused: &["clock_drift"],
    missing: None,
};

#[track_caller]
fn check_against(catalogue: &Catalogue, fixture: &str, expected: &str) {
    let marked = whole(fixture);
    let text = marked.replace(['«', '»'], "");
    let start = marked.find('«').unwrap_or(0);
    let end = marked.find('»').map_or(0, |end| end - '«'.len_utf8());
    let diagnostics = crate::read("raft/test.toml", &text, catalogue).unwrap_err();
    let [diagnostic] = diagnostics.list() else { panic!("not one mistake:\n{diagnostics}") };
    let mut lines = expected.lines();
    assert_eq!(Some(diagnostic.title.as_str()), lines.next(), "\n{diagnostics}");
    assert_eq!(diagnostic.span, start..end, "\n{diagnostics}");
    let beside = beside(diagnostic);
    for line in lines {
        assert!(beside.contains(line.trim()), "{line}\nis not in\n{beside}\n{diagnostics}");
    }
}

fn beside(diagnostic: &Diagnostic) -> String {
    let related = diagnostic.related.iter().map(|related| related.label.as_str());
    let help = diagnostic.help.iter().map(String::as_str);
    let lines = [diagnostic.label.as_str()].into_iter().chain(related).chain(help);
    lines.collect::<Vec<_>>().join("\n")
}

/// Adds the sections that every scenario must have, and that `fixture` leaves out.
pub(crate) fn whole(fixture: &str) -> String {
    let mut text = String::new();
    for key in ["title", "story", "hypothesis"] {
        if !fixture.contains(&format!("{key} =")) {
            text += &format!("{key} = \"…\"\n");
        }
    }
    text += fixture;
    if !fixture.contains("design") {
        text += "\n[design]\nname = \"raft\"\n";
    }
    if !fixture.contains("[workload]") {
        text += "\n[workload]\nname = \"register\"\n";
    }
    text
}

/// Copies of `text` with up to three scraps in wrong places, always the same ones.
pub(crate) fn mangled(text: &str, count: usize) -> impl Iterator<Item = String> {
    const SCRAPS: [&str; 18] = [
        "\"", "[", "]", "{", "}", "=", ".", ",", "\n", "-", "0", "1", "", "99999999", "é", "\r\n",
        "''", "#",
    ];
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move |bound: usize| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 33) as usize % bound
    };
    (0..count).map(move |_| {
        let mut mangled = text.to_owned();
        for _ in 0..=draw(3) {
            let start = mangled.floor_char_boundary(draw(mangled.len()));
            let end = mangled.ceil_char_boundary((start + draw(4)).min(mangled.len()));
            mangled.replace_range(start..end, SCRAPS[draw(SCRAPS.len())]);
        }
        mangled
    })
}
