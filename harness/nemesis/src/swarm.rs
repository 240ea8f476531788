//! The swarm: faults that are drawn for a seed, within what a design tolerates.
//!
//! What is drawn of a kind is keyed by its name: leaving a kind out leaves the others as they were.
//! Relatives ([`family`]) have the same kinds of faults and share most of these: some are drawn anew, and
//! come at another time, elsewhere and in other strength. Groce et al., *Swarm Testing*, ISSTA 2012: a run
//! from which some kinds are left out altogether reaches what a run with all of them does not.

use wrack_history::catalogue::{
    DefaultSetting, DesignInfo, Extent, FaultInfo, Lasting, MESSAGES, ParameterInfo, ParameterKind,
    defaults,
};
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::setting::Delay;
use wrack_history::swarm::family;
use wrack_history::{Fault, ScheduledFault, Setting, Settings, SmolStr, Swarm, Target, When};
use wrack_sim::chance::{Digest, Purpose, Stream};

/// Ids of drawn faults begin here, behind those of files.
const FIRST_ID: u32 = 1_000_000;
/// So many ids belong to a kind.
const IDS_PER_KIND: u32 = 100;
/// For so many kinds.
const KINDS: u64 = 1 << 24;
/// So many faults of a relative, in a million, are not those of the first of its family.
const ANEW_PER_MILLION: u32 = 250_000;
/// A fault lasts at least so long.
const SHORTEST_NS: u64 = 20 * MILLISECOND;

/// Where faults are drawn for.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The design under test.
    pub design: &'a DesignInfo,
    /// How many nodes its cluster has.
    pub nodes: usize,
    /// How long the fault phase lasts.
    pub faults_ns: u64,
    /// The seed of the run.
    pub seed: u64,
}

/// Draws the faults of one seed, in order of their kinds.
///
/// A kind that cannot be drawn within what the design tolerates is left out: the crash of a minority of
/// one node.
pub fn draw(swarm: &Swarm, ground: &Ground<'_>) -> Vec<ScheduledFault> {
    let kinds = swarm.faults.iter().filter_map(|name| crate::find(name));
    kinds.flat_map(|entry| Kind::new(entry.info, swarm, ground).draw()).collect()
}

/// The stream of what is drawn by this name: equal for all that have the same `seed`.
pub fn stream(seed: u64, name: &str, number: u64) -> Stream {
    Stream::new(seed, Purpose::Swarm, Digest::of(&name), number)
}

/// The id of the first drawn fault of a kind.
fn first_id(kind: &str) -> u32 {
    FIRST_ID + (Digest::of(&kind) % KINDS) as u32 * IDS_PER_KIND
}

/// Draws the faults of one kind.
struct Kind<'a> {
    info: &'static FaultInfo,
    ground: &'a Ground<'a>,
    /// It may be on so many nodes at once.
    nodes_max: usize,
    /// How often it comes.
    times: u64,
}

impl<'a> Kind<'a> {
    fn new(info: &'static FaultInfo, swarm: &Swarm, ground: &'a Ground<'a>) -> Self {
        let mut stream = stream(family(ground.seed), info.name, 0);
        let absent = stream.chance(swarm.absent_per_million);
        let times = stream.between(1, u64::from(swarm.times_max));
        let extents = ground.design.tolerates.iter().filter(|one| one.fault == info.name);
        let nodes_max = extents.map(|one| match one.nodes {
            Extent::Any => ground.nodes,
            Extent::Minority => ground.nodes.saturating_sub(1) / 2,
            Extent::AtMost(count) => ground.nodes.min(count as usize),
        });
        let nodes_max = nodes_max.max().unwrap_or(0);
        Self { info, ground, nodes_max, times: if absent || nodes_max == 0 { 0 } else { times } }
    }

    fn draw(&self) -> Vec<ScheduledFault> {
        (0..self.times).filter_map(|number| self.one(number)).collect()
    }

