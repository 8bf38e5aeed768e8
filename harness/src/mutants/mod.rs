//! Mutation of the kernel's machine code: how many small defects would the oracle see?
//!
//! A *mutant* is the kernel with one instruction changed: a branch inverted or dropped, a store
//! dropped, an immediate off by one, a comparison changed. It is made by patching memory after
//! boot, so nothing is rebuilt and thousands can be tried. A mutant is *reached* if the same cases
//! execute the changed instruction on the sound kernel, and *detected* if one of them ends in a
//! finding. A mutant that survives is a gap in the oracle, a gap in the cases, or a change without effect. A
//! person has to judge this, so the report names function and line.

mod operators;
mod programs;
mod score;
mod sites;

pub use operators::Operator;
pub(crate) use operators::{changes, ends_address, saves_register};
pub use programs::{Asked, ProgramBaseline, ProgramNotSound, Said, detects};
pub use score::{NotSound, Reached, Score, Tried, baseline, try_all};
pub use sites::{Mutant, NoSites, draw, sites};
