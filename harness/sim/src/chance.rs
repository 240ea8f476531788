//! Chance: every random draw of a run, from its seed and from stable names.
//!
//! There are two forms. A [`Stream`] is ChaCha8 whose key *is* the seed and the name of whoever
//! draws: node and boot, client and operation, schedule entry. [`Noise`] is a 64-bit mixing function
//! for links, which needs no state. Both are keyed by what a thing is and never by its position in
//! a list, so that deleting a fault, a client or an operation leaves every other draw as it was.
//!
//! Integers are drawn and scaled here: distribution code of other crates may change between
//! versions, and platform mathematics differs between targets.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wide::u32x4;

use wrack_history::setting::Delay;

/// Whose stream it is: the second word of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// A node's own: (node, boot).
    Node = 1,
    /// A client's operation: (client, operation).
    Operation = 2,
    /// A fault of the schedule: (entry, occurrence).
    Fault = 3,
    /// What a crash leaves on a disk: (node, boot).
    Crash = 4,
    /// A disk's delays and errors: (node, boot).
    Disk = 5,
    /// A generated workload: (client, 0).
    Workload = 6,
    /// A generated history: (client, operation).
    History = 7,
    /// What a swarm draws: (what, occurrence).
    Swarm = 8,
    /// Operations that a shrinker draws from all: (how many, 0).
    Shrink = 9,
}

/// A keyed stream of random words.
///
/// Most streams give a few words only, and `ChaCha8Rng` makes four blocks at a time: the first block
/// is made here, and the others there.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u64; 4],
    first: [u64; BLOCK_WORDS],
    taken: usize,
    later: Option<Box<ChaCha8Rng>>,
}

impl Stream {
    /// The stream of `seed` for this purpose and name.
    ///
    /// Source: the key of ChaCha8 is the four words in little endian, stream 0, block 0.
    pub fn new(seed: u64, purpose: Purpose, first: u64, second: u64) -> Self {
        let key = [seed, purpose as u64, first, second];
        Self { key, first: first_block(key), taken: 0, later: None }
    }

    /// The next 64 bits.
    #[inline]
    pub fn word(&mut self) -> u64 {
        match self.first.get(self.taken) {
            Some(word) => {
                self.taken += 1;
                *word
            }
            None => self.later_word(),
        }
    }

    fn later_word(&mut self) -> u64 {
        let key = self.key;
        let later = self.later.get_or_insert_with(|| {
            let mut bytes = [0; 32];
            for (bytes, word) in bytes.chunks_exact_mut(8).zip(key) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            let mut later = ChaCha8Rng::from_seed(bytes);
            later.set_word_pos(2 * BLOCK_WORDS as u128);
            Box::new(later)
        });
        later.next_u64()
    }

    /// A number below `bound`, which is at least 1. The bias is below 2^-32 for bounds below 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        scale(self.word(), bound)
    }

    /// A number from `min` to `max`, both included.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + scale(self.word(), (max - min).saturating_add(1))
    }

    /// `true` in so many of a million draws.
    pub fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }

    /// A duration, in nanoseconds.
    pub fn delay(&mut self, delay: &Delay) -> u64 {
        delay_of(delay, self.word())
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len() as u64) as usize)
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// Words of 64 bits in a block of ChaCha.
const BLOCK_WORDS: usize = 8;

/// The first block of ChaCha8 under this key.
///
/// Source: Bernstein, "ChaCha, a variant of Salsa20", 2008; a row is a vector of four numbers.
fn first_block(key: [u64; 4]) -> [u64; BLOCK_WORDS] {
    let halves = |a: u64, b: u64| [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32];
    let start = [
        [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574],
        halves(key[0], key[1]),
        halves(key[2], key[3]),
        [0; 4],
    ];
    let start = start.map(u32x4::new);
    let [mut a, mut b, mut c, mut d] = start;
    for _ in 0..4 {
        // The columns, and then, with the rows turned, the diagonals.
        for [left, right] in [[1, 3], [3, 1]] {
            mix::<16>(&mut a, b, &mut d);
            mix::<12>(&mut c, d, &mut b);
            mix::<8>(&mut a, b, &mut d);
            mix::<7>(&mut c, d, &mut b);
            (b, c, d) = (turned(b, left), turned(c, 2), turned(d, right));
        }
    }
    let rows = [a + start[0], b + start[1], c + start[2], d + start[3]].map(u32x4::to_array);
    let words = rows.as_flattened();
    std::array::from_fn(|word| u64::from(words[2 * word]) | u64::from(words[2 * word + 1]) << 32)
}

