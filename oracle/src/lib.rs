//! The language of cases, the eager model, and the judge that says what an observation means.
//!
//! It is built in floors. Each floor knows only the floors before it:
//!
//! - [`layout`]: where a program's memory lies;
//! - [`case`]: what a case is; its text form, its binary form, and how it is made simpler;
//! - [`dialect`]: in what respects kernels may legitimately differ;
//! - [`setting`]: what every case starts from: [`files`], [`program_file`] and [`specimens`];
//! - [`model`]: a kernel that allocates everything eagerly and never runs out of frames;
//! - [`generation`]: how cases are made, mutated and repaired by what the model knows;
//! - [`judge`]: compares what the model expects with what was seen, clause by clause.
//!
//! The crate is pure: it does no I/O and knows neither the emulator nor the kernel under test.
#![forbid(unsafe_code)]

pub mod case;
pub mod dialect;
pub mod files;
pub mod generation;
pub mod judge;
pub mod layout;
pub mod model;
mod named;
pub mod program_file;
pub mod setting;
pub mod specimens;

pub use case::{
    Address, Amount, Call, Case, Cut, Flavour, OpenFlags, OpenMode, Operation, Order, Process,
    Region, Remains, Schedule, StoredValue, Stride, Target, Text, Variation, Width,
};
pub use dialect::Dialect;
pub use files::{FREE_INODES, FileNode, Files};
pub use generation::Profile;
pub use judge::{
    Action, Aftermath, BiteMeter, Bucket, Clause, CutMoment, DiskContent, Effect, End, Event,
    Extent, Failure, Fate, Finding, FrameKind, Judge, Miscount, Mismatch, Nap, NeverRun,
    Observation, PageFlags, PageMapping, Passage, Race, Reached, Reboot, RefusedStore, Severity,
    Situation, Spoiled, Step, Turn, TurnEnd, UserTrap, Verdict, bucket, describe, describe_race,
    describe_racer, describe_reboot, describe_turn,
};
pub use layout::{InitialMemory, Layout, Permissions, Segment};
pub use model::{PageState, ProcessState};
pub use program_file::Program;
pub use setting::Setting;
pub use specimens::Specimen;
