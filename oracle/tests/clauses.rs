//! For every clause of the envelope, a kernel that breaks it, and is found out.

mod support;

use abi::file_system::Kind;
use oracle::judge::Clause;
use oracle::{
    Case, Dialect, DiskContent, End, Event, Failure, FileNode, Finding, FrameKind, Judge, Miscount,
    Nap, Observation, PageFlags, PageMapping, Process, Setting, bucket,
};
use std::collections::BTreeSet;
use support::{FIRST_PID, Honest, Liberties, Tamper, run};

const A: Process = Process::FIRST;

fn b() -> Process {
    Process::from_letter('b').unwrap()
}

/// Tampers with the observation of the last operation.
struct Last<F>(usize, F);

impl<F: FnMut(&mut Observation)> Tamper for Last<F> {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        if index == self.0 {
            (self.1)(observation);
        }
    }
}

struct AtEnd<F>(F);

impl<F: FnMut(&mut End)> Tamper for AtEnd<F> {
    fn end(&mut self, end: &mut End) {
        (self.0)(end);
    }
}

fn case(operations: &[&str]) -> Case {
    let text = format!("faultline 1\n{}\n", operations.join("\n"));
    let case = Case::parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(case.count_inapplicable(), 0, "{text}");
    let (clean, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut Honest);
    assert_eq!(clean, Ok(()), "{text}");
    case
}

fn with_last(operations: &[&str], tamper: impl FnMut(&mut Observation)) -> Finding {
    let case = case(operations);
    let mut tamper = Last(operations.len() - 1, tamper);
    let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut tamper);
    result.expect_err(&case.to_string())
}

fn with_end(operations: &[&str], tamper: impl FnMut(&mut End)) -> Finding {
    let case = case(operations);
    let (result, _) = run(
        &Dialect::faultline(),
        &case,
        Liberties(0),
        &mut AtEnd(tamper),
    );
    result.expect_err(&case.to_string())
}

fn returns(process: Process, value: u64) -> impl FnMut(&mut Observation) {
    move |observation| {
        let own = |event: &Event| match event {
            Event::Returned { process: other, .. }
            | Event::Started { process: other, .. }
            | Event::Silent { process: other, .. } => *other == process,
            _ => false,
        };
        observation.events.retain(|event| !own(event));
        observation.events.push(Event::Returned { process, value });
    }
}

/// Starts a program, with so many arguments, whose addresses are at `array`.
fn starts(arguments: u64, array: u64) -> impl FnMut(&mut Observation) {
    move |observation| {
        observation.events = vec![Event::Started {
            process: A,
            arguments,
            array,
            stack: array,
            entry: 0,
        }];
    }
}

fn falls_silent(killed_message: bool) -> impl FnMut(&mut Observation) {
    move |observation| {
        observation.events = vec![Event::Silent {
            process: A,
            trap: None,
            killed_message,
        }];
    }
}

fn fails(failure: Failure) -> impl FnMut(&mut Observation) {
    move |observation| observation.failure = Some(failure.clone())
}

fn frames(before: u64, after: u64) -> impl FnMut(&mut Observation) {
    move |observation| observation.frames = Some((before, after))
}

const HEAP: u64 = 0x6000;

fn page(address: u64) -> PageMapping {
    PageMapping {
        process: A,
        address,
        frame: 0x8100_0000 + address,
        flags: PageFlags::USER | PageFlags::READ | PageFlags::WRITE,
        sharers: Some(1),
        kind: FrameKind::Ordinary,
    }
}

fn maps(pages: &[PageMapping]) -> impl FnMut(&mut Observation) {
    move |observation| observation.mappings = Some(pages.to_vec())
}

