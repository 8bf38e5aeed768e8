//! The command line reaches the program, in a device tree that `a1` points to.

use crate::support::rig::{RAM, RAM_BYTES, boot, config, x};
use emulator::{Config, Machine};

fn booted(command_line: Option<&str>) -> Machine {
    let config = Config {
        command_line: command_line.map(str::to_owned),
        ..config()
    };
    boot(&config, "loop: j loop")
}

#[test]
fn no_command_line_no_device_tree() {
    assert_eq!(x(&booted(None), "a1"), 0);
}

#[test]
fn the_device_tree_is_at_the_end_of_ram() {
    let machine = booted(Some("log-faults"));
    let tree = x(&machine, "a1");
    assert!((RAM + RAM_BYTES / 2..RAM + RAM_BYTES).contains(&tree));
    let mut header = [0; 8];
    machine.read_physical(tree, &mut header).unwrap();
    let [magic, size] = [0, 4].map(|at| {
        let word: [u8; 4] = header[at..at + 4].try_into().unwrap();
        u32::from_be_bytes(word)
    });
    assert_eq!(magic, 0xd00d_feed);
    let mut blob = vec![0; size as usize];
    machine.read_physical(tree, &mut blob).unwrap();
    assert!(blob.windows(11).any(|window| window == b"log-faults\0"));
}
