//! Guest coverage as AFL++'s own: the guest's edges and state features are its only counters.
//!
//! AFL++ learns of counters when a compiler's instrumentation registers *guards*, numbers that its
//! runtime sets to places in the coverage map. Here the guards stand for the guest's counters, which
//! are written to the map directly. (AFL++'s runtime: `afl-compiler-rt`; Clang's documentation:
//! "SanitizerCoverage", "Tracing PCs with guards".)

use faultline::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use std::cell::UnsafeCell;

const COUNTERS: usize = EDGE_COUNTERS + FEATURE_COUNTERS;

/// Numbers that the runtime sets before `main`, and that never change later.
struct Guards(UnsafeCell<[u32; COUNTERS]>);

// SAFETY: written by AFL++'s runtime from a constructor, before there is a second thread; only read
// afterwards.
unsafe impl Sync for Guards {}

static GUARDS: Guards = Guards(UnsafeCell::new([0; COUNTERS]));

unsafe extern "C" {
    fn __sanitizer_cov_trace_pc_guard_init(start: *mut u32, stop: *mut u32);
    static __afl_area_ptr: *mut u8;
}

#[used]
#[unsafe(link_section = ".init_array")]
static REGISTER: extern "C" fn() = register;

/// Tells AFL++ of the counters, as instrumented code would, before `main`.
extern "C" fn register() {
    let start = GUARDS.0.get().cast::<u32>();
    // SAFETY: the range is a whole static, so its end is one past the last element; the runtime
    // writes a number to each.
    unsafe { __sanitizer_cov_trace_pc_guard_init(start, start.add(COUNTERS)) }
}

/// This program's side of the counters. There is one in a process.
pub(crate) struct Counters {
    /// Where the guest's counters begin in the map.
    first: usize,
}

impl Counters {
    /// The counters as registered; `None` if they do not lie side by side in the map.
    pub(crate) fn registered() -> Option<Self> {
        // SAFETY: the constructor has run, and the guards are not written any more.
        let guards = unsafe { &*GUARDS.0.get() };
        let first = guards[0];
        let side_by_side = guards
            .iter()
            .zip(first..)
            .all(|(guard, place)| *guard == place);
        (first != 0 && side_by_side).then_some(Self {
            first: first as usize,
        })
    }

    /// The counters of edges and of state features; AFL++ clears them between executions.
    pub(crate) fn for_execution(&mut self) -> (&mut [u8], &mut [u8]) {
        self.all().split_at_mut(EDGE_COUNTERS)
    }

    /// Makes the execution look like one that covered nothing.
    pub(crate) fn forget(&mut self) {
        self.all().fill(0);
    }

    fn all(&mut self) -> &mut [u8] {
        // SAFETY: the runtime has made the map at least as large as the guards it numbered, and
        // nothing else in this process touches it while a case runs: there is one `Counters`, and
        // the slice ends with the borrow of it.
        unsafe { std::slice::from_raw_parts_mut(__afl_area_ptr.add(self.first), COUNTERS) }
    }
}
