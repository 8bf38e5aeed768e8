//! Stacks that grow on demand, and the guard pages below them.
#![no_main]

faultline_fuzz::target!(StackGrowth);
