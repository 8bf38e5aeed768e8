//! `sbrk`, faults and forks: random programs on the lazy kernel and on the eager oracle.
#![no_main]

use faultline_fuzz::{Input, Profile, cross_over, execute, mutate, open};
use libfuzzer_sys::{Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(init: open("sbrk_faults"), |input: Input| -> Corpus { execute(&input) });

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, Profile::SbrkFaults)
});

fuzz_crossover!(|first: &[u8], second: &[u8], out: &mut [u8], seed: u32| {
    cross_over(first, second, out, seed)
});
