//! Runs commands. Every program is a child of the shell, or of a child that runs what is in parentheses.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

use user::text::Text;
use user::{File, eprintln, system};

use crate::command::{Action, Command, Job};
use crate::redirection::{use_as_input, use_as_output};

/// Does one job after the other, and returns the exit status of the last.
pub fn list(list: &[Job]) -> i32 {
    let mut status = 0;
    for job in list {
        status = match (&job.pipeline[..], job.is_background) {
            (commands, true) => in_background(commands),
            ([command], false) if command.redirections.is_empty() => {
                own(&command.action).unwrap_or_else(|| pipeline(&job.pipeline))
            }
            (commands, false) => pipeline(commands),
        };
    }
    status
}

/// Does what only the shell itself can do, and not a child. Returns the exit status, or `None` if
/// `action` is something else.
fn own(action: &Action) -> Option<i32> {
    let Action::Program(words) = action else {
        return None;
    };
    let argument = words.get(1).map(CString::as_c_str);
    match words.first()?.to_bytes() {
        b"cd" => {
            let directory = argument.unwrap_or(c"/");
            let moved = system::chdir(directory);
            if moved.is_none() {
                eprintln!("cannot cd {}", Text(directory.to_bytes()));
            }
            Some(i32::from(moved.is_none()))
        }
        b"exit" => {
            let status = argument.and_then(|number| number.to_str().ok()?.parse().ok());
            system::exit(status.unwrap_or(0))
        }
        _ => None,
    }
}

/// Starts every command, joined by pipes, waits for all, and returns the exit status of the last.
/// If one cannot be started, the pipe of the command before it has no reader.
fn pipeline(commands: &[Command]) -> i32 {
    let mut children = Vec::new();
    // What the previous command writes to.
    let mut input = None;
    let last = commands.len() - 1;
    for (index, command) in commands.iter().enumerate() {
        let (mut next_input, mut output) = (None, None);
        if index < last {
            let Some((read_end, write_end)) = system::pipe() else {
                eprintln!("sh: there is no pipe left");
                break;
            };
            (next_input, output) = (Some(read_end), Some(write_end));
        }
        let next_input = next_input.map(File::from_descriptor);
        let output = output.map(File::from_descriptor);
        match fork() {
            Some(0) => {
                drop(next_input);
                let input = input.map_or(Some(()), use_as_input);
                let output = output.map_or(Some(()), use_as_output);
                system::exit(input.and(output).map_or(1, |()| perform(command)))
            }
            Some(child) => children.push(child),
            None => break,
        }
        input = next_input;
    }
    drop(input);
    wait_for(children)
}

/// Starts a pipeline as a child of `init`: the shell never has children that it does not wait for.
fn in_background(commands: &[Command]) -> i32 {
    match fork() {
        Some(0) => match fork() {
            Some(0) => system::exit(match commands {
                [command] => perform(command),
                commands => pipeline(commands),
            }),
            child => system::exit(i32::from(child.is_none())),
        },
        Some(child) => wait_for(Vec::from([child])),
        None => 1,
    }
}

/// Makes a child, or says that there can be none.
fn fork() -> Option<i32> {
    let child = system::fork();
    if child.is_none() {
        eprintln!("sh: there is no room for a process");
    }
    child
}

/// Waits until all of `children` have ended: the exit status of the last; 1 if there is none.
fn wait_for(mut children: Vec<i32>) -> i32 {
    let mut result = 1;
    let last = children.last().copied();
    while !children.is_empty()
        && let Some((ended, status)) = system::wait()
    {
        if Some(ended) == last {
            result = status;
        }
        children.retain(|&child| child != ended);
    }
    result
}

/// Does in this process what `command` says: the exit status.
fn perform(command: &Command) -> i32 {
    for redirection in &command.redirections {
        if redirection.apply().is_none() {
            eprintln!("open {} failed", Text(redirection.file.to_bytes()));
            return 1;
        }
    }
    match &command.action {
        Action::Group(jobs) => list(jobs),
        Action::Program(words) => own(&command.action).unwrap_or_else(|| become_program(words)),
    }
}

/// Becomes the program that the first word names, in the current directory or else in the root.
/// If that fails, returns the exit status. Not inlined, because its list of arguments is large.
#[inline(never)]
fn become_program(words: &[CString]) -> i32 {
    let Some(name) = words.first() else {
        return 0;
    };
    let arguments: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    system::exec(name, &arguments);
    if !name.to_bytes().contains(&b'/')
        && let Ok(path) = CString::new([b"/", name.to_bytes()].concat())
    {
        system::exec(&path, &arguments);
    }
    eprintln!("exec {} failed", Text(name.to_bytes()));
    1
}
