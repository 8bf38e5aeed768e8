//! Physical memory protection (privileged specification, section "Physical Memory Protection").
//!
//! Sixteen regions with a grain of one page, so that a translation is allowed or refused as a
//! whole. One departure from the specification: while no region is active, S-mode and U-mode may
//! access everything, so that kernels of the time before PMP boot as well.

use super::Privilege;
use crate::config::RAM_BASE;
use crate::memory::{Access, PAGE_BYTES};

const REGIONS: usize = 16;
const CFG_READ: u8 = 1 << 0;
const CFG_WRITE: u8 = 1 << 1;
const CFG_EXECUTE: u8 = 1 << 2;
const CFG_MATCH: u8 = 3 << 3;
const CFG_LOCK: u8 = 1 << 7;
const MATCH_OFF: u8 = 0;
const MATCH_TOR: u8 = 1 << 3;
const MATCH_NA4: u8 = 2 << 3;
const MATCH_NAPOT: u8 = 3 << 3;
const ADDRESS_MASK: u64 = (1 << 54) - 1;
/// `pmpaddr` counts words of four bytes; this many low bits are inside the grain.
const GRAIN_BITS: u32 = PAGE_BYTES.trailing_zeros() - 2;

/// The registers, and the regions that follow from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pmp {
    config: [u8; REGIONS],
    address: [u64; REGIONS],
    /// Active regions as half-open ranges of page numbers, in order of priority.
    regions: Vec<(u64, u64, u8)>,
}

impl Pmp {
    /// May this physical address be accessed? All addresses of a page agree.
    #[inline]
    pub(crate) fn permits(&self, physical: u64, access: Access, privilege: Privilege) -> bool {
        if self.regions.is_empty() {
            return true;
        }
        let page = physical / PAGE_BYTES;
        for (first, end, config) in &self.regions {
            if (*first..*end).contains(&page) {
                let right = match access {
                    Access::Fetch => CFG_EXECUTE,
                    Access::Load => CFG_READ,
                    Access::Store => CFG_WRITE,
                };
                let is_exempt = privilege == Privilege::Machine && config & CFG_LOCK == 0;
                return is_exempt || config & right != 0;
            }
        }
        privilege == Privilege::Machine
    }

    /// As [`Pmp::permits`], for an offset in RAM.
    pub(crate) fn permits_offset(&self, offset: u64, access: Access, mode: Privilege) -> bool {
        self.permits(offset + RAM_BASE, access, mode)
    }

