//! `faultline boot` as a script and as a person at a terminal meet it.

use mkfs::Image;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const FAULTLINE: &str = env!("CARGO_BIN_EXE_faultline");
const CONTROL_A: &str = "\x01";
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `faultline boot` with `input` piped in.
fn boot(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(FAULTLINE)
        .arg("boot")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn image(folder: &tempfile::TempDir) -> PathBuf {
    let files = faultline::guest::location::GuestFiles::find(None, None);
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("fs.img");
    std::fs::write(&path, files.file_system).unwrap();
    path
}

fn written(image: &Path) -> Option<Vec<u8>> {
    let image = Image::open(std::fs::read(image).unwrap()).unwrap();
    image.read_file("new").ok()
}

#[test]
fn piped_lines_are_typed_one_after_the_other() {
    // Together they are longer than what the kernel keeps of unread input.
    let lines: String = (0..40).map(|line| format!("echo line {line}\n")).collect();
    let output = boot(&["--harts", "3"], &lines);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for line in 0..40 {
        assert!(shown.contains(&format!("\nline {line}\n")), "{shown}");
    }
}

#[test]
fn changes_of_the_disk_are_kept_only_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(&folder);
    let fs = image.display().to_string();
    let kept = folder.path().join("kept.img");
    let line = "echo text > new\n";
    assert_eq!(boot(&["--fs", &fs], line).status.code(), Some(0));
    assert_eq!(written(&image), None);
    let keep = kept.display().to_string();
    let output = boot(&["--fs", &fs, "--keep", &keep], line);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(written(&image), None);
    assert_eq!(written(&kept).as_deref(), Some(&b"text\n"[..]));
    assert_eq!(boot(&["--fs", &fs, "--write"], line).status.code(), Some(0));
    assert_eq!(written(&image).as_deref(), Some(&b"text\n"[..]));
}

#[test]
fn a_text_can_be_waited_for() {
    let line = "echo abc; zombie; echo def\n";
    let output = boot(&["--until", "\ndef\n"], line);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("\nabc\ndef\n"));
    let output = boot(&["--until", "never shown"], line);
    assert_eq!(output.status.code(), Some(1));
    let begun = Instant::now();
    let busy = "lazytests; ".repeat(10) + "\n";
    let output = boot(&["--until", "never shown", "--timeout", "1"], &busy);
    assert_eq!(output.status.code(), Some(1));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn control_a_x_leaves_in_piped_input_too() {
    let output = boot(&[], "echo before\n\x01xecho after\n");
    assert_eq!(output.status.code(), Some(0));
    assert!(!text(&output.stdout).contains("after"));
    assert!(text(&output.stderr).ends_with("faultline: the user left\n"));
}

#[test]
fn a_kernel_that_gives_up_is_left() {
    let output = boot(&["--fs", "/dev/null"], "echo never read\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("cannot mount the disk"));
}

#[test]
fn mistakes_are_met_with_an_error() {
    for arguments in [
        &["--kernel", "/no/such/kernel"][..],
        &["--kernel", "/dev/null"],
        &["--fs", "/no/such/image"],
        &["--harts", "0"],
        &["--memory", "5000"],
        &["--write"],
        &["--keep", "/no/such/folder/image"],
    ] {
        let output = boot(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    }
    let help = text(&boot(&["--help"], "").stdout);
    assert!(help.contains("Examples:\n  faultline boot"), "{help}");
}

/// `faultline boot` at a terminal of its own.
struct Terminal {
    ours: File,
    theirs: File,
    before: Termios,
    child: Child,
    shown: String,
}

impl Terminal {
    fn boot() -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options()
            .read(true)
            .write(true)
            .open(path.to_str().unwrap())
            .unwrap();
        let before = tcgetattr(&theirs).unwrap();
        let child = Command::new(FAULTLINE)
            .arg("boot")
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut terminal = Terminal {
            ours: ours.into(),
            theirs,
            before,
            child,
            shown: String::new(),
        };
        terminal.wait_for("$ ");
        assert!(!terminal.modes().contains(LocalModes::ICANON));
        terminal
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.theirs).unwrap().local_modes
    }

    fn wait_for(&mut self, wanted: &str) {
        self.shown.clear();
        let mut bytes = [0; 1024];
        while !self.shown.contains(wanted) {
            let length = self.ours.read(&mut bytes).unwrap();
            self.shown.push_str(&text(&bytes[..length]));
        }
    }

    fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end; the terminal must be as it was.
    fn ended(mut self) -> Option<i32> {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let after = tcgetattr(&self.theirs).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        status.code()
    }
}

#[test]
fn a_person_types_and_leaves() {
    let mut terminal = Terminal::boot();
    // Return sends a carriage return; a key is rubbed out.
    terminal.press("echo one twox\x7f\r");
    terminal.wait_for("one two\r\n$ ");
    terminal.press(CONTROL_A);
    terminal.press("x");
    assert_eq!(terminal.ended(), Some(0));
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_restored() {
    let terminal = Terminal::boot();
    let process = rustix::process::Pid::from_child(&terminal.child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert_eq!(terminal.ended(), Some(0));
}

#[test]
fn a_resting_machine_answers_at_once() {
    let mut terminal = Terminal::boot();
    let begun = Instant::now();
    terminal.press("echo at once\r");
    terminal.wait_for("at once\r\n$ ");
    assert!(begun.elapsed() < Duration::from_secs(5));
    terminal.press(CONTROL_A);
    terminal.press(CONTROL_A);
    // The guest echoes the one that reached it.
    terminal.wait_for(CONTROL_A);
    terminal.press("\x01X");
    assert_eq!(terminal.ended(), Some(0));
}
