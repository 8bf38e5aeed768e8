//! Canaries of seeded bugs: whether the changed code ran, and whether it went wrong.

use super::symbols::Symbols;

/// How often the canaries of a seeded bug were passed since the case began; a kernel without
/// such a bug has none, and they say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    /// The changed code ran.
    pub reached: bool,
    /// The bug did harm.
    pub triggered: bool,
}

/// Where a kernel's canaries are: functions that a seeded bug calls and that do nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Canaries {
    reached: Option<u64>,
    triggered: Option<u64>,
}

impl Canaries {
    /// The canaries among a kernel's symbols.
    pub(crate) fn find(symbols: &Symbols) -> Self {
        Self {
            reached: symbols.address("canary_reached"),
            triggered: symbols.address("canary_triggered"),
        }
    }

    /// The addresses to stop at.
    pub(crate) fn addresses(self) -> impl Iterator<Item = u64> {
        [self.reached, self.triggered].into_iter().flatten()
    }

    /// Notes that the kernel has come to `pc`; says whether a canary is there.
    pub(crate) fn heard(self, pc: u64, canary: &mut Canary) -> bool {
        let is_reached = self.reached == Some(pc);
        let is_triggered = self.triggered == Some(pc);
        canary.reached |= is_reached;
        canary.triggered |= is_triggered;
        is_reached || is_triggered
    }
}

#[cfg(test)]
mod tests {
    use super::{Canaries, Canary};

    #[test]
    fn each_canary_is_told_from_the_other_and_from_silence() {
        let canaries = Canaries {
            reached: Some(0x100),
            triggered: Some(0x200),
        };
        let mut canary = Canary::default();
        assert!(!canaries.heard(0x300, &mut canary));
        assert_eq!(canary, Canary::default());
        assert!(canaries.heard(0x100, &mut canary));
        assert!(canary.reached && !canary.triggered);
        assert!(canaries.heard(0x200, &mut canary));
        assert!(canary.reached && canary.triggered);
    }

    #[test]
    fn a_sound_kernel_has_no_canaries() {
        let canaries = Canaries::default();
        assert_eq!(canaries.addresses().count(), 0);
        assert!(!canaries.heard(0, &mut Canary::default()));
    }
}
