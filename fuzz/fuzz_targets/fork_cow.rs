//! Pages that parents and children share until one of them stores.
#![no_main]

faultline_fuzz::target!(ForkCow);
