//! Everything that a seed decides is drawn here. Draws are addressed: what one request meets does not depend
//! on how much was drawn for another, so that leaving a step out of a world leaves the rest as it was.

/// A sequence of draws (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// The draws that belong to this address, for example seed, step and request.
    pub(crate) fn of(address: &[u64]) -> Self {
        Self(address.iter().fold(0x0005_eed5, |state, part| mixed(state ^ mixed(*part))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number from 0 to `below - 1`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(below);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// An index into something of this length, which is not empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below(high.abs_diff(low) + 1)).unwrap_or_default()
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// One of these, which are not empty.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.index(among.len())]
    }

    /// One of these by their weights, of which one at least is not 0.
    pub(crate) fn weighted<T: Copy>(&mut self, among: &[(u32, T)]) -> T {
        let all: u64 = among.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(all);
        for (weight, one) in among {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *one,
            }
        }
        among[0].1
    }
}

fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_sequence() {
        let drawn = |address: &[u64]| {
            let mut draws = Draws::of(address);
            (0..8).map(|_| draws.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(&[7, 1]), drawn(&[7, 1]));
        assert_ne!(drawn(&[7, 1]), drawn(&[7, 2]));
        assert_ne!(drawn(&[7, 1]), drawn(&[1, 7]));
    }

    #[test]
    fn draws_keep_to_their_bounds_and_reach_them() {
        let mut draws = Draws::of(&[3]);
        let drawn: Vec<_> = (0..1000).map(|_| draws.between(-2, 2)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-2), Some(&2)));
        assert!((0..1000).all(|_| draws.weighted(&[(0, 'a'), (3, 'b'), (1, 'c')]) != 'a'));
        assert!((0..1000).all(|_| !draws.chance(0)));
        assert!((0..1000).all(|_| draws.chance(1000)));
    }
}
