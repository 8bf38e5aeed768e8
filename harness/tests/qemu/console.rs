//! A session at the console of a kernel on QEMU, which our machine is compared with.

use faultline::console::PROMPT;
use faultline::guest::location::GuestFiles;
use peers::QEMU;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long the console may be silent while something is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// QEMU, which has to be here: tests that need it ask first.
pub(crate) fn program() -> Command {
    QEMU.command().unwrap_or_else(|missing| panic!("{missing}"))
}

/// A running QEMU.
pub(crate) struct Qemu {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What was shown and not yet waited for.
    shown: String,
}

impl Qemu {
    /// Boots the kernel and the image that [`GuestFiles::find`] finds, to the shell's prompt. What
    /// is written to the disk is lost.
    pub(crate) fn boot(harts: usize) -> Qemu {
        let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
        Qemu::boot_files(&files.kernel_path, &files.file_system_path, harts)
    }

    /// Boots a kernel and an image to the shell's prompt. What is written to the disk is lost.
    pub(crate) fn boot_files(kernel: &Path, image: &Path, harts: usize) -> Qemu {
        let image = image.display();
        let drive = format!("file={image},if=none,format=raw,id=x0,snapshot=on");
        let board = "-machine virt -bios none -m 128M -nographic \
             -global virtio-mmio.force-legacy=false \
             -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0";
        let mut command = program();
        command
            .args(board.split_whitespace())
            .args(["-drive", &drive, "-smp", &harts.to_string(), "-kernel"])
            .arg(kernel);
        Qemu::start(command)
    }

    /// Starts a QEMU and waits for the shell's prompt.
    pub(crate) fn start(mut command: Command) -> Qemu {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
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
        let mut qemu = Qemu {
            child,
            input,
            output,
            shown: String::new(),
        };
        qemu.wait_for(PROMPT);
        qemu
    }

    /// Types a line and waits for the next prompt: what was printed in between, the line included.
    pub(crate) fn run(&mut self, line: &str) -> String {
        self.run_to(line, &format!("\n{PROMPT}"))
    }

    /// Types a line and waits until `wanted` is shown: what was printed up to it, the line included.
    pub(crate) fn run_to(&mut self, line: &str, wanted: &str) -> String {
        self.input
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
        self.input.flush().unwrap();
        self.wait_for(wanted)
    }

    /// Waits until `wanted` is shown: everything shown so far and not handed out yet.
    fn wait_for(&mut self, wanted: &str) -> String {
        while !self.shown.contains(wanted) {
            let shown = &self.shown;
            assert!(!shown.contains("panic"), "{shown}");
            let bytes = self
                .output
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no {wanted:?}; the console shows:\n{shown}"));
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        std::mem::take(&mut self.shown)
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It is over either way: it does not matter if QEMU has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
