//! Which states of a page are the same reason for a bug.

use crate::triage::identity::family::Family;
use oracle::PageState;

/// A page of the image is shared in the same way as a page of the heap.
pub(super) fn in_image_or_heap(page: PageState) -> PageState {
    if page == PageState::ImageShared {
        PageState::Shared
    } else {
        page
    }
}

/// A system call has to bring in a page that is not mapped yet. Where its content comes from does not matter.
pub(super) fn to_be_brought_in(page: PageState, family: Family) -> PageState {
    match page {
        PageState::Unloaded | PageState::StackHole => PageState::Lazy,
        PageState::TextUnloaded if family == Family::CopyOut => PageState::Text,
        PageState::TextUnloaded => PageState::Lazy,
        // The page was only loaded from, and that may have failed.
        PageState::Shared if family == Family::Path => PageState::Lazy,
        _ => page,
    }
}

/// Whether there is no memory in a page of that state.
pub(in crate::triage) fn is_forbidden(page: PageState) -> bool {
    matches!(
        page,
        PageState::Guard
            | PageState::Gap
            | PageState::Tail
            | PageState::Beyond
            | PageState::Top
            | PageState::Outside
    )
}

/// For a page without memory it does not matter how far away the next memory is.
pub(super) fn without_memory(page: PageState) -> PageState {
    match page {
        PageState::Tail | PageState::Top | PageState::Outside => PageState::Beyond,
        PageState::Gap => PageState::Guard,
        _ => page,
    }
}
