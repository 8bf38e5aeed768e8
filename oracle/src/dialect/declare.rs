//! Makes the structs from the table of fields, reads them from a file, and describes each field.

use super::Defect;
use super::choices::{
    BadBuffer, BelowZero, Bits, Bound, Choice, EmptyRead, ExitStatus, ForkMemory, Growth, Loading,
    ReadBelowZero, RefusedBlock, RefusedByte, RefusedTransaction, RemovedDirectory,
    SegmentPermissions, SegmentRule, StackRequest, Tail, Value, WithoutReader,
};
use serde::de::Error;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

/// The description of a field, for people.
#[derive(Clone, Debug)]
pub struct Field {
    /// The section of a dialect file that contains the field.
    pub section: &'static str,
    /// What the section is about.
    pub section_about: &'static str,
    /// Its name in that section.
    pub name: &'static str,
    /// What it says about a kernel.
    pub about: &'static str,
    /// The values that it may have, with their meanings. Empty for a number.
    pub choices: Vec<Choice>,
    /// For a number that has bounds, its smallest and its largest value.
    pub range: Option<(i64, i64)>,
    /// Whether kernels may choose its value.
    pub class: Class,
}

/// Whether kernels may choose the value of a field.
#[derive(Clone, Debug)]
pub enum Class {
    /// They may: real kernels differ, and none of them is wrong.
    Variant {
        /// Why a reasonable author may choose either.
        why: &'static str,
        /// How `faultline check` finds out the value.
        asked: &'static str,
    },
    /// One value is right, and kernels with another one are wrong.
    Defect(Defect),
}

impl Class {
    /// The defect, if the field is about one.
    pub fn defect(self) -> Option<Defect> {
        match self {
            Class::Variant { .. } => None,
            Class::Defect(defect) => Some(defect),
        }
    }
}

/// A number that is out of range: its field as `section.name`, and the smallest and the largest value.
pub(super) type OutOfRange = (&'static str, (i64, i64));

macro_rules! declare {
    ($(
        $(#[doc = $section_about:literal])+
        $section:ident: $Section:ident {
            $(
                $(#[doc = $about:literal])+
                $field:ident: $Type:ident {
                    $(
                        variant: $why:literal,
                        asked: $asked:literal,
                    )?
                    $(
                        defect: $sentence:literal,
                        source: $source:literal,
                        $(doubt: $doubt:literal,)?
                        right: $right:expr,
                        wrong: [$($wrong:expr),+],
                    )?
                    $(within: $range:expr,)?
                    $(missing: $missing:expr,)?
                }
            )+
        }
    )+) => {
        /// How one kernel behaves where kernels differ.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct Dialect {
            /// The name of the kernel in reports.
            pub name: String,
            $( $(#[doc = $section_about])+ pub $section: $Section, )+
        }

        impl<'de> Deserialize<'de> for Dialect {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                /// The dialect as it is in a file: a section may be missing.
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Sections {
                    name: String,
                    $( $section: Option<$Section>, )+
                }
                let sections = Sections::deserialize(deserializer)?;
                // A missing section counts as one without fields.
                let nothing = std::iter::empty::<(&str, &str)>;
                Ok(Self {
                    name: sections.name,
                    $(
                        $section: match sections.$section {
                            Some(section) => section,
                            None => $Section::deserialize(MapDeserializer::new(nothing()))?,
                        },
                    )+
                })
            }
        }

        $(
            $(#[doc = $section_about])+
            #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
            pub struct $Section {
                $( $(#[doc = $about])+ pub $field: $Type, )+
            }

            impl<'de> Deserialize<'de> for $Section {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    /// The section as it is in a file: a field may be missing.
                    #[derive(Deserialize)]
                    #[serde(deny_unknown_fields)]
                    struct Lines {
                        $( $field: Option<$Type>, )+
                    }
                    let lines = Lines::deserialize(deserializer)?;
                    Ok(Self {
                        $(
                            $field: lines
                                .$field
                                $(.or(Some($missing)))?
                                .ok_or_else(|| D::Error::missing_field(stringify!($field)))?,
                        )+
                    })
                }
            }
        )+

        impl Dialect {
            /// Every field, in the order of a dialect file.
            pub fn fields() -> Vec<Field> {
                let mut fields = Vec::new();
                $(
                    let section_about = concat!($($section_about),+).trim_ascii();
                    $(
                        fields.push(Field {
                            section: stringify!($section),
                            section_about,
                            name: stringify!($field),
                            about: concat!($($about),+).trim_ascii(),
                            choices: <$Type as Value>::choices(),
                            range: None $(.or(Some((*$range.start() as i64, *$range.end() as i64))))?,
                            class: class_of([
                                $( Class::Variant { why: $why, asked: $asked }, )?
                                $( Class::Defect(Defect {
                                    field: concat!(stringify!($section), ".", stringify!($field)),
                                    sentence: $sentence,
                                    source: $source,
                                    doubt: None $(.or(Some($doubt)))?,
                                    text: include_str!(concat!(
                                        "defects/", stringify!($section), ".", stringify!($field), ".case"
                                    )),
                                    is_right: |dialect| dialect.$section.$field == $right,
                                    mend: |dialect| dialect.$section.$field = $right,
                                    imitations: vec![
                                        $( |dialect| dialect.$section.$field = $wrong, )+
                                    ],
                                }), )?
                            ]),
                        });
                    )+
                )+
                fields
            }

            /// The first number that is out of range.
            pub(super) fn out_of_range(&self) -> Option<OutOfRange> {
                $($($(
                    if !$range.contains(&self.$section.$field) {
                        let name = concat!(stringify!($section), ".", stringify!($field));
                        return Some((name, (*$range.start() as i64, *$range.end() as i64)));
                    }
                )?)+)+
                None
            }
        }
    };
}
for_each_dialect_field!(declare);

/// The one class of a field: a row with none or with both does not compile.
fn class_of([class]: [Class; 1]) -> Class {
    class
}
