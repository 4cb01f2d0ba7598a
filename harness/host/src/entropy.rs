//! The randomness that a guest gets from `random_get`: seeded by default, so that a run can be repeated.

/// The source of the guest's randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entropy {
    /// Bytes that are equal in every run with this seed, and so unfit for anything that must stay secret.
    Seeded(u64),
    /// The randomness of the operating system.
    Os,
}

impl Default for Entropy {
    fn default() -> Self {
        Self::Seeded(0)
    }
}

/// The error of an operating system that gave no randomness.
#[derive(Debug)]
pub(crate) struct NoEntropy;

impl Entropy {
    /// Fills `bytes` with randomness.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        match self {
            Self::Os => getrandom::fill(bytes).map_err(|_| NoEntropy),
            Self::Seeded(state) => {
                for chunk in bytes.chunks_mut(8) {
                    let word = split_mix(state).to_le_bytes();
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
                Ok(())
            }
        }
    }
}

/// Returns the next number of SplitMix64 (Steele, Lea, Flood 2014), chosen because it has a full period and no bad seeds.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_numbers_of_split_mix_for_seed_zero() {
        let mut bytes = [0; 20];
        Entropy::Seeded(0).fill(&mut bytes).unwrap();
        assert_eq!(bytes[..8], 0xE220_A839_7B1D_CDAF_u64.to_le_bytes());
        assert_eq!(bytes[8..16], 0x6E78_9E6A_A1B9_65F4_u64.to_le_bytes());
        assert_eq!(bytes[16..], 0x06C4_5D18_8009_454F_u64.to_le_bytes()[..4]);
    }

    #[test]
    fn asks_the_operating_system_when_told_so() {
        let (mut first, mut second) = ([0; 16], [0; 16]);
        Entropy::Os.fill(&mut first).unwrap();
        Entropy::Os.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
