//! What the machine does otherwise than most, as the case says.

use super::Driver;
use oracle::Variation;

impl Driver {
    /// From now to the end of the case, the machine does this as well.
    pub(super) fn vary(&mut self, variation: Variation) {
        let mut all = self.machine.variations();
        match variation {
            Variation::KeepsPermissions => all.keeps_permissions = true,
            Variation::KeepsAbsences => all.keeps_absences = true,
            Variation::KeepsCode => all.keeps_code = true,
            Variation::LeavesBits => all.leaves_bits = true,
            Variation::DelaysStores => all.delays_stores = true,
        }
        self.machine.vary(all);
    }
}
