//! Kernels that do one thing wrong: ways to change what the judge sees.

use crate::support::{FIRST_PID, Honest, Liberties, Tamper, run};
use abi::file_system::Kind;
use oracle::generation::count_inapplicable;
use oracle::{
    Case, CutMoment, Dialect, DiskContent, End, Event, Failure, FileNode, Finding, FrameKind,
    Judge, Observation, PageFlags, PageMapping, Process, Reboot, Setting,
};

pub(crate) const A: Process = Process::FIRST;

pub(crate) fn b() -> Process {
    Process::from_letter('b').unwrap()
}

/// A case, and what is found in it on a kernel that does wrong.
pub(crate) struct Caught {
    pub(crate) case: Case,
    pub(crate) finding: Finding,
}

/// Tampers with the observation of the operation with that index.
pub(crate) struct Last<F>(pub(crate) usize, pub(crate) F);

impl<F: FnMut(&mut Observation)> Tamper for Last<F> {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        if index == self.0 {
            (self.1)(observation);
        }
    }
}

/// Tampers with what is seen at the end.
pub(crate) struct AtEnd<F>(pub(crate) F);

impl<F: FnMut(&mut End)> Tamper for AtEnd<F> {
    fn end(&mut self, end: &mut End) {
        (self.0)(end);
    }
}

pub(crate) fn case(operations: &[&str]) -> Case {
    let text = format!("faultline 1\n{}\n", operations.join("\n"));
    let case = Case::parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(count_inapplicable(&case), 0, "{text}");
    let (clean, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut Honest);
    assert_eq!(clean, Ok(()), "{text}");
    case
}

pub(crate) fn with_last(operations: &[&str], tamper: impl FnMut(&mut Observation)) -> Caught {
    let case = case(operations);
    let mut tamper = Last(operations.len() - 1, tamper);
    let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut tamper);
    let finding = result.expect_err(&case.to_string());
    Caught { case, finding }
}

pub(crate) fn with_end(operations: &[&str], tamper: impl FnMut(&mut End)) -> Caught {
    let case = case(operations);
    let (result, _) = run(
        &Dialect::faultline(),
        &case,
        Liberties(0),
        &mut AtEnd(tamper),
    );
    let finding = result.expect_err(&case.to_string());
    Caught { case, finding }
}

pub(crate) fn returns(process: Process, value: u64) -> impl FnMut(&mut Observation) {
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
pub(crate) fn starts(arguments: u64, array: u64) -> impl FnMut(&mut Observation) {
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

pub(crate) fn falls_silent(killed_message: bool) -> impl FnMut(&mut Observation) {
    move |observation| {
        observation.events = vec![Event::Silent {
            process: A,
            trap: None,
            killed_message,
        }];
    }
}

pub(crate) fn fails(failure: Failure) -> impl FnMut(&mut Observation) {
    move |observation| observation.failure = Some(failure.clone())
}

pub(crate) fn frames(before: u64, after: u64) -> impl FnMut(&mut Observation) {
    move |observation| observation.frames = Some((before, after))
}

/// Where the heap begins.
pub(crate) const HEAP: u64 = 0x6000;

pub(crate) fn page(address: u64) -> PageMapping {
    PageMapping {
        process: A,
        address,
        frame: 0x8100_0000 + address,
        flags: PageFlags::USER | PageFlags::READ | PageFlags::WRITE,
        sharers: Some(1),
        kind: FrameKind::Ordinary,
    }
}

pub(crate) fn maps(pages: &[PageMapping]) -> impl FnMut(&mut Observation) {
    move |observation| observation.mappings = Some(pages.to_vec())
}

/// Makes a file.
pub(crate) const MAKE: [&str; 2] = [
    "a: string stack[0] \"new\"",
    "a: open stack[0] write create",
];

/// What the disk holds after [`MAKE`].
fn disk() -> DiskContent {
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
        wrong_name: None,
        free_blocks: 1000,
    }
}

/// Cuts the power when [`MAKE`] makes its file, or afterwards, and boots. What is seen then is changed by `tamper`.
pub(crate) fn after_cut(moment: CutMoment, tamper: impl Fn(&mut Reboot)) -> Caught {
    let [path, make] = MAKE;
    let operations = [path, "power cut after write 3", make];
    let reboot = || Reboot {
        moment,
        failure: None,
        stopped_in: None,
        disk: disk(),
    };
    let case = case(&operations);
    let mut honest = AtEnd(|end: &mut End| end.reboot = Some(reboot()));
    let (clean, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut honest);
    assert_eq!(clean, Ok(()), "{case}");
    with_end(&operations, |end| {
        let mut reboot = reboot();
        tamper(&mut reboot);
        end.reboot = Some(reboot);
    })
}

/// Removes the first program, cuts the power and boots. The kernel panics, and the disk holds what it must hold.
pub(crate) fn without_first_program() -> Result<(), Finding> {
    let operations = [
        "a: string stack[0] \"init\"",
        "a: unlink stack[0]",
        "power cut after write 0",
    ];
    let setting = Setting::nominal(&Dialect::faultline(), FIRST_PID);
    let mut nodes = setting.files.nodes().to_vec();
    let inode = remove(&mut nodes[0], b"init\0");
    nodes.retain(|node| node.inode != inode);
    let mut panics = AtEnd(|end: &mut End| {
        end.reboot = Some(Reboot {
            moment: CutMoment::After,
            failure: Some(Failure::Panic {
                text: "panic: cannot exec /init".to_owned(),
            }),
            stopped_in: None,
            disk: DiskContent {
                nodes: nodes.clone(),
                ..disk()
            },
        });
    });
    run(
        &Dialect::faultline(),
        &case(&operations),
        Liberties(0),
        &mut panics,
    )
    .0
}

/// Clears the entry whose name begins so. Returns the inode that it named.
fn remove(directory: &mut FileNode, name: &[u8]) -> u32 {
    let mut entries = directory.bytes.chunks_mut(16);
    let entry = entries.find(|entry| entry[2..].starts_with(name)).unwrap();
    let inode = u16::from_le_bytes([entry[0], entry[1]]);
    entry.fill(0);
    inode.into()
}

/// What the disk holds after [`MAKE`], changed by `tamper`.
pub(crate) fn with_disk(operations: &[&str], tamper: impl Fn(&mut DiskContent)) -> Caught {
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
pub(crate) fn with_pages(
    operations: &[&str],
    address: u64,
    change: impl Fn(&mut [u8; 4096]),
) -> Caught {
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
    let finding = tamper.3.expect("the page differs");
    Caught { case, finding }
}
