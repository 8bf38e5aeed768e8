//! Buckets: the signature by which the same wrong is known again.

use super::Finding;
use serde::Serialize;
use std::fmt;

/// A signature that findings of one cause share, and findings of different causes rarely do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bucket(String);

impl From<&str> for Bucket {
    /// A bucket from its name, as a finding file states it.
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bucket of a finding: verdict, clause, kind of operation, state of the page it touched. Of a
/// panic or a hang: verdict, clause, the words of the panic, and where the kernel's functions are
/// known, the innermost of them; they show the cause better than the operation, since many
/// operations lead to one function.
///
/// Stable: it holds no address, number, line or process name.
pub fn bucket(finding: &Finding) -> Bucket {
    let mut text = format!("{}/{}", finding.verdict, finding.clause);
    let signature = &finding.signature;
    let by_operation = signature.functions.is_none();
    if let Some(kind) = signature.kind.filter(|_| by_operation) {
        text.push('/');
        text.push_str(kind.word());
    }
    if let Some(page) = signature.page.filter(|_| by_operation) {
        text.push('/');
        text.push_str(page.word());
    }
    for words in [&signature.words, &signature.functions]
        .into_iter()
        .flatten()
    {
        text.push('/');
        text.push_str(words);
    }
    Bucket(text.replace(' ', "-"))
}
