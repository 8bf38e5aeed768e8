//! The mutations of the case language as a custom mutator of AFL++, which loads this library.
//!
//! AFL++'s documentation: "Custom mutators in AFL++". Inputs are text cases or the binary form, as
//! everywhere; what comes out is the binary form.

use faultline::case_maker::CaseMaker;
use faultline::{Case, Profile, case_file};
use std::env;
use std::ffi::c_void;
use std::process::exit;

/// Names the fuzz target, whose preferences the mutations have. AFL++ starts this library and the
/// target separately, so they cannot tell each other.
const TARGET_VARIABLE: &str = "FAULTLINE_TARGET";

/// What AFL++ keeps between calls: the place in the random sequence, and the last child.
pub struct Mutator {
    maker: CaseMaker,
    random: fastrand::Rng,
    child: Vec<u8>,
}

impl Mutator {
    fn new(target: Profile, seed: u32) -> Self {
        Self {
            maker: CaseMaker { target },
            random: fastrand::Rng::with_seed(u64::from(seed)),
            child: Vec::new(),
        }
    }

    /// A child of `parent`, and sometimes of `other` too, of at most `most` bytes.
    fn child(&mut self, parent: &[u8], other: &[u8], most: usize) -> &[u8] {
        let case = self.maker.child(
            &case_file::from_bytes(parent),
            |_| (!other.is_empty()).then(|| case_file::from_bytes(other)),
            &mut self.random,
        );
        self.child = Case::to_bytes(&case);
        // A binary case may end anywhere.
        self.child.truncate(most);
        &self.child
    }
}

/// Called once, at the start.
///
/// Ends AFL++ with a message if the environment names a target that does not exist.
#[unsafe(no_mangle)]
pub extern "C" fn afl_custom_init(_afl: *const c_void, seed: u32) -> Box<Mutator> {
    let target = match env::var(TARGET_VARIABLE) {
        Ok(name) => name.parse().unwrap_or_else(|error| {
            eprintln!("{TARGET_VARIABLE}: {error}");
            exit(2);
        }),
        Err(_) => Profile::default(),
    };
    Box::new(Mutator::new(target, seed))
}

/// Makes an input from another one, and returns its length.
///
/// # Safety
/// As AFL++ promises: `mutator` is what [`afl_custom_init`] gave, `parent` and `other` have the
/// sizes given (`other` may be null, with any size), `child` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afl_custom_fuzz(
    mutator: &mut Mutator,
    parent: *const u8,
    parent_size: usize,
    child: *mut *const u8,
    other: *const u8,
    other_size: usize,
    max_size: usize,
) -> usize {
    // SAFETY: the caller's promise.
    let (parent, other) = unsafe { (slice(parent, parent_size), slice(other, other_size)) };
    let made = mutator.child(parent, other, max_size);
    // SAFETY: the caller's promise. The bytes stay until the next call, as AFL++ asks.
    unsafe { child.write(made.as_ptr()) };
    made.len()
}

/// # Safety
/// `start` is null, or points to `size` bytes that do not change while the slice lives.
unsafe fn slice<'a>(start: *const u8, size: usize) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(start, size) }
}

/// Called once, at the end.
#[unsafe(no_mangle)]
pub extern "C" fn afl_custom_deinit(mutator: Box<Mutator>) {
    drop(mutator);
}

#[cfg(test)]
mod tests {
    use super::{Mutator, Profile, afl_custom_deinit, afl_custom_fuzz, afl_custom_init};
    use faultline::{generate, repaired_case};
    use std::ptr::null;

    #[test]
    fn children_are_cases_and_fit() {
        let mut mutator = Mutator::new(Profile::ForkCow, 1);
        let parent = generate(1, 20, Profile::ForkCow).to_bytes();
        for most in [0, 8, 64, 4096] {
            let child = mutator.child(&parent, &parent, most);
            assert!(child.len() <= most);
        }
    }

    #[test]
    fn the_way_afl_calls_it() {
        let mut mutator = afl_custom_init(null(), 7);
        let parent = b"faultline 1\na: getpid\n";
        let mut child = null();
        // SAFETY: all pointers are good, and `other` is null.
        let size = unsafe {
            let (start, size) = (parent.as_ptr(), parent.len());
            afl_custom_fuzz(&mut mutator, start, size, &mut child, null(), 0, 4096)
        };
        // SAFETY: that many bytes stay until the next call.
        let bytes = unsafe { std::slice::from_raw_parts(child, size) };
        assert!(!repaired_case(bytes).operations.is_empty());
        afl_custom_deinit(mutator);
    }
}
