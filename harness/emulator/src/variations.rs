//! Variations: what the specification allows hardware to do, and this machine does only when asked.

/// Which liberties of the specification the machine takes. None by default: then stores to code are seen at once, an
/// entry of a page table that was changed is found by the next access that its old form refused, and the bits A and D
/// are set by the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variations {
    /// A TLB keeps a valid entry with its permissions: an access that these refuse faults until a fence covers the
    /// page, whatever the page table allows by then.
    pub keeps_permissions: bool,
    /// A TLB also keeps that a page had no valid entry: every access to it faults until a fence covers the page.
    pub keeps_absences: bool,
    /// A hart executes the old code of a page that was overwritten, until it executes `fence.i`.
    pub keeps_code: bool,
    /// An access faults if it would have to set A or D (extension Svade).
    pub leaves_bits: bool,
    /// Other harts see the stores of a hart late, and in another order, until a fence, a release or an atomic operation
    /// orders them.
    pub delays_stores: bool,
}

impl Variations {
    /// Does a TLB keep more than this machine usually needs?
    pub(crate) fn keep_entries(self) -> bool {
        self.keeps_permissions || self.keeps_absences
    }
}
