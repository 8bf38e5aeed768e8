//! Pages of `docs/` that are made from tables.

use std::fs;
use std::path::Path;

/// Set to `1`: write the page instead of comparing it.
const BLESS: &str = "FAULTLINE_BLESS";

/// The line that a page begins with, below its heading.
pub(crate) fn origin(table: &str, test: &str) -> String {
    format!(
        "<!-- Made from {table}: do not edit. FAULTLINE_BLESS=1 cargo test -p oracle --test {test} writes it anew. -->\n"
    )
}

/// Asserts that the page `docs/NAME` holds `text`.
pub(crate) fn is_up_to_date(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/{name} is not what the table says; to write it anew, run this test with {BLESS}=1"
    );
}
