//! Rust source as words and signs: enough to find paths in it.

/// A word of a source file: a name, a number, a lifetime; `::`; or any other sign by itself.
/// Comments, strings and characters are left out.
pub(crate) fn words(source: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if let Some(length) = nothing(rest) {
            rest = &rest[length..];
            continue;
        } else if is_of_word(first) {
            rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(&rest[..length]);
        rest = &rest[length..];
    }
    words
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of what `rest` begins with, if it cannot hold a path.
fn nothing(rest: &str) -> Option<usize> {
    let space = rest.len() - rest.trim_start().len();
    if space > 0 {
        return Some(space);
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    string(rest).or_else(|| character(rest))
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let (step, change) = match rest.get(at..at + 2) {
            Some("/*") => (2, 1),
            Some("*/") => (2, -1),
            _ => (1, 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a string, raw or not, of characters or bytes.
fn string(rest: &str) -> Option<usize> {
    let body = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - body.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let content = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", &raw[..hashes]);
        let length = content
            .find(&end)
            .map_or(content.len(), |at| at + end.len());
        return Some(rest.len() - content.len() + length);
    }
    let content = body.strip_prefix('"')?;
    Some(rest.len() - content.len() + quoted(content, b'"'))
}

/// The length of a character or a byte; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let content = rest
        .strip_prefix('\'')
        .or_else(|| rest.strip_prefix("b'"))?;
    let prefix = rest.len() - content.len();
    let first = content.chars().next()?;
    let is_character = first == '\\' || content[first.len_utf8()..].starts_with('\'');
    is_character.then(|| prefix + quoted(content, b'\''))
}

/// The length of `content` up to the first `quote` that is not escaped, with it.
fn quoted(content: &str, quote: u8) -> usize {
    let mut is_escaped = false;
    for (at, byte) in content.bytes().enumerate() {
        if is_escaped {
            is_escaped = false;
        } else if byte == b'\\' {
            is_escaped = true;
        } else if byte == quote {
            return at + 1;
        }
    }
    content.len()
}

#[test]
fn words_leave_out_what_only_looks_like_code() {
    let source = r###"
        // crate::comment
        /* crate::outer /* crate::inner */ crate::still */
        let a: &'static str = "crate::\"string"; let b = r#"crate::"raw"#; let c = b"crate::bytes";
        let d = '"'; let e = '\''; let f = b'"'; fn g<'a>(braver: &'a str) {} crate::found
    "###;
    let found: Vec<_> = words(source);
    assert_eq!(found.iter().filter(|word| **word == "crate").count(), 1);
    assert_eq!(found[found.len() - 3..], ["crate", "::", "found"]);
    assert!(found.contains(&"braver") && found.contains(&"static"));
}
