//! Builds and edits xv6 file-system images on the host.
//!
//! [`Builder`] makes an image from nothing, laid out as the C kernel's `mkfs` does.
//! [`Image`] opens one that exists, made by either, and reads, lists, replaces and checks files in
//! it. No byte of an image is trusted: for any image, the result is a value or an [`Error`].
#![forbid(unsafe_code)]

mod allocation;
mod builder;
mod check;
mod directory;
mod error;
mod file;
mod image;
mod node;
mod reserve;

pub use builder::Builder;
pub use check::Problem;
pub use directory::Entry;
pub use error::Error;
pub use image::Image;
pub use node::Node;
pub use reserve::Reserved;
