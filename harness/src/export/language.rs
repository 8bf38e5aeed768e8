//! The languages that programs are written in: how each of them spells a script.

use super::script::{Act, Check, Conduct, Line};
use super::value::{Base, Value, constant};
use oracle::Process;
use oracle::layout::PAGE_SIZE;

/// The language of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// For the C kernels, of 2019 to 2025.
    C,
    /// For our kernel.
    Rust,
}

/// The largest page number and number that is printed as such.
const SMALL: i64 = 10_000;

impl Language {
    pub(super) fn value(self, value: Value) -> String {
        match value {
            Value::Number(number) => self.number(number),
            Value::Place(base, offset) => self.sum(self.base(base), offset),
            Value::ToHeap(number) => {
                let end = self.value(constant(number as u64));
                match self {
                    Language::C => format!("{end} - heap"),
                    Language::Rust => format!("({end}).wrapping_sub(heap())"),
                }
            }
            Value::Pid(process) => self.pid(process),
        }
    }

    fn base(self, base: Base) -> &'static str {
        match (self, base) {
            (_, Base::Trapframe) => "TRAPFRAME",
            (Language::C, Base::Text) => "text",
            (Language::C, Base::Data) => "data",
            (Language::C, Base::Guard) => "guard",
            (Language::C, Base::Stack) => "stack",
            (Language::C, Base::Heap) => "heap",
            (Language::Rust, Base::Text) => "text()",
            (Language::Rust, Base::Data) => "data()",
            (Language::Rust, Base::Guard) => "guard()",
            (Language::Rust, Base::Stack) => "stack()",
            (Language::Rust, Base::Heap) => "heap()",
        }
    }

    fn pid(self, process: Process) -> String {
        let name = name(process);
        match self {
            Language::C => format!("pids[{name}]"),
            Language::Rust => format!("pid({name})"),
        }
    }

    /// A number as a person reads it: pages, a small one, or hexadecimal.
    fn number(self, number: i64) -> String {
        let page = PAGE_SIZE as i64;
        let magnitude = match number.unsigned_abs() {
            0 => return "0".to_owned(),
            magnitude if magnitude % PAGE_SIZE == 0 && magnitude / PAGE_SIZE < 1024 => {
                pages((magnitude / PAGE_SIZE) as i64)
            }
            magnitude if magnitude < SMALL as u64 => magnitude.to_string(),
            _ => return format!("{number:#x}"),
        };
        let product = number % page == 0 && number.abs() != page;
        match (self, number < 0) {
            (_, false) => magnitude,
            (Language::C, true) if product => format!("-({magnitude})"),
            (Language::C, true) => format!("-{magnitude}"),
            (Language::Rust, true) => format!("minus({magnitude})"),
        }
    }

    /// So many bytes from a base.
    fn sum(self, base: &str, offset: i64) -> String {
        let page = PAGE_SIZE as i64;
        let (whole, rest) = (offset.div_euclid(page), offset.rem_euclid(page));
        if !(-1024..1024).contains(&whole) {
            let sign = if offset < 0 { '-' } else { '+' };
            return format!("{base} {sign} {:#x}", offset.unsigned_abs());
        }
        let mut text = base.to_owned();
        match whole {
            0 => {}
            1.. => text += &format!(" + {}", pages(whole)),
            _ => text += &format!(" - {}", pages(-whole)),
        }
        match rest {
            0 => {}
            rest => text += &format!(" + {rest:#x}"),
        }
        text
    }

    /// The expression that does it.
    pub(super) fn act(self, act: &Act) -> String {
        let value = |value: &Value| self.value(*value);
        match act {
            Act::SystemCall(call, [first, second, third]) => format!(
                "system_call({}, {}, {}, {})",
                format!("{call:?}").to_uppercase(),
                value(first),
                self.second(*call, second),
                value(third)
            ),
            Act::Load(width, address) => format!("load{}({})", width.bytes(), value(address)),
            Act::Store(width, address, stored) => format!(
                "store{}({}, {})",
                width.bytes(),
                value(address),
                value(stored)
            ),
            Act::StoreString(address, bytes, terminated) => {
                let spelled = String::from_utf8_lossy(bytes);
                let length = bytes.len() + usize::from(*terminated);
                let address = value(address);
                match (self, terminated) {
                    (Language::C, _) => {
                        format!("store_string({address}, {spelled:?}, {length})")
                    }
                    (Language::Rust, true) => {
                        format!("store_string({address}, b\"{spelled}\\0\")")
                    }
                    (Language::Rust, false) => format!("store_string({address}, b{spelled:?})"),
                }
            }
            Act::Fetch(address) => format!("jump({})", value(address)),
            Act::Touch {
                address,
                count,
                stride,
                write,
            } => {
                let function = if *write { "touch_write" } else { "touch" };
                let stride = self.number(*stride as i64);
                format!("{function}({}, {count}, {stride})", value(address))
            }
            Act::Fork(child) => format!("forks({})", name(*child)),
            Act::Rest(ticks) => format!("rest({ticks})"),
            Act::Reap(child, status) => format!("reaps({}, {status})", name(*child)),
            Act::Nothing => String::new(),
        }
    }

    fn second(self, call: abi::SystemCall, value: &Value) -> String {
        match (call, value) {
            (abi::SystemCall::Sbrk, Value::Number(1)) => "EAGER".to_owned(),
            (abi::SystemCall::Sbrk, Value::Number(2)) => "LAZY".to_owned(),
            _ => self.value(*value),
        }
    }

    /// The statements of a line: what is done, and compared.
    pub(super) fn deed(self, line: &Line, several: bool) -> Vec<String> {
        let mut deed = Vec::new();
        if line.announced {
            deed.push("announce();".to_owned());
        }
        let act = self.act(&line.act);
        let yields = matches!(
            line.act,
            Act::SystemCall(..) | Act::Load(..) | Act::Touch { write: false, .. }
        );
        match (line.check, yields) {
            (Check::Returns(Value::Number(-1)), true) => {
                deed.push(format!("returns({act}, FAILED);"));
            }
            (Check::Returns(expected), true) => {
                deed.push(format!("returns({act}, {});", self.value(expected)));
            }
            (Check::AtLeast(least), true) => deed.push(format!("at_least({act}, {least});")),
            (Check::Dies, true) => deed.push(format!("dies({act});")),
            (Check::Sleeps, true) => deed.push(format!("sleeps({act});")),
            (Check::Dies | Check::Sleeps, false) => deed.extend([act + ";", "lives();".to_owned()]),
            _ if matches!(line.act, Act::Nothing) => {}
            _ => deed.push(act + ";"),
        }
        let tells = several && !matches!(line.act, Act::Fork(_));
        if tells && !matches!(line.check, Check::Dies | Check::Sleeps) {
            deed.push("done();".to_owned());
        }
        deed
    }

    /// What the conductor does.
    pub(super) fn conduct(self, conduct: &Conduct) -> String {
        let (deed, c) = match conduct {
            Conduct::Frames(left) => (format!("frames({left})"), None),
            Conduct::GiveFramesBack => ("give_frames_back()".to_owned(), None),
            Conduct::CountFrames => (
                "FRAMES_BEFORE.set(count_frames())".to_owned(),
                Some("frames_before = count_frames()".to_owned()),
            ),
            Conduct::TakesAtMost(most) => (format!("takes_at_most({most})"), None),
            Conduct::GivesAtLeast(least) => (format!("gives_at_least({least})"), None),
        };
        let scarce = match conduct {
            Conduct::Frames(_) => Some(true),
            Conduct::GiveFramesBack => Some(false),
            _ => None,
        };
        match self {
            Language::C => {
                let scarce = scarce.map(|scarce| format!("scarce = {}; ", u8::from(scarce)));
                let deed = c.unwrap_or(deed);
                format!("{}if (me == CONDUCTOR) {deed};", scarce.unwrap_or_default())
            }
            Language::Rust => {
                let scarce = scarce.map(|scarce| format!("SCARCE.set({scarce}); "));
                let scarce = scarce.unwrap_or_default();
                format!("{scarce}if ME.get() == CONDUCTOR {{ {deed}; }}")
            }
        }
    }

    /// A set of processes.
    pub(super) fn set(self, processes: &[Process]) -> String {
        let names = processes.iter().map(|process| name(*process));
        match self {
            Language::C if processes.is_empty() => "0".to_owned(),
            Language::C => {
                let sets: Vec<String> = names.map(|name| format!("SET({name})")).collect();
                sets.join(" | ")
            }
            Language::Rust => format!("&[{}]", names.collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The name of a process in a program.
pub(super) fn name(process: Process) -> String {
    process.letter().to_ascii_uppercase().to_string()
}

fn pages(count: i64) -> String {
    match count {
        1 => "PAGE".to_owned(),
        count => format!("{count} * PAGE"),
    }
}
