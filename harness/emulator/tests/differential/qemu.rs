//! The other machine: `qemu-system-riscv64`, restricted to what the emulator implements.

use super::image::RAM_BYTES;
use crate::support::{elf, rig::RAM};
use peers::QEMU;
use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// RV64IMAC with S and U modes and nothing else that decodes.
///
/// Two harts; one of them sleeps. With a single one QEMU does an atomic operation as a load and a
/// store, and reports its faults as the load's, against the specification.
const CPU: &str = "rv64,f=false,d=false,h=false,zba=false,zbb=false,zbc=false,zbs=false,pmu-num=0";
/// After this, QEMU is taken to hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a bare-metal image at the start of RAM prints on QEMU, which has to be here.
pub(crate) fn run(image: &[u8]) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut command = QEMU.command().unwrap_or_else(|missing| panic!("{missing}"));
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!(
        "faultline-differential-{}-{number}.elf",
        std::process::id()
    ));
    std::fs::write(&path, elf::executable(RAM, &[(RAM, image)]))
        .expect("the temporary folder is writable");
    let memory = format!("{}M", RAM_BYTES >> 20);
    let mut child = command
        .args([
            "-machine",
            "virt",
            "-cpu",
            CPU,
            "-smp",
            "2",
            "-m",
            &memory,
            "-bios",
            "none",
            "-nodefaults",
            "-display",
            "none",
        ])
        .args(["-monitor", "none", "-serial", "stdio", "-kernel"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("QEMU was there a moment ago");
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).map(|_| output)
    });
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            break Some(status);
        }
        if started.elapsed() > PATIENCE {
            child.kill().expect("the child is ours");
            child.wait().expect("the child is ours");
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let output = reader
        .join()
        .expect("reading does not panic")
        .expect("a pipe can be read");
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("it is piped")
        .read_to_string(&mut errors)
        .expect("a pipe can be read");
    std::fs::remove_file(&path).expect("the file is ours");
    let status =
        status.unwrap_or_else(|| panic!("QEMU did not finish; printed {} bytes", output.len()));
    assert!(status.success(), "QEMU failed: {status}: {errors}");
    String::from_utf8_lossy(&output).into_owned()
}
