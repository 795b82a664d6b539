//! Random numbers from a seed and an index: the only source of variation in the sandbox.

/// Identifies a stream of random numbers. The same seed, purposes and index give the same number on every machine, so
/// everything built from them can be recomputed separately and in any order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn new(seed: u64) -> Seed {
        Seed(mix(seed))
    }

    /// The stream for one purpose, independent of all others.
    pub(crate) fn child(self, purpose: &str) -> Seed {
        // FNV-1a: purposes are short literals, for which the compiler computes it.
        let label = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Seed(mix(self.0 ^ label))
    }

    /// The stream for one item (a channel, a day) among many of its kind.
    pub(crate) fn of(self, thing: u64) -> Seed {
        Seed(self.draw(thing))
    }

    /// A number in the full range of 64 bits.
    pub(crate) fn draw(self, index: u64) -> u64 {
        mix(self.0 ^ mix(index))
    }

    /// A number in `0..bound`, or 0 if the bound is 0.
    pub(crate) fn below(self, index: u64, bound: u64) -> u64 {
        // The upper half of the product is less than `bound`.
        ((u128::from(self.draw(index)) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn unit(self, index: u64) -> f64 {
        (self.draw(index) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn choose<T: Copy, const N: usize>(self, index: u64, choices: &[T; N]) -> T {
        const { assert!(N > 0) };
        choices[self.below(index, N as u64) as usize]
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A permutation of `0..2^bits` that can be computed for single values in both directions, without a table.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    mask: u32,
    shift: u32,
    rounds: [Round; 3],
}

/// Multiplication by an odd number, addition and xor with a right shift are each invertible on `bits` bits.
#[derive(Clone, Copy, Debug)]
struct Round {
    multiplier: u32,
    inverse: u32,
    offset: u32,
}

impl Permutation {
    pub(crate) fn new(seed: Seed, bits: u32) -> Permutation {
        debug_assert!(bits < 32);
        let round = |index| {
            let multiplier = seed.draw(index) as u32 | 1;
            Round {
                multiplier,
                inverse: inverse_of_odd(multiplier),
                offset: (seed.draw(index) >> 32) as u32,
            }
        };
        Permutation {
            mask: (1 << bits) - 1,
            // At least half the width, so that the shift step is its own inverse.
            shift: bits.div_ceil(2).max(1),
            rounds: [round(0), round(1), round(2)],
        }
    }

    pub(crate) fn forward(&self, place: u32) -> u32 {
        self.rounds.iter().fold(place, |value, round| {
            let value = value.wrapping_mul(round.multiplier).wrapping_add(round.offset) & self.mask;
            value ^ (value >> self.shift)
        })
    }

    pub(crate) fn backward(&self, image: u32) -> u32 {
        self.rounds.iter().rev().fold(image, |value, round| {
            let value = value ^ (value >> self.shift);
            value.wrapping_sub(round.offset).wrapping_mul(round.inverse) & self.mask
        })
    }
}

/// The inverse modulo 2^32, by Newton's iteration: the number of correct bits doubles from three to 48.
fn inverse_of_odd(number: u32) -> u32 {
    (0..4).fold(number, |inverse, _| inverse.wrapping_mul(2u32.wrapping_sub(number.wrapping_mul(inverse))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_is_one_to_one_and_its_own_map_back() {
        for bits in 0..=12 {
            let permutation = Permutation::new(Seed::new(7).of(bits), bits as u32);
            let mut seen = vec![false; 1 << bits];
            for place in 0..1 << bits {
                let image = permutation.forward(place);
                assert!(!std::mem::replace(&mut seen[image as usize], true), "{bits} bits");
                assert_eq!(permutation.backward(image), place, "{bits} bits");
            }
        }
        let permutation = Permutation::new(Seed::new(7), 31);
        for place in (0..1 << 31).step_by(65_537) {
            assert_eq!(permutation.backward(permutation.forward(place)), place);
        }
    }

    #[test]
    fn draws_stay_below_their_bound_and_fill_it() {
        let seed = Seed::new(1).child("test");
        let mut counts = [0u32; 10];
        for index in 0..10_000 {
            counts[seed.below(index, 10) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        assert_eq!(seed.below(0, 0), 0);
        assert!((0..1000).all(|index| (0.0..1.0).contains(&seed.unit(index))));
    }
}
