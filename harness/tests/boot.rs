//! The same kernel and image boot in our machine and on QEMU's `virt` board, to a shell in which
//! the kernel's own memory test passes; with one hart and with three.

use emulator::{Config, Exit, Machine};
use faultline::guest::location::GuestFiles;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PROMPT: &str = "$ ";
const PASSED: &str = "memtest: ALL PASSED";
const QEMU: &str = "qemu-system-riscv64";

/// Instructions within which our machine has to get from one console line to the next.
const BUDGET: u64 = 2_000_000_000;

fn files() -> GuestFiles {
    GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"))
}

fn session_in_our_machine(harts: usize) {
    let files = files();
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut machine = Machine::new(&config, &files.kernel, files.file_system).unwrap();
    let mut console = String::new();
    run_until(&mut machine, &mut console, PROMPT);
    console.clear();
    machine.console_input(b"memtest\n");
    run_until(&mut machine, &mut console, PASSED);
    assert!(!console.contains("FAIL"), "{console}");
}

fn run_until(machine: &mut Machine, console: &mut String, wanted: &str) {
    let mut left = BUDGET;
    while !console.contains(wanted) {
        let before = machine.retired();
        let exit = machine.run(1_000_000);
        console.push_str(&String::from_utf8_lossy(&machine.console_output()));
        left = left.saturating_sub(1 + machine.retired() - before);
        let goes_on = exit == Exit::Budget && left > 0 && !console.contains("panic");
        assert!(
            goes_on || console.contains(wanted),
            "no {wanted:?} ({exit:?}); the console shows:\n{console}"
        );
    }
}

struct Qemu {
    child: Child,
    output: Receiver<Vec<u8>>,
}

impl Qemu {
    fn start(harts: usize) -> Self {
        let files = files();
        let drive = format!(
            "file={},if=none,format=raw,id=x0,snapshot=on",
            files.file_system_path.display()
        );
        let mut child = Command::new(QEMU)
            .args([
                "-machine",
                "virt",
                "-bios",
                "none",
                "-m",
                "128M",
                "-nographic",
            ])
            .args(["-smp", &harts.to_string(), "-kernel"])
            .arg(&files.kernel_path)
            .args([
                "-global",
                "virtio-mmio.force-legacy=false",
                "-drive",
                &drive,
            ])
            .args([
                "-device",
                "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, output }
    }

    fn read_until(&self, wanted: &str) -> String {
        let mut console = String::new();
        while !console.contains(wanted) {
            let bytes = self
                .output
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("no {wanted:?}; the console shows:\n{console}"));
            console.push_str(&String::from_utf8_lossy(&bytes));
            assert!(!console.contains("panic"), "{console}");
        }
        console
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // The test is over either way; a QEMU that is gone already is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn session_on_qemu(harts: usize) {
    if Command::new(QEMU).arg("--version").output().is_err() {
        eprintln!("SKIPPED: {QEMU} is not installed (Debian: apt-get install qemu-system-misc)");
        return;
    }
    let mut qemu = Qemu::start(harts);
    qemu.read_until(PROMPT);
    let mut stdin = qemu.child.stdin.take().unwrap();
    stdin.write_all(b"memtest\n").unwrap();
    stdin.flush().unwrap();
    let console = qemu.read_until(PASSED);
    assert!(!console.contains("FAIL"), "{console}");
}

#[test]
fn our_machine_with_one_hart() {
    session_in_our_machine(1);
}

#[test]
fn our_machine_with_three_harts() {
    session_in_our_machine(3);
}

#[test]
fn qemu_with_one_hart() {
    session_on_qemu(1);
}

#[test]
fn qemu_with_three_harts() {
    session_on_qemu(3);
}
