//! The platform-level interrupt controller: routes device interrupts to hart contexts.
//!
//! Registers as in the RISC-V PLIC specification 1.0.0, contexts as on QEMU's `virt`: hart *h* has
//! its M-mode context at 2*h* and its S-mode context at 2*h* + 1.
//!
//! Gateways work as QEMU's: a device *raises* its line, which latches one pending request. A raise
//! while a request is in service stays latched and is delivered after completion, but a line that
//! merely remains high does not ask again. Drivers that leave the serial port's transmitter
//! interrupt pending (xv6 until 2023) would otherwise be interrupted for ever.

use super::{MAX_HARTS, is_aligned};

/// Interrupt identities 1..128 exist; 0 means "none".
pub(crate) const SOURCES: usize = 128;
const WORDS: usize = SOURCES / 32;
const CONTEXTS: usize = 2 * MAX_HARTS;
/// Priorities and thresholds are 0..=7.
const PRIORITY_MASK: u32 = 7;

const PENDING_BASE: u64 = 0x1000;
const ENABLE_BASE: u64 = 0x2000;
const ENABLE_STRIDE: u64 = 0x80;
const CONTEXT_BASE: u64 = 0x20_0000;
const CONTEXT_STRIDE: u64 = 0x1000;
const THRESHOLD: u64 = 0;
const CLAIM: u64 = 4;

/// Which of a hart's two interrupt contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Machine mode; drives MEIP.
    Machine,
    /// Supervisor mode; drives SEIP.
    Supervisor,
}

/// The interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plic {
    contexts: usize,
    priority: [u8; SOURCES],
    pending: [u32; WORDS],
    in_service: [u32; WORDS],
    enable: [[u32; WORDS]; CONTEXTS],
    threshold: [u8; CONTEXTS],
    /// One bit a context: its interrupt line. Kept current by every change.
    asserted: u32,
}

impl Plic {
    /// All priorities, enables and thresholds zero.
    pub fn new(harts: usize) -> Plic {
        Plic {
            contexts: 2 * harts.min(MAX_HARTS),
            priority: [0; SOURCES],
            pending: [0; WORDS],
            in_service: [0; WORDS],
            enable: [[0; WORDS]; CONTEXTS],
            threshold: [0; CONTEXTS],
            asserted: 0,
        }
    }

    /// A device asks for service once. Sources 0 and 128 and beyond do not exist.
    pub fn raise(&mut self, source: u32) {
        let source = source as usize;
        if (1..SOURCES).contains(&source) {
            self.pending[source / 32] |= 1 << (source % 32);
            self.update();
        }
    }

    /// The interrupt line to this context of the hart.
    pub fn interrupt(&self, hart: usize, context: Context) -> bool {
        hart < MAX_HARTS && self.asserted & (1 << (2 * hart + context as usize)) != 0
    }

    /// Reads an aligned word; a read of a claim register claims. Elsewhere zero.
    pub fn read(&mut self, offset: u64, width: u8) -> Option<u64> {
        if width != 4 || !is_aligned(offset, width) {
            return None;
        }
        Some(match Register::at(offset, self.contexts) {
            Register::Priority(source) => self.priority[source].into(),
            Register::Pending(word) => self.pending[word].into(),
            Register::Enable(context, word) => self.enable[context][word].into(),
            Register::Threshold(context) => self.threshold[context].into(),
            Register::Claim(context) => self.claim(context),
            Register::None => 0,
        })
    }

    /// Writes an aligned word; a write to a claim register completes. Elsewhere ignored.
    pub fn write(&mut self, offset: u64, width: u8, value: u64) -> Option<()> {
        if width != 4 || !is_aligned(offset, width) {
            return None;
        }
        let value = value as u32;
        match Register::at(offset, self.contexts) {
            Register::Priority(0) | Register::Pending(_) | Register::None => {}
            Register::Priority(source) => self.priority[source] = (value & PRIORITY_MASK) as u8,
            // Source 0 does not exist and cannot be enabled.
            Register::Enable(context, 0) => self.enable[context][0] = value & !1,
            Register::Enable(context, word) => self.enable[context][word] = value,
            Register::Threshold(context) => self.threshold[context] = (value & PRIORITY_MASK) as u8,
            Register::Claim(context) => self.complete(context, value as usize),
        }
        self.update();
        Some(())
    }

