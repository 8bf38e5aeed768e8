//! Every way to need a frame, when few or none are left.
#![no_main]

faultline_fuzz::target!(OutOfMemory);
