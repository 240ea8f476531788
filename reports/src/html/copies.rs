//! How late copies and events were, what waited, and how stale reads were.

use std::borrow::Cow;

use wrack_history::gate::Unit;
use wrack_history::picture::{Series, series};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::lines::{self, Line, Lines};
use crate::plot::{Chart, cumulative};
use crate::text;

/// Charts of distributions, at most.
const DISTRIBUTIONS_MAX: usize = 6;

/// The panel, if anything of the kind was measured.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let mut charts = vec![lag(sheet), events(sheet), backlog(sheet)];
    charts.extend(distributions(sheet).map(Some));
    let lead =
        "In true time, which no node of the system could see, beside what nodes' clocks showed.";
    let title = "Staleness, lag and backlog";
    sheet.charts("copies", title, Audience::OnCall, lead, charts)
}

/// The clocks and commit indices of nodes, for the panel of nodes.
pub(crate) fn of_nodes(sheet: &Sheet<'_>) -> [Option<Chart>; 2] {
    let commits = lines(
        sheet,
        Lines {
            id: "commits",
            title: "Commit index",
            caption: "The highest index that each node knew to be committed. A line that stays level while others \
                  rise is a node that is left behind.",
            unit: Unit::Count,
            limit: None,
            lines: of(sheet, series::COMMIT_INDEX),
        },
    );
    let clocks = lines(
        sheet,
        Lines {
            id: "clocks",
            title: "Clock offset",
            caption: "How far each node's wall clock was ahead of true time; below 0 it was behind. Clocks that \
                  were always right are not drawn.",
            unit: Unit::Ns,
            limit: None,
            lines: of(sheet, series::CLOCK_OFFSET),
        },
    );
    [commits, clocks]
}

fn lag(sheet: &Sheet<'_>) -> Option<Chart> {
    lines(
        sheet,
        Lines {
            id: "replica-lag",
            title: "Replica lag",
            caption: "How old the oldest change was that a copy had not applied, in true time.",
            unit: Unit::Ns,
            limit: None,
            lines: of(sheet, series::REPLICA_LAG),
        },
    )
}

fn events(sheet: &Sheet<'_>) -> Option<Chart> {
    let named = |name, words: &str| {
        let found = sheet.run.picture.series.iter().find(|series| series.name == name)?;
        Some(Line { name: words.into(), points: Cow::Borrowed(&found.points) })
    };
    let both = [
        named(series::EVENT_LAG, "true"),
        named(series::EVENT_LAG_AS_SEEN, "as the nodes' clocks showed it"),
    ];
    lines(
        sheet,
        Lines {
            id: "event-lag",
            title: "Event lag",
            caption: "From the commit of what an event tells of until its consumer was done, the longest of each \
                  step; and the same as the consumer's clock showed it against the producer's.",
            unit: Unit::Ns,
            limit: None,
            lines: both.into_iter().flatten().collect(),
        },
    )
}

fn backlog(sheet: &Sheet<'_>) -> Option<Chart> {
    lines(
        sheet,
        Lines {
            id: "backlog",
            title: "Backlog",
            caption: "What waited: events in queues, or changes that copies had not applied, all together.",
            unit: Unit::Count,
            limit: None,
            lines: of(sheet, series::BACKLOG),
        },
    )
}

fn lines(sheet: &Sheet<'_>, lines: Lines<'_>) -> Option<Chart> {
    lines::chart(&sheet.backdrop(), lines)
}

/// The series of a name, each called after its node.
fn of<'a>(sheet: &Sheet<'a>, name: &str) -> Vec<Line<'a>> {
    let run = sheet.run;
    let found = run.picture.series.iter().filter(|series| series.name == name);
    let line = |series: &'a Series| Line {
        name: match series.node.and_then(|node| run.nodes.get(usize::from(node))) {
            Some(node) => text::label(node),
            None => "all".into(),
        },
        points: Cow::Borrowed(&series.points),
    };
    found.map(line).collect()
}

fn distributions(sheet: &Sheet<'_>) -> impl Iterator<Item = Chart> {
    let all = sheet.run.judgements.iter().flat_map(|judgement| {
        let whole = judgement.distributions.iter().filter(|one| one.region.is_none());
        whole.map(move |distribution| (judgement.code.as_str(), distribution))
    });
    let charts = (1..).zip(all).filter_map(|(number, (code, distribution))| {
        let id = sheet.id(&format!("distribution-{number}"));
        cumulative::chart(id, code, distribution)
    });
    charts.take(DISTRIBUTIONS_MAX).collect::<Vec<_>>().into_iter()
}
