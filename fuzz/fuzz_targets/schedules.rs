//! Operations that race on up to three harts, and processes that are pre-empted.
#![no_main]

faultline_fuzz::target!(Schedules);
