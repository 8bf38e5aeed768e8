//! Hands the user programs' linker script, and the size of their stacks, to the linker.

/// Most bytes of a program's stack: ten pages, which the kernel brings in as they are touched.
const STACK: &str = "-zstack-size=40960";
/// What programs ask for that want xv6's stack of one page: nothing.
const FIXED_STACK: &str = "-zstack-size=0";
/// Those programs: they test what lies below it.
const FIXED_STACK_PROGRAMS: [&str; 1] = ["fixedstack"];

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{directory}/user.ld");
    // A file of this file system holds at most 268 KiB, and symbols are larger than the programs.
    println!("cargo:rustc-link-arg-bins=--strip-all");
    println!("cargo:rustc-link-arg-bins={STACK}");
    for program in FIXED_STACK_PROGRAMS {
        println!("cargo:rustc-link-arg-bin={program}={FIXED_STACK}");
    }
    println!("cargo:rerun-if-changed=user.ld");
}
