//! For every clause, cases and what a kernel does in them that breaks it.

use crate::support::FIRST_PID;
use crate::tamper::{
    A, Caught, HEAP, MAKE, after_cut, b, fails, falls_silent, frames, maps, page, returns, starts,
    with_disk, with_end, with_last, with_pages,
};
use oracle::judge::Clause;
use oracle::{
    CutMoment, Event, Failure, FrameKind, Miscount, Nap, PageFlags, PageMapping, Passage, Process,
    RefusedStore,
};

/// Every clause, with cases in which a kernel breaks it. The first of a clause is its example in
/// `docs/clauses.md`.
pub(crate) fn broken() -> Vec<(Clause, Caught)> {
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
        register: "s1",
        expected: 1,
        seen: 2,
        passage: Passage::Fault,
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
            Clause::PauseLasts,
            with_last(&["a: pause 3"], |seen| {
                seen.events.push(Event::Paused {
                    process: A,
                    ticks: 2,
                });
            }),
        ),
        (
            Clause::ClockKeepsTime,
            with_last(&["a: uptime", "a: pause 1", "a: uptime"], |seen| {
                seen.events.push(Event::Clocked {
                    process: A,
                    counted: 9,
                    passed: 5,
                });
            }),
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
            Clause::ProgramStarts,
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
            Clause::ExitStatus,
            with_end(&["a: b = fork", "b: store1 break[0] 1"], |end| {
                end.reaped[1].1 = 0
            }),
        ),
        (
            Clause::ExitStatus,
            with_end(&["a: b = fork", "a: kill b"], |end| end.reaped[1].1 = 0),
        ),
        (
            Clause::EverybodyReaped,
            with_end(&["a: getpid"], |end| end.all_reaped = false),
        ),
        (
            Clause::EverybodyReaped,
            with_end(&["a: getpid"], |end| end.reaped.push((99, 0))),
        ),
        // It has exited, but nobody is its parent any more.
        (
            Clause::EverybodyReaped,
            with_end(&["a: b = fork", "b: exit 0"], |end| {
                end.reaped.remove(1);
            }),
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
                    seen.refused_store = Some(RefusedStore {
                        process: A,
                        holders_before: 1,
                        holders: 1,
                    });
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
        // A system call that may store to the page may have left this there.
        (
            Clause::PageContent,
            with_pages(&[grow, "a: read 9 heap[0] 1"], HEAP, |page| page[0] = 8),
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
        (
            Clause::BootsAgain,
            after_cut(CutMoment::Within, |reboot| {
                let text = "panic: no init".to_owned();
                reboot.failure = Some(Failure::Panic { text });
            }),
        ),
        // The name is there, and the file is not.
        (
            Clause::SurvivesPowerCut,
            after_cut(CutMoment::Within, |reboot| {
                reboot.disk.nodes.pop();
            }),
        ),
        (
            Clause::SurvivesPowerCut,
            after_cut(CutMoment::After, |reboot| {
                reboot.disk.nodes.pop();
            }),
        ),
        (
            Clause::SurvivesPowerCut,
            after_cut(CutMoment::WithinRace, |reboot| {
                reboot.disk.damage = Some("block 7 is lost".into());
            }),
        ),
    ]
}