    fn claim(&mut self, context: usize) -> u64 {
        let Some(source) = self.best(context) else {
            return 0;
        };
        let (word, bit) = (source / 32, 1 << (source % 32));
        self.pending[word] &= !bit;
        self.in_service[word] |= bit;
        self.update();
        source as u64
    }

    /// Completion of a source that the context has not enabled is ignored (PLIC specification,
    /// "Interrupt Completion").
    fn complete(&mut self, context: usize, source: usize) {
        if source < SOURCES {
            let (word, bit) = (source / 32, 1 << (source % 32));
            if self.enable[context][word] & bit != 0 {
                self.in_service[word] &= !bit;
            }
        }
    }

    /// What a claim would answer: the highest priority, then the lowest source. A claim is not
    /// subject to the threshold (PLIC specification, "Interrupt Claim Process").
    fn best(&self, context: usize) -> Option<usize> {
        let mut best = None;
        let mut best_priority = 0;
        for word in 0..WORDS {
            let mut candidates =
                self.pending[word] & !self.in_service[word] & self.enable[context][word];
            while candidates != 0 {
                let source = word * 32 + candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                if self.priority[source] > best_priority {
                    best_priority = self.priority[source];
                    best = Some(source);
                }
            }
        }
        best
    }

    fn update(&mut self) {
        self.asserted = 0;
        if self.pending == [0; WORDS] {
            return;
        }
        for context in 0..self.contexts {
            let asserts = self
                .best(context)
                .is_some_and(|source| self.priority[source] > self.threshold[context]);
            self.asserted |= u32::from(asserts) << context;
        }
    }
}

enum Register {
    Priority(usize),
    Pending(usize),
    Enable(usize, usize),
    Threshold(usize),
    Claim(usize),
    None,
}

