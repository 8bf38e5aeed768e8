//! The language of cases, the eager model, and the judge that says what an observation means.
//!
//! Four rooms, each of which knows only those before it:
//!
//! - [`case`]: what a case is; its binary form, its text form, how it is repaired, generated,
//!   mutated and made simpler;
//! - [`dialect`]: in what respects kernels may legitimately differ; and beside it what a case starts
//!   from: the [`setting`], made of [`layout`], [`files`], [`program_file`] and [`specimens`];
//! - [`model`]: a kernel that allocates everything eagerly and never runs out of frames;
//! - [`judge`]: what the model expects, against what was seen, clause by clause.
//!
//! The crate is pure: it does no I/O and knows neither the emulator nor the kernel under test.
#![forbid(unsafe_code)]

pub mod case;
pub mod dialect;
pub mod files;
pub mod judge;
pub mod layout;
pub mod model;
mod named;
pub mod program_file;
pub mod setting;
pub mod specimens;

pub use case::{
    Address, Amount, Call, Case, Flavour, OpenFlags, OpenMode, Operation, Order, Process, Profile,
    Region, Schedule, StoredValue, Stride, Target, Text, Width,
};
pub use dialect::Dialect;
pub use files::{FileNode, Files};
pub use judge::{
    Action, BiteMeter, Bucket, Clause, DiskContent, End, Event, Extent, Failure, Fate, Finding,
    FrameKind, Judge, Miscount, Mismatch, Nap, Observation, PageFlags, PageMapping, Race, Severity,
    Situation, Spoiled, Step, Turn, TurnEnd, UserTrap, Verdict, bucket, describe, describe_race,
    describe_racer, describe_turn,
};
pub use layout::{Image, Layout, Permissions, Segment};
pub use model::{PageState, ProcessState};
pub use program_file::Program;
pub use setting::Setting;
pub use specimens::Specimen;