/// Every clause that a finding was made for, and the finding.
fn findings() -> Vec<(Clause, Finding)> {
    let exec = ["a: string stack[0] \"init\"", "a: exec stack[0] data[1]"];
    let grow = "a: sbrk +2p";
    let store = "a: store8 heap[0] 7";
    let shared = PageMapping {
        sharers: Some(2),
        ..page(HEAP)
    };
    let alias = PageMapping {
        frame: page(HEAP).frame,
        flags: PageFlags::USER | PageFlags::READ,
        ..page(HEAP + 0x1000)
    };
    let of_kind = |kind| PageMapping { kind, ..page(HEAP) };
    let executable = PageMapping {
        flags: page(HEAP).flags | PageFlags::EXECUTE,
        ..page(HEAP)
    };
    let text_writable = page(0);
    let kernel_only = PageMapping {
        flags: PageFlags::READ,
        ..page(HEAP)
    };
    let registers = Failure::Registers {
        process: A,
        register: 9,
        expected: 1,
        seen: 2,
    };
    let text = "panic: kerneltrap at 0x80001234".to_owned();
    vec![
        (
            Clause::ReturnedValue,
            with_last(&[grow], returns(A, 1 << 32 | HEAP)),
        ),
        (
            Clause::ReturnedValue,
            with_last(&["a: sbrk to heap-1"], returns(A, HEAP)),
        ),
        (
            Clause::ReturnedValue,
            with_last(&["a: b = fork"], returns(A, FIRST_PID)),
        ),
        (
            Clause::LoadedValue,
            with_last(&[grow, store, "a: load8 heap[0]"], returns(A, 0)),
        ),
        // Straddles the end of the heap.
        (
            Clause::ForbiddenAccessKills,
            with_last(&[grow, "a: load8 heap[1]+0xffc"], returns(A, 0)),
        ),
        (
            Clause::LoadedValue,
            with_last(&[grow, "a: touch heap[0] 2"], returns(A, 5)),
        ),
        (
            Clause::ComesBack,
            with_last(&["a: getpid"], falls_silent(false)),
        ),
        (
            Clause::Blocks,
            with_last(&["a: b = fork", "a: wait"], returns(A, FIRST_PID + 1)),
        ),
        (
            Clause::Blocks,
            with_last(&["a: b = fork", "a: wait", "b: getpid"], |seen| {
                seen.events.push(Event::Returned {
                    process: A,
                    value: 0,
                });
            }),
        ),
        (
            Clause::ChildRuns,
            with_last(&["a: b = fork"], |seen| {
                seen.events
                    .retain(|event| !matches!(event, Event::Born { .. }));
            }),
        ),
        (
            Clause::ChildRuns,
            with_last(&["a: getpid"], |seen| {
                seen.events.push(Event::Born { child: b() });
            }),
        ),
        (Clause::ProgramStarts, with_last(&exec, returns(A, 0))),
        (Clause::ProgramStarts, with_last(&exec, starts(0, 0x5ff8))),
        (Clause::ProgramStarts, with_last(&exec, starts(1, 0x5ff0))),
        // Begins at the start of its text, not where its file says.
        (
            Clause::ProgramStarts,
            with_last(
                &["a: string stack[0] \"middle\"", exec[1]],
                starts(0, 0x5ff0),
            ),
        ),
        // Its first instruction lies nowhere.
        (
            Clause::ForbiddenAccessKills,
            with_last(&["a: string stack[0] \"astray\"", exec[1]], returns(A, 0)),
        ),
        (
            Clause::ReturnedValue,
            with_last(&["a: exec heap[0] heap[0]"], starts(0, 0x5ff0)),
        ),
        (
            Clause::ProgramStarts,
            with_last(&["a: b = fork", "a: getpid"], |seen| {
                seen.events.push(Event::Started {
                    process: b(),
                    arguments: 0,
                    array: 0,
                    stack: 0,
                    entry: 0,
                });
            }),
        ),
        (Clause::ComesBack, with_last(&exec, falls_silent(false))),
        (
            Clause::ForbiddenAccessKills,
            with_last(&["a: load1 guard[0]"], returns(A, 0)),
        ),
        (
            Clause::ForbiddenAccessKills,
            with_last(&["a: fetch heap[0]"], returns(A, 0)),
        ),
        (
            Clause::ForbiddenAccessKills,
            with_last(
                &["a: b = fork", "b: store1 text[0] 1", "a: yield 1"],
                |seen| seen.events.push(Event::Appeared { process: b() }),
            ),
        ),
        (
            Clause::ForbiddenAccessKills,
            with_end(&["a: b = fork", "b: store1 break[0] 1"], |end| {
                end.reaped[1].1 = 0
            }),
        ),
        (
            Clause::ForbiddenAccessKills,
            with_end(&["a: store1 maxva[0] 1"], |end| {
                end.reaped.clear();
                end.all_reaped = false;
            }),
        ),
        (
            Clause::DeadStayDead,
            with_last(&["a: b = fork", "a: kill b"], |seen| {
                seen.events.push(Event::Appeared { process: b() });
            }),
        ),
        (
            Clause::DeadStayDead,
            with_last(&["a: exit 1"], returns(A, 0)),
        ),
        (
            Clause::InnocentLive,
            with_last(&[grow, store], falls_silent(true)),
        ),
        (
            Clause::InnocentLive,
            with_last(&["a: b = fork", "a: yield 1"], |seen| {
                seen.events
                    .retain(|event| *event != Event::Appeared { process: b() });
            }),
        ),
        (
            Clause::InnocentLive,
            with_end(&["a: b = fork"], |end| end.reaped[1].1 = -1),
        ),
        (
            Clause::KillAnnounced,
            with_last(&["a: load1 guard[0]"], falls_silent(false)),
        ),
        (
            Clause::ExitStatus,
            with_end(&["a: b = fork", "b: exit 3"], |end| {
                end.reaped[1].1 = 4;
            }),
        ),
        (
            Clause::EverybodyReaped,
            with_end(&["a: getpid"], |end| end.all_reaped = false),
        ),
        (
            Clause::EverybodyReaped,
            with_end(&["a: getpid"], |end| end.reaped.push((99, 0))),
        ),
        (
            Clause::RegistersSurvive,
            with_last(&["a: getpid"], fails(registers)),
        ),
        (
            Clause::NoPanic,
            with_last(&["a: getpid"], fails(Failure::Panic { text: text.clone() })),
        ),
        (
            Clause::NoPanic,
            with_end(&["a: getpid"], move |end| {
                end.failure = Some(Failure::Panic { text: text.clone() });
            }),
        ),
        (
            Clause::NotStuck,
            with_last(&["a: getpid"], fails(Failure::Stuck { pc: 0x8000_0000 })),
        ),
        (
            Clause::StaysOn,
            with_last(&["a: getpid"], fails(Failure::PoweredOff)),
        ),
        (
            Clause::EndsInTime,
            with_last(&["a: getpid"], fails(Failure::Hang)),
        ),
        (
            Clause::FramesComeBack,
            with_end(&[grow], |end| end.frames = Some((9, 8))),
        ),
        (
            Clause::FramesNotInvented,
            with_end(&[grow], |end| end.frames = Some((9, 10))),
        ),
        (
            Clause::FramesComeBack,
            // Counted, but on no list.
            with_end(&[grow], |end| {
                end.at_hand = end.frames.map(|(_, free)| free - 1)
            }),
        ),
        (
            Clause::ShrinkGivesBack,
            with_last(&[grow, store, "a: sbrk -2p"], frames(9, 9)),
        ),
        (Clause::GrowthTakesNothing, with_last(&[grow], frames(9, 8))),
        (
            Clause::GrowthTakesNothing,
            with_last(&["a: sbrk 2^63"], frames(9, 8)),
        ),
        // Root, two tables for the top, two for the image: five.
        (
            Clause::ForkShares,
            with_last(&["a: b = fork"], frames(99, 93)),
        ),
        (
            Clause::TouchTakesOne,
            with_last(&[grow, "a: load1 heap[0]"], frames(9, 5)),
        ),
        (
            Clause::TouchTakesOne,
            with_last(&[grow, store, "a: load1 heap[0]"], frames(9, 8)),
        ),
        // The page of the stack that was stored to, and all that a program begins with.
        (Clause::ExecTakesLittle, with_last(&exec, frames(99, 90))),
        (
            Clause::ExecTakesLittle,
            with_last(
                &["a: sbrk +9p", "a: touch-write heap[0] 9", exec[0], exec[1]],
                frames(9, 9),
            ),
        ),
        (
            Clause::MappedNotFree,
            with_last(&[grow, store], maps(&[of_kind(FrameKind::Free)])),
        ),
        (
            Clause::MappedNotFree,
            with_last(
                &[grow, store],
                maps(&[PageMapping {
                    sharers: Some(0),
                    ..page(HEAP)
                }]),
            ),
        ),
        (
            Clause::WritableAlone,
            with_last(&[grow, store], maps(&[shared])),
        ),
        (
            Clause::WritableAlone,
            with_last(&[grow, store], maps(&[page(HEAP), alias])),
        ),
        (
            Clause::KernelHidden,
            with_last(&[grow, store], maps(&[of_kind(FrameKind::Kernel)])),
        ),
        (
            Clause::KernelHidden,
            with_last(&[grow, store], maps(&[of_kind(FrameKind::PageTable)])),
        ),
        (
            Clause::KernelHidden,
            with_last(&[grow, store], maps(&[of_kind(FrameKind::OutsideMemory)])),
        ),
        (
            Clause::PromisesEnd,
            with_end(&[grow], |end| end.promised = Some((5, 7))),
        ),
        (
            Clause::SlotsComeBack,
            with_end(&["a: b = fork"], |end| end.forks = Some((60, 59))),
        ),
        (
            Clause::HoldersCounted,
            with_end(&[grow, store], |end| {
                end.miscount = Some(Miscount {
                    frame: 0x8123_4000,
                    mapped: 1,
                    recorded: 2,
                });
            }),
        ),
        (
            Clause::EverybodyReaped,
            with_end(&["a: b = fork", "b: c = fork", "c: exit 3"], |end| {
                let nap = |letter, woken| Nap {
                    process: Process::from_letter(letter).unwrap(),
                    woken,
                };
                end.naps = vec![nap('b', false), nap('a', true)];
            }),
        ),
        (
            Clause::ReturnedValue,
            with_last(&["a: kill pid 0"], returns(A, 0)),
        ),
        (
            Clause::InnocentLive,
            with_last(
                &[
                    grow,
                    store,
                    "a: b = fork",
                    "b: exit 0",
                    "a: store8 heap[0] 9",
                ],
                |seen| {
                    falls_silent(true)(seen);
                    seen.out_of_frames = true;
                    seen.refused_to_last_holder = true;
                },
            ),
        ),
        (
            Clause::MappedInside,
            with_last(&[grow, store], maps(&[page(HEAP + 0x2000)])),
        ),
        (
            Clause::MappedInside,
            with_last(&[grow, store], maps(&[page(0x4000)])),
        ),
        (
            Clause::MappedInside,
            with_last(&[grow, store], maps(&[kernel_only])),
        ),
        (
            Clause::PermissionBits,
            with_last(&[grow, store], maps(&[executable])),
        ),
        (
            Clause::PermissionBits,
            with_last(&[grow, store], maps(&[text_writable])),
        ),
        (
            Clause::FreshPageZero,
            with_pages(&[grow, "a: load1 heap[1]"], HEAP + 0x1000, |page| {
                page[17] = 5;
            }),
        ),
        (
            Clause::PageContent,
            with_pages(&[grow, store], HEAP, |page| page[0] = 8),
        ),
        (
            Clause::PageContent,
            with_pages(&exec, 0x5000, |page| page[0] = b'i'),
        ),
        (
            Clause::PageContent,
            with_pages(&[grow, store], 0x2000, |page| page[1] = 0),
        ),
        (
            Clause::DiskContent,
            with_disk(&MAKE, |disk| disk.nodes[0].bytes[3] = 1),
        ),
        (
            Clause::DiskContent,
            with_disk(&MAKE, |disk| disk.nodes[1].links = 2),
        ),
        (
            Clause::DiskContent,
            with_disk(&MAKE, |disk| disk.nodes.truncate(2)),
        ),
        (
            Clause::BlocksComeBack,
            with_disk(&MAKE, |disk| {
                let mut left = disk.nodes[1].clone();
                left.inode = 99;
                disk.nodes.push(left);
            }),
        ),
        (
            Clause::BlocksComeBack,
            with_disk(&MAKE, |disk| disk.damage = Some("block 7 is lost".into())),
        ),
    ]
}

