//! What the libFuzzer targets share: the glue between libFuzzer and `faultline::fuzzing`.
//!
//! A target is a line that names its profile; what a case does is in `harness`, where `cargo test`
//! replays it without libFuzzer.

mod campaign;
mod counters;
mod input;
mod mutation;
mod status;

pub use campaign::{execute, open};
pub use faultline::Profile;
pub use input::Input;
pub use mutation::{cross_over, mutate};

#[doc(hidden)]
pub use libfuzzer_sys;

/// Makes the program a fuzz target: what libFuzzer calls for one [`Profile`].
#[macro_export]
macro_rules! target {
    ($profile:ident) => {
        use $crate::libfuzzer_sys::{self, Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};

        fuzz_target!(
            init: $crate::open($crate::Profile::$profile),
            |input: $crate::Input| -> Corpus { $crate::execute(&input) }
        );

        fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate($crate::Profile::$profile, data, size, max_size, seed)
        });

        fuzz_crossover!(|first: &[u8], second: &[u8], out: &mut [u8], seed: u32| {
            $crate::cross_over(first, second, out, seed)
        });
    };
}
