//! New inputs from old ones: the language's own mutations, mixed with libFuzzer's bytes.

use faultline::{Case, Profile, case_file};
use libfuzzer_sys::fuzzer_mutate;

/// How many of eight mutations are left to libFuzzer: bytes in place, its dictionary of values.
const LIBFUZZER_SHARE: u32 = 2;

/// Changes the input in `data[..size]` with the preferences of `target` and returns its new size, at
/// most `max_size`.
pub fn mutate(target: Profile, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed % 8 < LIBFUZZER_SHARE {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut case = case_file::from_bytes(&data[..size]);
    faultline::mutate(&mut case, u64::from(seed), target);
    write(&case, &mut data[..max_size])
}

/// Makes an input from two inputs and returns its size, at most that of `out`.
pub fn cross_over(first: &[u8], second: &[u8], out: &mut [u8], seed: u32) -> usize {
    let (first, second) = (case_file::from_bytes(first), case_file::from_bytes(second));
    write(
        &faultline::cross_over(&first, &second, u64::from(seed)),
        out,
    )
}

/// Writes as much of the case as fits: a binary case may end anywhere.
fn write(case: &Case, out: &mut [u8]) -> usize {
    let bytes = case.to_bytes();
    let size = bytes.len().min(out.len());
    out[..size].copy_from_slice(&bytes[..size]);
    size
}
