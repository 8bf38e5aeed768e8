//! Programs that are loaded page by page, and their arguments.
#![no_main]

faultline_fuzz::target!(ExecImages);