/// Adds a row to another, and mixes the sum into a third one, which turns its bits left.
#[inline(always)]
fn mix<const LEFT: u32>(sum: &mut u32x4, by: u32x4, row: &mut u32x4) {
    *sum += by;
    let mixed = *row ^ *sum;
    *row = mixed << LEFT | mixed >> (u32::BITS - LEFT);
}

/// The row with its columns moved so many places to the left.
#[inline(always)]
fn turned(row: u32x4, by: usize) -> u32x4 {
    let row = row.to_array();
    u32x4::new(std::array::from_fn(|column| row[(column + by) % 4]))
}

/// Scales a random word to a number below `bound`.
#[inline]
pub fn scale(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}

/// The duration that a random word stands for, in nanoseconds.
#[inline(always)]
pub fn delay_of(delay: &Delay, word: u64) -> u64 {
    match *delay {
        Delay::Uniform { min_ns, max_ns } => min_ns + scale(word, (max_ns - min_ns) + 1),
        Delay::Exponential { min_ns, mean_ns } => {
            min_ns.saturating_add((-libm::log(unit(word)) * mean_ns as f64) as u64)
        }
        Delay::LogNormal { median_ns, sigma_milli } => {
            let sigma = f64::from(sigma_milli) / 1_000.0;
            (median_ns as f64 * libm::exp(sigma * normal(word))) as u64
        }
    }
}

/// A word as a number in (0, 1].
fn unit(word: u64) -> f64 {
    ((word >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// A word as a standard normal number (Box and Muller 1958, from its two halves).
fn normal(word: u64) -> f64 {
    let first = ((word >> 32) + 1) as f64 / (1u64 << 32) as f64;
    let second = (word & 0xffff_ffff) as f64 / (1u64 << 32) as f64;
    libm::sqrt(-2.0 * libm::log(first)) * libm::cos(2.0 * std::f64::consts::PI * second)
}

/// What a word of link noise is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum NoisePurpose {
    /// Latency and the breaking of ties.
    Latency = 1,
    /// Whether a message is lost.
    Loss = 2,
    /// Whether, how often and how late it is duplicated.
    Duplicate = 3,
    /// Whether and how far it is moved.
    Reorder = 4,
    /// Extra latency of a fault.
    Spike = 5,
    /// The tie of a timer.
    Timer = 6,
}

/// Link noise of one run: a pure function of who sends to whom, when, and what for.
///
/// Source: `word = finish(fold(a ^ k0, b ^ k1))`, where `a` packs from, to and purpose, `b` packs
/// the send time in buckets of 1 ms and the index in the bucket, `k0` and `k1` come from the seed,
/// `fold` is the upper xor the lower half of the 128-bit product (as in wyhash), and `finish` is
/// the finaliser of SplitMix64 (Steele, Lea and Flood 2014). Test vectors stand below.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    k0: u64,
    k1: u64,
}

impl Noise {
    /// The noise of a run.
    pub fn new(seed: u64) -> Self {
        let k0 = finish(seed ^ 0x9e37_79b9_7f4a_7c15);
        Self { k0, k1: finish(k0 ^ 0xd1b5_4a32_d192_ed03) }
    }

    /// The word of the `index`-th message from `from` to `to` in the 1 ms bucket `bucket`.
    #[inline]
    pub fn word(&self, from: u16, to: u16, purpose: NoisePurpose, bucket: u64, index: u32) -> u64 {
        let a = u64::from(from) << 48 | u64::from(to) << 32 | purpose as u64;
        let b = bucket << 24 ^ u64::from(index);
        finish(fold(a ^ self.k0, b ^ self.k1))
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// The finaliser of SplitMix64: a bijection in which every bit depends on every bit.
pub fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A digest that is the same on every machine, for traces and facts: not for security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }
}

impl Digest {
    /// Takes one word in.
    #[inline]
    pub fn push(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29);
    }

    /// Makes one word of three, for [`Digest::push`]: the products do not wait for each other, as
    /// three pushes would.
    #[inline]
    pub fn mix([first, second, third]: [u64; 3]) -> u64 {
        first
            ^ second.wrapping_mul(0xd6e8_feb8_6659_fd93)
            ^ third.wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(32)
    }

    /// The digest of anything that can be hashed.
    pub fn of(content: &impl std::hash::Hash) -> u64 {
        let mut digest = Self::default();
        content.hash(&mut digest);
        finish(digest.0)
    }
}

