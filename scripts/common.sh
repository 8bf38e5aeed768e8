# shellcheck shell=bash
# Shared by the scripts beside it (sourced, not run): where things are, how to speak, how to install.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
guest_target=riscv64imac-unknown-none-elf
setup_log=$root/target/setup.log
mkdir -p "$root/target"

# A user's own wrapper (sccache, say) would win over the one that `cargo fuzz` needs here.
unset RUSTC_WRAPPER

say() { printf '%s\n' "$*"; }

# fail WHAT [NEXT STEP]...: says what is wrong and what to do next.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    if (($#)); then printf '  %s\n' "$@" >&2; fi
    exit 2
}

# quietly WHAT COMMAND...: runs a long command with its output in the log; says what and how long.
quietly() {
    local what=$1 started=$SECONDS
    shift
    printf '%s … ' "$what"
    if "$@" >>"$setup_log" 2>&1; then
        say "done ($((SECONDS - started)) s)"
    else
        say 'failed'
        return 1
    fi
}

# show_log: the end of what the last quiet command said.
show_log() { tail -n 20 "$setup_log" | sed 's/^/  | /' >&2; }

# as_root COMMAND...: runs it as root, without asking for a password; fails where that cannot be.
as_root() {
    if [[ $EUID == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# can_apt: whether this machine lets us install Debian packages.
can_apt() {
    command -v apt-get >/dev/null && as_root true 2>/dev/null
}

# apt_install PACKAGE...: installs without ever removing another package.
apt_install() {
    local install=(env DEBIAN_FRONTEND=noninteractive
        apt-get -o DPkg::Lock::Timeout=120 install --yes --no-remove --no-install-recommends "$@")
    can_apt || return 1
    as_root "${install[@]}" || { as_root apt-get update && as_root "${install[@]}"; }
}

# recent RUSTC: whether it is Rust 1.95 or later.
recent() {
    local version
    version=$("$1" --version 2>/dev/null) || return
    [[ $version =~ ^rustc\ ([0-9]+)\.([0-9]+) ]] &&
        ((BASH_REMATCH[1] > 1 || BASH_REMATCH[2] >= 95))
}

# What each way to a RISC-V `core` needs to be there.
have_rustup_core() {
    local sysroot
    sysroot=$(rustc --print sysroot 2>/dev/null) && [[ -d $sysroot/lib/rustlib/$guest_target/lib ]]
}
have_debian_core() {
    local sysroot
    [[ -x /usr/bin/cargo ]] && recent /usr/bin/rustc && command -v ld.lld >/dev/null &&
        sysroot=$(/usr/bin/rustc --print sysroot 2>/dev/null) &&
        [[ -d $sysroot/lib/rustlib/src/rust/library/core ]]
}

# build_afl TARGET: the AFL++ program of a fuzz target, and our mutations for it to load. Those must
# not hold AFL++'s runtime, as the program does.
build_afl() {
    cargo afl build --quiet --release --manifest-path "$root/fuzz/Cargo.toml" \
        --package faultline-afl --bin "${1}_afl" --target-dir "$root/fuzz/target/afl" &&
        cargo build --quiet --release --manifest-path "$root/fuzz/Cargo.toml" \
            --package faultline-afl-mutator --target-dir "$root/fuzz/target"
}

# run_afl TARGET FLAG...: one instance of AFL++, with our mutations beside its own.
run_afl() {
    local target=$1
    shift
    # Not on one core for good, no governor, no core dumps: none of it matters to a guest in a machine.
    AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_CUSTOM_MUTATOR_LIBRARY=$root/fuzz/target/release/libfaultline_afl_mutator.so \
        FAULTLINE_TARGET=$target \
        cargo afl fuzz -t 10000 -c - "$@" "$root/fuzz/target/afl/release/${target}_afl"
}
