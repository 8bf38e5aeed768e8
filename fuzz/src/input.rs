//! A case as libFuzzer holds it: bytes in, text out.

use faultline::{Case, case_file};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use std::fmt;

/// A fuzzer input. Any bytes are an input: a text case is read as such, so that hand-written cases
/// serve as seeds and as inputs to repeat; everything else is the binary form.
pub struct Input(pub Case);

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let length = bytes.len();
        Ok(Self(case_file::from_bytes(bytes.bytes(length)?)))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> Result<Self> {
        Ok(Self(case_file::from_bytes(bytes.take_rest())))
    }
}

/// The text form, whatever flags ask for: what `cargo fuzz fmt` prints is a case file.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
