//! Where the stack ends: ten pages below its top, and there is a guard page.

use user::testing::child::{dies, passes};
use user::testing::memory::{PAGE, fetch, load, store};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, rules};

use crate::growth::{bottom, untouched};

pub const GROUP: Group = Group {
    name: "bounds",
    quick: rules![
        the_tenth_page_is_the_last,
        the_guard_page_kills,
        growing_first_does_not_help,
        stack_is_not_executed,
    ],
    slow: rules![],
};

fn the_tenth_page_is_the_last() -> Verdict {
    passes(|| {
        ensure_equal!(load(bottom()), 0);
        store(bottom(), 1);
        ensure_equal!(load(bottom()), 1);
        Ok(())
    })?;
    ensure!(dies(|| _ = load(bottom() - 1)));
    ensure!(dies(|| store(bottom() - 1, 1)));
    Ok(())
}

fn the_guard_page_kills() -> Verdict {
    for place in [bottom() - 8, bottom() - PAGE / 2, bottom() - PAGE] {
        ensure!(dies(|| _ = load(place)));
        ensure!(dies(|| store(place, 1)));
        ensure!(dies(|| fetch(place)));
    }
    Ok(())
}

fn growing_first_does_not_help() -> Verdict {
    for page in untouched() {
        store(page, 1);
    }
    ensure!(dies(|| _ = load(bottom() - 1)));
    ensure!(dies(|| store(bottom() - PAGE, 1)));
    Ok(())
}

fn stack_is_not_executed() -> Verdict {
    for page in untouched() {
        // A hole, and a page with two times `ret` in it, as the compressed instruction.
        ensure!(dies(|| fetch(page)));
        for (place, byte) in (page..).zip([0x82, 0x80, 0x82, 0x80]) {
            store(place, byte);
        }
        ensure!(dies(|| fetch(page)));
    }
    Ok(())
}
