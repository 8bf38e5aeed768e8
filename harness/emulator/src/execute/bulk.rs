//! Many iterations of a loop that fills or copies memory, at once.
//!
//! The effect is that of the iterations one by one, down to each register and counter: only iterations
//! that go round again, lie within one page on each side, need no walk, and fit the limit are taken
//! together. The rest, and always the last one, is executed one by one.

use crate::code::{Code, Loop, Stored, While};
use crate::defect::Defect;
use crate::hart::REGISTERS;
use crate::memory::{Data, PAGE_BYTES, PAGE_MASK, Ram};

/// Fewer iterations are not worth it.
const FEWEST: u64 = 4;

/// Executes iterations from the start of the loop, at most `most` of them; returns how many.
#[inline(never)]
pub(super) fn run(
    work: &Loop,
    x: &mut [u64; REGISTERS],
    data: &Data<'_>,
    ram: &mut Ram,
    most: u64,
) -> Result<u64, Defect> {
    let get = |register: u8| x[usize::from(register) % REGISTERS];
    let width = u64::from(work.width);
    let rounds = rounds(work, get).min(most);
    if rounds < FEWEST {
        return Ok(0);
    }
    let at = |base: u8, displacement: i32| get(base).wrapping_add(i64::from(displacement) as u64);
    let to = at(work.to.base, work.to.displacement);
    let entry = data.write.probe(to);
    if !entry.covers(to, width) {
        return Ok(0);
    }
    let to_offset = entry.offset(to);
    let mut rounds = rounds.min(elements_in_page(to, width));
    let loaded = match work.stored {
        Stored::Register(register) => {
            if rounds < FEWEST {
                return Ok(0);
            }
            let value = get(register).to_le_bytes();
            ram.fill(to_offset, &value[..work.width.into()], rounds)?;
            None
        }
        Stored::Loaded(load, from) => {
            let from = at(from.base, from.displacement);
            let entry = data.read.probe(from);
            if !entry.covers(from, width) {
                return Ok(0);
            }
            let offset = entry.offset(from);
            rounds = rounds.min(elements_in_page(from, width));
            // Where the two overlap, later loads see earlier stores.
            if rounds < FEWEST || offset.abs_diff(to_offset) < rounds * width {
                return Ok(0);
            }
            ram.copy(offset, to_offset, rounds * width)?;
            Some((load, offset + (rounds - 1) * width))
        }
    };
    if let Some((load, last)) = loaded {
        x[usize::from(load.rd) % REGISTERS] = element(load.code, ram.value(last, width)?);
    }
    for (register, step) in work.steps.iter().filter(|(_, step)| *step != 0) {
        let register = &mut x[usize::from(*register) % REGISTERS];
        *register = register.wrapping_add((i64::from(*step) as u64).wrapping_mul(rounds));
    }
    Ok(rounds)
}

/// How many iterations from now go round again.
fn rounds(work: &Loop, get: impl Fn(u8) -> u64) -> u64 {
    match work.goes_on {
        While::NotEqual(stepped, end) => {
            let step = work.step_of(stepped);
            let distance = get(end).wrapping_sub(get(stepped));
            let distance = if step < 0 {
                distance.wrapping_neg()
            } else {
                distance
            };
            let step = u64::from(step.unsigned_abs());
            // A loop that steps over its end goes round almost for ever.
            if distance.is_multiple_of(step) {
                (distance / step).saturating_sub(1)
            } else {
                0
            }
        }
        While::Below(stepped, end) => {
            let step = u64::from(work.step_of(stepped).unsigned_abs());
            let distance = get(end).saturating_sub(get(stepped));
            distance.div_ceil(step).saturating_sub(1)
        }
    }
}

/// Elements from `address` on that end within its page.
fn elements_in_page(address: u64, width: u64) -> u64 {
    (PAGE_BYTES - (address & PAGE_MASK)) / width
}

