//! Prints a script as a program: what the case says, and those parts of a library that it needs.
//!
//! The library is a text for each language, in *parts*: a line `//: NAMES` begins one, and says what
//! it defines; with `alone` or `several` at its end it is for cases with one process, or for more.
//! A program gets the parts whose names occur in it.

use super::Language;
use super::language::name;
use super::script::{Row, Script};
use abi::SystemCall;
use oracle::{Case, Process};
use std::collections::BTreeSet;

const C_LIBRARY: &str = include_str!("program.c");
const RUST_LIBRARY: &str = include_str!("program.rust");

/// A part of the library.
struct Part {
    names: Vec<&'static str>,
    text: String,
}

/// The status of a process that saw a difference; another if the case ends with that.
const DIFFERS: i32 = 111;

/// The program.
pub(super) fn program(script: &Script, case: &Case, wrong: &str, language: Language) -> String {
    let library = match language {
        Language::C => C_LIBRARY,
        Language::Rust => RUST_LIBRARY,
    };
    let lines = rows(script, language);
    let fill = Fill::new(script, language, lines);
    let parts: Vec<Part> = parts(library, script.several, &fill);
    let needed = needed(&parts);
    let body: Vec<&str> = parts
        .iter()
        .zip(&needed)
        .filter(|(_, needed)| **needed)
        .map(|(part, _)| part.text.trim_end())
        .collect();
    let mut text = head(script, case, wrong, language);
    let body = body.join("\n\n");
    text += &declarations(&body, script, language);
    text += &body;
    text.push('\n');
    text
}

/// How to read a case, for a reader who has never seen one.
const WHAT_A_CASE_IS: [&str; 4] = [
    "It happened in this case, one operation in a line. Letters are processes, a is the first; heap[1]+0x10",
    "is byte 0x10 of the second page above the first program break, and 2p means two pages. The function",
    "the_case near the end of this file does the same; each line says what must happen. The code above",
    "it reports what differs.",
];

/// The comment at the beginning.
fn head(script: &Script, case: &Case, wrong: &str, language: Language) -> String {
    let mut lines: Vec<String> = wrong.lines().map(str::to_owned).collect();
    lines.push(String::new());
    lines.extend(WHAT_A_CASE_IS.map(str::to_owned));
    lines.push(String::new());
    lines.extend(case.to_string().lines().map(|line| format!("    {line}")));
    lines.push(String::new());
    for note in &script.notes {
        lines.push(format!("Note: {note}."));
    }
    if let Some(hidden) = script.hidden {
        lines.push(format!("This program does not show it: {hidden}."));
        lines.push("It does what the case does; look for the consequences.".to_owned());
    }
    let how: &[&str] = match language {
        Language::C => &[
            "A program for xv6: put it into user/ as repro.c, add $U/_repro to UPROGS in the",
            "Makefile, and type repro at the prompt. Its last line is REPRODUCED or not reproduced;",
            "if it is neither, the kernel went wrong in the operation that was announced last.",
        ],
        Language::Rust => &[
            "A program for the kernel of this repository: put it into kernel/user/src/bin/ as repro.rs,",
            "run ./scripts/build-kernel, boot, and type repro at the prompt. Its last line is REPRODUCED",
            "or not reproduced; if it is neither, the kernel went wrong in the operation that was announced",
            "last.",
        ],
    };
    lines.extend(how.iter().map(|line| (*line).to_owned()));
    let sign = match language {
        Language::C => "//",
        Language::Rust => "//!",
    };
    let lines = lines.iter().map(|line| format!("{sign} {line}"));
    let lines: Vec<String> = lines
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect();
    lines.concat() + "\n"
}

/// What a program declares before anything else.
fn declarations(body: &str, script: &Script, language: Language) -> String {
    let words: BTreeSet<&str> = words(body).collect();
    let mut text = String::new();
    if language == Language::Rust {
        text += "#![no_std]\n#![no_main]\n\n";
        for (sign, line) in [
            ("asm!", "use core::arch::asm;\n"),
            ("Cell<", "use core::cell::Cell;\n"),
            ("CStr", "use core::ffi::CStr;\n"),
            ("fmt::", "use core::fmt;\n"),
        ] {
            if body.contains(sign) {
                text += line;
            }
        }
        text += "\nuse user::print::print_to;\nuse user::{Arguments, system};\n\nuser::program!(main);\n\n";
    } else {
        text += "typedef unsigned long uint64;\n\n";
    }
    let used = |call: &&SystemCall| words.contains(upper(call).as_str());
    let calls: Vec<&SystemCall> = SystemCall::ALL.iter().filter(used).collect();
    let names = (0..script.processes)
        .filter_map(Process::from_index)
        .map(name);
    let names: Vec<String> = names.collect();
    match language {
        Language::C => {
            let calls: Vec<String> = calls
                .iter()
                .map(|call| format!("{} = {}", upper(call), call.number()))
                .collect();
            text += &format!("// System calls.\nenum {{ {} }};\n\n", calls.join(", "));
            if script.several {
                text += &format!(
                    "// The processes of the case.\nenum {{ {}, PROCESSES }};\n\n",
                    names.join(", ")
                );
            }
        }
        Language::Rust => {
            for call in &calls {
                text += &format!("const {}: u64 = {};\n", upper(call), call.number());
            }
            if script.several {
                text += "\n/// The processes of the case.\n";
                for (index, name) in names.iter().enumerate() {
                    text += &format!("const {name}: usize = {index};\n");
                }
                text += &format!("const PROCESSES: usize = {};\n", names.len());
            }
            text.push('\n');
        }
    }
    text
}

