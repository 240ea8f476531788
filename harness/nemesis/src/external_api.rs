//! An external API: it does what it is asked and does not say so, or it says "too many requests".

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

const CONTROL: &str = "external-api";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: CONTROL,
    code: "X36",
    doc: "\
Somebody else's service behaves as services on the internet do. With the probability `timeout` it \
does what it was asked and its answer never comes, so that nobody here knows. With a `quota`, \
requests beyond so many a second are refused: nothing is done, and the answer says so.

A timeout after success is the case that decides whether a retry is safe: whoever tries again \
without a key does it twice, whoever does not try again may have done it and not know.

It can happen to designs that call such a service: those with the control `external-api`. Healing \
makes it answer everything again; what was not answered stays so.",
    parameters: &[
        ParameterInfo::new(
            "timeout",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(50_000),
            "Probability that it succeeds and does not answer.",
        ),
        ParameterInfo::optional(
            "quota",
            ParameterKind::Integer { min: 0, max: 1_000_000 },
            "How many requests it takes in a second; any number if absent.",
        ),
        TARGET,
    ],
    effect: "answers withheld or refused",
    lasts: Lasting::For,
    needs: Needs::Control(CONTROL),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let timeout = percent(settings.per_million("timeout").expect("`timeout` has a default"));
    let what = match settings.integer("quota") {
        Some(quota) => format!("{timeout} of answers withheld and at most {quota} a second by"),
        None => format!("{timeout} of answers withheld by"),
    };
    Box::new(OnControl::new(CONTROL, settings, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn the_service_is_told_how_it_fails_and_when_that_is_over() {
        let api = fault("external-api").at(200).lasts(250).on("n2");
        let result = run(std::slice::from_ref(&api));
        assert_eq!(result.times_of("external-api"), [200]);
        assert_eq!(result.times_of("over"), [450]);
        assert_eq!(result.faults[0].unit, "answers withheld or refused");
        assert_eq!(result.faults[0].detail, "5% of answers withheld by n2");
        let throttled = run(&[api.with("quota", Setting::Integer(7))]);
        let detail = "5% of answers withheld and at most 7 a second by n2";
        assert_eq!(throttled.faults[0].detail, detail);
    }
}