/// The value that a load operation makes from an element.
fn element(code: Code, value: u64) -> u64 {
    match code {
        Code::Lb => i64::from(value as i8) as u64,
        Code::Lh => i64::from(value as i16) as u64,
        Code::Lw => i64::from(value as i32) as u64,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Coverage, RAM_BASE};
    use crate::exit::Exit;
    use crate::machine::Machine;
    use crate::test_support::machine;

    const A0: usize = 10;
    const A1: usize = 11;
    const A2: usize = 12;
    const A3: usize = 13;
    const A4: usize = 14;
    const DATA: u64 = RAM_BASE + 0x1_0000;

    /// `j .`
    const SPIN: u32 = 0x0000_006f;
    const LOOPS: [(&str, &[u32]); 6] = [
        // sb a1, 0(a0); addi a0, a0, 1; bne a0, a2, loop
        ("fill bytes", &[0x00b5_0023, 0x0015_0513, 0xfec5_1ce3, SPIN]),
        // sd a1, 0(a0); addi a0, a0, 8; bltu a0, a2, loop
        (
            "fill doublewords",
            &[0x00b5_3023, 0x0085_0513, 0xfec5_6ce3, SPIN],
        ),
        // addi a3, a3, 1; addi a0, a0, 1; lbu a4, -1(a3); sb a4, -1(a0); bne a0, a2, loop
        (
            "copy bytes, stepping first",
            &[
                0x0016_8693,
                0x0015_0513,
                0xfff6_c703,
                0xfee5_0fa3,
                0xfec5_18e3,
                SPIN,
            ],
        ),
        // lw a4, 0(a3); sw a4, 4(a0); addi a0, a0, 4; addi a3, a3, 4; bltu a0, a2, loop
        (
            "copy words",
            &[
                0x0006_a703,
                0x00e5_2223,
                0x0045_0513,
                0x0046_8693,
                0xfec5_68e3,
                SPIN,
            ],
        ),
        // lb a4, 0(a3); addi a2, a2, -1; sb a4, 0(a0); addi a0, a0, 1; addi a3, a3, 1;
        // bnez a2, loop
        (
            "copy bytes, counting down",
            &[
                0x0006_8703,
                0xfff6_0613,
                0x00e5_0023,
                0x0015_0513,
                0x0016_8693,
                0xfe06_16e3,
                SPIN,
            ],
        ),
        // sh a1, 0(a0); addi a0, a0, 2; addi a2, a2, -2; bnez a2, loop
        (
            "fill halfwords, counting down",
            &[0x00b5_1023, 0x0025_0513, 0xffe6_0613, 0xfe06_1ae3, SPIN],
        ),
    ];

    struct Setting {
        to: u64,
        from: u64,
        bytes: u64,
    }

    fn start(program: &[u32], setting: &Setting) -> Machine {
        let config = Config {
            coverage: Coverage::All,
            ..Config::default()
        };
        let mut machine = machine(&config, program);
        let pattern: Vec<u8> = (0..0x4000u32).map(|at| (at * 7 + at / 251) as u8).collect();
        machine
            .write_physical(DATA, &pattern)
            .unwrap_or_else(|error| panic!("{error}"));
        let counts_down = program[program.len() - 2] >> 20 & 31 == 0;
        let end = if counts_down {
            setting.bytes
        } else {
            setting.to + setting.bytes
        };
        machine.set_x(0, A0, setting.to);
        machine.set_x(0, A1, 0x1234_5678_9abc_def0);
        machine.set_x(0, A2, end);
        machine.set_x(0, A3, setting.from);
        machine
    }

    fn state(machine: &Machine) -> (u64, u64, Vec<u64>, Vec<u8>, Vec<u8>) {
        let mut memory = vec![0; 0x4000];
        machine
            .read_physical(DATA, &mut memory)
            .unwrap_or_else(|error| panic!("{error}"));
        let registers = [A0, A1, A2, A3, A4].map(|at| machine.x(0, at)).to_vec();
        let mut edges = machine.edges().to_vec();
        // Counter 0 counts what is not an edge.
        edges[0] = 0;
        (machine.pc(0), machine.retired(), registers, memory, edges)
    }

    #[test]
    fn bulk_is_the_same_as_one_by_one_for_every_budget() {
        let settings = [
            // Across pages on both sides, at different places in the page.
            Setting {
                to: DATA + 0xf00,
                from: DATA + 0x2f80,
                bytes: 0x300,
            },
            // Misaligned.
            Setting {
                to: DATA + 0x0fe3,
                from: DATA + 0x2005,
                bytes: 0x80,
            },
            // Overlapping: later loads see earlier stores.
            Setting {
                to: DATA + 0x110,
                from: DATA + 0x100,
                bytes: 0x100,
            },
            Setting {
                to: DATA + 0x100,
                from: DATA + 0x108,
                bytes: 0x100,
            },
            // Hardly any iteration, or one.
            Setting {
                to: DATA + 0x200,
                from: DATA + 0x800,
                bytes: 0x10,
            },
            Setting {
                to: DATA + 0x200,
                from: DATA + 0x800,
                bytes: 0x8,
            },
        ];
        for (name, program) in LOOPS {
            for setting in &settings {
                let mut steps = start(program, setting);
                let mut bulk = start(program, setting);
                bulk.snapshot();
                let mut goes_on = true;
                let mut budget = 0;
                while goes_on {
                    // A budget of one never sees the loop as a whole.
                    goes_on = steps.run(1) == Exit::Budget;
                    budget += 1;
                    if !goes_on {
                        // Well after the loop, so that the loop does not end with the budget.
                        steps.run(100);
                        budget += 100;
                    }
                    if budget % 29 == 0 || budget < 40 || !goes_on {
                        bulk.reset();
                        bulk.edges_mut().fill(0);
                        bulk.run(budget);
                        assert!(
                            state(&bulk) == state(&steps),
                            "{name}, {budget} instructions, {:#x} to {:#x}",
                            setting.from,
                            setting.to,
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_loop_that_misses_its_end_goes_on() {
        let (_, program) = LOOPS[5];
        let setting = Setting {
            to: DATA,
            from: DATA,
            bytes: 0x11,
        };
        let mut machine = start(program, &setting);
        assert_eq!(machine.run(10_000), Exit::Budget);
        assert_eq!(machine.x(0, A0), DATA + 2 * 2500);
    }
}
