//! Lists files: name, kind (1 directory, 2 file, 3 device), inode and size in bytes.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::ffi::CString;
use core::ffi::CStr;

use user::abi::file_system::{DirectoryEntry, Kind, NAME_SIZE};
use user::abi::stat::Stat;
use user::text::{Text, last_name};
use user::{Arguments, File, eprintln, println};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    let mut status = 0;
    let mut list = |path: &CStr| {
        if let Err(Failed(what)) = list(path) {
            eprintln!("ls: cannot {what} {}", Text(path.to_bytes()));
            status = 1;
        }
    };
    match arguments.count() {
        0 | 1 => list(c"."),
        _ => arguments.rest().for_each(list),
    }
    status
}

/// What could not be done.
struct Failed(&'static str);

fn list(path: &CStr) -> Result<(), Failed> {
    let file = File::read_only(path).ok_or(Failed("open"))?;
    let stat = file.stat().ok_or(Failed("stat"))?;
    if stat.kind != Kind::Directory {
        show(last_name(path.to_bytes()), &stat);
        return Ok(());
    }
    let mut bytes = [0; DirectoryEntry::SIZE];
    while file.fill(&mut bytes).ok_or(Failed("read"))? == bytes.len() {
        let entry = DirectoryEntry::decode(&bytes);
        if entry.inode == 0 {
            continue;
        }
        match stat_in(path, entry.name()) {
            Some(stat) => show(entry.name(), &stat),
            None => eprintln!(
                "ls: cannot stat {}/{}",
                Text(path.to_bytes()),
                Text(entry.name())
            ),
        }
    }
    Ok(())
}

fn stat_in(directory: &CStr, name: &[u8]) -> Option<Stat> {
    let path = [directory.to_bytes(), name].join(&b'/');
    File::read_only(&CString::new(path).ok()?)?.stat()
}

fn show(name: &[u8], stat: &Stat) {
    let Stat {
        kind, inode, size, ..
    } = *stat;
    println!("{:NAME_SIZE$} {} {inode} {size}", Text(name), kind as u16);
}
