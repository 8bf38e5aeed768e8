//! The state in which an operation meets a page: for features and for signatures.

/// What an address is, in one process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageState {
    /// Code.
    Text,
    /// Code that was not touched since the program started.
    TextUnloaded,
    /// Data or stack.
    Image,
    /// Data or stack not stored to since it was last shared.
    ImageShared,
    /// Data that was not touched since the program started.
    Unloaded,
    /// A page of a stack that grows, not yet touched.
    StackHole,
    /// The guard page.
    Guard,
    /// Between two segments of the program, where there is no memory.
    Gap,
    /// Heap that was never touched.
    Lazy,
    /// Heap that was touched, private to the process.
    Touched,
    /// Heap that was touched, but not stored to since it was last shared.
    Shared,
    /// Between the program break and the end of its page.
    Tail,
    /// Beyond the break, below the trapframe.
    Beyond,
    /// The trapframe or the trampoline.
    Top,
    /// At or above the end of virtual addresses.
    Outside,
}

impl PageState {
    /// All states, in the order of their feature codes.
    pub const ALL: [PageState; 15] = [
        PageState::Text,
        PageState::TextUnloaded,
        PageState::Image,
        PageState::ImageShared,
        PageState::Unloaded,
        PageState::StackHole,
        PageState::Guard,
        PageState::Lazy,
        PageState::Touched,
        PageState::Shared,
        PageState::Tail,
        PageState::Beyond,
        PageState::Top,
        PageState::Outside,
        PageState::Gap,
    ];

    /// Whether no program may store there, and so no system call on its behalf.
    pub fn refuses_stores(self) -> bool {
        match self {
            PageState::Text
            | PageState::TextUnloaded
            | PageState::Guard
            | PageState::Gap
            | PageState::Beyond
            | PageState::Top
            | PageState::Outside => true,
            PageState::Image
            | PageState::ImageShared
            | PageState::Unloaded
            | PageState::StackHole
            | PageState::Lazy
            | PageState::Touched
            | PageState::Shared
            | PageState::Tail => false,
        }
    }

    /// A word for people, before "page". A page that nobody has touched may have a frame: kernels differ in
    /// when they allocate it.
    pub fn adjective(self) -> &'static str {
        match self {
            PageState::Lazy => "untouched",
            PageState::StackHole => "untouched stack",
            PageState::Tail => "break's",
            PageState::Beyond | PageState::Outside => "unmapped",
            PageState::Text
            | PageState::TextUnloaded
            | PageState::Image
            | PageState::ImageShared
            | PageState::Unloaded
            | PageState::Guard
            | PageState::Gap
            | PageState::Touched
            | PageState::Shared
            | PageState::Top => self.word(),
        }
    }

    /// A word for signatures.
    pub fn word(self) -> &'static str {
        match self {
            PageState::Text => "text",
            PageState::TextUnloaded => "unloaded-text",
            PageState::Image => "image",
            PageState::ImageShared => "shared-image",
            PageState::Unloaded => "unloaded",
            PageState::StackHole => "stack-hole",
            PageState::Guard => "guard",
            PageState::Gap => "gap",
            PageState::Lazy => "lazy",
            PageState::Touched => "touched",
            PageState::Shared => "shared",
            PageState::Tail => "tail",
            PageState::Beyond => "beyond",
            PageState::Top => "top",
            PageState::Outside => "outside",
        }
    }
}
