//! Banks: no read may show money that was made or lost, or an account that is overdrawn.
//!
//! Whatever the order, transfers keep the sum of all balances, and no balance falls below nothing. So
//! a read of all accounts whose sum is another one, or of an account with a debt that it did not have
//! at first, contradicts by itself. Nothing else is known without a search.

use wrack_history::Operation;
use wrack_sequential::bank::{Bank, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::call::{Answer, Call, Core, calls};
use super::search::{Hints, search};

/// Decides one bank, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: Bank = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let wrong = calls.iter().filter(|call| is_wrong(&model, call));
    if let Some(call) = wrong.min_by_key(|call| call.complete) {
        return Ok((Answer::Contradiction(Core::Among(vec![call.operation])), "totals"));
    }
    Ok((search(&model, &calls, &Hints::NONE, states_max), "just-in-time search"))
}

/// Reads of every account that anybody names.
pub(super) fn full_reads<'a>(
    specification: Specification<'_>,
    operations: &[&'a Operation],
) -> Result<Vec<&'a Operation>, ModelError> {
    let mut model: Bank = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let names_all = |call: &&Call<Step>| match &call.step {
        Step::Read(Some(found)) => found.len() == model.accounts(),
        _ => false,
    };
    let full = calls.iter().filter(names_all);
    Ok(full.map(|call| operations[call.operation as usize]).collect())
}

fn is_wrong(model: &Bank, call: &Call<Step>) -> bool {
    let found = match &call.step {
        Step::Read(Some(found)) => found,
        Step::Twice => return true,
        _ => return false,
    };
    let sum: i128 = found.iter().map(|(_, balance)| i128::from(*balance)).sum();
    let initial = model.initial();
    let overdrawn = |(account, balance): &(u32, i64)| {
        let first = initial.get(*account as usize).copied().unwrap_or(0);
        *balance < 0 && i128::from(*balance) < first && !model.overdraft
    };
    (found.len() == model.accounts() && sum != model.total()) || found.iter().any(overdrawn)
}
