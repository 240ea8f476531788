//! Parameters: the keys that a table of [`ParameterInfo`]s describes, with their defaults.
//!
//! Designs, workloads, faults and guarantees describe theirs in the catalogue; the fixed sections
//! of a scenario file are described in the same way, so that one reader and one schema serve all.

use std::collections::BTreeMap;

use wrack_history::catalogue::{ParameterInfo, ParameterKind};
use wrack_history::setting::{Delay, Setting, Settings};

use crate::diagnostic::Span;
use crate::fields::{Fields, Item};
use crate::mistake::Mistake;
use crate::scope::Scope;
use crate::target;
use crate::value;

/// Parameters that were read, and where.
pub(crate) struct Given {
    /// Every parameter that is given or has a default.
    pub settings: Settings,
    /// Where those stand that are given.
    pub spans: BTreeMap<&'static str, Span>,
    /// Whether nothing was wrong with them.
    pub sound: bool,
}

/// Reads every parameter of `infos`, and fills in the defaults.
pub(crate) fn read(fields: &mut Fields, infos: &[ParameterInfo], scope: &Scope) -> Given {
    let mut given = read_given(fields, infos, scope);
    for info in infos {
        let present = given.spans.contains_key(info.name);
        match info.default.map(Setting::from) {
            Some(default) if !given.settings.0.contains_key(info.name) => {
                if !present {
                    fields.default(info.name, &default);
                }
                given.settings.0.insert(info.name.into(), default);
            }
            None if !info.optional && !present => {
                fields.miss(info.name);
                given.sound = false;
            }
            _ => {}
        }
    }
    given
}

/// Reads those parameters of `infos` that the file gives.
pub(crate) fn read_given(fields: &mut Fields, infos: &[ParameterInfo], scope: &Scope) -> Given {
    let mut given = Given { settings: Settings::default(), spans: BTreeMap::new(), sound: true };
    for info in infos {
        let Some(item) = fields.get(info.name) else {
            continue;
        };
        given.spans.insert(info.name, item.span());
        match setting(fields, info, item, scope) {
            Some(setting) => drop(given.settings.0.insert(info.name.into(), setting)),
            None => given.sound = false,
        }
    }
    given
}

/// One setting; `None` if it is wrong, which is put down.
pub(crate) fn setting<'a>(
    fields: &Fields<'a>,
    info: &ParameterInfo,
    item: &'a Item<'a>,
    scope: &Scope,
) -> Option<Setting> {
    let (path, findings) = (fields.path_of(info.name), fields.findings);
    match info.kind {
        ParameterKind::Delay => crate::delay::delay(item, &path, findings).map(Setting::Delay),
        ParameterKind::Target => target::target(item, &path, findings, scope).map(Setting::Target),
        ParameterKind::Groups => target::groups(item, &path, findings, scope).map(Setting::Groups),
        ParameterKind::Failpoint => {
            let name = fields.keep(info.name, value::name(item))?;
            let known = scope.failpoint(&name, item.span());
            known.map_err(|mistake| fields.report(mistake)).ok()?;
            Some(Setting::Choice(name))
        }
        ParameterKind::Messages => {
            let name = fields.keep(info.name, value::name(item))?;
            let known = scope.messages(&name, item.span());
            known.map_err(|mistake| fields.report(mistake)).ok()?;
            Some(Setting::Choice(name))
        }
        kind => fields.keep(info.name, simple(kind, item)),
    }
}

fn simple(kind: ParameterKind, item: &Item) -> Result<Setting, Mistake> {
    Ok(match kind {
        ParameterKind::Duration => Setting::Duration(value::duration(item)?),
        ParameterKind::Offset => Setting::Offset(value::offset(item)?),
        ParameterKind::Integer { min, max } => Setting::Integer(value::whole(item, min, max)?),
        ParameterKind::PerMillion => Setting::PerMillion(value::share(item)?),
        ParameterKind::Flag => Setting::Flag(value::flag(item)?),
        ParameterKind::Choice(names) => Setting::Choice(value::choice(item, names)?),
        other => unreachable!("{other:?} is not read from a single value"),
    })
}

/// Whether the parameter says whom a fault is for.
pub(crate) fn is_aim(info: &ParameterInfo) -> bool {
    matches!(info.kind, ParameterKind::Target | ParameterKind::Groups)
}

impl Given {
    /// A duration that has a default, in nanoseconds.
    pub fn duration(&self, name: &str) -> u64 {
        self.settings.duration(name).expect("the duration has a default")
    }

    /// A whole number that has a default.
    pub fn integer(&self, name: &str) -> i64 {
        self.settings.integer(name).expect("the number has a default")
    }

    /// A share that has a default, in millionths.
    pub fn share(&self, name: &str) -> u32 {
        self.settings.per_million(name).expect("the share has a default")
    }

    /// A delay that has a default.
    pub fn delay(&self, name: &str) -> Delay {
        self.settings.delay(name).expect("the delay has a default")
    }

    /// Where a parameter stands that may be given; an empty place if it is not.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.spans.get(name).cloned()
    }

    /// Puts down a mistake for each of these durations that is given as zero.
    pub fn positive(&self, fields: &Fields, names: &[&'static str]) {
        for name in names {
            if let (Some(0), Some(span)) = (self.settings.duration(name), self.span(name)) {
                let mistake = Mistake::new(span, "must be longer than zero", "is zero");
                fields.keep::<()>(name, Err(mistake));
            }
        }
    }
}
