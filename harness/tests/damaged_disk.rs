//! Whatever a disk holds, the kernel neither panics nor hangs: it refuses to mount, or the system
//! call that meets the damage fails.

use abi::file_system::{BLOCK_SIZE, DirectoryEntry, DiskInode, SUPER_BLOCK, SuperBlock};
use abi::limits::CONSOLE;
use emulator::{Config, Machine};
use faultline::console::{Console, PROMPT};
use faultline::guest::location::GuestFiles;
use mkfs::Image;

/// Instructions within which a boot or a command has to end, damage or not.
const BUDGET: u64 = 200_000_000;

fn files() -> GuestFiles {
    GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"))
}

fn image() -> Image {
    Image::open(files().file_system).unwrap()
}

fn console(disk: Vec<u8>, harts: usize) -> Console {
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut console = Console::new(Machine::new(&config, &files().kernel, disk).unwrap());
    console.set_budget(BUDGET);
    console
}

/// Boots from `disk`; the kernel must refuse to mount it and say `reason`.
#[track_caller]
fn refuses(disk: Vec<u8>, reason: &str) {
    let mut console = console(disk, 1);
    let wanted = format!("cannot mount the disk: {reason}\n");
    let shown = console.wait_for(&wanted);
    shown.unwrap_or_else(|error| panic!("{error}"));
}

fn with_super_block(change: impl FnOnce(&mut SuperBlock)) -> Vec<u8> {
    let image = image();
    let mut layout = *image.super_block();
    change(&mut layout);
    let mut disk = image.into_bytes();
    let start = SUPER_BLOCK as usize * BLOCK_SIZE;
    disk[start..start + SuperBlock::SIZE].copy_from_slice(&layout.encode());
    disk
}

#[test]
fn a_disk_without_a_file_system_is_refused() {
    refuses(Vec::new(), "it cannot be read");
    refuses(vec![0; 4 * BLOCK_SIZE], "it holds no xv6 file system");
    let mut cut = image().into_bytes();
    cut.truncate(1999 * BLOCK_SIZE);
    refuses(cut, "it is smaller than its superblock says");
}

#[test]
fn a_superblock_that_contradicts_itself_is_refused() {
    let overlap = "log and inodes overlap";
    refuses(
        with_super_block(|layout| layout.log_blocks = u32::MAX),
        overlap,
    );
    let overlap = "inodes and bitmap overlap";
    refuses(with_super_block(|layout| layout.inodes = 1 << 20), overlap);
    let overlap = "bitmap and data overlap";
    refuses(with_super_block(|layout| layout.data_blocks += 1), overlap);
    let short = "its log is too short";
    refuses(with_super_block(|layout| layout.log_blocks = 10), short);
    refuses(with_super_block(|layout| layout.log_blocks = 0), short);
}

#[test]
fn a_log_shorter_than_usual_serves() {
    let disk = with_super_block(|layout| layout.log_blocks = 11);
    let mut console = console(disk, 1);
    console.wait_for(PROMPT).unwrap();
    console.run("filework").unwrap();
    let image = Image::open(console.into_machine().disk()).unwrap();
    assert_eq!(image.check(), []);
}

#[test]
fn a_log_that_makes_no_sense_is_refused() {
    let with_log = |words: &[u32]| {
        let image = image();
        let start = image.super_block().log_start as usize * BLOCK_SIZE;
        let mut disk = image.into_bytes();
        for (index, word) in words.iter().enumerate() {
            let place = start + index * 4;
            disk[place..place + 4].copy_from_slice(&word.to_le_bytes());
        }
        disk
    };
    for header in [&[31, 40][..], &[u32::MAX], &[1, 2000], &[1, 1], &[2, 40, 0]] {
        refuses(with_log(header), "its log is damaged");
    }
}

#[test]
fn a_disk_without_root_is_refused() {
    let (mut disk, root) = with_inode(1);
    disk[root..root + DiskInode::SIZE].fill(0);
    refuses(disk, "it has no root directory");
}

/// The image, and where inode `number` is in it.
fn with_inode(number: u32) -> (Vec<u8>, usize) {
    inode_in(image(), number)
}

fn inode_in(image: Image, number: u32) -> (Vec<u8>, usize) {
    let start = image.super_block().inode_start as usize * BLOCK_SIZE;
    let place = start + number as usize * DiskInode::SIZE;
    (image.into_bytes(), place)
}

fn number_of(image: &Image, directory: &str, name: &str) -> u32 {
    let entries = image.list(directory).unwrap();
    let entry = entries.iter().find(|entry| entry.name == name);
    entry.unwrap().inode
}

/// A file whose inode `damage` has been done to: what `commands` print.
fn with_damaged_file(damage: impl FnOnce(&mut DiskInode), commands: &[&str]) -> Vec<String> {
    let mut image = image();
    // Else the boot makes it, and would take the victim's inode if the damage frees that.
    image.create_device("console", CONSOLE, 0).unwrap();
    image.replace_file("victim", &[b'v'; 20_000]).unwrap();
    let number = number_of(&image, "/", "victim");
    let (mut disk, place) = inode_in(image, number);
    let bytes = &mut disk[place..place + DiskInode::SIZE];
    let mut inode = DiskInode::decode(bytes.first_chunk().unwrap());
    damage(&mut inode);
    bytes.copy_from_slice(&inode.encode());
    let mut console = console(disk, 1);
    console.wait_for(PROMPT).unwrap();
    commands
        .iter()
        .map(|command| {
            let printed = console.run(command);
            printed.unwrap_or_else(|error| panic!("{command}: {error}"))
        })
        .collect()
}

