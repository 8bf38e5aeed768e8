//! Hands the user programs' linker script to the linker, by its full path.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{directory}/user.ld");
    // A file of this file system holds at most 268 KiB, and symbols are larger than the programs.
    println!("cargo:rustc-link-arg-bins=--strip-all");
    println!("cargo:rerun-if-changed=user.ld");
}