    /// The configuration of eight regions from `first`: `pmpcfg` number `first / 4`.
    pub(crate) fn config(&self, first: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.config[first..first + 8]);
        u64::from_le_bytes(bytes)
    }

    /// Writes the configuration of eight regions from `first`; locked ones stay as they are.
    pub(crate) fn set_config(&mut self, first: usize, value: u64) {
        let regions = &mut self.config[first..first + 8];
        for (config, new) in regions.iter_mut().zip(value.to_le_bytes()) {
            let mut new = new & !(3 << 5);
            // Write without read is reserved, and NA4 is finer than the grain: both are refused.
            let is_reserved = new & (CFG_READ | CFG_WRITE) == CFG_WRITE;
            if *config & CFG_LOCK != 0 || is_reserved {
                continue;
            }
            if new & CFG_MATCH == MATCH_NA4 {
                new = new & !CFG_MATCH | *config & CFG_MATCH;
            }
            *config = new;
        }
        self.rebuild();
    }

    /// `pmpaddr` number `region`, its bits inside the grain as the specification has them read.
    pub(crate) fn address(&self, region: usize) -> u64 {
        let address = self.address[region];
        if self.config[region] & CFG_MATCH == MATCH_NAPOT {
            address | ((1 << (GRAIN_BITS - 1)) - 1)
        } else {
            address & !((1 << GRAIN_BITS) - 1)
        }
    }

    /// Writes `pmpaddr` number `region`, unless it is locked or the base of a locked region.
    pub(crate) fn set_address(&mut self, region: usize, value: u64) {
        let next = self.config.get(region + 1).copied().unwrap_or(0);
        let is_locked_base = next & CFG_LOCK != 0 && next & CFG_MATCH == MATCH_TOR;
        if self.config[region] & CFG_LOCK == 0 && !is_locked_base {
            self.address[region] = value & ADDRESS_MASK;
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        self.regions.clear();
        for region in 0..REGIONS {
            let config = self.config[region];
            let address = self.address[region];
            let (first, end) = match config & CFG_MATCH {
                MATCH_OFF => continue,
                MATCH_TOR => {
                    let base = region.checked_sub(1).map_or(0, |below| self.address[below]);
                    // The last page of the address space can be named only by rounding up: xv6
                    // sets the top to all ones and means everything.
                    let end = if address == ADDRESS_MASK {
                        (ADDRESS_MASK >> GRAIN_BITS) + 1
                    } else {
                        address >> GRAIN_BITS
                    };
                    (base >> GRAIN_BITS, end)
                }
                _ => {
                    let ones = (address | ((1 << (GRAIN_BITS - 1)) - 1)).trailing_ones();
                    let size = 1u64 << (ones + 1 - GRAIN_BITS).min(63);
                    let first = address >> GRAIN_BITS & !(size - 1);
                    (first, first.saturating_add(size))
                }
            };
            self.regions.push((first, end, config));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CFG_EXECUTE, CFG_LOCK, CFG_READ, CFG_WRITE, MATCH_NAPOT, MATCH_TOR, Pmp};
    use crate::isa::Privilege::{Machine, Supervisor, User};
    use crate::memory::Access::{Fetch, Load, Store};

    const ALL: u8 = CFG_READ | CFG_WRITE | CFG_EXECUTE;

    #[test]
    fn without_regions_everything_is_allowed() {
        assert!(Pmp::default().permits(0x8000_0000, Store, User));
    }

    #[test]
    fn the_top_of_range_that_kernels_set_covers_everything() {
        for top in [0x3f_ffff_ffff_ffff, u64::MAX] {
            let mut pmp = Pmp::default();
            pmp.set_address(0, top);
            pmp.set_config(0, u64::from(MATCH_TOR | ALL));
            assert!(pmp.permits(0, Fetch, Supervisor));
            assert!(pmp.permits((1 << 56) - 1, Load, User));
        }
        let mut pmp = Pmp::default();
        pmp.set_address(0, u64::MAX);
        pmp.set_config(0, u64::from(MATCH_NAPOT | ALL));
        assert!(pmp.permits((1 << 56) - 1, Load, User));
        assert!(pmp.permits(0, Store, User));
    }

    #[test]
    fn the_first_matching_region_decides() {
        let mut pmp = Pmp::default();
        pmp.set_address(0, 0x8000_0000 >> 2);
        pmp.set_address(1, 0x8000_2000 >> 2);
        pmp.set_address(2, 0x9000_0000 >> 2);
        let configs = [
            MATCH_TOR,
            MATCH_TOR | CFG_READ,
            MATCH_TOR | ALL,
            0,
            0,
            0,
            0,
            0,
        ];
        pmp.set_config(0, u64::from_le_bytes(configs));
        assert!(!pmp.permits(0x1000, Load, Supervisor));
        assert!(pmp.permits(0x8000_1fff, Load, Supervisor));
        assert!(!pmp.permits(0x8000_1fff, Store, Supervisor));
        assert!(pmp.permits(0x8000_2000, Store, Supervisor));
        assert!(!pmp.permits(0x9000_0000, Load, User), "no region matches");
        assert!(pmp.permits(0x1000, Store, Machine), "M-mode is exempt");
    }

    #[test]
    fn a_locked_region_binds_machine_mode_and_keeps_its_registers() {
        let mut pmp = Pmp::default();
        pmp.set_address(0, 0x8000_0000 >> 2);
        pmp.set_address(1, 0x8000_1000 >> 2);
        pmp.set_config(0, u64::from(CFG_LOCK | MATCH_TOR | CFG_READ) << 8);
        assert!(!pmp.permits(0x8000_0000, Store, Machine));
        assert!(pmp.permits(0x8000_0000, Load, Machine));
        pmp.set_config(0, 0);
        pmp.set_address(0, 0);
        pmp.set_address(1, 0);
        assert_eq!(
            pmp.config(0) >> 8 & 0xff,
            u64::from(CFG_LOCK | MATCH_TOR | CFG_READ)
        );
        assert_eq!(pmp.address(0), 0x8000_0000 >> 2);
        assert_eq!(pmp.address(1), 0x8000_1000 >> 2);
    }

    #[test]
    fn a_power_of_two_region_has_its_size() {
        let mut pmp = Pmp::default();
        // 64 KiB at 0x8001_0000.
        pmp.set_address(0, 0x8001_0000 >> 2 | (0x1_0000 / 8 - 1));
        pmp.set_config(0, u64::from(MATCH_NAPOT | CFG_READ));
        assert!(pmp.permits(0x8001_0000, Load, User));
        assert!(pmp.permits(0x8001_ffff, Load, User));
        assert!(!pmp.permits(0x8002_0000, Load, User));
        assert!(!pmp.permits(0x8000_ffff, Load, User));
    }

    #[test]
    fn reserved_settings_are_refused() {
        let mut pmp = Pmp::default();
        pmp.set_config(0, u64::from(CFG_WRITE | MATCH_TOR));
        assert_eq!(pmp.config(0), 0);
        pmp.set_config(0, u64::from(super::MATCH_NA4 | CFG_READ));
        assert_eq!(pmp.config(0), u64::from(CFG_READ), "finer than the grain");
    }
}
