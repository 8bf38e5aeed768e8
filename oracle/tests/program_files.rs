//! Program files: what becomes of each specimen, and that any bytes have a result.

use oracle::dialect::SegmentPermissions;
use oracle::program_file::{Beginning, Refused, parse};
use oracle::specimens::Specimen;
use oracle::{Case, Dialect, Judge, Permissions, Program, Setting, Text};
use proptest::prelude::{any, prop, prop_assert, proptest};

/// How a program file ends up, in a word.
fn fate(bytes: &[u8], dialect: &Dialect) -> Result<Beginning, Refused> {
    let agent = &Setting::nominal(dialect, 3).booted;
    parse(bytes, dialect).map(|program| program.beginning(agent))
}

fn specimen(name: &str) -> Vec<u8> {
    let setting = Setting::nominal(&Dialect::faultline(), 3);
    let node = setting.files.find(name.as_bytes());
    node.unwrap_or_else(|| panic!("no file is called {name}"))
        .bytes
        .clone()
}

fn program(name: &str) -> Program {
    parse(&specimen(name), &Dialect::faultline()).unwrap()
}

#[test]
fn what_becomes_of_each_specimen() {
    use Beginning::{Agent, Death};
    use Refused::*;
    let fates = [
        ("gap", Ok(Agent), Ok(Agent)),
        ("islands", Ok(Agent), Ok(Agent)),
        ("bss", Ok(Agent), Ok(Agent)),
        ("vast", Ok(Agent), Err(TooSlow)),
        ("brim", Ok(Agent), Err(TooSlow)),
        ("eleven", Ok(Agent), Ok(Agent)),
        ("endless", Ok(Agent), Ok(Agent)),
        ("six", Ok(Agent), Ok(Agent)),
        ("two", Ok(Agent), Ok(Agent)),
        ("one", Ok(Agent), Ok(Agent)),
        ("sealed", Ok(Agent), Ok(Agent)),
        ("open", Ok(Agent), Ok(Agent)),
        ("flags", Ok(Agent), Ok(Agent)),
        ("middle", Ok(Agent), Ok(Agent)),
        ("odd", Ok(Agent), Ok(Agent)),
        ("notes", Ok(Agent), Ok(Agent)),
        ("last", Ok(Agent), Ok(Agent)),
        ("bare-bss", Ok(Agent), Ok(Agent)),
        ("empty", Ok(Agent), Ok(Agent)),
        ("eight", Ok(Agent), Ok(Agent)),
        ("none", Ok(Death), Ok(Death)),
        ("astray", Ok(Death), Ok(Death)),
        ("into-data", Ok(Death), Ok(Death)),
        ("into-zeros", Ok(Death), Ok(Death)),
        ("nine", Err(TooManySegments), Ok(Agent)),
        // The C kernel gives the text the permissions of the data, which comes first.
        ("reversed", Err(Overlaps), Ok(Death)),
        ("overlap", Err(Overlaps), Ok(Agent)),
        ("short", Err(BytesMissing), Err(BytesMissing)),
        ("header", Err(NoProgram), Err(NoProgram)),
        ("cut", Err(HeadersMissing), Err(HeadersMissing)),
        ("beyond", Err(HeadersMissing), Err(HeadersMissing)),
        ("swollen", Err(MoreThanMemory), Err(MoreThanMemory)),
        ("wrap", Err(Wraps), Err(Wraps)),
        ("unaligned", Err(Unaligned), Err(Unaligned)),
        ("full", Err(TooHigh), Err(TooSlow)),
        ("over", Err(TooHigh), Err(TooSlow)),
        ("wide", Err(BytesMissing), Ok(Agent)),
        ("wide-headers", Err(HeadersMissing), Ok(Agent)),
        ("wide-bytes", Err(BytesMissing), Err(TooSlow)),
    ];
    let (ours, theirs) = (Dialect::faultline(), Dialect::xv6_2025());
    let names: Vec<&str> = Specimen::ALL.iter().map(|specimen| specimen.name).collect();
    assert_eq!(fates.map(|fate| fate.0).to_vec(), names);
    for (name, here, there) in fates {
        assert!(Text::spelled(name).is_some(), "{name}");
        assert!(name.len() <= abi::file_system::NAME_SIZE, "{name}");
        let file = specimen(name);
        assert!(file.len() < 8192, "{name} has {} bytes", file.len());
        assert_eq!(
            (fate(&file, &ours), fate(&file, &theirs)),
            (here, there),
            "{name}"
        );
    }
}

