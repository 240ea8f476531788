//! Delta debugging: the smallest part of a list that still does it.

/// What is left of `0..length`, as few as can be found: without any one of them it is not so any more.
///
/// It is cut into at most `parts_max` parts, for a search that is not to take long: then each of so many
/// parts is needed, but perhaps not all that is in it.
///
/// `attempt` gets a round of parts to keep, each in order, and says which is the first that will do;
/// it may also say that none does because it is out of time. The whole will do.
///
/// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002 (ddmin).
/// A part alone is tried only in the first round: later the complements find it as well.
pub fn minimize(
    length: usize,
    parts_max: usize,
    mut attempt: impl FnMut(Vec<Vec<usize>>) -> Option<usize>,
) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..length).collect();
    if kept.is_empty() || attempt(vec![Vec::new()]).is_some() {
        return Vec::new();
    }
    let mut parts = 2;
    while kept.len() > 1 {
        parts = usize::min(parts, kept.len());
        let chunks: Vec<&[usize]> = kept.chunks(kept.len().div_ceil(parts)).collect();
        let alone = chunks.iter().filter(|_| parts == 2).map(|chunk| chunk.to_vec());
        let complement = |chunk: &&[usize]| {
            let (first, last) = (chunk[0], chunk[chunk.len() - 1]);
            kept.iter().copied().filter(|item| !(first..=last).contains(item)).collect()
        };
        // Of two parts each is the complement of the other.
        let without = chunks.iter().filter(|_| parts > 2).map(complement);
        let round: Vec<Vec<usize>> = alone.chain(without).collect();
        match attempt(round.clone()) {
            Some(place) => {
                kept.clone_from(&round[place]);
                parts = usize::max(parts - 1, 2);
            }
            None if chunks.len() == kept.len() || parts >= parts_max => break,
            None => parts *= 2,
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::minimize;

    /// The first of a round that will do, as a shrinker finds it.
    fn first(round: &[Vec<usize>], will_do: impl Fn(&[usize]) -> bool) -> Option<usize> {
        round.iter().position(|part| will_do(part))
    }

    /// Leaves one out as long as it will do: slow, and plainly right.
    fn one_by_one(length: usize, will_do: impl Fn(&[usize]) -> bool) -> Vec<usize> {
        let mut kept: Vec<usize> = (0..length).collect();
        let mut place = 0;
        while place < kept.len() {
            let mut less = kept.clone();
            less.remove(place);
            match will_do(&less) {
                true => (kept, place) = (less, 0),
                false => place += 1,
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn nothing_can_be_left_out_of_what_is_left(
            length in 0usize..40,
            needed in prop::collection::vec(prop::collection::vec(0usize..40, 0..5), 1..4),
            odd in any::<bool>(),
        ) {
            // One of several groups is needed whole; and, to be nasty, sometimes an odd number in all.
            let will_do = |part: &[usize]| {
                let whole = |group: &Vec<usize>| group.iter().all(|item| part.contains(item));
                needed.iter().any(whole) && (!odd || part.len() == length || part.len() % 2 == 1)
            };
            prop_assume!(will_do(&(0..length).collect::<Vec<_>>()));
            let kept = minimize(length, usize::MAX, |round| first(&round, will_do));
            prop_assert!(will_do(&kept));
            for place in 0..kept.len() {
                let mut less = kept.clone();
                less.remove(place);
                prop_assert!(!will_do(&less), "{kept:?}");
            }
            if needed.len() == 1 && !odd {
                prop_assert_eq!(kept, one_by_one(length, will_do));
            }
        }
    }

    #[test]
    fn a_thousand_items_take_a_few_hundred_tries() {
        let mut tries = 0;
        let needed = [3, 500, 501, 990];
        let kept = minimize(1_000, usize::MAX, |round| {
            let found = first(&round, |part| needed.iter().all(|item| part.contains(item)));
            tries += found.map_or(round.len(), |place| place + 1);
            found
        });
        assert_eq!(kept, needed);
        assert!(tries < 200, "{tries}");
    }

    #[test]
    fn in_a_few_parts_nothing_is_left_out_if_each_part_is_needed() {
        let needed: Vec<usize> = (0..64).step_by(4).collect();
        let left = |parts_max| {
            let will_do = |part: &[usize]| needed.iter().all(|item| part.contains(item));
            minimize(64, parts_max, |round| first(&round, will_do))
        };
        assert_eq!(left(8).len(), 64);
        assert_eq!(left(usize::MAX), needed);
    }

    #[test]
    fn out_of_time_it_keeps_the_best_so_far() {
        let mut left = 5;
        let kept = minimize(100, usize::MAX, |round| {
            left = usize::saturating_sub(left, 1);
            if left == 0 { None } else { first(&round, |part| part.contains(&42)) }
        });
        assert!(kept.contains(&42) && kept.len() < 100);
    }
}
