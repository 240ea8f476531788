//! Unique identifiers: no answer is given twice.
//!
//! Every order of answers that differ is legal, so nothing but the answers decides. Whoever did not
//! learn its answer may have got any.

use rustc_hash::FxHashMap;
use wrack_history::Operation;
use wrack_sequential::unique_ids::UniqueIds;
use wrack_sequential::{ModelError, Specification};

use super::call::{Answer, Core, calls};

/// Decides one source of identifiers, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: UniqueIds = specification.start()?;
    let mut given = FxHashMap::default();
    let calls = calls(&mut model, operations)?;
    let twice = calls.iter().find_map(|call| {
        let before = given.insert(call.step.0?, call.operation)?;
        Some(vec![before, call.operation])
    });
    let answer = twice.map_or(Answer::Linearizable, |two| Answer::Contradiction(Core::Among(two)));
    Ok((answer, "distinct answers"))
}
