//! What tells a finding from others.

pub(super) mod bug;
