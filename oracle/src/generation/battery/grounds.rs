//! The states of pages in which the battery tries addresses.

use super::uses::Paths;

/// How pages of one state are made, and where they are.
pub(super) struct Ground {
    /// The program whose memory has such pages, if the one that every case starts with has none.
    pub(super) program: Option<&'static str>,
    /// What makes them, before paths are stored there and after that.
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    /// The address that the use of that number tries, from 0 on, where so many bytes lie before the end of the page.
    pub(super) address: fn(nth: usize, bytes: usize) -> String,
    /// How many uses have a page of their own.
    pub(super) room: usize,
    /// Which paths are stored there in advance, if any can be.
    pub(super) paths: Option<Paths>,
    /// Who tries them.
    pub(super) by: By,
}

impl Ground {
    /// Whether what is tried reaches into the next page.
    pub(super) fn crosses(&self) -> bool {
        (self.address)(0, 1) != (self.address)(0, 2)
    }
}

/// Who tries an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The process that has made the pages. What ends it comes last in its case: a fork would change the pages.
    Itself,
    /// The same; but what would end it is done by a child, whose pages are in the same state.
    ItselfOrChild,
    /// A new child for each use, whose pages only then are in that state.
    Child,
}

const PLAIN: Ground = Ground {
    program: None,
    before: "",
    after: "",
    address: |_, _| String::new(),
    room: 30,
    paths: None,
    by: By::ItselfOrChild,
};

/// A page of the heap for each use, after the first page.
fn heap(nth: usize, _bytes: usize) -> String {
    format!("heap[{}]+0x20", nth + 1)
}

/// The last bytes of every other page of the heap, from the first or the second on.
fn across_from(first: usize, nth: usize, bytes: usize) -> String {
    format!("heap[{}]+{:#x}", first + 2 * nth, 0x1000 - bytes)
}

/// So many bytes before the end of a page.
fn at_end_of(page: &str, bytes: usize) -> String {
    format!("{page}+{:#x}", 0x1000 - bytes)
}

/// A place of its own in one page.
fn within(page: &str, nth: usize) -> String {
    format!("{page}+{:#x}", 0x20 * (nth + 1))
}

/// The cheap ones first, and those in which lazy memory goes wrong most often.
pub(super) const GROUNDS: &[Ground] = &[
    // Heap that nobody has touched.
    Ground {
        before: "sbrk +31p",
        address: heap,
        ..PLAIN
    },
    // Heap that is shared with a child.
    Ground {
        before: "sbrk +31p; touch-write heap[1] 30",
        after: "child = fork",
        address: heap,
        paths: Some(Paths::Whole),
        ..PLAIN
    },
    // Heap that is shared with the parent.
    Ground {
        before: "sbrk +1p; store8 heap[1] 7",
        address: |nth, _| within("heap[1]", nth),
        paths: Some(Paths::Brief),
        by: By::Child,
        ..PLAIN
    },
    // From a page in use into one that nobody has touched, and the other way round.
    Ground {
        before: "sbrk +62p; touch-write heap[1] 30 stride 0x2000",
        address: |nth, bytes| across_from(1, nth, bytes),
        paths: Some(Paths::Whole),
        ..PLAIN
    },
    Ground {
        before: "sbrk +62p; touch-write heap[2] 30 stride 0x2000",
        address: |nth, bytes| across_from(1, nth, bytes),
        ..PLAIN
    },
    // From one page that nobody has touched into another.
    Ground {
        before: "sbrk +62p",
        address: |nth, bytes| across_from(1, nth, bytes),
        ..PLAIN
    },
    // From a shared page into one that nobody has touched.
    Ground {
        before: "sbrk +62p; touch-write heap[1] 30 stride 0x2000",
        after: "child = fork",
        address: |nth, bytes| across_from(1, nth, bytes),
        paths: Some(Paths::Brief),
        ..PLAIN
    },
    // Between the break and the end of its page.
    Ground {
        before: "sbrk +8",
        address: |_, _| "break[0]+0x20".to_owned(),
        by: By::Child,
        ..PLAIN
    },
    // Beyond the break: heap that was given back, heap that there never was, and from heap into either.
    Ground {
        before: "sbrk +31p; touch-write heap[1] 30; sbrk -31p",
        address: heap,
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("break[1]", nth),
        ..PLAIN
    },
    Ground {
        before: "sbrk +1p; store8 heap[1] 7",
        address: |_, bytes| at_end_of("break[-1]", bytes),
        paths: Some(Paths::Brief),
        ..PLAIN
    },
    // The guard page, from the data into it, and from it into the stack.
    Ground {
        address: |nth, _| within("guard[0]", nth),
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("guard[-1]", bytes),
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("guard[0]", bytes),
        ..PLAIN
    },
    // The stack, and from it into the heap.
    Ground {
        before: "store8 stack[0] 7",
        address: |nth, _| within("stack[0]", nth),
        paths: Some(Paths::Brief),
        by: By::Itself,
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("heap[-1]", bytes),
        ..PLAIN
    },
    // The program's data, private and shared with the parent.
    Ground {
        before: "store8 data[0] 7",
        address: |nth, _| within("data[0]", nth),
        paths: Some(Paths::Brief),
        by: By::Itself,
        ..PLAIN
    },
    Ground {
        before: "store8 data[0] 7",
        address: |nth, _| within("data[0]", nth),
        paths: Some(Paths::Brief),
        by: By::Child,
        ..PLAIN
    },
    // Code, touched and not, and from it into the data.
    Ground {
        before: "load1 text[1]",
        address: |nth, _| within("text[1]", nth),
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("text[1]", nth),
        by: By::Child,
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("data[-1]", bytes),
        ..PLAIN
    },
    // Heap in use.
    Ground {
        before: "sbrk +1p; store8 heap[1] 7",
        address: |nth, _| within("heap[1]", nth),
        paths: Some(Paths::Whole),
        by: By::Itself,
        ..PLAIN
    },
    // The pages of the kernel, and what lies above them.
    Ground {
        address: |nth, _| within("trapframe[0]", nth),
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("trampoline[0]", nth),
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("trapframe[-1]", bytes),
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("maxva[0]", nth),
        ..PLAIN
    },
    Ground {
        address: |_, bytes| at_end_of("maxva[-1]", bytes),
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("kernel[0]", nth),
        ..PLAIN
    },
    Ground {
        address: |nth, _| within("anywhere[63]", nth),
        ..PLAIN
    },
    // Data that was not touched since the program started, and the gap between two segments.
    Ground {
        program: Some("bss"),
        address: |nth, _| format!("data[{}]+0x20", nth + 2),
        room: 36,
        ..PLAIN
    },
    Ground {
        program: Some("gap"),
        address: |nth, _| within("data[-1]", nth),
        ..PLAIN
    },
    // Pages of a stack that grows, and from one of them into the next.
    Ground {
        program: Some("grow"),
        address: |nth, _| format!("stack[{}]+0x20", 8 - nth),
        room: 9,
        ..PLAIN
    },
    Ground {
        program: Some("grow"),
        address: |nth, bytes| at_end_of(&format!("stack[{}]", 7 - 2 * nth), bytes),
        room: 4,
        ..PLAIN
    },
];