const MAKE: [&str; 2] = [
    "a: string stack[0] \"new\"",
    "a: open stack[0] write create",
];

/// What the disk holds after [`MAKE`], changed by `tamper`.
fn with_disk(operations: &[&str], tamper: impl Fn(&mut DiskContent)) -> Finding {
    let disk = || {
        let dialect = Dialect::faultline();
        let setting = Setting::nominal(&dialect, FIRST_PID);
        let mut nodes = setting.files.nodes().to_vec();
        let inode = nodes.len() as u32 + 1;
        nodes[0].bytes.extend((inode as u16).to_le_bytes());
        nodes[0].bytes.extend(b"new\0\0\0\0\0\0\0\0\0\0\0");
        nodes.push(FileNode {
            inode,
            kind: Kind::File,
            major: 0,
            links: 1,
            bytes: Vec::new(),
        });
        DiskContent {
            nodes,
            damage: None,
        }
    };
    let case = case(operations);
    let mut honest = AtEnd(|end: &mut End| end.disk = Some(disk()));
    let (clean, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut honest);
    assert_eq!(clean, Ok(()), "{case}");
    with_end(operations, |end| {
        let mut disk = disk();
        tamper(&mut disk);
        end.disk = Some(disk);
    })
}

/// Compares one page after the last operation with what `change` makes of the right content.
fn with_pages(operations: &[&str], address: u64, change: impl Fn(&mut [u8; 4096])) -> Finding {
    struct Pages<F>(usize, u64, F, Option<Finding>);
    impl<F: Fn(&mut [u8; 4096])> Tamper for Pages<F> {
        fn step(&mut self, index: usize, judge: &Judge, _: &mut Observation) {
            if index != self.0 {
                return;
            }
            let mut page = [0; 4096];
            judge.memory_of(A).read(self.1, &mut page);
            judge
                .compare_page(A, self.1, &page)
                .expect("this is the right content");
            (self.2)(&mut page);
            self.3 = judge.compare_page(A, self.1, &page).err();
        }
    }
    // One more operation, so that the judge has seen the last one when pages are compared.
    let mut longer = operations.to_vec();
    longer.push("a: getpid");
    let case = case(&longer);
    let mut tamper = Pages(longer.len() - 1, address, change, None);
    let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut tamper);
    assert_eq!(result, Ok(()));
    tamper.3.expect("the page differs")
}

