//! The battery: a fixed sequence of short cases that a campaign runs before it makes cases by chance.
//!
//! Tables say what is tried, and generators combine them: every operation in every state of the pages that its
//! addresses name ([`pages`]), with each of its first requests for a frame refused ([`scarcity`]), and after every
//! other operation, by another process ([`pairs`]); and besides, the edges of address spaces ([`edges`]), tables of
//! the kernel that are nearly full ([`tables`]), crowds of processes ([`crowds`]), machines that vary ([`machines`]), and power cuts ([`crashes`]).
//!
//! Situations that do not disturb each other share a case, because on a C kernel the end of a case takes as long as
//! dozens of operations. Each use of an operation has a page of its own. What would end its process is done by a child.
//!
//! The battery is made for the layout of our own kernel. On another one a few operations do not apply, and are left out
//! there.

mod crashes;
mod crowds;
mod edges;
mod grounds;
mod machines;
mod pages;
mod pairs;
mod scarcity;
mod script;
mod tables;
mod uses;

use crate::case::{Case, Variation};

/// The cases about one operation at a time, in the order of what they are likely to tell for their cost, for a kernel
/// that was written for machines with these variations.
pub fn battery(asked: &[Variation]) -> Vec<Case> {
    let parts = [
        pages::without_a_page(),
        edges::near(),
        pages::cases(),
        tables::cases(),
        crowds::cases(),
        machines::cases(asked),
        edges::far(),
        scarcity::cases(),
    ];
    parts.into_iter().flatten().collect()
}

/// The cases about power cuts, each of which makes the kernel boot again.
pub fn battery_of_crashes() -> Vec<Case> {
    crashes::cases()
}

/// The cases about two operations, one after the other: those of memory first, which are cheap.
pub fn battery_of_pairs() -> Vec<Case> {
    pairs::cases()
}
