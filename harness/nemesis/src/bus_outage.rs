//! A bus outage: the broker is there, and does nothing.

use wrack_history::Settings;
use wrack_history::catalogue::{FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind};

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

const CONTROL: &str = "bus-outage";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: CONTROL,
    code: "X23",
    doc: "\
The message bus is out of service: the broker neither takes what is published nor delivers what it \
holds. What it had on its disk it still has. Publishers see timeouts, consumers see silence, and the \
work piles up wherever the design keeps it; if that is nowhere, it is lost. With `retained` the bus was \
given less room than it needs, or compacts too early: of what nobody has acknowledged yet, it keeps the \
newest alone. That harms consumers that lag: lay a `crash` on one.

It can happen to designs that have a broker: those with the control `bus-outage`. `for` is the \
length of the outage. Healing puts the broker back into service: it takes and delivers again, and \
everybody has something to catch up on.",
    parameters: &[
        TARGET,
        ParameterInfo::optional(
            "retained",
            ParameterKind::Integer { min: 0, max: 1_000_000_000 },
            "So many events are kept; all, if it is not given.",
        ),
    ],
    effect: "messages ignored or forgotten",
    lasts: Lasting::For,
    needs: Needs::Control(CONTROL),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(OnControl::new(CONTROL, settings, "no service by".into()))
}

#[cfg(test)]
mod tests {
    use crate::testbed::{fault, run};

    #[test]
    fn a_broker_is_told_when_its_outage_begins_and_when_it_is_over() {
        let result = run(&[fault("bus-outage").at(200).lasts(250).on("n2")]);
        assert_eq!(result.times_of("bus-outage"), [200]);
        assert_eq!(result.times_of("over"), [450]);
        assert_eq!(result.faults[0].unit, "messages ignored or forgotten");
        assert_eq!(result.faults[0].detail, "no service by n2");
    }
}