impl Register {
    fn at(offset: u64, contexts: usize) -> Register {
        let index =
            |offset: u64, limit: usize| usize::try_from(offset).ok().filter(|index| *index < limit);
        let found = if offset < PENDING_BASE {
            index(offset / 4, SOURCES).map(Register::Priority)
        } else if offset < ENABLE_BASE {
            index((offset - PENDING_BASE) / 4, WORDS).map(Register::Pending)
        } else if offset < CONTEXT_BASE {
            let offset = offset - ENABLE_BASE;
            index(offset / ENABLE_STRIDE, contexts).and_then(|context| {
                index(offset % ENABLE_STRIDE / 4, WORDS).map(|word| Register::Enable(context, word))
            })
        } else {
            let offset = offset - CONTEXT_BASE;
            index(offset / CONTEXT_STRIDE, contexts).and_then(|context| {
                match offset % CONTEXT_STRIDE {
                    THRESHOLD => Some(Register::Threshold(context)),
                    CLAIM => Some(Register::Claim(context)),
                    _ => None,
                }
            })
        };
        found.unwrap_or(Register::None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Plic};

    const SUPERVISOR_OF_0: u64 = 1;

    fn enable(plic: &mut Plic, context: u64, mask: u64) {
        plic.write(0x2000 + 0x80 * context, 4, mask).unwrap();
    }

    fn claim_register(context: u64) -> u64 {
        0x20_0004 + 0x1000 * context
    }

    #[test]
    fn an_interrupt_is_raised_claimed_and_completed() {
        let mut plic = Plic::new(2);
        plic.write(4 * 10, 4, 1).unwrap();
        enable(&mut plic, SUPERVISOR_OF_0, 1 << 10);
        assert!(!plic.interrupt(0, Context::Supervisor));
        plic.raise(10);
        assert!(plic.interrupt(0, Context::Supervisor));
        assert!(!plic.interrupt(0, Context::Machine));
        assert!(!plic.interrupt(1, Context::Supervisor));
        assert_eq!(plic.read(0x1000, 4), Some(1 << 10));
        assert_eq!(plic.read(claim_register(1), 4), Some(10));
        assert_eq!(plic.read(0x1000, 4), Some(0));
        assert!(!plic.interrupt(0, Context::Supervisor));
        assert_eq!(
            plic.read(claim_register(1), 4),
            Some(0),
            "nothing left to claim"
        );

        plic.raise(10);
        assert!(!plic.interrupt(0, Context::Supervisor), "in service");
        plic.write(claim_register(1), 4, 10).unwrap();
        assert!(
            plic.interrupt(0, Context::Supervisor),
            "delivered after completion"
        );
    }

    #[test]
    fn a_source_in_service_is_offered_to_no_other_hart() {
        let mut plic = Plic::new(2);
        plic.write(4, 4, 1).unwrap();
        enable(&mut plic, 1, 1 << 1);
        enable(&mut plic, 3, 1 << 1);
        plic.raise(1);
        assert!(plic.interrupt(0, Context::Supervisor) && plic.interrupt(1, Context::Supervisor));
        assert_eq!(plic.read(claim_register(3), 4), Some(1));
        assert!(!plic.interrupt(0, Context::Supervisor));
        assert_eq!(plic.read(claim_register(1), 4), Some(0));
    }

    #[test]
    fn priority_decides_then_the_lowest_source() {
        let mut plic = Plic::new(1);
        for (source, priority) in [(3, 1), (40, 2), (41, 2), (5, 0)] {
            plic.write(4 * source, 4, priority).unwrap();
            plic.raise(source as u32);
        }
        enable(&mut plic, 1, 0xffff_ffff);
        plic.write(0x2000 + 0x80 + 4, 4, 0xffff_ffff).unwrap();
        let order: Vec<_> = (0..4)
            .map(|_| plic.read(claim_register(1), 4).unwrap())
            .collect();
        assert_eq!(order, [40, 41, 3, 0], "priority 0 never interrupts");
    }

    #[test]
    fn the_threshold_masks_the_line_but_not_the_claim() {
        let mut plic = Plic::new(1);
        plic.write(4, 4, 3).unwrap();
        enable(&mut plic, 0, 1 << 1);
        plic.write(0x20_0000, 4, 3).unwrap();
        plic.raise(1);
        assert!(!plic.interrupt(0, Context::Machine));
        plic.write(0x20_0000, 4, 2).unwrap();
        assert!(plic.interrupt(0, Context::Machine));
        plic.write(0x20_0000, 4, 7).unwrap();
        assert_eq!(plic.read(claim_register(0), 4), Some(1));
    }

    #[test]
    fn completion_needs_the_source_enabled() {
        let mut plic = Plic::new(1);
        plic.write(4, 4, 1).unwrap();
        enable(&mut plic, 1, 1 << 1);
        plic.raise(1);
        assert_eq!(plic.read(claim_register(1), 4), Some(1));
        plic.raise(1);
        for (context, source) in [(0, 1), (1, 2), (1, 500), (1, 0xffff_ffff)] {
            plic.write(claim_register(context), 4, source).unwrap();
            assert!(!plic.interrupt(0, Context::Supervisor));
        }
        plic.write(claim_register(1), 4, 1).unwrap();
        assert!(plic.interrupt(0, Context::Supervisor));
    }

    #[test]
    fn registers_keep_what_exists_of_a_value() {
        let mut plic = Plic::new(1);
        for (offset, kept) in [
            (0, 0), // priority of source 0
            (4, 7), // priorities have three bits
            (4 * 127, 7),
            (4 * 128, 0),
            (0x1000, 0),           // pending is read only
            (0x2000, 0xffff_fffe), // source 0 has no enable
            (0x200c, 0xffff_ffff),
            (0x2010, 0),
            (0x2100, 0), // context 2 does not exist with one hart
            (0x20_0000, 7),
            (0x20_0008, 0),
            (0x20_2000, 0),
        ] {
            plic.write(offset, 4, 0xffff_ffff_ffff_ffff).unwrap();
            assert_eq!(plic.read(offset, 4), Some(kept), "{offset:#x}");
        }
    }

    #[test]
    fn only_aligned_words_are_accessible() {
        let mut plic = Plic::new(1);
        for (offset, width) in [(0, 1), (0, 2), (0, 8), (2, 4), (0, 0), (0, 255)] {
            assert_eq!(plic.read(offset, width), None);
            assert_eq!(plic.write(offset, width, 0), None);
        }
    }
}
