//! The files of a file-system image, as the oracle knows them.

use oracle::FileNode;

/// A file of an image, as the oracle knows it.
pub(crate) fn file_node(node: mkfs::Node) -> FileNode {
    FileNode {
        inode: node.inode,
        kind: node.kind,
        major: node.major,
        links: node.links,
        bytes: node.bytes,
    }
}