#[test]
fn every_clause_has_a_kernel_that_breaks_it() {
    let findings = findings();
    for (clause, finding) in &findings {
        assert_eq!(finding.clause, *clause, "{finding}");
        assert_eq!(finding.verdict, clause.verdict());
        assert!(
            !finding.expected.is_empty() && !finding.seen.is_empty(),
            "{finding}"
        );
        let json = serde_json::to_value(finding).unwrap();
        assert_eq!(json["clause"], clause.name());
        assert_eq!(json["verdict"], clause.verdict().to_string());
    }
    let broken: BTreeSet<Clause> = findings.iter().map(|(clause, _)| *clause).collect();
    assert_eq!(broken, Clause::ALL.into_iter().collect());
}

#[test]
fn findings_speak_plainly() {
    let finding = with_last(&["a: sbrk +2p", "a: load1 guard[0]+0x10"], returns(A, 0));
    assert_eq!(
        finding.to_string(),
        "unkilled at operation 1: a: load1 guard[0]+0x10\n  \
         expected: a is killed: it must not do that on the guard page\n  \
         seen:     a loads 0\n  \
         rule:     forbidden-access-kills"
    );
    let bucket = bucket(&finding).to_string();
    assert_eq!(bucket, "unkilled/forbidden-access-kills/load/guard");
}

