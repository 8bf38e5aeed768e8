//! Which functions of the kernel a patch changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of the functions of the kernel in `root` that a patch changes, in alphabetical order. A change outside of
/// any function has none, and neither has a line that only counts how often it runs.
pub(super) fn functions(change: &str, root: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut source = Vec::new();
    let mut hunk: Vec<&str> = Vec::new();
    let mut start = 0;
    for line in change.lines().chain(["@@ -0,0 @@"]) {
        if let Some(path) = line.strip_prefix("+++ b/") {
            collect(&source, start, &std::mem::take(&mut hunk), &mut found);
            let text = fs::read_to_string(root.join(path.trim())).unwrap_or_default();
            source = text.lines().map(str::to_owned).collect();
        } else if let Some(place) = line.strip_prefix("@@ -") {
            collect(&source, start, &std::mem::take(&mut hunk), &mut found);
            start = first_number(place).saturating_sub(1);
        } else if line.starts_with([' ', '+', '-']) && !line.starts_with("---") {
            hunk.push(line);
        }
    }
    found.into_iter().collect()
}

/// Adds the functions that a hunk changes. According to the patch, the hunk begins at the line of `source` with index
/// `start`.
fn collect(source: &[String], start: usize, hunk: &[&str], found: &mut BTreeSet<String>) {
    let old = |line: &&&str| !line.starts_with('+');
    let block: Vec<&str> = hunk.iter().filter(old).map(|line| &line[1..]).collect();
    if block.is_empty() {
        return;
    }
    // The lines may have moved since the patch was made. The patch applies where they are now.
    let places = source.windows(block.len()).enumerate();
    let places = places.filter(|(_, lines)| lines.iter().zip(&block).all(|(one, two)| one == two));
    let nearest = places.min_by_key(|(at, _)| at.abs_diff(start));
    let at = nearest.map_or(start, |(at, _)| at);
    let before = source.get(..at).unwrap_or(source);
    let mut above: Vec<&str> = before.iter().map(String::as_str).collect();
    for line in hunk {
        let (mark, text) = line.split_at(1);
        if mark != " " && is_code(text) {
            found.extend(enclosing(&above, text));
        }
        // An added line may begin a new function.
        above.push(text);
    }
}

/// Whether a line of a patch is code that can be wrong.
fn is_code(text: &str) -> bool {
    let text = text.trim();
    let says_nothing = ["//", "use ", "crate::canary::", "}"];
    !text.is_empty() && !says_nothing.iter().any(|start| text.starts_with(start))
}

/// The function that contains a line, which comes after the lines of `above`.
fn enclosing(above: &[&str], text: &str) -> Option<String> {
    if let Some(name) = declared(text) {
        return Some(name);
    }
    let depth = indentation(text);
    let above = above.iter().rev();
    let mut outer = above.filter(|line| !line.trim().is_empty() && indentation(line) < depth);
    outer.find_map(|line| declared(line))
}

/// The name of the function that begins in a line.
fn declared(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let begins = before.is_empty() || before.ends_with([' ', '(']);
    let name: String = after
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    (begins && !name.is_empty() && !line.trim_start().starts_with("//")).then_some(name)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The number at the start of a text, 0 if there is none.
fn first_number(text: &str) -> usize {
    let digits = text.chars().take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::functions;
    use std::fs;

    const SOURCE: &str = "//! A file.\n\nconst ROOM: u64 = 3;\n\nimpl Frame {\n    pub fn first(&self) {\n        \
        one();\n    }\n\n    fn second<T>(\n        &self,\n    ) {\n        if two() {\n            three();\n        \
        }\n    }\n}\n";

    fn touched(hunk: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("frame.rs"), SOURCE).unwrap();
        let change =
            format!("diff --git a/frame.rs b/frame.rs\n--- a/frame.rs\n+++ b/frame.rs\n{hunk}");
        functions(&change, root.path())
    }

    #[test]
    fn a_line_belongs_to_the_function_around_it() {
        let hunk = "@@ -13,3 +13,3 @@ impl Frame {\n         if two() {\n-            three();\n+            \
                    four();\n         }\n";
        assert_eq!(touched(hunk), ["second"]);
        // The same, by a patch that was made when the file was longer.
        assert_eq!(touched(&hunk.replace("-13,3", "-90,3")), ["second"]);
    }

    #[test]
    fn a_line_that_only_counts_is_not_a_change() {
        let hunk = "@@ -6,3 +6,4 @@\n     pub fn first(&self) {\n+        crate::canary::reached(true);\n         \
                    one();\n     }\n";
        assert_eq!(touched(hunk), Vec::<String>::new());
    }

    #[test]
    fn several_functions_are_named_in_order() {
        let hunk = "@@ -14,1 +14,1 @@\n-            three();\n+            four();\n@@ -7,1 +7,0 @@\n-        one();\n";
        assert_eq!(touched(hunk), ["first", "second"]);
    }

    #[test]
    fn a_line_of_an_added_function_belongs_to_it() {
        let hunk = "@@ -7,3 +7,7 @@ impl Frame {\n         one();\n     }\n+\n+    fn added(&self) {\n+        \
                    five();\n+    }\n \n";
        assert_eq!(touched(hunk), ["added"]);
    }

    #[test]
    fn a_constant_is_in_no_function() {
        let hunk = "@@ -3,1 +3,1 @@\n-const ROOM: u64 = 3;\n+const ROOM: u64 = 4;\n";
        assert_eq!(touched(hunk), Vec::<String>::new());
    }
}
