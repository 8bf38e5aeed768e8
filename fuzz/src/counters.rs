//! Guest coverage as libFuzzer's own: its status line shows kernel edges as `cov:`.
//!
//! libFuzzer normally learns of counters from code that a compiler instrumented. Here the only
//! ones are the guest's: one counter an edge of the kernel, registered as if it were an
//! instrumented module (`__sanitizer_cov_8bit_counters_init`, with the table of program counters
//! that makes it count as `cov:`). State features go to the extra counters, a section that
//! libFuzzer knows by name; they guide it as well, but count as `ft:` alone.
//! (Clang's documentation: "SanitizerCoverage", "Inline 8bit-counters", "PC-Table".)

use faultline::counters::{EDGE_COUNTERS, FEATURE_COUNTERS, for_each_counted};
use std::cell::UnsafeCell;

/// Memory that this program writes during an execution and libFuzzer reads and clears between two.
#[repr(C, align(4096))]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: libFuzzer calls the target from one thread, and looks at the counters from the same
// thread, never while the target runs. On this side the one `Counters` holds all references, and
// none outlives an execution.
unsafe impl<T: Send> Sync for Shared<T> {}

static EDGES: Shared<[u8; EDGE_COUNTERS]> = Shared(UnsafeCell::new([0; EDGE_COUNTERS]));

/// Per edge: its guest program counter once it is known, and libFuzzer's flags (none).
static PROGRAM_COUNTERS: Shared<[[usize; 2]; EDGE_COUNTERS]> =
    Shared(UnsafeCell::new([[0; 2]; EDGE_COUNTERS]));

#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static FEATURES: Shared<[u8; FEATURE_COUNTERS]> = Shared(UnsafeCell::new([0; FEATURE_COUNTERS]));

unsafe extern "C" {
    fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8);
    fn __sanitizer_cov_pcs_init(start: *const usize, stop: *const usize);
}

/// This program's side of the counters. There is one in a process.
pub(crate) struct Counters {
    covered: usize,
}

impl Counters {
    /// Tells libFuzzer of the counters; before its first execution, and once.
    pub(crate) fn register() -> Self {
        let edges = EDGES.0.get().cast::<u8>();
        let table = PROGRAM_COUNTERS.0.get().cast::<usize>();
        // SAFETY: both ranges are whole statics, so their ends are one past the last element, and
        // they stay valid for as long as libFuzzer can look at them. The table has two words a
        // counter, as libFuzzer expects.
        unsafe {
            __sanitizer_cov_8bit_counters_init(edges, edges.add(EDGE_COUNTERS));
            __sanitizer_cov_pcs_init(table, table.add(2 * EDGE_COUNTERS));
        }
        Self { covered: 0 }
    }

    /// The counters of edges and of state features, all zero, for one execution to fill.
    pub(crate) fn for_execution(&mut self) -> (&mut [u8], &mut [u8]) {
        // SAFETY: no other reference exists (see `Shared`): these end with the borrow of `self`.
        unsafe { (&mut *EDGES.0.get(), &mut *FEATURES.0.get()) }
    }

    /// Takes note of the edges that the execution before covered for the first time, so that
    /// libFuzzer can say where they are (`-print_pcs=1`, `-print_coverage=1`).
    pub(crate) fn note_locations(&mut self, location: impl Fn(usize) -> Option<u64>) {
        // SAFETY: no other reference exists (see `Shared`): these end with the borrow of `self`.
        let (edges, table) = unsafe { (&*EDGES.0.get(), &mut *PROGRAM_COUNTERS.0.get()) };
        for_each_counted(edges, |index, _| {
            if table[index][0] == 0 {
                // An edge without a known place must still differ from an uncovered one.
                table[index][0] = location(index).map_or(1, |pc| pc as usize);
                self.covered += 1;
            }
        });
    }

    /// Edges covered since the start.
    pub(crate) fn covered(&self) -> usize {
        self.covered
    }
}
