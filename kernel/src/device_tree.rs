//! The device tree that the machine hands over at boot. Only the boot arguments are read, and
//! nothing in it is trusted.
//!
//! Format: Devicetree Specification 0.4, chapter 5, "Flattened Devicetree (DTB) Format": a header,
//! a block of structure and a block of strings, all numbers big-endian.

use core::ptr::with_exposed_provenance;
use core::slice;

use abi::layout::RAM_END;

use crate::image;

const MAGIC: u32 = 0xd00d_feed;
const HEADER_SIZE: usize = 40;

/// Tokens of the structure block.
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOTHING: u32 = 4;

/// Hands the boot arguments in the tree at physical `address` to `look`; `None` if there is no
/// tree, if it makes no sense, or if it has no boot arguments.
///
/// # Safety
/// RAM above the kernel is not in use yet.
pub unsafe fn boot_arguments<R>(address: u64, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
    let room = RAM_END.checked_sub(address)?;
    if address < image::kernel_end().0 || !address.is_multiple_of(8) || room < HEADER_SIZE as u64 {
        return None;
    }
    let start = with_exposed_provenance(address as usize);
    // SAFETY: from `address` to the end is RAM above the kernel, which does not change as long as
    // the slice lives.
    let ram: &[u8] = unsafe { slice::from_raw_parts(start, room as usize) };
    Tree::parse(ram)?.boot_arguments().map(look)
}

/// The two blocks that hold nodes and properties.
struct Tree<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Tree<'a> {
    /// The tree that `bytes` begin with.
    fn parse(bytes: &'a [u8]) -> Option<Tree<'a>> {
        let field = |index: usize| number(bytes, 4 * index);
        if field(0)? != MAGIC {
            return None;
        }
        let tree = bytes.get(..field(1)? as usize)?;
        let block = |offset: u32, size: u32| tree.get(offset as usize..)?.get(..size as usize);
        Some(Tree {
            structure: block(field(2)?, field(9)?)?,
            strings: block(field(3)?, field(8)?)?,
        })
    }

    /// The property `bootargs` of the node `/chosen`.
    fn boot_arguments(&self) -> Option<&'a [u8]> {
        // The root is at depth 1.
        let mut depth = 0u32;
        let mut chosen = false;
        let mut rest = self.structure;
        // Each token takes at least four bytes, so this ends.
        loop {
            let token = number(rest, 0)?;
            rest = &rest[4..];
            match token {
                BEGIN_NODE => {
                    let name = string(rest)?;
                    rest = rest.get(padded(name.len() + 1)..)?;
                    depth = depth.checked_add(1)?;
                    chosen = depth == 2 && name == b"chosen";
                }
                END_NODE => {
                    depth = depth.checked_sub(1)?;
                    chosen = false;
                }
                PROPERTY => {
                    let length = number(rest, 0)? as usize;
                    let name = self.strings.get(number(rest, 4)? as usize..)?;
                    let value = rest.get(8..)?.get(..length)?;
                    rest = rest.get(8 + padded(length)..)?;
                    if chosen && string(name)? == b"bootargs" {
                        return string(value);
                    }
                }
                NOTHING => {}
                _ => return None,
            }
        }
    }
}

/// The big-endian number at `offset`.
fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// The bytes before the first zero byte.
fn string(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .split(|&byte| byte == 0)
        .next()
        .filter(|text| text.len() < bytes.len())
}

/// `length`, which is at most 4 GiB, rounded up to a multiple of four.
fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}
