//! Images go to and fro: what `mkfs` has put into one, the kernel's programs find; what they make,
//! `mkfs` finds, as the format says it lies on the disk.

use abi::file_system::{BLOCK_SIZE, DIRECT_BLOCKS, DiskInode, Kind, MAX_FILE_SIZE};
use abi::limits::CONSOLE;
use emulator::{Config, Machine};
use faultline::console::{Console, PROMPT};
use faultline::guest::location::GuestFiles;
use mkfs::{Builder, Image};

/// As long as a name can be: it has no zero byte at its end.
const LONGEST_NAME: &str = "fourteen-bytes";

fn files() -> GuestFiles {
    GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"))
}

fn image() -> Image {
    Image::open(files().file_system).unwrap()
}

/// Boots from `image` and runs `lines`: what they print, and the image afterwards.
fn run(image: Image, lines: &[&str]) -> (Vec<String>, Image) {
    let disk = image.into_bytes();
    let machine = Machine::new(&Config::default(), &files().kernel, disk).unwrap();
    let mut console = Console::new(machine);
    console.wait_for(PROMPT).unwrap();
    let printed = lines.iter().map(|line| console.run(line).unwrap());
    let printed = printed.collect();
    let image = Image::open(console.into_machine().disk()).unwrap();
    assert_eq!(image.check(), []);
    (printed, image)
}

/// Text of `length` bytes in lines of 64, in which no two blocks are equal.
fn lines(length: usize) -> Vec<u8> {
    let lines = (0..length / 64 + 1).map(|line| format!("{line:063}\n"));
    lines.flat_map(String::into_bytes).take(length).collect()
}

#[test]
fn the_kernel_finds_what_mkfs_made() {
    let mut image = image();
    image.create_directory("deep").unwrap();
    image.create_directory("deep/er").unwrap();
    let path = format!("deep/er/{LONGEST_NAME}");
    image.replace_file(&path, b"found").unwrap();
    image.replace_file("empty", b"").unwrap();
    image
        .replace_file("largest", &lines(MAX_FILE_SIZE))
        .unwrap();
    image.create_device("terminal", CONSOLE, 0).unwrap();
    let (printed, _) = run(
        image,
        &[
            &format!("cat {path}; echo"),
            "wc empty largest",
            "grep 0000192$ largest",
            "echo shown > terminal",
            "ls deep/er",
        ],
    );
    assert_eq!(printed[0], "found\n");
    assert_eq!(
        printed[1],
        format!("0 0 0 empty\n4288 4288 {MAX_FILE_SIZE} largest\n")
    );
    // The line at which the indirect block begins to be used.
    assert_eq!(192 * 64, DIRECT_BLOCKS * BLOCK_SIZE);
    assert_eq!(printed[2], format!("{:063}\n", 192));
    assert_eq!(printed[3], "shown\n");
    let entry = printed[4].lines().find(|line| line.contains(LONGEST_NAME));
    assert!(entry.unwrap().ends_with(" 5"), "{printed:?}");
}

#[test]
fn mkfs_finds_what_the_kernel_made() {
    let long = "a".repeat(70);
    let make = [
        "mkdir d; mkdir d/e; ln echo d/e/link",
        &format!("echo {long} > d/{LONGEST_NAME}-and-more"),
        "cat usertests > d/copy",
        "rm d/copy; cat lazytests usertests sh > d/copy",
    ];
    let (_, image) = run(image(), &make);
    let names: Vec<(String, Kind)> = image
        .list("d")
        .unwrap()
        .into_iter()
        .map(|entry| (entry.name, entry.kind))
        .collect();
    let wanted = [
        (".", Kind::Directory),
        ("..", Kind::Directory),
        ("e", Kind::Directory),
        (LONGEST_NAME, Kind::File),
        ("copy", Kind::File),
    ];
    assert_eq!(names, wanted.map(|(name, kind)| (name.to_owned(), kind)));
    let text = image.read_file(&format!("d/{LONGEST_NAME}")).unwrap();
    assert_eq!(text, format!("{long}\n").into_bytes());
    let parts = ["lazytests", "usertests", "sh"].map(|name| image.read_file(name).unwrap());
    assert!(parts.concat().len() > DIRECT_BLOCKS * BLOCK_SIZE);
    assert!(image.read_file("d/copy").unwrap() == parts.concat());
    assert_eq!(
        image.read_file("d/e/link").unwrap(),
        image.read_file("echo").unwrap()
    );
}

#[test]
fn an_image_of_another_size_is_used_up_to_its_end() {
    let files = files();
    let original = Image::open(files.file_system).unwrap();
    // More than one block of the bitmap describes.
    let mut builder = Builder::new().blocks(9000).inodes(1000);
    for name in ["init", "sh", "cat", "echo", "rm", "mkdir"] {
        builder = builder.file(name, &original.read_file(name).unwrap());
    }
    builder = builder.file("large", &lines(MAX_FILE_SIZE));
    // With `large`, nearly as many blocks as one block of the bitmap describes.
    let fillers: Vec<String> = (0..29).map(|number| format!("filler{number}")).collect();
    for name in &fillers {
        builder = builder.file(name, &lines(MAX_FILE_SIZE));
    }
    let image = builder.build().unwrap();
    let copies: Vec<String> = (0..4)
        .map(|copy| format!("cat large > copy{copy}"))
        .collect();
    let mut commands: Vec<&str> = copies.iter().map(String::as_str).collect();
    commands.push("rm copy1 filler28");
    commands.push("echo end > copy1");
    let (_, image) = run(image, &commands);
    assert!(image.read_file("copy0").unwrap() == lines(MAX_FILE_SIZE));
    assert_eq!(image.read_file("copy1").unwrap(), b"end\n");
    // All that is left is in the last one: the disk is full.
    let full = image.read_file("copy3").unwrap();
    assert!(full.len() < MAX_FILE_SIZE && lines(MAX_FILE_SIZE).starts_with(&full));
}

#[test]
fn inodes_lie_where_the_format_says() {
    let (_, image) = run(image(), &["mkdir d", "echo abc > d/file"]);
    let number = image.list("d").unwrap()[2].inode;
    let layout = *image.super_block();
    let place = layout.inode_start as usize * BLOCK_SIZE + number as usize * 64;
    let bytes = &image.as_bytes()[place..place + DiskInode::SIZE];
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    // Kind, major, minor, links, size.
    assert_eq!([half(0), half(2), half(4), half(6)], [2, 0, 0, 1]);
    assert_eq!(bytes[8..12], [4, 0, 0, 0]);
    let block = u32::from_le_bytes(*bytes[12..].first_chunk().unwrap());
    let start = block as usize * BLOCK_SIZE;
    assert_eq!(&image.as_bytes()[start..start + 5], b"abc\n\0");
    assert!(bytes[16..].iter().all(|&byte| byte == 0));
}
