//! Files that are opened, read and asked about.
#![no_main]

faultline_fuzz::target!(Files);