/// Integers go in by value and in little endian, so that no target differs.
impl std::hash::Hasher for Digest {
    fn finish(&self) -> u64 {
        finish(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.push(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.push(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        self.push(bytes.len() as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.push(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.push(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.push(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.push(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.push(number as u64);
    }

    fn write_i64(&mut self, number: i64) {
        self.push(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.push(number as i64 as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_noise_gives_the_documented_words() {
        let noise = Noise::new(0);
        let words = [
            noise.word(0, 1, NoisePurpose::Latency, 0, 0),
            noise.word(1, 0, NoisePurpose::Latency, 0, 0),
            noise.word(0, 1, NoisePurpose::Loss, 0, 0),
            noise.word(0, 1, NoisePurpose::Latency, 7, 3),
            Noise::new(1).word(0, 1, NoisePurpose::Latency, 0, 0),
        ];
        assert_eq!(words, VECTORS);
    }

    #[test]
    fn a_stream_gives_the_documented_words() {
        let mut stream = Stream::new(1, Purpose::Node, 2, 3);
        assert_eq!([stream.word(), stream.word()], STREAM);
    }

    #[test]
    fn a_stream_goes_on_as_chacha_does() {
        for name in 0..100u64 {
            let key = [finish(name), Purpose::Operation as u64, name, u64::MAX - name];
            let bytes: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut peer = ChaCha8Rng::from_seed(bytes.try_into().unwrap());
            let mut stream = Stream::new(key[0], Purpose::Operation, key[2], key[3]);
            for _ in 0..100 {
                assert_eq!(stream.word(), peer.next_u64());
            }
        }
    }

    /// Computed apart from this code, in Python, from the formula in the doc of `Noise`.
    const VECTORS: [u64; 5] = [
        0xe3339428ba5672f5,
        0x9fcc213d5018cf83,
        0x1a0a20d3a667353f,
        0x991c7595ca1ea00c,
        0x6a9cad0250918574,
    ];
    const STREAM: [u64; 2] = [0xc8fe8f85dd7cb658, 0xc2dfdff401ec427e];

    #[test]
    fn a_delay_stays_within_its_bounds_and_near_its_mean() {
        let mut stream = Stream::new(9, Purpose::Node, 0, 0);
        let mut mean = |delay: Delay| {
            let sum = (0..20_000).map(|_| u128::from(stream.delay(&delay))).sum::<u128>();
            (sum / 20_000) as u64
        };
        assert!((2_950..=3_050).contains(&mean(Delay::uniform(1_000, 5_000))));
        assert_eq!(mean(Delay::constant(7)), 7);
        let exponential = mean(Delay::Exponential { min_ns: 100_000, mean_ns: 1_000_000 });
        assert!((1_070_000..=1_130_000).contains(&exponential), "{exponential}");
        // The mean of a log-normal is the median times exp(sigma² / 2): 1.133 for sigma 0.5.
        let wide = mean(Delay::LogNormal { median_ns: 1_000_000, sigma_milli: 500 });
        assert!((1_110_000..=1_160_000).contains(&wide), "{wide}");
    }

    #[test]
    fn noise_of_neighbouring_links_and_times_is_spread_evenly() {
        let noise = Noise::new(42);
        let mut buckets = [0u32; 16];
        for from in 0..20 {
            for bucket in 0..200 {
                let word = noise.word(from, from + 1, NoisePurpose::Loss, bucket, 0);
                buckets[scale(word, 16) as usize] += 1;
            }
        }
        assert!(buckets.iter().all(|count| (200..=300).contains(count)), "{buckets:?}");
    }
}
