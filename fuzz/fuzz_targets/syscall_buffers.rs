//! System calls whose buffers and paths lie across page ends, in holes, beyond the break.
#![no_main]

faultline_fuzz::target!(SyscallBuffers);
