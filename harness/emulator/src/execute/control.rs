//! Branches, the ends of blocks, and operations that are not instructions of the guest.

use super::body::{Body, Early, Flow, Way};
use super::bulk;
use crate::code::Operation;
use crate::coverage;
use crate::defect::Defect;
use crate::isa::Privilege;
use std::ops::ControlFlow::{Break, Continue};

impl<const COVERAGE: bool> Body<'_, '_, COVERAGE> {
    /// Leaves through exit `rd` if `is_taken` says so of `rs1` and `rs2`.
    #[inline(always)]
    pub(super) fn branch(&mut self, op: &Operation, is_taken: impl Fn(u64, u64) -> bool) -> Flow {
        if is_taken(self.x(op.rs1), self.x(op.rs2)) {
            return Break(Way::Exit(op.rd));
        }
        if COVERAGE {
            coverage::count(self.counters, op.immediate as u16);
        }
        Continue(())
    }

    /// A jump to a place that is known.
    #[inline(always)]
    pub(super) fn jump(&mut self, op: &Operation) -> Flow {
        self.set(op, self.block.end())?;
        Break(Way::Exit(op.rs1))
    }

    /// A jump to `rs1` plus the immediate.
    #[inline(always)]
    pub(super) fn jump_register(&mut self, op: &Operation) -> Flow {
        self.target = self.x(op.rs1).wrapping_add(op.value()) & !1;
        self.set(op, self.block.end())?;
        Break(Way::Indirect)
    }

    /// A hint call stops the run in U-mode only.
    #[inline(always)]
    pub(super) fn hint(&mut self, op: &Operation) -> Flow {
        if self.hart.privilege == Privilege::User {
            Break(Way::Early(Early::Hint))
        } else {
            Break(Way::Exit(op.rs1))
        }
    }

    /// A breakpoint stops the run, unless the last run stopped here.
    #[inline(always)]
    pub(super) fn breakpoint(&mut self) -> Flow {
        if self.hart.passed_breakpoint != Some(self.block.address) {
            return Break(Way::Early(Early::Breakpoint));
        }
        self.hart.passed_breakpoint = None;
        Continue(())
    }

    /// Executes iterations of the loop that the block is, all but one that follows.
    #[inline(always)]
    pub(super) fn bulk(&mut self, op: &Operation) -> Flow {
        let number = op.immediate as usize;
        let Some(work) = self.loops.get(number) else {
            return self.stop_for(Defect::new("no such loop", number as u64));
        };
        // The block has counted itself already, for the iteration that follows.
        let count = u64::from(self.block.count);
        let most = self.left / count;
        match bulk::run(work, &mut self.hart.x, self.data, &mut self.bus.ram, most) {
            Ok(rounds) => {
                self.left -= rounds * count;
                if COVERAGE {
                    let exit = self.block.exits as usize + usize::from(work.exit);
                    coverage::count_many(self.counters, self.exits[exit].edge, rounds);
                }
                Continue(())
            }
            Err(defect) => self.stop_for(defect),
        }
    }
}