    /// Each occurrence has a part of the fault phase for itself, so that no two of them are on together.
    fn one(&self, number: u64) -> Option<ScheduledFault> {
        let id = first_id(self.info.name) + number as u32;
        let mut stream = stream(self.drawn_for(id), self.info.name, number + 1);
        let part_ns = self.ground.faults_ns / self.times;
        let offset_ns = stream.below(part_ns / 4 * 3);
        let waits_for = self.fact(&mut stream);
        let lasts_ns = between(&mut stream, SHORTEST_NS, (part_ns - offset_ns).max(SHORTEST_NS));
        let settings = self.settings(&mut stream)?;
        Some(ScheduledFault {
            id,
            occurrence: 0,
            when: waits_for.unwrap_or(When::At(number * part_ns + offset_ns)),
            lasts_ns: (self.info.lasts == Lasting::For).then_some(lasts_ns),
            every_ns: None,
            times: 1,
            jitter_ns: 0,
            within_ns: 2 * SECOND,
            min_effect: 0,
            fault: Fault { kind: self.info.name.into(), settings },
        })
    }

    /// The seed that a fault is drawn for: that of the run, or that of the first of its family.
    fn drawn_for(&self, id: u32) -> u64 {
        let seed = self.ground.seed;
        let is_anew = stream(seed, "anew", u64::from(id)).chance(ANEW_PER_MILLION);
        if is_anew { seed } else { family(seed) }
    }

    /// A fact to wait for, every third time; a fault that may not be on too many nodes waits for one
    /// only if it comes once.
    fn fact(&self, stream: &mut Stream) -> Option<When> {
        let design = self.ground.design;
        let names = design.facts.iter().chain(design.situations).map(|fact| fact.name.into());
        let roles = design.roles.iter().map(|role| format!("role.{role}").into());
        let facts: Vec<SmolStr> = names.chain(roles).collect();
        let (wanted, nth) = (stream.chance(333_333), between(stream, 1, 100));
        let delay_ns = stream.chance(500_000).then(|| between(stream, 10_000, SECOND));
        let fact = stream.pick(&facts)?.clone();
        let alone = self.times == 1 || self.nodes_max == self.ground.nodes;
        (wanted && alone).then(|| When::OnFact {
            fact,
            by: None,
            nth: nth as u32,
            delay_ns: delay_ns.unwrap_or(0),
        })
    }

    /// Every parameter; `None` where the design has nothing that a required one could name.
    fn settings(&self, stream: &mut Stream) -> Option<Settings> {
        let mut settings = defaults(self.info.parameters);
        for info in self.info.parameters {
            match self.setting(info, stream) {
                Some(setting) => drop(settings.0.insert(info.name.into(), setting)),
                None if info.default.is_none() && !info.optional => return None,
                None => {}
            }
        }
        Some(settings)
    }

