//! The directory that a rule runs in. It is empty when the rule begins.

use core::ffi::CStr;

use super::{Failure, Verdict};
use crate::abi::file_system::{DirectoryEntry, NAME_SIZE};
use crate::abi::open;
use crate::{ensure, need, system};

/// Its path.
const PATH: &CStr = c"/scratch";

/// Makes the directory again and enters it.
///
/// # Errors
/// It cannot be made or entered.
pub fn enter() -> Verdict {
    if system::chdir(PATH).is_some() {
        // A run that was cut short has left it.
        leave()?;
    }
    ensure!(system::mkdir(PATH).is_some());
    ensure!(system::chdir(PATH).is_some());
    Ok(())
}

/// Clears the directory, leaves and removes it.
///
/// # Errors
/// It cannot be removed.
pub fn leave() -> Verdict {
    clear()?;
    ensure!(system::chdir(c"/").is_some());
    ensure!(system::unlink(PATH).is_some());
    Ok(())
}

/// Removes everything in the current directory, at any depth: what cannot be removed is a
/// directory, which is entered and cleared first.
///
/// # Errors
/// Something cannot be removed.
pub fn clear() -> Verdict {
    let mut depth = 0;
    loop {
        if enter_what_stays()? {
            depth += 1;
        } else if depth > 0 {
            ensure!(system::chdir(c"..").is_some());
            depth -= 1;
        } else {
            return Ok(());
        }
    }
}

/// Removes what can be removed of the current directory; enters the first directory that cannot.
fn enter_what_stays() -> Result<bool, Failure> {
    let directory = need!(system::open(c".", open::READ_ONLY));
    let mut bytes = [0; DirectoryEntry::SIZE];
    let mut entered = false;
    while !entered && system::read(directory, &mut bytes) == Some(DirectoryEntry::SIZE) {
        let entry = DirectoryEntry::decode(&bytes);
        if entry.inode == 0 || matches!(entry.name(), b"." | b"..") {
            continue;
        }
        let mut path = [0; NAME_SIZE + 1];
        path[..NAME_SIZE].copy_from_slice(&entry.name);
        let path = CStr::from_bytes_until_nul(&path).unwrap_or(c"");
        if system::unlink(path).is_none() {
            ensure!(system::chdir(path).is_some());
            entered = true;
        }
    }
    system::close(directory);
    Ok(entered)
}