#[test]
fn a_file_with_wild_blocks_fails_to_be_read_and_can_be_removed() {
    let commands = ["cat victim", "echo x > victim", "rm victim", "echo new"];
    for wild in [1, 46, 2000, u32::MAX] {
        let printed = with_damaged_file(|inode| inode.addresses[0] = wild, &commands);
        assert!(printed[0].contains("cat:"), "{wild}: {printed:?}");
        assert_eq!(printed[3], "new\n");
        let printed = with_damaged_file(|inode| inode.addresses[12] = wild, &commands);
        assert!(printed[0].contains("cat:"), "{wild}: {printed:?}");
        assert_eq!(printed[3], "new\n");
    }
}

#[test]
fn a_file_that_cannot_be_is_not_opened() {
    let commands = ["cat victim", "wc < victim", "ls", "rm victim", "echo new"];
    let damages: [fn(&mut DiskInode); 4] = [
        |inode| inode.size = u32::MAX,
        |inode| inode.kind = 9,
        |inode| inode.kind = 0,
        |inode| inode.links = 0,
    ];
    for damage in damages {
        let printed = with_damaged_file(damage, &commands);
        assert!(printed[0].contains("cat:"), "{printed:?}");
        assert_eq!(printed[4], "new\n");
    }
}

#[test]
fn directories_inside_themselves_do_not_hang_the_kernel() {
    let mut image = image();
    for name in ["a", "a/b", "c"] {
        image.create_directory(name).unwrap();
    }
    let [a, b, c] = [("/", "a"), ("/a", "b"), ("/", "c")]
        .map(|(directory, name)| number_of(&image, directory, name));
    let (mut disk, inodes) = inode_in(image, 0);
    // `b` holds `a`, which holds `b`; and `c` holds itself.
    for (directory, number) in [(b, a), (c, c)] {
        let place = inodes + directory as usize * DiskInode::SIZE;
        let bytes = &mut disk[place..place + DiskInode::SIZE];
        let mut inode = DiskInode::decode(bytes.first_chunk().unwrap());
        let end = inode.addresses[0] as usize * BLOCK_SIZE + inode.size as usize;
        inode.size += DirectoryEntry::SIZE as u32;
        bytes.copy_from_slice(&inode.encode());
        let entry = DirectoryEntry::new(number as u16, b"again").encode();
        disk[end..end + DirectoryEntry::SIZE].copy_from_slice(&entry);
    }
    let mut console = console(disk, 3);
    console.wait_for(PROMPT).unwrap();
    let commands = [
        "ls a/b/again/b/again/b/again",
        "rm c/again",
        "ls c/again/again/again",
        "echo x > c/again/again/file",
        "cat c/file",
        "rm a/b & rm a/b/again & rm a/b & rm a/b/again & rm a/b & rm a/b/again",
        "mkdir a/b/again/new",
        "rm a",
    ];
    for command in commands {
        let printed = console.run(command);
        printed.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
    assert_eq!(console.run("cat c/file").unwrap(), "x\n");
}

/// A generator of numbers, the same in every run (xorshift, period 2^64 - 1).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn random_damage_to_files_directories_and_bitmap_is_survived() {
    let mut image = image();
    image.create_directory("d").unwrap();
    image.replace_file("d/big", &[b'b'; 20_000]).unwrap();
    image.replace_file("d/small", b"small").unwrap();
    let layout = *image.super_block();
    let first = number_of(&image, "/", "d");
    let (disk, inodes) = inode_in(image, first);
    let directory = DiskInode::decode(disk[inodes..].first_chunk().unwrap());
    let areas = [
        (inodes, 3 * DiskInode::SIZE),
        (directory.addresses[0] as usize * BLOCK_SIZE, 80),
        (layout.bitmap_start as usize * BLOCK_SIZE, 250),
    ];
    for seed in 1..=40 {
        let mut numbers = Numbers(seed);
        let mut disk = disk.clone();
        for _ in 0..1 + numbers.below(6) {
            let (start, length) = areas[numbers.below(areas.len())];
            disk[start + numbers.below(length)] = numbers.below(256) as u8;
        }
        let mut console = console(disk, 1);
        console
            .wait_for(PROMPT)
            .unwrap_or_else(|error| panic!("damage {seed}: {error}"));
        for command in [
            "ls d",
            "cat d/big | wc",
            "echo more >> d/small",
            "echo new > d/new",
            "mkdir d/e",
            "ln d/small d/other",
            "filework",
            "rm d/big d/small d/other d/new d/e d",
        ] {
            // Whatever it prints: it must come back to the prompt.
            let printed = console.run(command);
            printed.unwrap_or_else(|error| panic!("damage {seed}, {command}: {error}"));
        }
    }
}
