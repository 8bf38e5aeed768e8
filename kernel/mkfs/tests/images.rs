//! What images must keep through any sequence of edits, and what hostile bytes may not do.

use std::collections::BTreeMap;

use abi::file_system::{
    BLOCK_SIZE, DIRECT_BLOCKS, DirectoryEntry, DiskInode, INODES_PER_BLOCK, Kind, MAX_FILE_SIZE,
    NAME_SIZE, SUPER_BLOCK,
};
use mkfs::{Builder, Error, Image, Problem};
use proptest::prelude::*;

fn filled(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|index| (index as u8).wrapping_mul(31).wrapping_add(seed))
        .collect()
}

#[test]
fn an_empty_image_is_laid_out_as_the_c_kernel_expects() {
    let image = Builder::new().build().unwrap();
    let layout = image.super_block();
    assert_eq!(image.as_bytes().len(), 2000 * BLOCK_SIZE);
    assert_eq!((layout.log_start, layout.log_blocks), (2, 31));
    assert_eq!((layout.inode_start, layout.bitmap_start), (33, 46));
    assert_eq!(layout.data_blocks, 1953);
    assert_eq!(image.check(), []);
    let names: Vec<_> = image.list("/").unwrap();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|entry| entry.inode == 1));
}

#[test]
fn files_grow_shrink_and_give_their_blocks_back() {
    let mut image = Builder::new().file("init", b"old").build().unwrap();
    let free = image.free_blocks();
    for length in [0, 1, 1024, 12 * 1024, 12 * 1024 + 1, MAX_FILE_SIZE, 5] {
        let bytes = filled(length, 3);
        image.replace_file("init", &bytes).unwrap();
        assert_eq!(image.read_file("init").unwrap(), bytes, "{length} bytes");
        assert_eq!(image.check(), [], "{length} bytes");
    }
    assert_eq!(image.free_blocks(), free);
    let reopened = Image::open(image.into_bytes()).unwrap();
    assert_eq!(reopened.read_file("/init").unwrap(), filled(5, 3));
}

/// Kernels made from xv6 have other blocks. The size is known by where the superblock is.
#[test]
fn blocks_of_other_sizes_are_read_and_written() {
    for block in [512, 4096] {
        let most = (DIRECT_BLOCKS + block / 4) * block;
        let fits = most.min(1 << 20);
        let builder = Builder::new()
            .blocks_of(block)
            .blocks((4 << 20) / block as u32);
        let mut image = builder.inodes(2000).file("init", b"old").build().unwrap();
        let free = image.free_blocks();
        for length in [
            0,
            1,
            block,
            DIRECT_BLOCKS * block,
            DIRECT_BLOCKS * block + 1,
            fits,
            5,
        ] {
            let length = length.min(most);
            let bytes = filled(length, 3);
            image.replace_file("init", &bytes).unwrap();
            assert_eq!(
                image.read_file("init").unwrap(),
                bytes,
                "{length} bytes in {block}"
            );
            assert_eq!(image.check(), [], "{length} bytes in {block}");
        }
        assert_eq!(image.free_blocks(), free, "{block}");
        // More names than one block of a directory holds.
        let names = block / 16 + 10;
        for number in 0..names {
            image.replace_file(&format!("file{number}"), &[1]).unwrap();
        }
        assert_eq!(image.check(), [], "{block}");
        let reopened = Image::open(image.into_bytes()).unwrap();
        assert_eq!(reopened.block_bytes(), block);
        assert_eq!(
            reopened.read_file("/init").unwrap(),
            filled(5, 3),
            "{block}"
        );
        assert_eq!(reopened.list("/").unwrap().len(), names + 3, "{block}");
    }
}

/// The inode of the file at `path`, and where in the image it is.
fn inode_of(image: &Image, path: &str) -> (usize, DiskInode) {
    let entries = image.list("/").unwrap();
    let entry = entries.iter().find(|entry| entry.name == path).unwrap();
    let block = image.super_block().inode_block(entry.inode).unwrap() as usize;
    let at = block * BLOCK_SIZE + entry.inode as usize % INODES_PER_BLOCK * DiskInode::SIZE;
    let bytes = image.as_bytes()[at..].first_chunk().unwrap();
    (at, DiskInode::decode(bytes))
}

