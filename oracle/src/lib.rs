//! The language of cases, the eager model, and the judge that says what an observation means.
#![forbid(unsafe_code)]
