//! Hands the user programs' linker script to the linker, by its full path.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{directory}/user.ld");
    println!("cargo:rerun-if-changed=user.ld");
}
