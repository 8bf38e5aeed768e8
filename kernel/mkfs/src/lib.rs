//! Builds and edits xv6 file-system images on the host.
