//! System calls whose buffers and paths lie across page ends, in holes, beyond the break.

fn main() {
    faultline_afl::run(faultline_afl::Profile::SyscallBuffers);
}