#[test]
fn stacks_have_the_size_that_was_asked_for() {
    let pages = |name| {
        let stack = program(name).layout.stack;
        (stack.end - stack.start) / 4096
    };
    let sizes = ["init", "one", "two", "six", "grow", "eleven", "endless"].map(pages);
    assert_eq!(sizes, [1, 1, 2, 6, 10, 10, 10]);
}

#[test]
fn memory_lies_where_the_headers_say() {
    let byte = |name, address| program(name).memory.byte(address);
    let there = |name, address| program(name).memory.segment(address).is_some();
    assert!(there("gap", 0x1fff) && !there("gap", 0x2000));
    assert!(!there("gap", 0x4fff) && there("gap", 0x5000));
    assert_eq!(byte("gap", 0x5000 + 7), byte("bss", 0x2000 + 7));
    assert_eq!(byte("bss", 0x2000 + 0x400), 0);
    let brim = program("brim").layout;
    assert_eq!(
        (brim.stack.end, brim.heap),
        (brim.trapframe, brim.trapframe)
    );
    // The C kernel gives segments one contiguous memory, so data overwrites the second page of the text.
    let overlap = parse(&specimen("overlap"), &Dialect::xv6_2025()).unwrap();
    assert_eq!(overlap.memory.byte(0x1000 + 7), byte("bss", 0x2000 + 7));
    assert_eq!(overlap.memory.byte(0x800), 0x82);
}

/// The xv6 of 2019 to 2021, with the stack of a lab of 2024.
fn lenient() -> Dialect {
    let mut dialect = Dialect::xv6_2025();
    dialect.exec.permissions = SegmentPermissions::All;
    dialect.exec.stack_pages = 2;
    dialect
}

#[test]
fn a_kernel_may_permit_everything_and_have_a_larger_stack() {
    let dialect = lenient();
    let agent = parse(&specimen("init"), &dialect).unwrap();
    let segments = agent.memory.segments.iter();
    assert!(segments.clone().count() == 3, "{segments:?}");
    for segment in segments {
        assert_eq!(segment.permissions, Permissions::all(), "{segment:?}");
    }
    let stack = agent.layout.stack;
    assert_eq!((stack.end - stack.start) / 4096, 2);
    assert_eq!(fate(&specimen("init"), &dialect), Ok(Beginning::Agent));
    let data = fate(&specimen("into-data"), &dialect);
    assert_eq!(data, Ok(Beginning::Unknown));
}

/// If a program can store to its text, no operation may change the agent's own code.
#[test]
fn the_agent_is_not_made_to_overwrite_itself() {
    let operations = [
        "a: store8 text[0]+0x10 1",
        "a: touch-write text[0] 2",
        "a: pipe text[0]+0x7f8",
        "a: wait text[0]",
        "a: read 0 text[0]+0x100 8",
        "a: store8 text[0]+0x800 0",
        "a: load8 text[0]+0x10",
        "a: write 1 text[0] 8",
    ];
    let text = format!("faultline 1\n{}\n", operations.join("\n"));
    let case = Case::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let applied = |dialect: &Dialect| {
        let setting = Setting::nominal(dialect, 3);
        let planned = |operation| Judge::new(dialect, &setting).plan(operation).is_some();
        case.operations.iter().map(planned).collect::<Vec<_>>()
    };
    assert_eq!(applied(&Dialect::xv6_2025()), [true; 8]);
    let [no, yes] = [false, true];
    assert_eq!(applied(&lenient()), [no, no, no, no, no, yes, yes, yes]);
}

proptest! {
    /// Any bytes, and any change of a few bytes of a program file, are a program or refused.
    #[test]
    fn any_file_is_a_program_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        number in 0..Specimen::ALL.len(),
        changes in prop::collection::vec((0usize..400, any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = specimen(Specimen::ALL[number].name);
        file.truncate(cut.index(2 * file.len()).min(file.len()));
        for (at, byte) in changes {
            if let Some(there) = file.get_mut(at) {
                *there = byte;
            }
        }
        for dialect in [Dialect::faultline(), Dialect::xv6_2025()] {
            for bytes in [&bytes, &[b"\x7fELF", &bytes[..]].concat(), &file] {
                if let Ok(program) = parse(bytes, &dialect) {
                    let ascending = program.memory.segments.windows(2);
                    prop_assert!(ascending.clone().all(|pair| pair[0].end() <= pair[1].address));
                    prop_assert!(program.layout.heap <= program.layout.trapframe);
                    let mut segments = program.memory.segments.iter();
                    let fits = segments.all(|segment| segment.bytes.len() as u64 <= segment.length);
                    prop_assert!(fits);
                }
            }
        }
    }
}
