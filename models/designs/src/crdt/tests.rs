//! Stores that tell each other by hand: no network, no clock, no disk.

use std::cmp::Ordering;

use wrack_history::{Fact, Value};
use wrack_sim::{Idempotency, NodeId, Request, Tag};

use super::message::{Form, Shipment};
use super::object::Kind;
use super::store::{Rules, Store, merge_of};
use super::types::VersionVector;

fn rules(form: Form, variant: &str) -> Rules {
    Rules {
        kind: Kind::Cart,
        form,
        no_dedupe: variant == "op_no_dedupe",
        merge: merge_of(variant),
        wall_clock: false,
    }
}

fn stores(form: Form, variant: &str) -> [Store; 2] {
    [0, 1].map(|id| Store::new(rules(form, variant), id))
}

/// The command of this number of one session, on the key `k`.
fn request(number: u64, function: &str, argument: i64) -> Request {
    Request {
        tag: Tag::of(number),
        client: NodeId(9),
        number,
        idempotency: Some(Idempotency { session: 1, sequence: number }),
        key: "k".into(),
        function: function.into(),
        argument: argument.into(),
    }
}

/// A client asks a replica. Gives what the replica wrote down.
fn ask(store: &mut Store, number: u64, function: &str, argument: i64) -> Shipment {
    let shipment = store.accept(&request(number, function, argument), 0).expect("a cart takes it");
    store.integrate(&shipment);
    shipment
}

/// One replica sends the other all that it has beyond this.
fn tell(from: &Store, to: &mut Store, beyond: &VersionVector) -> Vec<Fact> {
    let shipment = from.ship(0, beyond).expect("there is something to tell");
    assert!(to.fits(&shipment));
    to.integrate(&shipment)
}

fn cart(sum: i64, elements: &[i64]) -> Value {
    Value::pair(sum.into(), Value::list(elements.iter().map(|one| (*one).into())))
}

const FORMS: [Form; 3] = [Form::Operations, Form::Deltas, Form::States];

#[test]
fn in_every_form_both_replicas_come_to_the_same_cart() {
    for form in FORMS {
        let [mut one, mut other] = stores(form, "reference");
        ask(&mut one, 1, "add", 7);
        ask(&mut one, 2, "increment", 5);
        tell(&one, &mut other, &VersionVector::default());
        ask(&mut other, 3, "remove", 7);
        ask(&mut one, 4, "add", 7);
        ask(&mut other, 5, "increment", -2);
        let known = one.vector().clone();
        let had = other.vector().clone();
        tell(&other, &mut one, &known);
        tell(&one, &mut other, &had);
        assert_eq!((one.read("k"), other.read("k")), (cart(3, &[7]), cart(3, &[7])), "{form:?}");
        assert_eq!(one.vector(), other.vector());
    }
}

#[test]
fn what_comes_again_changes_nothing() {
    for form in FORMS {
        let [mut one, mut other] = stores(form, "reference");
        ask(&mut one, 1, "increment", 5);
        let first = tell(&one, &mut other, &VersionVector::default());
        assert_eq!(first.len(), 1);
        assert!(tell(&one, &mut other, &VersionVector::default()).is_empty());
        assert_eq!(other.read("k"), cart(5, &[]), "{form:?}");
    }
}

#[test]
fn a_shipment_that_leaves_a_gap_does_not_fit() {
    for form in FORMS {
        let [mut one, other] = stores(form, "reference");
        ask(&mut one, 1, "increment", 5);
        let first = one.vector().clone();
        ask(&mut one, 2, "increment", 1);
        let second = one.ship(0, &first).unwrap();
        assert!(!other.fits(&second), "{form:?}");
        let both = one.ship(0, other.vector()).unwrap();
        assert!(other.fits(&both) && other.is_news(&both) && !one.is_news(&both));
    }
}

#[test]
fn a_replica_is_made_again_from_what_it_wrote_down() {
    for form in FORMS {
        let [mut one, mut other] = stores(form, "reference");
        ask(&mut other, 1, "add", 7);
        let mut disk = vec![other.ship(0, one.vector()).unwrap()];
        one.integrate(&disk[0]);
        disk.push(ask(&mut one, 2, "remove", 7));
        disk.push(ask(&mut one, 3, "increment", 2));
        let mut again = Store::new(rules(form, "reference"), 0);
        disk.iter().for_each(|shipment| drop(again.integrate(shipment)));
        assert_eq!((again.read("k"), again.vector()), (cart(2, &[]), one.vector()), "{form:?}");
        let place = |sequence| again.place(Idempotency { session: 1, sequence });
        assert_eq!([2, 3, 4].map(place), [Ordering::Less, Ordering::Equal, Ordering::Greater]);
    }
}

#[test]
fn without_dedupe_what_comes_again_counts_again() {
    let [mut one, mut other] = stores(Form::Operations, "op_no_dedupe");
    ask(&mut one, 1, "increment", 5);
    tell(&one, &mut other, &VersionVector::default());
    tell(&one, &mut other, &VersionVector::default());
    assert_eq!(other.read("k"), cart(10, &[]));
}

#[test]
fn a_bad_merge_sets_a_count_back() {
    let [mut one, mut other] = stores(Form::States, "bad_merge");
    ask(&mut one, 1, "increment", 5);
    let old = one.ship(0, other.vector()).unwrap();
    other.integrate(&old);
    ask(&mut other, 2, "increment", 1);
    ask(&mut one, 3, "increment", 3);
    let late = other.ship(0, one.vector()).unwrap();
    one.integrate(&late);
    assert_eq!(one.read("k"), cart(6, &[]));
}

#[test]
fn a_naive_remove_comes_back() {
    let [mut one, mut other] = stores(Form::States, "naive_set_remove");
    ask(&mut one, 1, "add", 7);
    tell(&one, &mut other, &VersionVector::default());
    ask(&mut one, 2, "remove", 7);
    assert_eq!(one.read("k"), cart(0, &[]));
    ask(&mut other, 3, "increment", 1);
    let known = one.vector().clone();
    tell(&other, &mut one, &known);
    assert_eq!(one.read("k"), cart(1, &[7]));
}
