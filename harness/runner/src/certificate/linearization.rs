//! Whether orders of operations really show that a history is linearizable.

use std::collections::BTreeMap;

use wrack_history::certificate::Linearization;
use wrack_history::{Moment, Operation, Outcome, SmolStr};
use wrack_sequential::{Model, ModelError, Specification, Visitor};

/// Verifies that every object of the history has one order, and that each is legal and keeps time.
pub fn verify(
    specification: Specification<'_>,
    linearizations: &[Linearization],
    operations: &[Operation],
) -> Result<(), String> {
    let mut objects = BTreeMap::<&SmolStr, BTreeMap<u64, &Operation>>::new();
    for operation in operations {
        objects.entry(&operation.key).or_default().insert(operation.id, operation);
    }
    for linearization in linearizations {
        let key = &linearization.key;
        let object = objects.remove(key);
        let object = object.ok_or_else(|| format!("{key:?} is no object, or has two orders"))?;
        follow(specification, linearization, object)
            .map_err(|reason| format!("{key:?}: {reason}"))?;
    }
    match objects.into_keys().next() {
        Some(key) => Err(format!("{key:?} has no order")),
        None => Ok(()),
    }
}

fn follow(
    specification: Specification<'_>,
    linearization: &Linearization,
    mut object: BTreeMap<u64, &Operation>,
) -> Result<(), String> {
    let mut order = Vec::with_capacity(linearization.operations.len());
    for id in &linearization.operations {
        let operation = object.remove(id).filter(|operation| operation.outcome != Outcome::Fail);
        order.push(operation.ok_or_else(|| {
            format!("{id} is no operation of it that can have taken effect, or stands there twice")
        })?);
    }
    if let Some(left_out) = object.values().find(|operation| operation.is_ok()) {
        return Err(format!("{} is ok, and left out", left_out.id));
    }
    keep_time(&order)?;
    let legal = specification.visit(Replay { specification, order: &order }).flatten();
    legal
        .map_err(|error| error.to_string())?
        .map_err(|id| format!("{id} is not legal where it stands"))
}

/// Nothing stands before what had completed before it was invoked.
fn keep_time(order: &[&Operation]) -> Result<(), String> {
    let mut latest: Option<(Moment, u64)> = None;
    for operation in order {
        if let Some((invoke, id)) = latest
            && operation.effect_by().index < invoke.index
        {
            return Err(format!(
                "{} had completed before {id}, which stands before it",
                operation.id
            ));
        }
        latest = latest.max(Some((operation.invoke, operation.id)));
    }
    Ok(())
}

struct Replay<'a> {
    specification: Specification<'a>,
    order: &'a [&'a Operation],
}

impl Visitor for Replay<'_> {
    /// The first operation that is not legal.
    type Output = Result<Result<(), u64>, ModelError>;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
        let mut model = self.specification.started(new())?;
        let mut state = model.initial();
        for operation in self.order {
            let step = model.compile(operation)?;
            match model.step(&state, &step) {
                Some(next) => state = next,
                None => return Ok(Err(operation.id)),
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::certificate::Linearization;
    use wrack_history::{Moment, Operation, Outcome, Value};
    use wrack_sequential::Specification;

    use super::verify;

    /// Writes 1, then 2 while a read gives 1 or 2, then a write in doubt.
    fn history(read: i64) -> Vec<Operation> {
        let operation = |id, function: &str, argument: Value, result: Value, from, to| Operation {
            id,
            process: id as u32,
            session: id as u32,
            key: "x".into(),
            function: function.into(),
            argument,
            result,
            outcome: if to == u64::MAX { Outcome::Info } else { Outcome::Ok },
            invoke: Moment { index: from, ns: from },
            complete: if to == u64::MAX { Moment::NEVER } else { Moment { index: to, ns: to } },
            details: None,
        };
        vec![
            operation(0, "write", 1.into(), Value::Nil, 0, 1),
            operation(1, "write", 2.into(), Value::Nil, 2, 5),
            operation(2, "read", Value::Nil, read.into(), 3, 4),
            operation(3, "write", 3.into(), Value::Nil, 6, u64::MAX),
        ]
    }

    fn verified(read: i64, order: &[u64]) -> Result<(), String> {
        let linearization = Linearization { key: "x".into(), operations: order.to_vec() };
        verify(Specification::of("register"), &[linearization], &history(read))
    }

    #[test]
    fn an_order_is_followed() {
        assert_eq!(verified(1, &[0, 2, 1]), Ok(()));
        assert_eq!(verified(2, &[0, 1, 2, 3]), Ok(()), "what is in doubt may have taken effect");
    }

    #[test]
    fn an_order_that_shows_nothing_is_refused() {
        let refused = |read, order: &[u64], part: &str| {
            let reason = verified(read, order).expect_err("it shows nothing");
            assert!(reason.contains(part), "{reason}");
        };
        refused(2, &[0, 2, 1], "2 is not legal");
        refused(1, &[1, 0, 2], "0 had completed before 1");
        refused(1, &[0, 2], "1 is ok, and left out");
        refused(1, &[0, 2, 1, 1], "twice");
        refused(1, &[0, 2, 1, 7], "no operation");
        let none = verify(Specification::of("register"), &[], &history(1));
        assert_eq!(none, Err("\"x\" has no order".into()));
    }
}
