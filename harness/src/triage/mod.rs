//! What happens to a finding.

pub mod explain;
pub mod finding_file;
mod found;
mod identity;
pub mod minimise;
mod report;
pub mod rows;
pub mod severity;
pub mod slow;

pub use found::Found;
pub use report::Report;