#[test]
fn later_proof_is_about_the_operation_that_had_to_kill() {
    let finding = with_last(
        &[
            "a: b = fork",
            "b: store1 break[0] 1",
            "a: getpid",
            "a: yield 1",
        ],
        |seen| seen.events.push(Event::Appeared { process: b() }),
    );
    assert_eq!(finding.step, Some(1));
    assert_eq!(finding.operation.as_deref(), Some("b: store1 break[0] 1"));
    assert_eq!(finding.process, Some('b'));
}

#[test]
fn buckets_do_not_know_numbers() {
    let one = with_last(&["a: sbrk +2p", "a: load8 heap[1]"], returns(A, 5));
    let other = with_last(
        &["a: getpid", "a: sbrk +9p", "a: load2 heap[7]+0x10"],
        returns(A, 6),
    );
    assert_eq!(bucket(&one), bucket(&other));
    let third = with_last(&["a: load8 stack[0]"], returns(A, 5));
    assert_ne!(bucket(&one), bucket(&third));
}

/// A supervisor that sleeps on when nobody is left to it is not accused.
#[test]
fn only_zombies_wake_the_supervisor() {
    let case = case(&["a: b = fork", "b: c = fork", "c: d = fork", "d: exit 1"]);
    let nap = |letter, woken| Nap {
        process: Process::from_letter(letter).unwrap(),
        woken,
    };
    let judged = |naps: &[Nap]| {
        let mut tamper = AtEnd(|end: &mut End| end.naps = naps.to_vec());
        run(&Dialect::faultline(), &case, Liberties(0), &mut tamper).0
    };
    let right = [nap('c', true), nap('b', true), nap('a', true)];
    assert_eq!(judged(&right), Ok(()));
    assert_eq!(
        judged(&[nap('b', false), nap('c', true), nap('a', true)]),
        Ok(())
    );
    for late in 0..3 {
        let mut naps = right;
        naps[late].woken = false;
        let finding = judged(&naps).unwrap_err();
        assert_eq!(finding.clause, Clause::EverybodyReaped, "{finding}");
    }
}

#[test]
fn want_of_frames_is_an_excuse_only_with_evidence() {
    let grown = ["a: sbrk +2p", "a: store8 heap[0] 7"];
    let refused = |out_of_frames: bool| {
        let case = case(&grown);
        let mut tamper = Last(1, |seen: &mut Observation| {
            falls_silent(true)(seen);
            seen.out_of_frames = out_of_frames;
        });
        run(&Dialect::faultline(), &case, Liberties(0), &mut tamper).0
    };
    assert_eq!(refused(false).unwrap_err().clause, Clause::InnocentLive);
    // The end then shows that the driver's process lives: only the step is excused.
    assert_eq!(refused(true).unwrap_err().step, Some(1));
    let needless = with_last(
        &["a: sbrk +2p", "a: store8 heap[0] 7", "a: load8 heap[0]"],
        |seen| {
            falls_silent(true)(seen);
            seen.out_of_frames = true;
        },
    );
    assert_eq!(needless.clause, Clause::InnocentLive);
}
