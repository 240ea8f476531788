//! The outbox: rows that wait to be published, and who is at work on which.

use std::collections::BTreeMap;

use super::message::Event;

/// How rows are given out.
#[derive(Clone, Copy, Debug)]
pub struct Claims {
    /// Whether a row is given to one relay at a time.
    pub exclusive: bool,
    /// How long a claim lasts, in nanoseconds; for good if absent.
    pub lease_ns: Option<u64>,
}

/// Rows that are not marked yet.
///
/// A claim is a lock in memory, as `SELECT … FOR UPDATE SKIP LOCKED` takes it: it falls with a
/// restart of the service. That costs a second delivery, and never an order.
pub struct Table {
    claims: Claims,
    rows: BTreeMap<u64, Row>,
}

struct Row {
    event: Event,
    /// Somebody works on it until then, on the clock of the service.
    claimed_until_ns: Option<u64>,
}

impl Table {
    /// An empty outbox.
    pub fn new(claims: Claims) -> Self {
        Self { claims, rows: BTreeMap::new() }
    }

    /// A row more.
    pub fn insert(&mut self, event: Event) {
        self.rows.insert(event.row, Row { event, claimed_until_ns: None });
    }

    /// The row is done with. Gives its event, unless it was marked before.
    pub fn mark(&mut self, row: u64) -> Option<Event> {
        self.rows.remove(&row).map(|row| row.event)
    }

    /// Gives out the oldest rows that nobody works on, `limit` at most.
    pub fn claim(&mut self, now_ns: u64, limit: usize) -> Vec<Event> {
        let Claims { exclusive, lease_ns } = self.claims;
        let free = |row: &&mut Row| {
            !exclusive || row.claimed_until_ns.is_none_or(|until_ns| until_ns <= now_ns)
        };
        let claimed = self.rows.values_mut().filter(free).take(limit).map(|row| {
            row.claimed_until_ns = Some(lease_ns.map_or(u64::MAX, |lease_ns| now_ns + lease_ns));
            row.event.clone()
        });
        claimed.collect()
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;
    use wrack_sim::Tag;

    use super::{Claims, Table};
    use crate::outbox::message::Event;

    fn event(row: u64) -> Event {
        let (key, order, tag) = ("k".into(), Value::Nil, Tag::of(row));
        Event { row, key, order, placed_ns: 0, tag }
    }

    /// Three rows, and what relays get that ask at these times for two each.
    fn check(claims: Claims, times_ns: &[u64], expected: &[&[u64]]) {
        let mut table = Table::new(claims);
        for row in 1..=3 {
            table.insert(event(row));
        }
        for (now_ns, expected) in times_ns.iter().zip(expected) {
            let claimed = table.claim(*now_ns, 2);
            let rows: Vec<u64> = claimed.iter().map(|event| event.row).collect();
            assert_eq!(rows, *expected, "at {now_ns}");
        }
    }

    #[test]
    fn a_row_is_given_to_one_relay_until_its_lease_has_run_out() {
        let claims = Claims { exclusive: true, lease_ns: Some(10) };
        check(claims, &[0, 1, 9, 10, 11], &[&[1, 2], &[3], &[], &[1, 2], &[3]]);
    }

    #[test]
    fn a_claim_without_a_lease_is_for_good() {
        let claims = Claims { exclusive: true, lease_ns: None };
        check(claims, &[0, u64::MAX - 1], &[&[1, 2], &[3]]);
    }

    #[test]
    fn without_claims_everybody_gets_the_oldest() {
        let claims = Claims { exclusive: false, lease_ns: Some(10) };
        check(claims, &[0, 1], &[&[1, 2], &[1, 2]]);
    }

    #[test]
    fn a_row_that_is_marked_is_gone() {
        let mut table = Table::new(Claims { exclusive: true, lease_ns: None });
        table.insert(event(1));
        assert!(table.mark(1).is_some() && table.mark(1).is_none());
        assert!(table.claim(0, 2).is_empty());
    }
}
