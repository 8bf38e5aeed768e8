//! The table of operations: the one place that says what each is called, how it is coded, what it is
//! about, what its arguments are and which memory it touches.
//!
//! `for_each_operation!(define)` hands the table to the macro `define!`. The enum of calls, their
//! kinds, both forms, the accessors, what is simpler and what mutation changes are made of it. To
//! add an operation, add a row; `CONTRIBUTING.md` says what else it needs.
//!
//! A row has, in this order:
//!
//! - the name of the variant, and the word for it in text;
//! - the number in the upper five bits of its record, `[code]`, or `[code, form]` where operations
//!   share a code (see [`super::binary`]). Of several codes the encoder writes the first;
//! - its [`Family`](super::Family), the bound on what it costs in frames ([`Cost`](super::Cost)),
//!   about how many times as long as a load it takes on a slow kernel, and whether its answer is a
//!   value or only a name ([`Says`](super::Says));
//! - its arguments, in the order of the text: a name and one of the types in [`super::argument`];
//! - the memory that it touches, in the words of [`super::reach`].

macro_rules! for_each_operation {
    ($define:ident) => {
        $define! {
//  name       word          code          family      cost    work says  arguments                                                memory
    Sbrk       "sbrk"        [0 | 30]      Break       Growth  1    Name  (amount: Amount, flavour: Flavour)                       {};
    Load       "load"        [1]           Access      Touched 1    Value (width: Width, address: Address)                         {loads(address, width.bytes())};
    Store      "store"       [2]           Access      Touched 1    Value (width: Width, address: Address, value: StoredValue)     {stores(address, width.bytes())};
    Fetch      "fetch"       [3]           Access      Touched 1    Value (address: Address)                                       {fetches(address)};
    TouchRead  "touch"       [4]           Access      Touched 1    Value (address: Address, count: Count, stride: Stride)         {loads(address, 1).every(stride, count)};
    TouchWrite "touch-write" [5]           Access      Touched 1    Value (address: Address, count: Count, stride: Stride)         {stores(address, 1).every(stride, count)};
    Fork       "fork"        [6]           Process     Child   10   Name  (child: Child)                                           {};
    Exit       "exit"        [7]           Process     Release 10   Value (status: Status)                                         {};
    Wait       "wait"        [8 | 20]      CopyOut     Release 1    Name  (status: StatusAddress)                                  {stores_if(status, Reach::STATUS_BYTES)};
    Kill       "kill"        [9]           Process     Victim  1    Value (target: Target)                                         {};
    Getpid     "getpid"      [10]          Question    Touched 1    Name  ()                                                       {};
    Pipe       "pipe"        [11]          CopyOut     OneMore 1    Value (address: Address)                                       {stores(address, Reach::ENDS_BYTES)};
    Read       "read"        [12]          CopyOut     Touched 1    Value (fd: Descriptor, address: Address, length: Length)       {stores_read(address, fd, length)};
    Write      "write"       [13]          CopyIn      Touched 30   Value (fd: Descriptor, address: Address, length: Length)       {loads_written(address, length)};
    Close      "close"       [14]          Descriptor  Touched 1    Value (fd: Descriptor)                                         {};
    Dup        "dup"         [15]          Descriptor  Touched 1    Value (fd: Descriptor)                                         {};
    String     "string"      [21]          Access      Touched 1    Value (address: Address, text: Text, terminated: Terminated)   {stores(address, text.stored_bytes(terminated))};
    Point      "point"       [22]          Access      Touched 1    Value (address: Address, target: NearAddress)                  {stores(address, Reach::POINTER_BYTES)};
    Open       "open"        [23]          Path        Touched 100  Value (address: Address, mode: OpenMode, flags: OpenFlags)     {new_path(address)};
    Link       "link"        [28]          Path        Touched 100  Value (address: Address, new: NearAddress)                     {path(address), new_path(new)};
    Unlink     "unlink"      [29, 0 | 3]   Path        Touched 100  Value (address: Address)                                       {path(address)};
    Mkdir      "mkdir"       [29, 1]       Path        Touched 100  Value (address: Address)                                       {new_path(address)};
    Mknod      "mknod"       [29, 2]       Path        Touched 100  Value (address: Address, major: Major)                         {new_path(address)};
    Fstat      "fstat"       [24]          CopyOut     Touched 1    Value (fd: Descriptor, address: Address)                       {stores(address, Reach::STAT_BYTES)};
    Chdir      "chdir"       [25]          Path        Touched 30   Value (address: Address)                                       {path(address)};
    Exec       "exec"        [26]          Path        Program 40   Value (address: Address, arguments: NearAddress)               {path(address)};
    Yield      "yield"       [16]          Time        Touched 1    Value (ticks: Rounds)                                          {};
    Uptime     "uptime"      [17]          Time        Touched 1    Value ()                                                       {};
    Pause      "pause"       [18]          Time        Touched 1    Value (ticks: Ticks)                                           {};
    Crowd      "crowd"       [31, 4]       Process     Crowd   255 Value (members: Members)                                       {};
    Disperse   "disperse"    [31, 6]       Process     Outside 255 Value (address: TheirAddress)                                  {};
    Unknown    "call"        [31, 1]       Question    Touched 1    Value (number: CallNumber)                                     {};
    HighHalf   "high-half"   [31, 0]       Habit       Touched 1    Value (word: Word)                                             {};
    Stack      "stack"       [31, 2]       Habit       Touched 1    Value (address: Address)                                       {};
    Type       "type"        [31, 3]       Environment Outside 10   Value (keys: Keys)                                             {};
    Machine    "machine"     [31, 7]       Environment Outside 1    Value (variation: Variation)                                   {};
    Frames     "frames"      [19, 0]       Environment Outside 1    Value (free: FrameCount)                                       {};
    FailFrame  "frames fail" [19, 1]       Environment Outside 1    Value (nth: Nth)                                               {};
    Blocks     "blocks"      [19, 2]       Environment Outside 1    Value (free: Room)                                              {};
    PowerCut   "power cut"   [31, 5]       Environment Outside 1    Value (cut: Cut)                                               {};
    Together   "together"    [27]          Environment Outside 1    Value (schedule: Schedule)                                     {};
        }
    };
}

pub(crate) use for_each_operation;
