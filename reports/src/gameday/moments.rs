//! What happened when in a run, and what somebody who watches would have seen of it.

use wrack_history::{Fact, Run};

use crate::plot::nodes::LEADING;
use crate::text;

/// So many moments of a run are told.
const MOMENTS_MAX: usize = 200;
/// An explanation is clipped to so many characters.
const WORDS_MAX: usize = 320;

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub ns: u64,
    /// `fault`, `anomaly`, `alert`, `node` or `phase`.
    pub kind: &'static str,
    /// What happened.
    pub words: String,
    /// What an operator would have seen; nothing if nothing.
    pub seen: String,
}

/// All moments in order of time, and how many are left out: of many, those of nodes first.
pub(super) fn moments(run: &Run) -> (Vec<Moment>, usize) {
    let mut all: Vec<Moment> = faults(run).chain(anomalies(run)).chain(alerts(run)).collect();
    all.extend(phases(run));
    let nodes: Vec<Moment> = nodes(run).collect();
    let room = MOMENTS_MAX.saturating_sub(all.len());
    let whole = all.len() + nodes.len();
    all.extend(nodes.into_iter().take(room));
    all.sort_by_key(|moment| moment.ns);
    all.truncate(MOMENTS_MAX);
    let left_out = whole - all.len();
    (all, left_out)
}

fn moment(ns: u64, kind: &'static str, words: String) -> Moment {
    Moment { ns, kind, words, seen: String::new() }
}

fn faults(run: &Run) -> impl Iterator<Item = Moment> {
    run.faults.iter().flat_map(|fault| {
        let kind = text::label(&fault.kind);
        let effect = text::effect(fault.effect, &fault.unit);
        let injected = fault.injected_ns.map(|ns| {
            moment(ns, "fault", format!("{kind} begins: {}", text::clip(&fault.detail, 120)))
        });
        let healed =
            fault.healed_ns.map(|ns| moment(ns, "fault", format!("{kind} is over: {effect}")));
        injected.into_iter().chain(healed)
    })
}

fn anomalies(run: &Run) -> impl Iterator<Item = Moment> {
    run.anomalies().map(|anomaly| {
        let words = text::sentence(&text::clip(&anomaly.explanation, WORDS_MAX));
        let ns = anomaly.at_ns.unwrap_or(run.phases.end_ns);
        moment(ns, "anomaly", format!("{}: {words}", anomaly.code))
    })
}

fn alerts(run: &Run) -> impl Iterator<Item = Moment> {
    run.alerts.iter().flat_map(|alert| {
        let name = format!("{} {}", alert.severity, alert.windows);
        let fired = alert.fired_ns.map(|ns| Moment {
            seen: format!("{name} fires"),
            ..moment(ns, "alert", format!("the error budget burns too fast over {}", alert.windows))
        });
        let over = alert.fired_ns.zip(alert.recovered_after_ns).map(|(fired, after)| Moment {
            seen: format!("{name} is over"),
            ..moment(
                fired + after,
                "alert",
                format!("it burns slowly again over {}", alert.windows),
            )
        });
        fired.into_iter().chain(over)
    })
}

fn phases(run: &Run) -> impl Iterator<Item = Moment> {
    let phases = run.phases;
    let heal = (phases.heal_ns > 0)
        .then(|| moment(phases.heal_ns, "phase", "everything is healed; clients go on".into()));
    heal.into_iter()
}

/// Who began to lead, and who was down.
fn nodes(run: &Run) -> impl Iterator<Item = Moment> {
    let servers = run.nodes.len().saturating_sub(run.clients as usize);
    run.facts.iter().filter_map(move |record| {
        let name = run.nodes[..servers].get(record.node as usize)?;
        let down = |what: &str| Moment {
            seen: format!("{name} does not answer"),
            ..moment(record.ns, "node", format!("{name} {what}"))
        };
        Some(match &record.fact {
            Fact::Role { role, epoch } if LEADING.contains(&role.as_str()) => {
                moment(record.ns, "node", format!("{name} believes to be {role} in {epoch}"))
            }
            Fact::Crashed => down("crashes"),
            Fact::Paused => down("is paused"),
            Fact::Resumed => moment(record.ns, "node", format!("{name} goes on")),
            Fact::Booted { boot } if *boot > 0 => {
                moment(record.ns, "node", format!("{name} is up again"))
            }
            _ => return None,
        })
    })
}
