//! Births, sleeps, deaths and orphans of up to eight processes.
#![no_main]

faultline_fuzz::target!(Processes);