fn upper(call: &SystemCall) -> String {
    format!("{call:?}").to_uppercase()
}

/// The rows of the script, as statements.
fn rows(script: &Script, language: Language) -> String {
    let indent = match language {
        Language::C => "  ",
        Language::Rust => "    ",
    };
    let row = |row: &Row| match row {
        Row::Comment(words) => format!("// {words}"),
        Row::Conduct(conduct) => language.conduct(conduct),
        Row::Line(line) => {
            let deed = language.deed(line, script.several).join(" ");
            let (number, words) = (line.number, &line.words);
            if !script.several {
                return format!("op({number}, {words:?}); {deed}");
            }
            let turn = format!(
                "turn({number}, {words:?}, {}, {}, {})",
                name(line.process),
                language.set(&line.going_on),
                language.set(&line.dead)
            );
            match language {
                Language::C => format!("if ({turn}) {{ {deed} }}"),
                Language::Rust => format!("if {turn} {{ {deed} }}"),
            }
        }
    };
    let rows = script.rows.iter().map(row);
    rows.map(|row| format!("{indent}{row}\n")).collect()
}

/// The text for the places of the library that depend on the case.
struct Fill(Vec<(&'static str, String)>);

impl Fill {
    fn new(script: &Script, language: Language, lines: String) -> Fill {
        let c = language == Language::C;
        let mentions = |word: &str| words(&lines).any(|other| other == word);
        let choose = |c_text: &str, rust: &str| match language {
            Language::C => c_text.to_owned(),
            Language::Rust => rust.to_owned(),
        };
        let when = |wanted: bool, c_text: &str, rust: &str| {
            if wanted {
                choose(c_text, rust)
            } else {
                String::new()
            }
        };
        let scarce = mentions("frames");
        let descriptors = ["PIPE", "READ", "WRITE", "CLOSE", "DUP", "OPEN", "FSTAT"];
        let descriptors = !script.several && descriptors.into_iter().any(mentions);
        let mut set_up = when(
            mentions("heap") || mentions("ToHeap"),
            "  heap = system_call(SBRK, 0, EAGER, 0);\n  \
               system_call(SBRK, -heap % PAGE, EAGER, 0); // to the end of its page\n  \
               heap += -heap % PAGE;\n",
            "    HEAP.set(system_call(SBRK, 0, EAGER, 0).next_multiple_of(PAGE));\n    \
                 system_call(SBRK, heap() - system_call(SBRK, 0, EAGER, 0), EAGER, 0);\n",
        );
        for file in &script.files {
            let c_text = format!("  make_file(\"{file}\");\n");
            let rust = format!("    make_file(c\"{file}\");\n");
            set_up += &choose(&c_text, &rust);
        }
        set_up += &when(
            descriptors,
            "  take_the_last_descriptor();\n",
            "    take_the_last_descriptor();\n",
        );
        let settle = when(
            script.several,
            "  system_call(PAUSE, LULL, 0, 0); // until init has reaped orphans\n",
            "    system::pause(LULL as u32); // until init has reaped orphans\n",
        );
        let compare = choose(
            "  if (!frames_come_back())\n    finish(1);\n",
            "    if !frames_come_back() {\n        finish(true);\n    }\n",
        );
        let stack = mentions("stack") || mentions("guard");
        let mut main = when(
            stack,
            "  asm(\"mv %0, sp\" : \"=r\"(stack));\n  stack -= stack % PAGE;\n",
            "    let top: u64;\n    // SAFETY: looks at a register.\n    \
             unsafe { asm!(\"mv {}, sp\", out(reg) top) };\n    STACK.set(top - top % PAGE);\n",
        );
        main += &match (mentions("stack"), c) {
            (true, true) => concat!(
                "  asm volatile(\"mv sp, %0; jr %1\" : : ",
                "\"r\"(own_stack + sizeof own_stack), \"r\"(run));\n",
                "  return 0;\n"
            )
            .to_owned(),
            (false, true) => "  run();\n  return 0;\n".to_owned(),
            (true, false) => "    switch_stacks()\n".to_owned(),
            (false, false) => "    run()\n".to_owned(),
        };
        Fill(vec![
            ("SET_UP", set_up),
            ("MAIN", main),
            (
                "BEFORE",
                when(
                    script.counts_frames,
                    "  frames_before = count_frames();\n",
                    "    FRAMES_BEFORE.set(count_frames());\n",
                ),
            ),
            (
                "AFTER",
                if script.counts_frames {
                    settle + &compare
                } else {
                    String::new()
                },
            ),
            (
                "ENTER",
                when(
                    descriptors,
                    "    close_descriptors();\n",
                    "        close_descriptors();\n",
                ),
            ),
            (
                "GIVE_BACK",
                when(
                    scarce,
                    "  give_frames_back();\n",
                    "    give_frames_back();\n",
                ),
            ),
            ("LINES", lines),
            (
                "OTHERWISE",
                match script.hidden {
                    Some(hidden) => format!("NOT SHOWN: {hidden}"),
                    None => "not reproduced".to_owned(),
                },
            ),
            (
                "EXCUSE",
                when(
                    scarce,
                    "  if (scarce)\n    say(\"; there may have been no free frame, so this shows nothing\");\n",
                    "    if SCARCE.get() {\n        \
                         say!(\"there may have been no free frame, so this shows nothing\");\n    }\n",
                ),
            ),
            (
                "SHOWN",
                if scarce {
                    choose("!scarce", "!SCARCE.get()")
                } else {
                    choose("1", "true")
                },
            ),
            (
                "REPORT",
                if scarce {
                    choose(
                        "scarce ? EXCUSED : DIFFERS",
                        "if SCARCE.get() { EXCUSED } else { DIFFERS }",
                    )
                } else {
                    "DIFFERS".to_owned()
                },
            ),
            (
                "WRONG_ANSWER",
                when(
                    scarce,
                    "  if (seen != FAILED)\n    scarce = 0; // a lack of frames explains no other value\n",
                    "        if seen != FAILED {\n            \
                         SCARCE.set(false); // a lack of frames explains no other value\n        }\n",
                ),
            ),
            ("LIVING", language.set(&script.living)),
            ("STATUS", script.status.to_string()),
            ("CODE", oracle::layout::AGENT_CODE.to_string()),
            (
                "DIFFERS",
                (DIFFERS + i32::from(script.status == DIFFERS)).to_string(),
            ),
        ])
    }

    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (place, with) in &self.0 {
            filled = filled.replace(&format!("@{place}@"), with);
        }
        filled
    }
}

/// The parts of a library that are for such a case.
fn parts(library: &'static str, several: bool, fill: &Fill) -> Vec<Part> {
    let other = if several { "alone" } else { "several" };
    let parts = library.split("//: ").filter(|part| !part.is_empty());
    let parts = parts.filter_map(|part| {
        let (head, text) = part.split_once('\n')?;
        let names: Vec<&str> = head.split_whitespace().collect();
        (names.last() != Some(&other)).then(|| Part {
            names,
            text: fill.fill(text),
        })
    });
    parts.collect()
}

/// Which parts a program needs: the last one, `main`, and whatever is named in those.
fn needed(parts: &[Part]) -> Vec<bool> {
    let mut needed = vec![false; parts.len()];
    let Some(main) = parts.len().checked_sub(1) else {
        return needed;
    };
    let mut open = vec![main];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut needed[at], true) {
            continue;
        }
        let words: BTreeSet<&str> = words(&parts[at].text).collect();
        let named = |part: &Part| part.names.iter().any(|name| words.contains(name));
        open.extend((0..parts.len()).filter(|other| !needed[*other] && named(&parts[*other])));
    }
    needed
}

