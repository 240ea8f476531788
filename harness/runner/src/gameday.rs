//! What a step of a game day showed, against what should be seen and what ends the day.

use wrack_history::Run;
use wrack_history::gameday::{Sign, SignalSeen, Standing};
use wrack_scenario::{Signal, Step, Stop};

/// Where a run shows a sign, if it does: when, as far as that is known.
///
/// An objective below its minimum of events is not missed. A standing and what only people can say are no
/// matter of a run.
pub fn shown(sign: &Sign, within_ns: Option<u64>, run: &Run) -> Option<Option<u64>> {
    match sign {
        Sign::Anomaly(code) => {
            let of = run.anomalies().filter(|anomaly| anomaly.code == *code);
            of.map(|anomaly| anomaly.at_ns).min_by_key(|at| at.unwrap_or(u64::MAX))
        }
        Sign::Slo(metric) => {
            let of = run.slos.iter().filter(|slo| is_of(&slo.name, metric));
            of.filter(|slo| slo.met == Some(false)).map(|_| None).next()
        }
        Sign::Alert(severity) => {
            let fired = run.alerts.iter().filter(|alert| alert.severity == *severity);
            let in_time = |after: Option<u64>| {
                within_ns.is_none_or(|within| after.is_some_and(|after| after <= within))
            };
            let fired = fired.filter(|alert| in_time(alert.detected_after_ns));
            fired.filter_map(|alert| alert.fired_ns).min().map(Some)
        }
        Sign::Standing(_) | Sign::People(_) => None,
    }
}

/// Whether an objective's name, `latency of read, p50`, is about this metric.
fn is_of(name: &str, metric: &str) -> bool {
    let rest = name.strip_prefix(metric);
    rest.is_some_and(|rest| {
        !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '-')
    })
}

/// What was seen of each signal; the first of `runs` that is the example tells when.
///
/// A signal must be seen in the share of seeds in which the variant's anomaly must be found: in all of
/// them unless the scenario says otherwise.
pub fn signals(step: &Step, runs: &[Run], example: usize) -> Vec<SignalSeen> {
    let one = |signal: &Signal| {
        let Signal { sign, within_ns } = signal;
        let seen = runs.iter().filter(|run| shown(sign, *within_ns, run).is_some()).count() as u64;
        let required = runs.len() as u64 * u64::from(step.plan.variant.share_per_million);
        let standing = match sign {
            Sign::People(_) => Standing::Open,
            _ if seen > 0 && seen * 1_000_000 >= required => Standing::AsExpected,
            _ => Standing::NotAsExpected,
        };
        let at_ns = runs.get(example).and_then(|run| shown(sign, *within_ns, run)).flatten();
        SignalSeen { sign: sign.clone(), within_ns: *within_ns, standing, seeds: seen, at_ns }
    };
    step.signals.iter().map(one).collect()
}

/// What ends the day after a step that stands like this, if anything does, in words.
pub fn stopped(stops: &[Stop], standing: Standing, runs: &[Run]) -> Option<String> {
    let ends = |stop: &&Stop| match &stop.sign {
        Sign::Standing(wanted) => match wanted.as_str() {
            "unknown" => standing == Standing::Unknown,
            _ => standing == Standing::NotAsExpected,
        },
        sign => runs.iter().any(|run| shown(sign, None, run).is_some()),
    };
    let stop = stops.iter().find(ends)?;
    Some(match stop.because.as_str() {
        "" => stop.sign.to_string(),
        because => format!("{}: {because}", stop.sign),
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::alert::Alert;
    use wrack_history::gameday::{Sign, Standing};
    use wrack_history::run::Slo;
    use wrack_history::{Anomaly, Judgement, Run};
    use wrack_scenario::Stop;

    use super::{shown, stopped};

    fn run() -> Run {
        let mut lin = Judgement::new("LIN");
        for at_ns in [Some(9), Some(5), None] {
            lin.contradict(Anomaly { at_ns, ..Anomaly::default() });
        }
        let slo = |name: &str, met| Slo {
            name: name.into(),
            objective: String::new(),
            observed: String::new(),
            met,
            measured: None,
            pooled: None,
        };
        let alert = |severity: &str, fired_ns| Alert {
            windows: "1h/5m".into(),
            severity: severity.into(),
            burn_rate_tenths: 144,
            fired_ns,
            detected_after_ns: fired_ns.map(|ns: u64| ns - 3),
            recovered_after_ns: None,
        };
        Run {
            judgements: vec![lin],
            slos: vec![
                slo("M4-as-seen", Some(false)),
                slo("M4", None),
                slo("latency of read", Some(false)),
            ],
            alerts: vec![alert("page", Some(20)), alert("ticket", None)],
            ..Run::default()
        }
    }

    fn check(sign: Sign, within_ns: Option<u64>, expected: Option<Option<u64>>) {
        assert_eq!(shown(&sign, within_ns, &run()), expected, "{sign}");
    }

    #[test]
    fn a_sign_is_shown_with_its_first_time() {
        check(Sign::Anomaly("LIN".into()), None, Some(Some(5)));
        check(Sign::Anomaly("DUP".into()), None, None);
        check(Sign::Slo("M4".into()), None, None);
        check(Sign::Slo("latency".into()), None, Some(None));
        check(Sign::Alert("page".into()), None, Some(Some(20)));
        check(Sign::Alert("ticket".into()), None, None);
        check(Sign::People("anything".into()), None, None);
    }

    #[test]
    fn an_alert_that_fires_too_late_is_not_seen() {
        check(Sign::Alert("page".into()), Some(17), Some(Some(20)));
        check(Sign::Alert("page".into()), Some(16), None);
    }

    #[test]
    fn the_first_condition_that_holds_ends_the_day() {
        let stop = |sign, because: &str| Stop { sign, because: because.into() };
        let stops = [
            stop(Sign::Standing("not-as-expected".into()), ""),
            stop(Sign::Anomaly("LIN".into()), "enough seen"),
        ];
        let ends = |standing, runs: &[Run]| stopped(&stops, standing, runs);
        assert_eq!(ends(Standing::AsExpected, &[]), None);
        assert_eq!(ends(Standing::Unknown, &[]), None);
        assert_eq!(ends(Standing::NotAsExpected, &[run()]), Some("not as expected".into()));
        assert_eq!(ends(Standing::AsExpected, &[run()]), Some("anomaly LIN: enough seen".into()));
    }
}
