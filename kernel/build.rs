//! Hands the kernel's linker script to the linker, by its full path.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{directory}/kernel.ld");
    println!("cargo:rerun-if-changed=kernel.ld");
}
