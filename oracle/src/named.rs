//! Enums whose values have a name and a sentence: each value is one row, and all else follows.

/// Declares an enum. A row is a doc comment, which is also the sentence for people, the value, and
/// its name in files and reports.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Enum:ident {
            $( $(#[doc = $about:literal])+ $Value:ident = $name:literal, )+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $Enum {
            $( $(#[doc = $about])+ $Value, )+
        }

        impl $Enum {
            /// How many there are.
            $visibility const COUNT: usize = [$($name),+].len();

            /// All of them, in the order of their declaration.
            $visibility const ALL: [Self; Self::COUNT] = [$(Self::$Value),+];

            /// The name in files and reports.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $( Self::$Value => $name, )+
                }
            }

            /// What it is, in a sentence.
            $visibility const fn about(self) -> &'static str {
                match self {
                    $( Self::$Value => concat!($($about),+).trim_ascii(), )+
                }
            }

            /// The one with that name; `None` if there is none.
            $visibility const fn named(name: &str) -> Option<Self> {
                $(
                    if $crate::named::is_same(name, $name) {
                        return Some(Self::$Value);
                    }
                )+
                None
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

pub(crate) use named;

/// Whether two names are equal; `==` cannot be used at compile time.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    named! {
        /// Two of them.
        enum Colour {
            /// As blood
            /// and rust.
            Red = "red",
            /// As grass.
            LightGreen = "light-green",
        }
    }

    #[test]
    fn a_row_is_all_that_a_value_needs() {
        assert_eq!(Colour::ALL.map(Colour::name), ["red", "light-green"]);
        assert_eq!(Colour::Red.about(), "As blood and rust.");
        assert_eq!(Colour::named("light-green"), Some(Colour::LightGreen));
        assert_eq!(Colour::named("light-gree"), None);
        assert_eq!(format!("{:>4}", Colour::Red), " red");
        let json = serde_json::to_string(&Colour::ALL).unwrap();
        assert_eq!(json, r#"["red","light-green"]"#);
    }
}
