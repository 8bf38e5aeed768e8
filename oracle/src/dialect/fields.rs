//! The table of a dialect's fields.

/// Gives every field of a dialect to the macro `$work`, section by section.
///
/// A field is one row: a sentence for people (the doc comment), its name in a dialect file, its type,
/// and in braces
///
/// - `variant`: why a reasonable author may choose any value, and `asked`: how `faultline check` finds out
///   which one a kernel has;
/// - or, if one value is right and some kernels have another one, `defect`: a sentence that names the wrong
///   answer and the right one; `source`: who says so, preferably upstream, which has fixed it; perhaps
///   `doubt`: why an author may say that it does no harm; `right`: the right value; and `wrong`: the
///   others. The file `defects/SECTION.FIELD.case` shows the defect;
/// - `within`: for a number, the smallest and the largest value;
/// - `missing`: the value for a file without the field. Files that were written before the field
///   existed do not have it, so each new field needs this.
#[macro_export]
macro_rules! for_each_dialect_field {
    ($work:ident) => {
        $work! {
            /// How `sbrk` reads its arguments, and what it refuses.
            sbrk: Sbrk {
                /// How many low bits of the amount `sbrk` uses.
                amount_bits: Bits {
                    defect: "`sbrk` uses only the low 32 bits of its amount: a request to shrink by almost \
                             4 GiB grows the heap",
                    source: "The Single Unix Specification, version 2, declares the amount as `intptr_t`, \
                             64 bits here. Upstream's result was cut to 32 bits in the same way, and \
                             upstream fixed that: \"sbrk() returns a pointer, so it should be 64 bits\" \
                             (July 2019) and \"Use uint64\" (August 2022).",
                    doubt: "xv6's `user.h` declares the amount as an `int`, so that no C program can ask \
                            for more",
                    right: Bits::SixtyFour,
                    wrong: [Bits::ThirtyTwo],
                }
                /// What `sbrk` does if the new break would be below the start of the heap. The program would
                /// give back a part of its own image. (Faultline asks for no such break if the kernel
                /// grants it: the agent would lose its own code.)
                below_heap: Bound {
                    variant: "Upstream's `usertests` has given back all memory of a program since September \
                              2019, so xv6 grants it. A kernel that protects the program's image refuses it.",
                    asked: "Give back the page of the stack.",
                }
                /// What `sbrk` does if the new break would be below address 0.
                below_zero: BelowZero {
                    variant: "Every xv6 returns the old break and keeps the memory: upstream has never \
                              changed this. A kernel that compares addresses first returns -1. Neither \
                              moves the break.",
                    asked: "Ask for a break one page below 0.",
                }
                /// When the kernel allocates frames for a growth without a flavour.
                growth: Growth {
                    variant: "Upstream allocated all growth at once until 2025, and the labs have asked for \
                              lazy allocation since 2019.",
                    asked: "Grow by eight pages, and count the pages that are mapped.",
                }
                /// Whether flavour 1 allocates at once. If not, the second argument is ignored.
                eager_flavour: bool {
                    variant: "Upstream's `sbrk` has had a second argument since 2025. Older kernels have no \
                              flavours.",
                    asked: "Grow by eight pages with flavour 1, and count the pages that are mapped.",
                }
            }

            /// How many low bits of their arguments system calls use, if xv6's `user.h` declares an argument as
            /// `int`.
            arguments: Arguments {
                /// For a file descriptor.
                descriptor_bits: Bits {
                    variant: "Every xv6 in C uses the low half of the register. A C program sign-extends an \
                              `int`, so a kernel that uses the whole register sees the same number. For such \
                              a kernel Faultline sign-extends as well. The same holds for the other fields.",
                    asked: "Call `dup` with other bits in the high half of the descriptor's register.",
                    missing: Bits::SixtyFour,
                }
                /// For the length of a buffer.
                length_bits: Bits {
                    variant: "Every xv6 in C uses the low half of the register. POSIX declares the length as \
                              `size_t`, and so do kernels in other languages.",
                    asked: "Read one byte from a pipe that holds two, with other bits in the high half of the \
                            length's register.",
                    missing: Bits::SixtyFour,
                }
                /// For a process identifier.
                pid_bits: Bits {
                    variant: "Every xv6 in C uses the low half of the register.",
                    asked: "Kill a child, with other bits in the high half of the identifier's register.",
                    missing: Bits::SixtyFour,
                }
                /// For a number of ticks.
                ticks_bits: Bits {
                    variant: "Every xv6 in C uses the low half of the register.",
                    asked: "Sleep for 0 ticks, with other bits in the high half of the register.",
                    missing: Bits::SixtyFour,
                }
                /// For a mode of `open`, a device number, and a flavour of `sbrk`.
                mode_bits: Bits {
                    variant: "Every xv6 in C uses the low half of the register.",
                    asked: "Open a file, with other bits in the high half of the mode's register.",
                    missing: Bits::SixtyFour,
                }
            }

            /// What the heap's pages are like.
            heap: Heap {
                /// Whether heap pages may be executed.
                executable: bool {
                    variant: "Upstream's heap pages were executable until August 2022 (\"Experiment with \
                              being more precise setting permissions for user pages\"). A program can harm \
                              only itself with them.",
                    asked: "Store a return instruction to the heap and jump to it.",
                }
                /// How the kernel treats the bytes between the program break and the end of its page.
                tail: Tail {
                    variant: "A page is mapped or not as a whole, so xv6 lets a program use all of its last \
                              page. A lazy kernel that compares the address with the break refuses the \
                              bytes beyond it. A program asked for none of them.",
                    asked: "Grow by one byte and load from the middle of the page; fork and store there; \
                            give `write` and `exec` addresses there.",
                }
            }

            /// What happens on a forbidden access.
            faults: Faults {
                /// Whether the kernel prints on the console which process it kills, in xv6's words.
                announced: bool {
                    variant: "The message is for people. The process is killed in either case.",
                    asked: "Load from and store to the guard page and an address beyond the break.",
                }
            }

            /// What a fork costs.
            fork: Fork {
                /// Whether a fork shares memory or copies it.
                memory: ForkMemory {
                    variant: "Upstream's `fork` copies. The labs ask for copy-on-write.",
                    asked: "Fork. Do parent and child have a frame in common?",
                }
                /// Frames that a process takes in addition to its memory and the page tables below the root
                /// that map its memory: the root table, the tables for the top of the address space, the
                /// trapframe, the kernel stack, and a guard page if it holds a frame.
                overhead_frames: u64 {
                    variant: "Kernels keep kernel stacks and trapframes in different places.",
                    asked: "Fork, count the frames that it takes, and subtract copies and page tables.",
                }
            }

            /// What a parent learns of its children.
            wait: Wait {
                /// Whether `wait` stores the status with which the child ended.
                status: ExitStatus {
                    defect: "`wait` does not store the status with which the child ended",
                    source: "POSIX and the xv6 book: the parent gets the argument of the child's `exit`. \
                             Upstream fixed it: \"Support exit status for exit/wait\" (September 2019).",
                    right: ExitStatus::Told,
                    wrong: [ExitStatus::Zero, ExitStatus::Untold],
                    missing: ExitStatus::Told,
                }
            }

            /// How `exec` starts programs.
            exec: Exec {
                /// When the kernel reads a program's pages from its file.
                loading: Loading {
                    variant: "Upstream's `exec` reads the whole program. Loading on demand is an exercise.",
                    asked: "Start a program. Is a page mapped that the program did not touch?",
                }
                /// What happens when a program asks for a larger stack than usual.
                stack: StackRequest {
                    variant: "Upstream gives every program the same stack. A stack that grows is an \
                              exercise.",
                    asked: "Start a program that asks for a stack of ten pages, and look at its stack \
                            pointer.",
                }
                /// Stack pages of a program that asks for no stack size. Most kernels give 1.
                stack_pages: u64 {
                    variant: "Upstream's stack has `USERSTACK` pages, a constant that anyone may change.",
                    asked: "Count the pages between the first program's guard page and its heap.",
                    within: 1..=16,
                }
                /// What a program may do with the pages of its segments and with its stack.
                permissions: SegmentPermissions {
                    variant: "Upstream gave a program all rights to its pages until August 2022 (\"Compile \
                              user binary to map text without W and data without X\"). A program can harm \
                              only itself with them.",
                    asked: "Store a return instruction to the data segment and jump to it; store to code.",
                }
                /// How `exec` places the segments of a program in memory.
                segments: SegmentRule {
                    variant: "Upstream's `exec` grows memory from one segment to the next, so there is no \
                              gap. A kernel with regions keeps segments apart.",
                    asked: "Start a program whose segments overlap.",
                }
                /// How many low bits of an offset in a program file `exec` uses.
                offset_bits: Bits {
                    defect: "`exec` uses only the low 32 bits of an offset in a program file: it starts a \
                             file that is damaged",
                    source: "The ELF specification declares offsets as `Elf64_Off`, 64 bits.",
                    doubt: "no compiler makes such a file: xv6's files are smaller than 4 GiB",
                    right: Bits::SixtyFour,
                    wrong: [Bits::ThirtyTwo],
                }
                /// Pages directly below the trapframe that the kernel maps for every program to read. One
                /// of the labs asks for such a page. (Faultline does not test what they hold.)
                shared_pages: u64 {
                    variant: "The lab on page tables asks for a page that speeds up system calls. Other \
                              kernels have none.",
                    asked: "Look for user pages below the trapframe that no program asked for.",
                    within: 0..=8,
                    missing: 0,
                }
            }

            /// How pipes work, and how they deal with bad addresses.
            pipe: Pipe {
                /// Bytes that a pipe holds.
                bytes: u32 {
                    variant: "Upstream's `PIPESIZE` is 512, a constant that anyone may change.",
                    asked: "Find the largest `write` that returns although nobody reads.",
                    within: 1..=65536,
                }
                /// What `write` returns if it cannot read even the first byte: -1, 0, or the whole length,
                /// written as 1. (If it cannot read a later byte, it returns the number of bytes written, or
                /// again the whole length.)
                write_to_bad_first_byte: i8 {
                    defect: "`write` to a pipe returns 0 or the whole length if it can read no byte from \
                             memory: it must return -1",
                    source: "POSIX: `write` fails with EFAULT. Upstream stopped returning the whole length: \
                             \"fix bugs in read/write return values when there's an error\" (August 2020). \
                             The 0 was reported to upstream as issue 516 (\"pipewrite returns 0 instead of \
                             -1 when the first copyin fails\", June 2026).",
                    right: -1,
                    wrong: [0, 1],
                    within: -1..=1,
                }
                /// What `read` returns if it cannot store even the first byte.
                read_to_bad_first_byte: i8 {
                    defect: "`read` from a pipe returns 0, which means the end of the data, if it can store \
                             no byte to memory: it must return -1",
                    source: "POSIX: `read` fails with EFAULT, and 0 is the end of the data. Upstream's \
                             `piperead` returned -1 in June 2026 (issue 516 quotes it). Upstream fixed the \
                             same answer for files: \"When either_copyin/out fails, return an error from \
                             write/read\" (September 2020).",
                    right: -1,
                    wrong: [0],
                    within: -1..=0,
                }
                /// What happens to the byte that `read` could not store.
                refused_byte: RefusedByte {
                    defect: "`read` takes a byte out of a pipe before it can store it: if the address is \
                             bad, the byte is lost for every reader",
                    source: "POSIX: a byte leaves the pipe when a `read` returns it. Upstream's `piperead` \
                             of 2019 to 2025 counts the byte as read before `copyout`.",
                    right: RefusedByte::Kept,
                    wrong: [RefusedByte::Lost],
                }
                /// What a `read` of no bytes does when the pipe is empty and has writers.
                empty_read_of_nothing: EmptyRead {
                    variant: "Every xv6 waits. Linux returns 0 at once. Either way the program gets no byte.",
                    asked: "Read no bytes from an empty pipe.",
                }
                /// When `write` fails on a pipe that no process can read any more.
                write_without_reader: WithoutReader {
                    defect: "`write` to a pipe that nobody can read any more succeeds until the pipe is \
                             full: it must return -1",
                    source: "POSIX: `write` fails with EPIPE. Upstream fixed it: \"test for closed pipe or \
                             killed on every char, not just if pipe full\" (October 2020).",
                    right: WithoutReader::Fails,
                    wrong: [WithoutReader::FailsWhenFull],
                    missing: WithoutReader::Fails,
                }
            }

            /// How files and directories behave.
            files: FileRules {
                /// What a system call does when only a part of its buffer is bad.
                bad_buffer: BadBuffer {
                    variant: "POSIX lets a call with a bad buffer fail, or end before the bad byte. xv6 \
                              copies the bytes before it. Some kernels check the whole buffer first.",
                    asked: "Write to a file from a buffer that ends in bad memory, and read the file back.",
                }
                /// The most bytes that `write` writes in one transaction. The kernel writes or refuses each
                /// transaction separately. It refuses the whole transaction if the file would get too
                /// large. If it cannot fill a block from user memory, it refuses that block and those after
                /// it.
                transaction_bytes: u32 {
                    variant: "It follows from the size of the log, which kernels and labs change.",
                    asked: "Write from buffers that end in bad memory after 1 to 30 blocks. For which \
                            number does the file keep all of them?",
                    within: 1..=1048576,
                }
                /// What counts as written if the kernel could not fill a block of a transaction.
                refused_transaction: RefusedTransaction {
                    defect: "if `write` cannot read a part of its buffer, it forgets the blocks that it has \
                             written before, or says that it has written everything: it must return -1, and \
                             the file's offset and size must count these blocks",
                    source: "Upstream fixed both: \"hopefully make writei more correct\" (October 2020), and \
                             \"fix bugs in read/write return values when there's an error\" (August 2020).",
                    right: RefusedTransaction::CountsBlocks,
                    wrong: [RefusedTransaction::CountsNothing, RefusedTransaction::CountsAll],
                }
                /// What a block that the kernel could not fill holds in the bytes before the bad address.
                /// They do not count as written. They can be seen only if they replace other bytes.
                refused_block: RefusedBlock {
                    variant: "The write fails, and POSIX does not say what a file then holds in these bytes.",
                    asked: "Write over a block from a buffer that ends in bad memory, and look at the disk.",
                }
                /// What is left of a directory that was removed while it is the current directory of a
                /// process.
                removed_directory: RemovedDirectory {
                    variant: "Every xv6 keeps `.` and `..` until no process uses the directory. POSIX \
                              removes them at once.",
                    asked: "Change to a directory, remove it in another process, and open `.`.",
                }
                /// Whether `open` knows the flag `O_TRUNC`, which empties a file.
                truncates: bool {
                    variant: "Upstream's `open` has known `O_TRUNC` since July 2020. Older kernels ignore \
                              the flag.",
                    asked: "Open a file of one byte with `O_TRUNC`, and read it.",
                }
                /// Whether a file can grow beyond 268 blocks, the size of xv6's largest file. (Faultline
                /// writes no such file.)
                larger_files: Bound {
                    variant: "The lab on file systems asks for larger files.",
                    asked: "Fill a file with 268 blocks and write one more byte.",
                }
                /// What `read` from a file does with a length below 0.
                read_below_zero: ReadBelowZero {
                    defect: "`read` treats a length below 0 as a very large one: it stores the rest of the \
                             file over whatever lies beyond the buffer",
                    source: "POSIX: the length is unsigned, and the result of one above SSIZE_MAX is \
                             implementation-defined; Linux returns EINVAL. Reported to upstream as issue 515 \
                             (\"sys_read accepts negative lengths and can read data instead of rejecting \
                             them\", June 2026).",
                    right: ReadBelowZero::Nothing,
                    wrong: [ReadBelowZero::Everything],
                    missing: ReadBelowZero::Nothing,
                }
                /// The device number of the disk, as `fstat` returns it.
                device: u32 {
                    variant: "Upstream's `ROOTDEV` is 1, a constant that anyone may change.",
                    asked: "Call `fstat` on the root directory.",
                    missing: abi::limits::ROOT_DEVICE,
                }
                /// Whether a device other than the console has a driver. (Then Faultline opens no device.)
                other_devices: bool {
                    variant: "The lab on locks adds the device `statistics`. Upstream's only device is the \
                              console.",
                    asked: "Make a device file for each device number below 10, open it, and read a byte.",
                    missing: false,
                }
            }

            /// What programs read from the console.
            console: Console {
                /// Whether a read from the console returns what was typed when a line is complete, and no more
                /// than that line. (If not, Faultline types nothing.)
                lines: bool {
                    variant: "A kernel may have no input, or deliver each byte when it is typed.",
                    asked: "Let a process read from the console, type a letter, and then the rest of a line.",
                    missing: false,
                }
                /// Whether control-H removes a character that was typed, and control-U the line.
                edits: bool {
                    variant: "Every xv6 in C has both. A kernel can leave editing to programs.",
                    asked: "Type a line with both keys, and read it.",
                    missing: false,
                }
                /// Whether control-D ends the input: the next `read` returns 0.
                ends: bool {
                    variant: "It does in every xv6 in C. A kernel can deliver the byte like any other.",
                    asked: "Let a process read from the console, and type control-D.",
                    missing: false,
                }
                /// What happens to a byte that `read` could not store.
                refused_byte: RefusedByte {
                    variant: "Every xv6 in C takes the byte out of its buffer first. No standard says what \
                              happens to typed bytes if the program passes a bad address.",
                    asked: "Type a line, read it to a bad address, and read again.",
                    missing: RefusedByte::Kept,
                }
            }

            /// Sizes of the kernel's tables.
            limits: Limits {
                /// File descriptors of each process.
                files_per_process: u8 {
                    variant: "Upstream's `NOFILE` is 16, a constant that anyone may change.",
                    asked: "Call `dup` until it fails.",
                    within: 2..=16,
                }
                /// Open files in the whole system. Each end of a pipe counts as one.
                files: u16 {
                    variant: "Upstream's `NFILE` is 100, a constant that anyone may change.",
                    asked: "Make pipes in as many processes as possible, until `pipe` fails.",
                }
                /// Segments of a program, including those without bytes.
                segments: u16 {
                    variant: "Upstream has no limit. A kernel with a table of regions has one.",
                    asked: "Start a program with nine segments.",
                }
            }
        }
    };
}
