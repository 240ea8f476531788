//! Two merges that look right, and are not.

use super::object::Object;
use super::types::{GCounter, OrSet, PnCounter, Replicated, dotted::Change};

/// The merge of the variant `bad_merge`: the count of each replica is taken over as it comes, although
/// the one that is known may be newer. It should be the greater of the two.
pub fn take_counts(mine: &mut Object, theirs: &Object) {
    match (mine, theirs) {
        (Object::Counter(mine), Object::Counter(theirs)) => take(mine, theirs),
        (Object::Cart(mine), Object::Cart(theirs)) => {
            take(&mut mine.sum, &theirs.sum);
            mine.elements.merge(&theirs.elements);
        }
        (mine, theirs) => mine.merge(theirs),
    }
}

fn take(mine: &mut PnCounter, theirs: &PnCounter) {
    let take = |mine: &mut GCounter, theirs: &GCounter| {
        theirs.entries().for_each(|(replica, amount)| mine.assign(replica, amount));
    };
    take(&mut mine.added, &theirs.added);
    take(&mut mine.taken, &theirs.taken);
}

/// The merge of the variant `naive_set_remove`: an element is in the set if either side has it, although
/// the other may have removed it. It should ask whether the other has seen it.
pub fn unite_elements(mine: &mut Object, theirs: &Object) {
    match (mine, theirs) {
        (Object::Set(mine), Object::Set(theirs)) => unite(mine, theirs),
        (Object::Cart(mine), Object::Cart(theirs)) => {
            mine.sum.merge(&theirs.sum);
            unite(&mut mine.elements, &theirs.elements);
        }
        (mine, theirs) => mine.merge(theirs),
    }
}

fn unite(mine: &mut OrSet, theirs: &OrSet) {
    for (dot, element) in theirs.values() {
        mine.apply(&Change { dot, value: Some(element.clone()), removed: Vec::new() });
    }
}