/// The file-system lab's inodes: eleven direct blocks, an indirect one, and one of indirect ones.
#[test]
fn an_image_of_the_file_system_lab_is_known_by_its_large_files() {
    let large = filled((DIRECT_BLOCKS + 3) * BLOCK_SIZE, 1);
    let image = Builder::new().file("large", &large).build().unwrap();
    let (at, mut inode) = inode_of(&image, "large");
    let mut bytes = image.into_bytes();
    let last = DIRECT_BLOCKS - 1;
    let indirect = inode.addresses[DIRECT_BLOCKS] as usize * BLOCK_SIZE;
    bytes.copy_within(indirect..indirect + 3 * 4, indirect + 4);
    bytes[indirect..indirect + 4].copy_from_slice(&inode.addresses[last].to_le_bytes());
    inode.addresses[last] = inode.addresses[DIRECT_BLOCKS];
    inode.addresses[DIRECT_BLOCKS] = 0;
    bytes[at..at + DiskInode::SIZE].copy_from_slice(&inode.encode());

    let mut image = Image::open(bytes).unwrap();
    assert_eq!(image.read_file("large").unwrap(), large);
    assert_eq!(image.check(), []);
    let other = filled(DIRECT_BLOCKS * BLOCK_SIZE, 2);
    image.replace_file("init", &other).unwrap();
    let (_, planted) = inode_of(&image, "init");
    assert_eq!(planted.addresses[DIRECT_BLOCKS], 0);
    assert_eq!(image.check(), []);
    let again = Image::open(image.into_bytes()).unwrap();
    assert_eq!(again.read_file("init").unwrap(), other);
    assert_eq!(again.read_file("large").unwrap(), large);
}

#[test]
fn a_failed_edit_changes_nothing() {
    let mut image = Builder::new().blocks(100).build().unwrap();
    let before = image.as_bytes().to_vec();
    let too_much = vec![1; 100 * BLOCK_SIZE];
    assert_eq!(
        image.replace_file("big", &too_much),
        Err(Error::OutOfBlocks)
    );
    assert_eq!(
        image.replace_file("a name of fifteen", b""),
        Err(Error::BadName("a name of fifteen".into()))
    );
    assert!(matches!(
        image.replace_file("/", b""),
        Err(Error::NotAFile(_))
    ));
    assert!(matches!(
        image.replace_file("no/such", b""),
        Err(Error::NotFound(_))
    ));
    assert_eq!(image.as_bytes(), before);
}

#[test]
fn directories_and_devices_are_made_and_names_removed() {
    let mut image = Builder::new()
        .directory("bin")
        .file("bin/sh", b"shell")
        .device("console", 1, 0)
        .build()
        .unwrap();
    assert_eq!(image.check(), []);
    assert_eq!(image.read_file("bin/sh").unwrap(), b"shell");
    assert_eq!(image.list("/").unwrap()[3].kind, Kind::Device);
    image.remove_file("bin/sh").unwrap();
    assert_eq!(
        image.read_file("bin/sh"),
        Err(Error::NotFound("bin/sh".into()))
    );
    assert_eq!(image.check(), []);
}

#[test]
fn a_committed_log_is_installed_before_the_image_is_read() {
    let image = Builder::new().file("a", b"before").build().unwrap();
    let layout = *image.super_block();
    let mut bytes = image.into_bytes();
    let home = 48; // data block 47 is the root directory
    assert_eq!(&bytes[home * BLOCK_SIZE..][..6], b"before");
    let log = layout.log_start as usize * BLOCK_SIZE;
    bytes[log..log + 4].copy_from_slice(&1u32.to_le_bytes());
    bytes[log + 4..log + 8].copy_from_slice(&(home as u32).to_le_bytes());
    bytes[log + BLOCK_SIZE..][..6].copy_from_slice(b"after!");
    let image = Image::open(bytes).unwrap();
    assert_eq!(image.read_file("a").unwrap(), b"after!");
    assert_eq!(image.as_bytes()[log..log + 4], [0; 4]);
}

