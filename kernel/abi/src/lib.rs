//! The binary interface that the kernel and its users share: numbers, layout, structures.
#![no_std]
