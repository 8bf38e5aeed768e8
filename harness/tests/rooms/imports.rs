//! The paths that a source file names inside its own crate.

use crate::words::words;

/// A module or an item by its path from the root of the crate.
pub(crate) type Path = Vec<String>;

/// Every path inside the crate that `source` names, in `use` or anywhere else. `module` is the
/// source's own path; `names` are what the crate is called besides `crate`. Modules that are built
/// for tests alone are left out.
pub(crate) fn imports(source: &str, module: &[String], names: &[String]) -> Vec<Path> {
    let mut reader = Reader {
        words: words(source),
        at: 0,
        module: module.to_vec(),
        opened: Vec::new(),
        depth: 0,
        paths: Vec::new(),
    };
    reader.read(names);
    reader.paths
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    /// The path of the module that the reader is in.
    module: Path,
    /// At how many open braces each inline module around the reader began.
    opened: Vec<usize>,
    depth: usize,
    paths: Vec<Path>,
}

impl Reader<'_> {
    fn read(&mut self, names: &[String]) {
        while let Some(&word) = self.words.get(self.at) {
            let begins_path = self.at == 0 || self.words[self.at - 1] != "::";
            if self.comes(&["#", "[", "cfg", "(", "test", ")", "]"]) {
                self.at += 7;
                self.skip_inline_module();
            } else if word == "mod" && self.words.get(self.at + 2) == Some(&"{") {
                self.module.push(self.words[self.at + 1].to_owned());
                self.opened.push(self.depth);
                self.depth += 1;
                self.at += 3;
            } else if begins_path && self.words.get(self.at + 1) == Some(&"::") {
                match self.base(word, names) {
                    Some(base) => {
                        self.at += 1;
                        self.follow(base);
                    }
                    None => self.at += 2,
                }
            } else {
                self.brace(word);
                self.at += 1;
            }
        }
    }

    fn comes(&self, wanted: &[&str]) -> bool {
        self.words[self.at..].starts_with(wanted)
    }

    fn brace(&mut self, word: &str) {
        match word {
            "{" => self.depth += 1,
            "}" => {
                self.depth -= 1;
                if self.opened.last() == Some(&self.depth) {
                    self.opened.pop();
                    self.module.pop();
                }
            }
            _ => {}
        }
    }

    /// Skips the module that begins here, with its body, if one begins here.
    fn skip_inline_module(&mut self) {
        if !(self.comes(&["mod"]) && self.words.get(self.at + 2) == Some(&"{")) {
            return;
        }
        self.at += 2;
        let mut depth = 0;
        while let Some(&word) = self.words.get(self.at) {
            self.at += 1;
            match word {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Where a path that begins with `word` starts; `None` if that is outside the crate.
    fn base(&self, word: &str, names: &[String]) -> Option<Path> {
        match word {
            "crate" => Some(Vec::new()),
            "self" => Some(self.module.clone()),
            "super" => Some(parent(&self.module)),
            _ => names.iter().any(|name| name == word).then(Vec::new),
        }
    }

    /// Reads on from `::`, along `path` or along all paths of a group.
    fn follow(&mut self, mut path: Path) {
        while self.comes(&["::"]) {
            self.at += 1;
            match self.words.get(self.at) {
                Some(&"{") => return self.follow_group(&path),
                Some(&"super") => path = parent(&path),
                Some(word) if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    path.push((*word).to_owned());
                }
                // A `*`, or the `<` of arguments.
                _ => break,
            }
            self.at += 1;
        }
        self.paths.push(path);
    }

    fn follow_group(&mut self, path: &[String]) {
        self.at += 1;
        while let Some(&word) = self.words.get(self.at) {
            self.at += 1;
            match word {
                "}" => return,
                "," => {}
                "as" => self.at += 1,
                "self" => self.follow(path.to_vec()),
                "super" => self.follow(parent(path)),
                name => self.follow([path, &[name.to_owned()]].concat()),
            }
        }
    }
}

fn parent(path: &[String]) -> Path {
    path[..path.len().saturating_sub(1)].to_vec()
}

#[test]
fn paths_are_found_in_groups_in_expressions_and_in_inline_modules() {
    let source = "
        use crate::guest::{Guest, frames::{self, Hidden as Other}};
        use super::super::judge::*;
        use std::fmt;
        mod inner { use super::sibling::Thing; fn f() { Self::g(); } }
        fn f() -> crate::driver::Driver { faultline::boot(); x::crate_like() }
        #[cfg(test)]
        mod tests { use crate::only::tests; }
        #[cfg(test)] mod elsewhere;
        use crate::last::Item;
    ";
    let module = ["case", "generate"].map(String::from);
    let found: Vec<String> = imports(source, &module, &["faultline".to_owned()])
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(
        found,
        [
            "guest::Guest",
            "guest::frames",
            "guest::frames::Hidden",
            "judge",
            "case::generate::sibling::Thing",
            "driver::Driver",
            "boot",
            "last::Item",
        ]
    );
}