/// The words of a text outside comments and strings.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let code = line.split("//").next().unwrap_or_default();
        let outside = code.split('"').step_by(2);
        outside.flat_map(|piece| {
            piece.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{C_LIBRARY, RUST_LIBRARY, words};

    #[test]
    fn words_are_those_of_the_code() {
        let found: Vec<&str> = words("f(\"g\", x_1); // h")
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(found, ["f", "x_1"]);
    }

    #[test]
    fn both_libraries_know_the_same_operations() {
        let names = |library: &'static str| {
            let heads = library.lines().filter_map(|line| line.strip_prefix("//: "));
            heads.flat_map(str::split_whitespace).collect::<Vec<_>>()
        };
        let (c, rust) = (names(C_LIBRARY), names(RUST_LIBRARY));
        for name in [
            "load1",
            "load2",
            "load4",
            "load8",
            "store1",
            "store2",
            "store4",
            "store8",
            "store_string",
            "touch",
            "touch_write",
            "jump",
            "rest",
            "returns",
            "at_least",
            "dies",
            "lives",
            "sleeps",
            "forks",
            "reaps",
            "announce",
            "frames",
            "takes_at_most",
            "gives_at_least",
            "frames_come_back",
        ] {
            assert!(c.contains(&name), "C has no {name}");
            assert!(rust.contains(&name), "Rust has no {name}");
        }
    }
}
