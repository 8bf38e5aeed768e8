//! The table of a dialect's fields.

/// Gives every field of a dialect to the macro `$work`, section by section.
///
/// A field is one row: a sentence for people (the doc comment), its name in a dialect file, its type,
/// and in braces
///
/// - `within`: for a number, the least and the most that it may be;
/// - `missing`: the value for a file without the field. Files that were written before the field
///   existed do not have it, so each new field needs this;
/// - `asked`: how `faultline check` finds out the value.
#[macro_export]
macro_rules! for_each_dialect_field {
    ($work:ident) => {
        $work! {
            /// How `sbrk` reads its arguments, and what it refuses.
            sbrk: Sbrk {
                /// How many low bits of the amount `sbrk` uses.
                amount_bits: Bits {
                    asked: "Grow by 4 GiB and one page. Did the heap grow by one page?",
                }
                /// What `sbrk` does if the new break would be below the start of the heap. The program would
                /// give back a part of its own image. (Faultline asks for no such break if the kernel
                /// grants it: the agent would lose its own code.)
                below_heap: Bound {
                    asked: "Give back the page of the stack.",
                }
                /// What `sbrk` does if the new break would be below address 0.
                below_zero: BelowZero {
                    asked: "Ask for a break one page below 0.",
                }
                /// When the kernel allocates frames for a growth without a flavour.
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
                /// How the kernel treats the bytes between the program break and the end of its page.
                tail: Tail {
                    asked: "Grow by one byte and load from the middle of the page; fork and store there; \
                            give `write` and `exec` addresses there.",
                }
            }

            /// What happens on a forbidden access.
            faults: Faults {
                /// Whether the kernel prints on the console which process it kills, in xv6's words.
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
                /// Frames that a process takes in addition to its memory and the page tables below the root
                /// that map its memory: the root table, the tables for the top of the address space, the
                /// trapframe, the kernel stack, and a guard page if it holds a frame.
                overhead_frames: u64 {
                    asked: "Fork, count the frames that it takes, and subtract copies and page tables.",
                }
            }

            /// How `exec` starts programs.
            exec: Exec {
                /// When the kernel reads a program's pages from its file.
                loading: Loading {
                    asked: "Start a program. Is a page mapped that the program did not touch?",
                }
                /// What happens when a program asks for a larger stack than usual.
                stack: StackRequest {
                    asked: "Start a program that asks for a stack of ten pages, and look at its stack pointer.",
                }
                /// Stack pages of a program that asks for no stack size. Most kernels give 1.
                stack_pages: u64 {
                    within: 1..=16,
                    asked: "Count the pages between the first program's guard page and its heap.",
                }
                /// What a program may do with the pages of its segments and with its stack.
                permissions: SegmentPermissions {
                    asked: "Store a return instruction to the data segment and jump to it.",
                }
                /// How `exec` places the segments of a program in memory.
                segments: SegmentRule {
                    asked: "Start a program whose segments overlap.",
                }
                /// How many low bits of an offset in a program file `exec` uses.
                offset_bits: Bits {
                    asked: "Start a program with an offset of 4 GiB and a few bytes.",
                }
                /// Pages directly below the trapframe that the kernel maps for every program to read,
                /// as a lab asks for. (Faultline does not test what they hold.)
                shared_pages: u64 {
                    within: 0..=8,
                    missing: 0,
                    asked: "Look for user pages below the trapframe that no program asked for.",
                }
            }

            /// How pipes work, and how they deal with bad addresses.
            pipe: Pipe {
                /// Bytes that a pipe holds.
                bytes: u32 {
                    within: 1..=65536,
                    asked: "Find the largest `write` that returns although nobody reads.",
                }
                /// What `write` returns if it cannot read even the first byte. (If it cannot read a later
                /// byte, it returns the number of bytes written.)
                write_to_bad_first_byte: i8 {
                    within: -1..=0,
                    asked: "Write from a bad address.",
                }
                /// What `read` returns if it cannot store even the first byte.
                read_to_bad_first_byte: i8 {
                    within: -1..=0,
                    asked: "Read four bytes to a bad address.",
                }
                /// What happens to the byte that `read` could not store.
                refused_byte: RefusedByte {
                    asked: "Read once more, to a good address. Does `read` return all four bytes?",
                }
                /// What a `read` of no bytes does when the pipe is empty and has writers.
                empty_read_of_nothing: EmptyRead {
                    asked: "Read no bytes from an empty pipe.",
                }
                /// When `write` fails on a pipe that no process can read any more.
                write_without_reader: WithoutReader {
                    missing: WithoutReader::Fails,
                    asked: "Close the read end of a pipe and write four bytes.",
                }
            }

            /// How files and directories behave.
            files: FileRules {
                /// What a system call does when only a part of its buffer is bad.
                bad_buffer: BadBuffer {
                    asked: "Write to a file from a buffer that ends in bad memory, and read the file back.",
                }
                /// The most bytes that `write` writes in one transaction. The kernel writes or refuses each
                /// transaction separately. It refuses the whole transaction if the file would get too
                /// large. If it cannot fill a block from user memory, it refuses that block and those after
                /// it.
                transaction_bytes: u32 {
                    within: 1..=1048576,
                    asked: "Write from buffers that end in bad memory after 1 to 30 blocks. For which number \
                            does the file keep all of them?",
                }
                /// What counts as written of a transaction with a block that the kernel could not fill.
                refused_transaction: RefusedTransaction {
                    asked: "Write from a buffer that ends in bad memory after two blocks, then write one more \
                            byte. Where does that byte go?",
                }
                /// What such a block holds in the bytes before the bad address. They do not count as written.
                /// Only bytes that replace other bytes can be seen.
                refused_block: RefusedBlock {
                    asked: "Write over a block from a buffer that ends in bad memory, and look at the disk.",
                }
                /// What is left of a directory that was removed while it is the current directory of a
                /// process.
                removed_directory: RemovedDirectory {
                    asked: "Change to a directory, remove it in another process, and open `.`.",
                }
                /// Whether `open` knows the flag `O_TRUNC`, which empties a file.
                truncates: bool {
                    asked: "Open a file of one byte with `O_TRUNC`, and read it.",
                }
                /// Whether a file can grow beyond 268 blocks, the size of xv6's largest file. (Faultline
                /// writes no such file.)
                larger_files: Bound {
                    asked: "Fill a file with 268 blocks and write one more byte.",
                }
                /// The device number of the disk, as `fstat` returns it.
                device: u32 {
                    missing: abi::limits::ROOT_DEVICE,
                    asked: "Call `fstat` on the root directory.",
                }
            }

            /// Sizes of the kernel's tables.
            limits: Limits {
                /// File descriptors of each process.
                files_per_process: u8 {
                    within: 2..=16,
                    asked: "Call `dup` until it fails.",
                }
                /// Open files in the whole system. Each end of a pipe counts as one.
                files: u16 {
                    asked: "Make pipes in as many processes as possible, until `pipe` fails.",
                }
                /// Segments of a program, including those without bytes.
                segments: u16 {
                    asked: "Start a program with nine segments.",
                }
            }
        }
    };
}
