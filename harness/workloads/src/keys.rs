//! Which key an operation is about.

use wrack_history::SmolStr;
use wrack_history::load::KeyDistribution;
use wrack_sim::Stream;

/// The weight of the hottest key: the others are fractions of it, in whole numbers.
const WEIGHT_MAX: f64 = (1u64 << 32) as f64;

/// Chooses among the keys `k0`, `k1` …; `k0` is the hottest where there is one.
///
/// Shape: the weights of a Zipf distribution are rounded to whole numbers once, with a logarithm
/// that is the same on every target; a draw is then an integer and a binary search.
#[derive(Clone, Debug)]
pub struct Keys {
    names: Vec<SmolStr>,
    /// For each key the weight of all keys up to it; empty if every key is alike.
    cumulative: Vec<u64>,
}

impl Keys {
    /// So many keys, chosen like this.
    ///
    /// # Panics
    /// If there is no key.
    pub fn new(count: u32, distribution: KeyDistribution) -> Self {
        assert!(count > 0, "a workload has a key");
        let cumulative = match distribution {
            KeyDistribution::Uniform => Vec::new(),
            KeyDistribution::Zipf { exponent_milli } => zipf(count, exponent_milli),
        };
        Self { names: (0..count).map(key_name).collect(), cumulative }
    }

    /// Draws a key; takes one word of the stream, whatever the distribution.
    pub fn draw(&self, stream: &mut Stream) -> SmolStr {
        let place = match self.cumulative.last() {
            None => stream.below(self.names.len() as u64) as usize,
            Some(total) => {
                let drawn = stream.below(*total);
                self.cumulative.partition_point(|up_to| *up_to <= drawn)
            }
        };
        self.names[place].clone()
    }

    /// All keys, in order of their number.
    pub fn names(&self) -> &[SmolStr] {
        &self.names
    }
}

fn key_name(number: u32) -> SmolStr {
    SmolStr::from(format!("k{number}"))
}

/// Cumulative weights 1 / r^s of the ranks r = 1, 2 …, each at least 1.
fn zipf(count: u32, exponent_milli: u32) -> Vec<u64> {
    let exponent = f64::from(exponent_milli) / 1_000.0;
    let mut total = 0;
    let weigh = |rank: u32| {
        total += ((WEIGHT_MAX / libm::pow(f64::from(rank), exponent)) as u64).max(1);
        total
    };
    (1..=count).map(weigh).collect()
}

#[cfg(test)]
mod tests {
    use wrack_history::load::KeyDistribution;
    use wrack_sim::Stream;
    use wrack_sim::chance::Purpose;

    use super::Keys;

    /// How often each of four keys is drawn in 100,000 draws.
    fn counts(distribution: KeyDistribution) -> Vec<u32> {
        let keys = Keys::new(4, distribution);
        let mut stream = Stream::new(1, Purpose::Workload, 0, 0);
        let mut counts = vec![0; 4];
        for _ in 0..100_000 {
            let key = keys.draw(&mut stream);
            counts[keys.names().iter().position(|name| *name == key).unwrap()] += 1;
        }
        counts
    }

    fn check(distribution: KeyDistribution, expected: [u32; 4]) {
        for (count, expected) in counts(distribution).into_iter().zip(expected) {
            assert!(count.abs_diff(expected) < 600, "{count} is not {expected}");
        }
    }

    #[test]
    fn every_key_is_as_likely_as_its_weight() {
        check(KeyDistribution::Uniform, [25_000; 4]);
        // 1, 1/2, 1/3 and 1/4 of 25/12.
        let exponent_milli = 1_000;
        let zipf = KeyDistribution::Zipf { exponent_milli };
        check(zipf, [48_000, 24_000, 16_000, 12_000]);
    }

    #[test]
    fn keys_are_numbered_from_zero() {
        let keys = Keys::new(3, KeyDistribution::Uniform);
        assert_eq!(keys.names(), ["k0", "k1", "k2"]);
    }
}
