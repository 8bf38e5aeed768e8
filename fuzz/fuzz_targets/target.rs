//! Every libFuzzer target: its profile is the one that has the program's name.
//!
//! The other files of this folder are links to this one. Cargo warns of programs that share a path.
#![no_main]

faultline_fuzz::target!(env!("CARGO_BIN_NAME"));
