//! Several processes that act in turn, wait for one another, and are pre-empted.
#![no_main]

faultline_fuzz::target!(Schedules);
