//! Conflicts: writes that met a newer version, rejected against lost.

use wrack_history::{Fact, FactRecord};

use super::Observed;

/// Of the writes that met a newer version than their base, those that were rejected.
pub(super) fn rejected(facts: &[FactRecord]) -> Observed {
    let (mut rejected, mut lost) = (0, 0);
    for record in facts {
        if let Fact::Compared { base, found, accepted, .. } = &record.fact {
            rejected += u64::from(!accepted);
            lost += u64::from(*accepted && base != found);
        }
    }
    match rejected + lost {
        0 => Observed::Nothing("no write met a newer version"),
        whole => Observed::Share { part: rejected, whole },
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord};

    use super::{Observed, rejected};

    #[test]
    fn a_write_that_overwrote_a_newer_version_is_lost() {
        let compared = |(base, found, accepted)| {
            let fact = Fact::Compared { operation: 0, base, found, accepted };
            FactRecord { ns: 0, node: 0, fact }
        };
        let facts = [(1, 1, true), (1, 2, false), (1, 2, true), (2, 3, false)].map(compared);
        assert!(matches!(rejected(&facts), Observed::Share { part: 2, whole: 3 }));
        assert!(matches!(rejected(&facts[..1]), Observed::Nothing(_)));
    }
}
