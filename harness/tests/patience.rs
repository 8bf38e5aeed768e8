//! Slow is not hanging: a kernel that takes long for each system call is not accused, and one that never
//! comes back is, soon if its state repeats. No kernel is waited for for ever.
//!
//! The kernels are our own, changed in memory: each system call begins with a detour.

use emulator::isa::assemble::{add_immediate, branch_not_zero};
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::mutants::{Operator, sites};
use faultline::runner::{Outcome, Runner};
use faultline::triage::minimise::{Minimality, minimise_on};
use oracle::{Case, Clause, Dialect};
use std::sync::Arc;

const SERVICE: &str = "system_call::perform";
/// A function of the kernel that no sound kernel calls, and that has room for the detour.
const ROOM: &str = "panicking::panic_bounds_check";
/// A register that a function may change.
const COUNTER: usize = 31;
const ZERO: usize = 0;
/// The instructions that a step may take before the kernel is suspected.
const LATE: u64 = 8_000_000;

const CASE: &str = "faultline 1\na: sbrk +2p\na: getpid\na: store8 heap[0] 7\n";

/// `jal x0`
fn jump(from: u64, to: u64) -> u32 {
    let offset = to.wrapping_sub(from) as u32;
    let bits = |high: u32, low: u32| (offset >> low) & ((1 << (high - low + 1)) - 1);
    bits(20, 20) << 31 | bits(10, 1) << 21 | bits(11, 11) << 20 | bits(19, 12) << 12 | 0x6f
}

/// `lui`
fn load_upper(register: usize, pages: u32) -> u32 {
    pages << 12 | (register as u32) << 7 | 0x37
}

fn guest() -> Arc<Guest> {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs the case on our kernel, changed so that each system call executes `detour` first.
fn run(detour: &[u32]) -> Outcome {
    changed(detour).run(&Case::parse(CASE).unwrap())
}

/// A runner with that kernel.
fn changed(detour: &[u32]) -> Runner {
    let guest = guest();
    let mut runner = Runner::new(&guest);
    let start = |name| {
        let is_start = |at: &u64| {
            let function = guest.symbols.function(*at);
            function.is_some_and(|(full, offset)| offset == 0 && full.ends_with(name))
        };
        let mut places = guest.symbols.extent().step_by(2);
        places
            .find(is_start)
            .unwrap_or_else(|| panic!("no function {name}"))
    };
    let (service, room) = (start(SERVICE), start(ROOM));
    let mut first = [0; 4];
    let machine = runner.driver().machine();
    machine.read_physical(service, &mut first).unwrap();
    let mut code = detour.to_vec();
    code.push(u32::from_le_bytes(first));
    let back = room + 4 * code.len() as u64;
    code.push(jump(back, service + 4));
    let code: Vec<u8> = code.into_iter().flat_map(u32::to_le_bytes).collect();
    runner.patch_kernel(room, &code);
    runner.patch_kernel(service, &jump(service, room).to_le_bytes());
    runner
}

fn clause(outcome: &Outcome) -> Option<Clause> {
    outcome.first().map(|finding| finding.clause)
}

#[test]
fn a_slow_kernel_is_not_accused() {
    let outcome = run(&[
        // 10 million times.
        load_upper(COUNTER, 10_000_000 >> 12),
        add_immediate(COUNTER, COUNTER, -1),
        branch_not_zero(COUNTER, -4),
    ]);
    assert_eq!(clause(&outcome), None, "{:?}", outcome.findings);
    assert!(outcome.instructions > 4 * LATE);
}

#[test]
fn a_kernel_that_repeats_itself_hangs_and_that_is_seen_soon() {
    let outcome = run(&[
        add_immediate(COUNTER, ZERO, 2),
        add_immediate(COUNTER, COUNTER, -1),
        branch_not_zero(COUNTER, -8),
        add_immediate(COUNTER, ZERO, 1),
        branch_not_zero(COUNTER, -16),
    ]);
    assert_eq!(clause(&outcome), Some(Clause::EndsInTime));
    assert!(
        outcome.instructions < LATE + LATE / 4,
        "{}",
        outcome.instructions
    );
}

/// Counts for ever: the counter is never zero within the limit.
fn counting() -> [u32; 2] {
    [
        add_immediate(COUNTER, COUNTER, 1),
        branch_not_zero(COUNTER, -4),
    ]
}

#[test]
fn a_kernel_that_counts_for_ever_hangs() {
    let outcome = run(&counting());
    assert_eq!(clause(&outcome), Some(Clause::EndsInTime));
    assert!(outcome.instructions > 8 * LATE);
}

#[test]
fn a_hang_is_proved_once_for_the_smallest_case() {
    let mut runner = changed(&counting());
    let text = "faultline 1\na: load1 data[0]\na: store1 data[0] 1\na: load1 data[0]\na: getpid\na: uptime\n";
    let case = Case::parse(text).unwrap();
    let wanted = oracle::bucket(runner.run(&case).first().unwrap());
    let before = runner.work();
    let minimised = minimise_on(&mut runner, &case, &wanted, Some(3), 100, |_, _| {});
    let spent = runner.work() - before;
    // It hangs even where nothing happens: in the `exit` that ends a case.
    assert_eq!(minimised.case.to_string(), "faultline 1\n");
    assert_eq!(minimised.minimality, Minimality::Proved);
    // One proof takes longer than eight late steps.
    assert!(minimised.executions > 3);
    assert!(
        spent < (minimised.executions + 16) * LATE * 5 / 4,
        "{spent}"
    );
}

/// A `write` that begins again with the next transaction for ever sleeps after each block, and the kernel never rests.
#[test]
fn a_kernel_that_writes_to_the_disk_for_ever_is_not_waited_for() {
    let files = GuestFiles::find(None, None).unwrap();
    let mut mutants = sites(&files.kernel, &["system_call/file.rs".to_owned()]).unwrap();
    mutants.retain(|mutant| mutant.operator == Operator::BoundaryMoved);
    let text = "faultline 1\na: sbrk +4p\na: string stack[0] \"new\"\n\
        a: open stack[0] read-write create\na: write 0 heap[0] 13000\n";
    let case = Case::parse(text).unwrap();
    let mut runner = Runner::new(&guest());
    let requests = |runner: &Runner| runner.driver().machine().disk_requests();
    assert_eq!(clause(&runner.run(&case)), None);
    let sound = requests(&runner);
    let writes_for_ever = mutants.iter().any(|mutant| {
        runner.patch_kernel(mutant.address, &mutant.changed);
        let found = clause(&runner.run(&case));
        let many = requests(&runner) / 8 > sound;
        runner.patch_kernel(mutant.address, &mutant.original);
        many && found == Some(Clause::ComesBack)
    });
    assert!(writes_for_ever, "of {} kernels", mutants.len());
}