    /// A setting to take instead of the default, if another one was drawn.
    fn setting(&self, info: &ParameterInfo, stream: &mut Stream) -> Option<Setting> {
        let design = self.ground.design;
        let required = info.default.is_none() && !info.optional;
        let limited = info.kind == ParameterKind::Target && self.nodes_max < self.ground.nodes;
        let wanted = required || limited || stream.chance(500_000);
        let setting = match info.kind {
            ParameterKind::Target => Setting::Target(self.target(stream)),
            ParameterKind::Failpoint => {
                Setting::Choice(stream.pick(design.failpoints)?.name.into())
            }
            ParameterKind::Messages => {
                let kinds = design.messages.iter().map(|kind| kind.name);
                let kinds: Vec<&str> = MESSAGES.iter().copied().chain(kinds).collect();
                Setting::Choice(SmolStr::new(*stream.pick(&kinds)?))
            }
            ParameterKind::Choice(names) => {
                let needs_groups = |name: &str| {
                    let groups = |other: &ParameterInfo| other.kind == ParameterKind::Groups;
                    self.info.parameters.iter().any(|other| groups(other) && other.name == name)
                };
                let names = names.iter().filter(|name| !needs_groups(name)).collect::<Vec<_>>();
                Setting::Choice(SmolStr::new_static(stream.pick(&names)?))
            }
            ParameterKind::Integer { .. } => Setting::Integer(whole(info.drawn?, stream)),
            ParameterKind::Duration => Setting::Duration(match info.default {
                Some(DefaultSetting::Duration(ns)) => between(stream, ns / 8, ns * 4),
                _ => between(stream, 50 * MILLISECOND, SECOND),
            }),
            ParameterKind::Delay => {
                let longest_ns = between(stream, MILLISECOND, SECOND);
                Setting::Delay(Delay::uniform(stream.below(longest_ns), longest_ns))
            }
            ParameterKind::Offset => {
                let ns = between(stream, 10 * MILLISECOND, 30 * SECOND) as i64;
                Setting::Offset(if stream.chance(500_000) { ns } else { -ns })
            }
            ParameterKind::PerMillion => Setting::PerMillion(match info.default {
                Some(DefaultSetting::PerMillion(share)) if share > 0 => {
                    let (least, most) = (u64::from(share / 8), u64::from(share) * 8);
                    between(stream, least, most.min(1_000_000)) as u32
                }
                _ => between(stream, 10_000, 500_000) as u32,
            }),
            ParameterKind::Flag => Setting::Flag(stream.chance(500_000)),
            ParameterKind::Groups => return None,
        };
        wanted.then_some(setting)
    }

    /// Whoever holds a role, or so many nodes.
    fn target(&self, stream: &mut Stream) -> Target {
        let count = whole((1, self.nodes_max as i64), stream) as u32;
        let (by_role, at_random) = (stream.chance(500_000), stream.chance(500_000));
        match stream.pick(self.ground.design.roles) {
            Some(role) if by_role && at_random => Target::Random(SmolStr::new_static(role)),
            Some(role) if by_role => Target::Role(SmolStr::new_static(role)),
            _ => Target::Count(count),
        }
    }
}

/// From `least` to `most`, small numbers as often as large ones: a power of two first, then evenly up to
/// the next.
fn between(stream: &mut Stream, least: u64, most: u64) -> u64 {
    let least = least.max(1);
    let doublings = u64::from((most.max(least) / least).ilog2());
    let low = least << stream.between(0, doublings);
    let high = (low * 2 - 1).min(most.max(least));
    stream.between(low, high)
}

/// A whole number of a range that may reach below zero.
fn whole((min, max): (i64, i64), stream: &mut Stream) -> i64 {
    let below = min < 0 && stream.chance(500_000);
    let (sign, most) = if below { (-1, min.unsigned_abs()) } else { (1, max.unsigned_abs()) };
    if min == 0 && stream.chance(200_000) {
        return 0;
    }
    sign * between(stream, min.max(1).unsigned_abs(), most) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_ids_of_its_own() {
        let ids = crate::ALL.iter().map(|entry| first_id(entry.info.name));
        assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), crate::ALL.len());
    }

    #[test]
    fn small_numbers_are_drawn_as_often_as_large_ones() {
        let mut stream = stream(0, "test", 0);
        let drawn: Vec<u64> = (0..10_000).map(|_| between(&mut stream, 10, 10_000)).collect();
        assert!(drawn.iter().all(|number| (10..=10_000).contains(number)));
        let small = drawn.iter().filter(|number| **number < 320).count();
        assert!((4_000..6_000).contains(&small), "{small}");
        assert_eq!(between(&mut stream, 5, 3), 5);
        let signs: Vec<i64> = (0..100).map(|_| whole((-8, 8), &mut stream)).collect();
        assert!(signs.iter().any(|one| *one < 0) && signs.iter().any(|one| *one > 0));
        assert!(signs.iter().all(|one| (-8..=8).contains(one)));
        assert!((0..100).any(|_| whole((0, 4), &mut stream) == 0));
    }
}
