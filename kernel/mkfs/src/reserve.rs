//! Making a disk fuller than it is: free blocks and free inodes are marked as in use, and later as free again.

use abi::file_system::{DiskInode, Kind};

use crate::{Error, Image};

/// What was marked as in use although no file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    blocks: Vec<u32>,
    inodes: Vec<u32>,
}

impl Image {
    /// Marks all free data blocks as in use, except for the first `keep` of them.
    pub fn reserve_blocks(&mut self, keep: usize, reserved: &mut Reserved) {
        let free = self.layout.data_area().filter(|&block| !self.in_use(block));
        let blocks: Vec<u32> = free.skip(keep).collect();
        for &block in &blocks {
            self.set_in_use(block, true);
        }
        reserved.blocks.extend(blocks);
    }

    /// Marks all free inodes as in use whose number is not below `from`.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn reserve_inodes(&mut self, from: u32, reserved: &mut Reserved) -> Result<(), Error> {
        for number in from.max(1)..self.layout.inodes {
            if self.inode(number)?.kind == Kind::Free as u16 {
                let taken = DiskInode {
                    kind: Kind::Device as u16,
                    links: 1,
                    ..DiskInode::default()
                };
                self.set_inode(number, &taken)?;
                reserved.inodes.push(number);
            }
        }
        Ok(())
    }

    /// Marks what was reserved as free.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn release(&mut self, reserved: &Reserved) -> Result<(), Error> {
        for &block in &reserved.blocks {
            self.set_in_use(block, false);
        }
        let mut inodes = reserved.inodes.iter();
        inodes.try_for_each(|&number| self.set_inode(number, &DiskInode::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::Reserved;
    use crate::Builder;

    #[test]
    fn what_is_reserved_comes_back() {
        let mut image = Builder::new().build().unwrap();
        let before = image.as_bytes().to_vec();
        let mut reserved = Reserved::default();
        image.reserve_blocks(2, &mut reserved);
        image.reserve_inodes(10, &mut reserved).unwrap();
        assert_eq!(image.free_blocks(), 2);
        assert!(image.free_inode().unwrap() < 10);
        // A file that needs two blocks finds them, and one that needs three does not.
        assert!(image.clone().replace_file("new", &[1; 2048]).is_ok());
        assert!(image.clone().replace_file("new", &[1; 2049]).is_err());
        image.release(&reserved).unwrap();
        assert_eq!(image.as_bytes(), before);
    }
}
