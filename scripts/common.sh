# shellcheck shell=bash
# Shared by the other scripts (sourced, not run): where things are, how to print, how to install.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
guest_target=riscv64imac-unknown-none-elf
setup_log=$root/target/setup.log
mkdir -p "$root/target"

# A wrapper that the user has set (for example sccache) would override the one that `cargo fuzz` needs here.
unset RUSTC_WRAPPER

say() { printf '%s\n' "$*"; }

# fail WHAT [NEXT STEP]...: says what is wrong and what to do next.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    if (($#)); then printf '  %s\n' "$@" >&2; fi
    exit 2
}

# quietly WHAT COMMAND...: runs a long command with its output in the log; prints what it does and how long it took.
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

# show_log: prints the end of the log of the last quiet command.
show_log() { tail -n 20 "$setup_log" | sed 's/^/  | /' >&2; }

# as_root COMMAND...: runs it as root, without asking for a password; fails if a password is needed.
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

# Where set-up puts Debian programs that cannot be installed on the system; the tests look there too.
tools=$root/target/tools

# have_tools PROGRAM...: whether the tests find them all.
have_tools() {
    local program
    for program; do
        command -v "$program" >/dev/null || "$tools/bin/$program" --version &>/dev/null || return
    done
}

# unpack_tools PACKAGE PROGRAM...: unpacks a Debian package into a folder of its own, with the packages
# that it needs and the system lacks. Nothing on the system changes; root is not needed.
unpack_tools() {
    local folder=$tools/$1 package=$1 program libraries
    shift
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return
    rm -rf "$folder" && mkdir -p "$folder/archives/partial" "$tools/bin" || return
    # The list leaves out the system's QEMU packages, so that none of them conflicts with the new one.
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/(^|\n)Package: qemu-/' /var/lib/dpkg/status >"$folder/status" &&
        apt-get --option Dir::State::status="$folder/status" --option Debug::NoLocking=true \
            --option Dir::Cache::archives="$folder/archives" \
            --yes --no-install-recommends --download-only install "$package" || return
    find "$folder/archives" -name '*.deb' -exec dpkg --extract {} "$folder" \; &&
        rm -r "$folder/archives" "$folder/status" || return
    libraries=$(find "$folder" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
    for program; do
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$folder/usr/bin/$program" \
            >"$tools/bin/$program" && chmod +x "$tools/bin/$program" || return
    done
    have_tools "$@"
}

# recent RUSTC: whether it is Rust 1.95 or later.
recent() {
    local version
    version=$("$1" --version 2>/dev/null) || return
    [[ $version =~ ^rustc\ ([0-9]+)\.([0-9]+) ]] &&
        ((BASH_REMATCH[1] > 1 || BASH_REMATCH[2] >= 95))
}

# Whether a `core` library for RISC-V is installed, from rustup or from Debian.
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

# run_faultline ARGUMENT...: builds the program, then runs it in place of this script. FAULTLINE_PROFILE=dev
# takes the build of the tests; without it, the program is optimised as for a release.
run_faultline() {
    local optimise=(--release) folder=release
    if [[ ${FAULTLINE_PROFILE-} == dev ]]; then optimise=() folder=debug; fi
    cargo build --quiet --locked "${optimise[@]}" --package faultline || fail 'faultline did not build'
    exec "${CARGO_TARGET_DIR:-$root/target}/$folder/faultline" "$@"
}
