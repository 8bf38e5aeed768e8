//! What the kernel reports about page faults: a line for each with the boot option `log-faults`, and
//! the list of processes on control-P. And that no device tree, however damaged, stops it.

use emulator::{Config, Machine};
use faultline::console::{Console, PROMPT};
use faultline::guest::location::GuestFiles;

const CONTROL_P: &str = "\x10";
/// Register `a1`, in which the machine hands over the device tree.
const A1: usize = 11;
/// Copies of the tree, each with other damage.
const DAMAGES: u64 = 60;

fn config(command_line: Option<&str>, harts: usize) -> Config {
    Config {
        command_line: command_line.map(str::to_owned),
        harts,
        ..Config::default()
    }
}

fn console(command_line: Option<&str>, harts: usize) -> Console {
    Console::boot(&config(command_line, harts)).unwrap_or_else(|error| panic!("{error}"))
}

fn run(console: &mut Console, line: &str) -> String {
    console.run(line).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_fault_is_printed_if_that_is_asked_for() {
    let mut console = console(Some("quiet log-faults"), 1);
    let shown = run(&mut console, "echo hello");
    let faults: Vec<_> = shown
        .lines()
        .filter(|line| line.starts_with("fault: "))
        .collect();
    for (program, what) in [
        // The first page of every program comes from its file.
        ("echo", ": fetch at 0x0: page from file"),
        // The shell's stack was shared with the child, which has made its own copy or taken it over.
        ("sh", ": copy"),
        ("sh", ": taken over"),
        // The kernel puts the arguments on the new stack.
        ("sh", ": zero page"),
    ] {
        let found = faults
            .iter()
            .any(|line| line.contains(program) && line.ends_with(what));
        assert!(found, "no {program:?} with {what:?} in:\n{shown}");
    }
}

#[test]
fn faults_are_not_printed_otherwise() {
    for command_line in [None, Some(""), Some("log-faults-not"), Some("xlog-faults")] {
        let shown = run(&mut console(command_line, 1), "echo hello");
        assert!(!shown.contains("fault"), "{command_line:?}:\n{shown}");
    }
}

#[test]
fn control_p_lists_processes_and_regions() {
    let mut console = console(None, 1);
    console.type_text(CONTROL_P);
    // The list is whole before the shell sees the end of the line.
    console.type_text("\n");
    let shown = console.wait_for(PROMPT).unwrap_or_else(|e| panic!("{e}"));
    for wanted in [
        "1 sleeping init: faults: load ",
        "2 sleeping sh: faults: load ",
        "; mapped pages ",
        "text  0x0..0x",
        " r-x file, then zeros\n",
        " --- nothing\n",
        "stack 0x",
        " rw- zeros\n",
    ] {
        let found = shown.replace("running", "sleeping").contains(wanted);
        assert!(found, "no {wanted:?} in:\n{shown}");
    }
    // And the shell goes on.
    assert!(run(&mut console, "echo hello").contains("hello"));
}

#[test]
fn control_p_disturbs_nobody() {
    let mut console = console(None, 3);
    console.type_text("forktest\n");
    for _ in 0..20 {
        console.type_text(CONTROL_P);
        let shown = console.wait_for("1 sleeping init");
        assert!(shown.is_ok(), "{shown:?}");
    }
    let shown = console.wait_for(PROMPT).unwrap_or_else(|e| panic!("{e}"));
    assert!(shown.contains("ALL PASSED"), "{shown}");
}

#[test]
fn a_damaged_device_tree_is_no_tree() {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let config = config(Some("log-faults"), 1);
    let boot = |damage: &dyn Fn(&mut [u8])| {
        let disk = files.file_system.clone();
        let mut machine = Machine::new(&config, &files.kernel, disk).unwrap();
        let address = machine.x(0, A1);
        let mut tree = [0; 256];
        machine.read_physical(address, &mut tree).unwrap();
        damage(&mut tree);
        machine.write_physical(address, &tree).unwrap();
        let mut console = Console::new(machine);
        console.wait_for(PROMPT).unwrap_or_else(|e| panic!("{e}"))
    };
    assert!(boot(&|_| ()).contains("fault: "));
    // Not a tree at all.
    assert!(!boot(&|tree| tree[0] ^= 1).contains("fault: "));
    for seed in 1..=DAMAGES {
        boot(&|tree| {
            // Four words become something else: multiplication spreads the seed over all bits.
            for round in 1..=4 {
                let noise = (seed * 4 + round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let place = (noise >> 32) as usize % (tree.len() / 4) * 4;
                let word = [0u32, u32::MAX, 1 << 31, noise as u32][(noise >> 8) as usize % 4];
                tree[place..place + 4].copy_from_slice(&word.to_be_bytes());
            }
        });
    }
}
