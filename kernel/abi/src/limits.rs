//! Sizes of the kernel's fixed tables, as in the C kernel.

/// Processes.
pub const PROCESSES: usize = 64;
/// Harts.
pub const HARTS: usize = 8;
/// Open files of one process.
pub const OPEN_FILES_PER_PROCESS: usize = 16;
/// Open files of the whole system.
pub const OPEN_FILES: usize = 100;
/// In-memory inodes.
pub const INODES: usize = 50;
/// Highest device major number plus one.
pub const DEVICES: usize = 10;
/// Device number of the disk that holds the root directory.
pub const ROOT_DEVICE: u32 = 1;
/// Arguments of one `exec`, the terminating null pointer included.
pub const ARGUMENTS: usize = 32;
/// Blocks that one file-system operation may write.
pub const OPERATION_BLOCKS: usize = 10;
/// Data blocks in the on-disk log.
pub const LOG_BLOCKS: usize = OPERATION_BLOCKS * 3;
/// Blocks in the buffer cache.
pub const BUFFERS: usize = OPERATION_BLOCKS * 3;
/// Longest path, its terminating zero byte included.
pub const PATH: usize = 128;
/// Pages of a program's stack, unless the program asks for one that grows.
pub const STACK_PAGES: u64 = 1;
/// Most pages of a stack that grows.
pub const GROWING_STACK_PAGES: u64 = 10;
/// Bytes that a pipe holds.
pub const PIPE_BYTES: usize = 512;
/// Longest process name, its terminating zero byte included.
pub const PROCESS_NAME: usize = 16;
/// Major device number of the console.
pub const CONSOLE: u16 = 1;
