//! The table of a dialect's fields.

/// Gives every field of a dialect to the macro `$work`, section by section.
///
/// A field is one row: a sentence for people (the doc comment), its name in a dialect file, its type,
/// and in braces
///
/// - `within`: for a number, the least and the most that it may be;
/// - `missing`: what holds for a file without the field. Every file that was written before the field
///   existed is one, so a new field has this;
/// - `asked`: how `faultline check` finds the field out.
#[macro_export]
macro_rules! for_each_dialect_field {
    ($work:ident) => {
        $work! {
            /// How `sbrk` takes its arguments, and where it refuses.
            sbrk: Sbrk {
                /// How many low bits of the amount count.
                amount_bits: Bits {
                    asked: "Grow by 4 GiB and one page. Did the heap grow by one page?",
                }
                /// A break below the start of the heap, with which a program gives a part of its own
                /// image back. (A granted one is not driven: the agent would lose its own code.)
                below_heap: Bound {
                    asked: "Give the page of the stack back.",
                }
                /// A break below address 0.
                below_zero: BelowZero {
                    asked: "Ask for a break one page below 0.",
                }
                /// When memory gets its frames that is asked for without a flavour.
                growth: Growth {
                    asked: "Grow by eight pages, and count the pages that are mapped.",
                }
                /// Whether flavour 1 allocates at once. If not, the second argument is ignored.
                eager_flavour: bool {
                    asked: "Grow by eight pages with flavour 1, and count the pages that are mapped.",
                }
            }

            /// What the heap's pages are like.
            heap: Heap {
                /// Whether heap pages may be executed.
                executable: bool {
                    asked: "Store a return instruction to the heap and jump to it.",
                }
                /// The bytes between the program break and the end of its page.
                tail: Tail {
                    asked: "Grow by one byte and load from the middle of the page; fork and store there; \
                            give `write` and `exec` addresses there.",
                }
            }

            /// What happens on a forbidden access.
            faults: Faults {
                /// Whether the kernel says on the console which process it kills, in xv6's words.
                announced: bool {
                    asked: "Load from and store to the guard page and an address beyond the break.",
                }
            }

            /// What a fork costs.
            fork: Fork {
                /// Whether a fork shares memory or copies it.
                memory: ForkMemory {
                    asked: "Fork. Do parent and child have a frame in common?",
                }
                /// Frames that a process takes beside its memory and the page tables below the root
                /// that map it: root table, tables for the top of the address space, trapframe, kernel
                /// stack, and a guard page that holds a frame.
                overhead_frames: u64 {
                    asked: "Fork, count the frames that it takes, and subtract copies and page tables.",
                }
            }

            /// How programs are started.
            exec: Exec {
                /// Whether a program's pages are read when they are touched, or at once.
                loading: Loading {
                    asked: "Start a program. Is a page mapped that it did not touch?",
                }
                /// What a program gets that asks for a larger stack than others have.
                stack: StackRequest {
                    asked: "Start a program that asks for a stack of ten pages, and look at its stack pointer.",
                }
                /// Pages of the stack of a program that asks for none; 1 in most kernels.
                stack_pages: u64 {
                    within: 1..=16,
                    asked: "Count the pages between the first program's guard page and its heap.",
                }
                /// What a program may do with the pages of its segments and with its stack.
                permissions: SegmentPermissions {
                    asked: "Store a return instruction to the data segment and jump to it.",
                }
                /// How the segments of a program lie in its memory.
                segments: SegmentRule {
                    asked: "Start a program whose segments overlap.",
                }
                /// How many low bits of an offset in a program file count.
                offset_bits: Bits {
                    asked: "Start a program with an offset of 4 GiB and a few bytes.",
                }
                /// Pages directly below the trapframe that the kernel maps for every program to read,
                /// as a lab asks for. (What they hold is not driven.)
                shared_pages: u64 {
                    within: 0..=8,
                    missing: 0,
                    asked: "Look for user pages below the trapframe that no program has asked for.",
                }
            }

            /// How pipes deal with addresses that cannot be touched.
            pipe: Pipe {
                /// Bytes that a pipe holds.
                bytes: u32 {
                    within: 1..=65536,
                    asked: "Find the largest `write` that ends without a reader.",
                }
                /// What `write` returns if not even the first byte can be read. (If a later one cannot,
                /// it returns how many were written.)
                write_to_bad_first_byte: i8 {
                    within: -1..=0,
                    asked: "Write from an address that must not be touched.",
                }
                /// What `read` returns if not even the first byte can be stored.
                read_to_bad_first_byte: i8 {
                    within: -1..=0,
                    asked: "Read four bytes to an address that must not be touched.",
                }
                /// What becomes of the byte that `read` could not store.
                refused_byte: RefusedByte {
                    asked: "Read once more, to a good address. Do all four bytes come?",
                }
                /// What a `read` of no bytes does when the pipe is empty and has writers.
                empty_read_of_nothing: EmptyRead {
                    asked: "Read no bytes from an empty pipe.",
                }
                /// When a `write` fails because no process can read any more.
                write_without_reader: WithoutReader {
                    missing: WithoutReader::Fails,
                    asked: "Close the read end of a pipe and write four bytes.",
                }
            }

            /// How files and directories change.
            files: FileRules {
                /// What becomes of a read, a write or a pipe whose buffer is bad in part.
                bad_buffer: BadBuffer {
                    asked: "Write to a file from a buffer that ends in bad memory, and read the file back.",
                }
                /// The most bytes that `write` writes in one transaction. Each transaction is written or
                /// refused on its own: as a whole if the file would get too large, and from the first
                /// block on that cannot be filled from user memory.
                transaction_bytes: u32 {
                    within: 1..=1048576,
                    asked: "Write from buffers that end in bad memory after 1 to 30 blocks. After how many \
                            has the write kept them all?",
                }
                /// What counts as written of a transaction with such a block.
                refused_transaction: RefusedTransaction {
                    asked: "Write from a buffer that ends in bad memory after two blocks, then write one more \
                            byte. Where does that byte go?",
                }
                /// In such a block, the bytes before the bad address. They do not count as written, and
                /// only those that replace others can ever be seen.
                refused_block: RefusedBlock {
                    asked: "Write over a block from a buffer that ends in bad memory, and look at the disk.",
                }
                /// What is left of a directory that was removed while it is a process's current one.
                removed_directory: RemovedDirectory {
                    asked: "Enter a directory, let another process remove it, and open `.`.",
                }
                /// Whether `open` knows the flag that empties a file.
                truncates: bool {
                    asked: "Open a file of one byte with that flag, and read it.",
                }
                /// A byte beyond xv6's largest file, of 268 blocks. (A granted one is not driven.)
                larger_files: Bound {
                    asked: "Fill a file with 268 blocks and write one more byte.",
                }
                /// The number that the kernel gives to its disk, as `fstat` returns it.
                device: u32 {
                    missing: abi::limits::ROOT_DEVICE,
                    asked: "Call `fstat` on the root directory.",
                }
            }

            /// Sizes of the kernel's tables.
            limits: Limits {
                /// File descriptors that a process has.
                files_per_process: u8 {
                    within: 2..=16,
                    asked: "Call `dup` until it fails.",
                }
                /// Open files in the whole system; each end of a pipe is one.
                files: u16 {
                    asked: "Make pipes in as many processes as there can be, until `pipe` fails.",
                }
                /// Segments of a program, those without bytes included.
                segments: u16 {
                    asked: "Start a program of nine segments.",
                }
            }
        }
    };
}
