//! How a hart sees memory just now: everything that decides the outcome of a translation, in one
//! word, so that it is compared and remembered at no cost.

use crate::isa::Privilege;
use crate::isa::csr::translation::IDENTIFIER_SHIFT;

/// Set in a view that translates, as in the one mode of `satp` that does, Sv39.
const TRANSLATES: u64 = 1 << 63;
// The mode field of `satp` has three more bits, which say the rest; M-mode never translates.
const IS_USER: u64 = 1 << 60;
const SUM: u64 = 1 << 61;
const MXR: u64 = 1 << 62;
/// What `satp` says of the page table: the number of its root's frame.
const ROOT: u64 = (1 << IDENTIFIER_SHIFT) - 1;

/// Without translation, just the privilege; with it, `satp` and the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View(u64);

impl View {
    /// Nothing: no view of a hart is equal to it.
    pub(crate) const NONE: View = View(!TRANSLATES);

    /// `satp` as the register has it; SUM and MXR as `mstatus` has them.
    pub(crate) fn new(satp: u64, privilege: Privilege, sum: bool, mxr: bool) -> View {
        if privilege == Privilege::Machine || satp & TRANSLATES == 0 {
            return View(privilege as u64);
        }
        let flag = |set: bool, bit: u64| if set { bit } else { 0 };
        let is_user = privilege == Privilege::User;
        let mode = flag(is_user, IS_USER) | flag(sum && !is_user, SUM) | flag(mxr, MXR);
        View(satp & !(IS_USER | SUM | MXR) | mode)
    }

    /// `satp`, if addresses are translated.
    pub(crate) fn satp(self) -> Option<u64> {
        (self.0 & TRANSLATES != 0).then_some(self.0 & !(IS_USER | SUM | MXR))
    }

    /// The identifier of the address space, and the number of its root's frame, if addresses are
    /// translated.
    pub(crate) fn space(self) -> Option<(u16, u64)> {
        self.satp()
            .map(|satp| ((satp >> IDENTIFIER_SHIFT) as u16, satp & ROOT))
    }

    /// The view of another page table in the same way.
    pub(crate) fn with_root(self, root: u64) -> View {
        View(self.0 & !ROOT | root)
    }

    /// The privilege with which memory is accessed.
    pub(crate) fn privilege(self) -> Privilege {
        if self.0 & TRANSLATES != 0 {
            if self.0 & IS_USER != 0 {
                Privilege::User
            } else {
                Privilege::Supervisor
            }
        } else {
            match self.0 {
                0 => Privilege::User,
                1 => Privilege::Supervisor,
                _ => Privilege::Machine,
            }
        }
    }

    /// May S-mode access pages of U-mode?
    pub(crate) fn sum(self) -> bool {
        self.0 & (TRANSLATES | SUM) == TRANSLATES | SUM
    }

    /// Does the right to execute include the right to read?
    pub(crate) fn mxr(self) -> bool {
        self.0 & (TRANSLATES | MXR) == TRANSLATES | MXR
    }
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::isa::Privilege::{Machine, Supervisor, User};

    const SATP: u64 = 8 << 60 | 0x1234 << 44 | 0x8_0123;

    #[test]
    fn a_view_gives_back_what_it_was_made_of() {
        for privilege in [User, Supervisor] {
            for (sum, mxr) in [(false, false), (false, true), (true, false), (true, true)] {
                let view = View::new(SATP, privilege, sum, mxr);
                assert_eq!(view.satp(), Some(SATP));
                assert_eq!(view.privilege(), privilege);
                assert_eq!(view.sum(), sum && privilege == Supervisor);
                assert_eq!(view.mxr(), mxr);
                assert_ne!(view, View::NONE);
                assert_eq!(view.space(), Some((0x1234, 0x8_0123)));
                let other = view.with_root(0x8_4567);
                assert_eq!(other.space(), Some((0x1234, 0x8_4567)));
                assert_eq!(other.with_root(0x8_0123), view);
            }
        }
    }

    #[test]
    fn nothing_is_translated_in_machine_mode_or_bare() {
        for (satp, privilege) in [(SATP, Machine), (0, User), (0, Supervisor), (0, Machine)] {
            let view = View::new(satp, privilege, true, true);
            assert_eq!(view.satp(), None);
            assert_eq!(view.privilege(), privilege);
            assert!(!view.sum() && !view.mxr());
        }
    }
}
