//! The report of a game day: how it went, then one run of each step.

use askama::Template;
use wrack_history::Run;
use wrack_history::gameday::GameDay;

use super::{brief, overview};
use crate::html::panel::{Audience, Panel};
use crate::html::{
    self,
    frame::{self, Group},
};
use crate::text;

#[derive(Template)]
#[template(path = "gameday-divider.html")]
struct Divider<'a> {
    id: &'a str,
    number: usize,
    title: &'a str,
    question: &'a str,
}

/// Writes the page.
pub(crate) fn page(day: &GameDay, runs: &[(usize, Run)]) -> String {
    let commands = vec![
        ("Run it again", day.replay.clone()),
        ("Post-mortem", format!("wrack gameday postmortem {}", day.playlist)),
    ];
    let head = brief::head_of("Game day", &day.title, &day.objective, commands);
    let mut groups = vec![Group::apart(vec![head, overview::panel(day, "s")])];
    for (place, run) in runs {
        let number = place + 1;
        let mut group = html::group(run, None, &format!("s{number}-"));
        let Some(step) = day.steps.get(*place) else { continue };
        let id = format!("s{number}");
        let divider = Divider { id: &id, number, title: &step.title, question: &step.question };
        group.heading = format!("{id}-heading ");
        group.panels.insert(0, Panel::new(&id, "", Audience::Executive, divider));
        groups.push(group);
    }
    frame::page(&format!("Game day: {}", text::label(&day.title)), "gameday", groups)
}
