//! Buckets: signatures by which findings of one cause are recognised.

use super::{Finding, Verdict};
use serde::Serialize;
use std::fmt;

/// A signature that findings of one cause share, and findings of different causes rarely share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bucket(String);

impl From<&str> for Bucket {
    /// A bucket from its name, as a finding file states it.
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Bucket {
    /// Whether its findings have this verdict.
    pub fn is_of(&self, verdict: Verdict) -> bool {
        self.0.split('/').next() == Some(&verdict.to_string())
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bucket of a finding. It consists of the verdict, the clause, the kind of operation and the state of the
/// page that it touched. For a panic or a hang it consists of the verdict, the clause, the words of the panic, and
/// the innermost functions of the kernel if they are known. Functions show the cause better than the operation,
/// because many operations lead to one function.
///
/// A bucket is stable: it contains no address, number, line or process name.
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
