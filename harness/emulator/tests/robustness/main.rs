//! What the machine promises its users: snapshots that come back whole, runs that repeat, budgets
//! that are exact, and a calm answer to anything a guest does.

#[path = "../support/mod.rs"]
mod support;

mod busy;
mod command_line;
mod coverage;
mod determinism;
mod exits;
mod hostile;
mod loops;
mod moments;
mod schedules;
mod snapshots;
mod strictness;
