//! Defects: wrong answers to the question of a dialect field. Some kernels give them.

use super::Dialect;
use crate::case::Case;

/// A wrong answer that some kernels give, with its explanation and the case that shows it.
#[derive(Clone, Debug)]
pub struct Defect {
    /// The field that says whether a kernel has it, as `section.name`.
    pub field: &'static str,
    /// What the kernel does wrong, and what is right.
    pub sentence: &'static str,
    /// Who says that it is wrong.
    pub source: &'static str,
    /// Why an author may say that it does no harm.
    pub doubt: Option<&'static str>,
    /// The text of the case that shows it.
    pub text: &'static str,
    pub(super) is_right: fn(&Dialect) -> bool,
    pub(super) mend: fn(&mut Dialect),
    pub(super) imitations: Vec<fn(&mut Dialect)>,
}

impl Defect {
    /// All known defects, in the order of a dialect file.
    pub fn all() -> Vec<Defect> {
        let fields = Dialect::fields().into_iter();
        fields.filter_map(|field| field.class.defect()).collect()
    }

    /// The case that shows it. On a kernel without this defect every answer in the case is right, even if
    /// the kernel has other defects.
    pub fn case(&self) -> Case {
        Case::parse(self.text).expect("the files in `defects` are cases: a test reads them all")
    }

    /// Whether kernels of that dialect have it.
    pub fn is_in(&self, dialect: &Dialect) -> bool {
        !(self.is_right)(dialect)
    }

    /// The dialect with the right answer.
    pub fn mended_in(&self, dialect: &Dialect) -> Dialect {
        let mut mended = dialect.clone();
        (self.mend)(&mut mended);
        mended
    }

    /// Writes the wrong answer to a dialect: the first one for way 0, and so on.
    pub fn imitate(&self, way: usize, dialect: &mut Dialect) {
        if let Some(imitate) = self.imitations.get(way) {
            imitate(dialect);
        }
    }

    /// The dialect with each of the wrong answers in turn.
    pub fn in_each_way(&self, dialect: &Dialect) -> impl Iterator<Item = Dialect> {
        let ways = 0..self.imitations.len();
        ways.map(|way| {
            let mut with = dialect.clone();
            self.imitate(way, &mut with);
            with
        })
    }
}

impl Dialect {
    /// The defects that kernels of this dialect have, in the order of a dialect file.
    pub fn defects(&self) -> Vec<Defect> {
        let mut defects = Defect::all();
        defects.retain(|defect| defect.is_in(self));
        defects
    }

    /// The same dialect with the right answer in place of each defect.
    #[must_use]
    pub fn mended(&self) -> Dialect {
        let mut mended = self.clone();
        for defect in self.defects() {
            (defect.mend)(&mut mended);
        }
        mended
    }
}
