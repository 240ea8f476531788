//! The page of a sweep: what failed in which seeds, of which kind, and what was never reached.

use askama::Template;

use super::frame::{self, Group};
use super::mark::Mark;
use super::panel::{Audience, Panel};
use crate::plot::rows::px;
use crate::sweep::{Sweep, SweepCluster, SweepGroup};
use crate::text;

const WIDTH: f64 = 1_000.0;
/// So many places a map has.
const PLACES: u64 = 250;
/// So many seeds are listed of a cluster.
const SEEDS_MAX: usize = 40;
/// So many rows of coverage are listed of a group, those never reached first.
const COVERAGE_MAX: usize = 300;

#[derive(Template)]
#[template(path = "sweep-head.html")]
struct Head {
    mark: Mark,
    title: String,
    statement: String,
    rows: Vec<GroupRow>,
}

struct GroupRow {
    name: String,
    variant: String,
    mark: Mark,
    expected: String,
    found: String,
    bound: String,
    missing: Vec<String>,
}

#[derive(Template)]
#[template(path = "sweep-map.html")]
struct Map {
    seeds: String,
    maps: Vec<OneMap>,
}

struct OneMap {
    id: String,
    title: String,
    description: String,
    height: usize,
    rows: Vec<MapRow>,
}

struct MapRow {
    name: String,
    y: usize,
    class: &'static str,
    /// Place, width and words.
    cells: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "sweep-clusters.html")]
struct Clusters {
    rows: Vec<ClusterRow>,
}

struct ClusterRow {
    what: String,
    shape: String,
    of: String,
    mark: Mark,
    count: String,
    seeds: String,
    example: String,
}

/// A group, what was to be reached in how many seeds, and how many rows are left out.
type Covered = (String, Vec<(String, String, Mark)>, usize);

#[derive(Template)]
#[template(path = "sweep-coverage.html")]
struct Coverage {
    groups: Vec<Covered>,
}

#[derive(Template)]
#[template(path = "sweep-meaning.html")]
struct Meaning {
    seeds: String,
}

/// Writes the page.
pub(crate) fn page(sweep: &Sweep) -> String {
    let head = head(sweep);
    let title = format!("{}: sweep, {}", head.title, seeds_of(sweep));
    let meaning = Meaning { seeds: seeds_of(sweep) };
    let panels = [
        Some(Panel::new("verdict", "", Audience::Executive, head)),
        Some(Panel::new("seed-map", "Seed map", Audience::Executive, map(sweep))),
        Some(clusters(sweep)),
        coverage(sweep),
        Some(Panel::new("meaning", "What it does not mean", Audience::Executive, meaning)),
    ];
    let panels = panels.into_iter().flatten().collect();
    frame::page(&title, "sweep", vec![Group::apart(panels)])
}

fn seeds_of(sweep: &Sweep) -> String {
    let most = sweep.groups.iter().map(|group| group.seeds).max().unwrap_or(0);
    format!("{} from {}", text::counted(most, "seeds"), sweep.seeds.start)
}

fn head(sweep: &Sweep) -> Head {
    let standing = |group: &SweepGroup| match (group.as_expected, group.failures.is_empty()) {
        (true, _) => Mark::good("as expected"),
        (false, true) => Mark::doubt("unknown"),
        (false, false) => Mark::bad("not as expected"),
    };
    let marks: Vec<Mark> = sweep.groups.iter().map(standing).collect();
    let any = |kind: &str| marks.iter().any(|mark| mark.kind == kind);
    let mark = match () {
        () if any("bad") => Mark::bad("NOT AS EXPECTED"),
        () if any("doubt") || marks.is_empty() => Mark::doubt("UNKNOWN"),
        () => Mark::good("AS EXPECTED"),
    };
    let runs: u64 = sweep.groups.iter().map(|group| group.seeds).sum();
    let failures: u64 = sweep.groups.iter().map(|group| group.failures.len() as u64).sum();
    let rows = sweep.groups.iter().zip(marks).map(|(group, mark)| GroupRow {
        name: text::label(&group.scenario),
        variant: text::label(&group.variant),
        mark,
        expected: text::label(&group.expected),
        found: format!("{} of {}", text::count(group.found), text::counted(group.seeds, "seeds")),
        bound: group.at_most_per_million.map_or_else(String::new, |share| {
            format!(
                "at most {}.{:02}% could fail, at 95% confidence",
                share / 10_000,
                share % 10_000 / 100
            )
        }),
        missing: group.missing.iter().take(20).map(|missing| text::paragraph(missing)).collect(),
    });
    Head {
        title: mark.word.into(),
        mark,
        statement: statement(sweep, runs, failures),
        rows: rows.collect(),
    }
}

fn statement(sweep: &Sweep, runs: u64, failures: u64) -> String {
    let whole = format!(
        "{} of {}",
        text::counted(runs, "runs"),
        text::counted(sweep.groups.len() as u64, "groups")
    );
    let kinds = match sweep.clusters.len() {
        0 => "no anomaly".into(),
        1 => "1 kind of failure".into(),
        all => format!("{all} kinds of failure"),
    };
    match failures {
        0 => format!("{whole}, none not as expected; {kinds}."),
        failures => {
            format!("{whole}; {} not as expected; {kinds}.", text::counted(failures, "runs"))
        }
    }
}

fn map(sweep: &Sweep) -> Map {
    let maps = sweep.groups.iter().enumerate().map(|(number, group)| one_map(sweep, number, group));
    Map { seeds: seeds_of(sweep), maps: maps.collect() }
}

