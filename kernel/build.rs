//! Hands the linker the kernel's script, by its full path.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{directory}/kernel.ld");
    // The assembler's own labels would hide the functions' names from tools.
    println!("cargo:rustc-link-arg-bins=--discard-locals");
    println!("cargo:rerun-if-changed=kernel.ld");
}
