//! What the libFuzzer targets share: the glue between libFuzzer and `faultline::fuzzing`.
//!
//! All targets are one program under several names (`fuzz_targets/target.rs`); what a case does is in
//! `harness`, where `cargo test` replays it without libFuzzer.

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

/// Makes the program a fuzz target: what libFuzzer calls for the [`Profile`] of that name. A name that no
/// profile has does not compile.
#[macro_export]
macro_rules! target {
    ($name:expr) => {
        use $crate::libfuzzer_sys::{self, Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};

        const TARGET: $crate::Profile =
            $crate::Profile::named($name).expect("no fuzz target has the program's name");

        fuzz_target!(
            init: $crate::open(TARGET),
            |input: $crate::Input| -> Corpus { $crate::execute(&input) }
        );

        fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate(TARGET, data, size, max_size, seed)
        });

        fuzz_crossover!(|first: &[u8], second: &[u8], out: &mut [u8], seed: u32| {
            $crate::cross_over(first, second, out, seed)
        });
    };
}