fn one_map(sweep: &Sweep, number: usize, group: &SweepGroup) -> OneMap {
    const ROW: usize = 22;
    let span = Span { start: sweep.seeds.start, count: span(sweep, group) };
    let mut rows: Vec<(String, &'static str, &[u64])> = Vec::new();
    rows.push(("not as expected".into(), "seed-bad", &group.failures));
    rows.push(("unknown".into(), "seed-doubt", &group.unknown));
    let of = |one: &&SweepCluster| one.scenario == group.scenario && one.variant == group.variant;
    for cluster in sweep.clusters.iter().filter(of) {
        let class = if cluster.expected { "seed-wanted" } else { "seed-bad" };
        rows.push((format!("{} {}", cluster.code, cluster.shape), class, &cluster.seeds));
    }
    rows.retain(|(_, _, seeds)| !seeds.is_empty());
    let told: Vec<String> = rows
        .iter()
        .map(|(name, _, seeds)| format!("{name} in {}", text::counted(seeds.len() as u64, "seeds")))
        .collect();
    let description = match told.is_empty() {
        true => "Every seed is as it should be.".into(),
        false => format!("{}.", text::list(&told)),
    };
    OneMap {
        id: format!("map-{}", number + 1),
        title: format!("{} {}", text::label(&group.scenario), text::label(&group.variant)),
        description,
        height: rows.len().max(1) * ROW + 4,
        rows: (0..)
            .zip(rows)
            .map(|(place, (name, class, seeds))| MapRow {
                name: text::clip(&name, 30),
                y: place * ROW + 2,
                class,
                cells: span.cells(seeds),
            })
            .collect(),
    }
}

/// How many seeds the map of a group is wide.
fn span(sweep: &Sweep, group: &SweepGroup) -> u64 {
    let last = group.failures.iter().chain(&group.unknown).max().copied().unwrap_or(0);
    let whole = sweep.seeds.end.saturating_sub(sweep.seeds.start);
    let seen = group.seeds.max(last.saturating_sub(sweep.seeds.start) + 1);
    // A sweep that was limited by time has no end of its own.
    if whole <= seen.saturating_mul(64) { whole.max(1) } else { seen.max(1) }
}

struct Span {
    start: u64,
    count: u64,
}

impl Span {
    /// Places of the map with a seed, each with how many.
    fn cells(&self, seeds: &[u64]) -> Vec<(String, String, String)> {
        let places = self.count.min(PLACES);
        let width = WIDTH / places as f64;
        let mut cells = std::collections::BTreeMap::<u64, (u64, u64)>::new();
        for seed in seeds {
            let offset = seed.saturating_sub(self.start).min(self.count - 1);
            let place = (u128::from(offset) * u128::from(places) / u128::from(self.count)) as u64;
            cells.entry(place).or_insert((*seed, 0)).1 += 1;
        }
        let cell = |(place, (first, count)): (u64, (u64, u64))| {
            let words = match count {
                1 => format!("seed {first}"),
                more => format!("{more} seeds from {first}"),
            };
            (px(place as f64 * width), px(width.max(1.5)), words)
        };
        cells.into_iter().map(cell).collect()
    }
}

fn clusters(sweep: &Sweep) -> Panel {
    let row = |cluster: &SweepCluster| {
        let shown: Vec<String> = cluster.seeds.iter().take(SEEDS_MAX).map(u64::to_string).collect();
        let more = cluster.seeds.len().saturating_sub(SEEDS_MAX);
        let more = if more > 0 {
            format!(" and {} more", text::count(more as u64))
        } else {
            String::new()
        };
        ClusterRow {
            what: text::code_and_name(&cluster.code),
            shape: text::label(&cluster.shape),
            of: format!("{} {}", text::label(&cluster.scenario), text::label(&cluster.variant)),
            mark: if cluster.expected { Mark::good("expected") } else { Mark::bad("not expected") },
            count: text::count(cluster.seeds.len() as u64),
            seeds: format!("{}{more}", shown.join(", ")),
            example: text::clip(&cluster.example, 200),
        }
    };
    let body = Clusters { rows: sweep.clusters.iter().map(row).collect() };
    let count = text::count(sweep.clusters.len() as u64);
    Panel::new("clusters", "Kinds of failure", Audience::OnCall, body).counted(count)
}

fn coverage(sweep: &Sweep) -> Option<Panel> {
    let covered = sweep.groups.iter().filter(|group| !group.coverage.is_empty());
    let group = |group: &SweepGroup| {
        let mut all: Vec<(&str, u64)> =
            group.coverage.iter().map(|(name, seeds)| (name.as_str(), *seeds)).collect();
        all.sort_by_key(|(name, seeds)| (*seeds, *name));
        let left_out = all.len().saturating_sub(COVERAGE_MAX);
        let row = |(name, seeds): (&str, u64)| {
            let mark = if seeds == 0 { Mark::doubt("never") } else { Mark::good("reached") };
            (text::clip(name, 120), text::count(seeds), mark)
        };
        let name = format!("{} {}", text::label(&group.scenario), text::label(&group.variant));
        (name, all.into_iter().take(COVERAGE_MAX).map(row).collect(), left_out)
    };
    let groups: Vec<_> = covered.map(group).collect();
    let of = sweep.groups.iter().flat_map(|group| group.coverage.values());
    let never = of.clone().filter(|seeds| **seeds == 0).count();
    let count = format!("{never} of {} never reached", of.count());
    if groups.is_empty() {
        return None;
    }
    Some(Panel::new("coverage", "Coverage", Audience::OnCall, Coverage { groups }).counted(count))
}