#[test]
fn the_check_sees_damage() {
    let image = Builder::new().file("a", &filled(3000, 1)).build().unwrap();
    let layout = *image.super_block();
    let inode = layout.inode_start as usize * BLOCK_SIZE + 2 * DiskInode::SIZE;
    let bitmap = layout.bitmap_start as usize * BLOCK_SIZE;

    let mut shared = image.as_bytes().to_vec();
    shared.copy_within(inode + 12..inode + 16, inode + 16);
    let problems = Image::open(shared).unwrap().check();
    assert!(problems.contains(&Problem::SharedBlock {
        block: 48,
        first: 2,
        second: 2
    }));
    assert!(problems.contains(&Problem::LostBlock(49)));

    let mut free = image.as_bytes().to_vec();
    free[bitmap + 6] &= !1;
    let problems = Image::open(free).unwrap().check();
    assert_eq!(
        problems,
        [Problem::UsedButFree {
            block: 48,
            inode: 2
        }]
    );

    let mut links = image.as_bytes().to_vec();
    links[inode + 6] = 2;
    let problems = Image::open(links).unwrap().check();
    let wrong = Problem::WrongLinks {
        inode: 2,
        said: 2,
        found: 1,
    };
    assert_eq!(problems, [wrong]);

    let mut nameless = image.as_bytes().to_vec();
    nameless[inode + 6] = 0;
    let name = layout.data_area().start as usize * BLOCK_SIZE + 2 * DirectoryEntry::SIZE;
    nameless[name..name + 2].fill(0);
    let problems = Image::open(nameless).unwrap().check();
    assert_eq!(problems, [Problem::Orphan(2)]);
}

#[derive(Clone, Debug)]
enum Edit {
    Replace(u8, usize),
    Remove(u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let length = prop_oneof![0..3000usize, 0..60_000usize];
    prop_oneof![
        3 => (0..12u8, length).prop_map(|(file, length)| Edit::Replace(file, length)),
        1 => (0..12u8).prop_map(Edit::Remove),
    ]
}

/// Reads everything there is to read; what matters is that it ends without a panic.
fn explore(bytes: Vec<u8>) {
    let Ok(mut image) = Image::open(bytes) else {
        return;
    };
    let _ = image.check();
    for entry in image.list("/").unwrap_or_default() {
        let _ = image.read_file(&entry.name);
    }
    let _ = image.free_blocks();
    let _ = image.replace_file("init", &[7; 20_000]);
    let _ = image.remove_file("a");
    let _ = image.create_directory("new");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn edits_behave_like_a_map(edits in prop::collection::vec(edit(), 1..20)) {
        let mut image = Builder::new().blocks(600).inodes(16).build().unwrap();
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (seed, edit) in edits.iter().enumerate() {
            match *edit {
                Edit::Replace(file, length) => {
                    let name = format!("file{file}");
                    let bytes = filled(length, seed as u8);
                    match image.replace_file(&name, &bytes) {
                        Ok(()) => {
                            model.insert(name, bytes);
                        }
                        Err(error) => prop_assert_eq!(error, Error::OutOfBlocks),
                    }
                }
                Edit::Remove(file) => {
                    let name = format!("file{file}");
                    let removed = image.remove_file(&name).is_ok();
                    prop_assert_eq!(removed, model.remove(&name).is_some());
                }
            }
            prop_assert_eq!(image.check(), vec![]);
        }
        for (name, bytes) in &model {
            prop_assert_eq!(&image.read_file(name).unwrap(), bytes);
        }
    }

    #[test]
    fn hostile_bytes_never_panic(
        damage in prop::collection::vec((0..60 * BLOCK_SIZE, any::<u8>()), 1..40),
        words in prop::collection::vec((0..8usize, any::<u32>()), 0..3),
        cut in prop::option::of(0..200 * BLOCK_SIZE),
    ) {
        let image = Builder::new()
            .blocks(200)
            .file("a", &filled((DIRECT_BLOCKS + 3) * BLOCK_SIZE, 1))
            .directory("d")
            .build()
            .unwrap();
        let mut bytes = image.into_bytes();
        for (place, value) in damage {
            // The boot block holds nothing, so damage there would be wasted.
            bytes[BLOCK_SIZE + place] = value;
        }
        for (word, value) in words {
            let place = SUPER_BLOCK as usize * BLOCK_SIZE + 4 * word;
            bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        explore(bytes);
    }

    #[test]
    fn damaged_inodes_and_names_never_panic(
        damage in prop::collection::vec((0..4 * DiskInode::SIZE, any::<u8>()), 1..20),
        names in prop::collection::vec((0..8 * (NAME_SIZE + 2), any::<u8>()), 0..20),
    ) {
        let image = Builder::new().blocks(200).file("a", &[1; 30_000]).build().unwrap();
        let inodes = image.super_block().inode_start as usize * BLOCK_SIZE;
        let data = (200 - image.super_block().data_blocks) as usize * BLOCK_SIZE;
        let mut bytes = image.into_bytes();
        for (place, value) in damage {
            bytes[inodes + place] = value;
        }
        for (place, value) in names {
            bytes[data + place] = value;
        }
        explore(bytes);
    }
}
