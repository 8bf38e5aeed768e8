//! A break that moves, and faults around it: a bit of everything.
#![no_main]

faultline_fuzz::target!(SbrkFaults);
