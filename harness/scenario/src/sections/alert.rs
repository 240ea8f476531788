//! `[alert]`: an error budget, and the traffic before the run that alerts are judged over.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};

use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters;
use crate::scenario::Alerting;
use crate::scope::Scope;

/// Keys of `[alert]`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::required(
        "objective",
        ParameterKind::PerMillion,
        "The share of operations that must end ok: the rest is the error budget.",
    ),
    ParameterInfo::new(
        "baseline_errors",
        ParameterKind::PerMillion,
        DefaultSetting::PerMillion(0),
        "The share of operations that did not end ok before the run, at the same rate.",
    ),
    ParameterInfo::new(
        "events",
        ParameterKind::Integer { min: 1, max: i64::MAX },
        DefaultSetting::Integer(100),
        "With fewer operations than this nothing can be said.",
    ),
];

/// Reads the section, if there is one.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> Option<Alerting> {
    root.get("alert")?;
    let mut fields = root.section("alert");
    let given = parameters::read(&mut fields, KEYS, scope);
    let place = fields.place_of("objective");
    if given.settings.per_million("objective") == Some(1_000_000) {
        let title = "an objective of 100% leaves no error budget";
        let help = "nothing may fail then: say `at_least = \"100%\"` in an [[slo]] of availability";
        fields.report(Mistake::new(place, title, "must be below 100%").help(help));
    }
    fields.finish();
    Some(Alerting {
        objective_per_million: given.settings.per_million("objective")?,
        baseline_errors_per_million: given.settings.per_million("baseline_errors")?,
        events_min: given.settings.integer("events")? as u64,
    })
}

#[cfg(test)]
mod tests {
    use crate::scenario::Alerting;
    use crate::testing::{check, read_good};

    #[test]
    fn a_budget_has_an_objective_below_all() {
        check("«[alert]»\nevents = 5", "missing key `objective` in `alert`");
        check(
            "[alert]\nobjective = «\"100%\"»",
            "an objective of 100% leaves no error budget\nmust be below 100%",
        );
        let alert = read_good("[alert]\nobjective = \"99.9%\"\n").alert;
        let expected = Alerting {
            objective_per_million: 999_000,
            baseline_errors_per_million: 0,
            events_min: 100,
        };
        assert_eq!(alert, Some(expected));
        assert_eq!(read_good("").alert, None);
    }
}
