//! One definition per table of the configuration: the macro makes from it the struct, its
//! defaults, its reader and its part of the reference.

use toml::de::DeTable;

use super::place::Place;
use super::reader::Reader;

/// A table of the file.
pub(crate) trait Section: Default {
    /// Reads the table and its variables; what is wrong goes to the reader, and the default
    /// takes its place, so that everything wrong is found in one go.
    fn read(table: &DeTable<'_>, place: &Place, reader: &mut Reader<'_>) -> Self;
    /// The paths of the keys that have other values than in `other`; `path` is that of the table.
    fn differences(&self, other: &Self, path: &str, found: &mut Vec<String>);
    /// What the reference prints, with the values of `self`.
    fn describe(&self) -> Description;
}

/// A table as the reference prints it.
pub(crate) struct Description {
    pub(super) about: &'static [&'static str],
    pub(super) keys: Vec<KeyDescription>,
    pub(super) tables: Vec<(&'static str, Self)>,
    pub(super) arrays: Vec<ArrayDescription>,
}

/// An array of tables as the reference prints it.
pub(crate) struct ArrayDescription {
    pub(super) header: &'static str,
    pub(super) element: Description,
    /// Whether the element is the default, or only shows what one looks like.
    pub(super) is_default: bool,
}

/// A key as the reference prints it.
pub(crate) struct KeyDescription {
    pub(super) key: &'static str,
    pub(super) about: &'static [&'static str],
    pub(super) expected: String,
    pub(super) secret: bool,
    pub(super) value: String,
}

/// Defines a table: `key: Type = default, in least..=greatest;`, then the tables and arrays
/// of tables inside of it. The doc comments are also the prose of the reference.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty = $default:expr $(, in $range:expr)?;
            )*
        }
        $(tables { $($table:ident: $table_type:ty;)* })?
        $(arrays { $(
            $array:ident: $element:ty as $header:literal = $list:expr, requires $required:expr;
        )* })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $type,)*
            $($(
                #[doc = concat!("`[", stringify!($table), "]`")]
                pub $table: $table_type,
            )*)?
            $($(
                #[doc = concat!("`[[", $header, "]]`, in the file's order.")]
                pub $array: Vec<$element>,
            )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($key: $default,)*
                    $($($table: <$table_type>::default(),)*)?
                    $($($array: $list,)*)?
                }
            }
        }

        impl $crate::config::section::Section for $name {
            fn read(
                table: &toml::de::DeTable<'_>,
                place: &$crate::config::place::Place,
                reader: &mut $crate::config::reader::Reader<'_>,
            ) -> Self {
                reader.refuse_unknown(
                    table,
                    place,
                    &[
                        $((
                            stringify!($key),
                            <$type as $crate::config::value::Value>::SECRET,
                        ),)*
                        $($((stringify!($table), false),)*)?
                        $($(($header, false),)*)?
                    ],
                );
                Self {
                    $($key: reader.value(
                        table,
                        place,
                        stringify!($key),
                        $default,
                        &$crate::config::section::limits!($($range)?),
                    ),)*
                    $($($table: reader.table(table, place, stringify!($table)),)*)?
                    $($($array: reader.array(table, place, $header, $required, $list),)*)?
                }
            }

            fn differences(&self, other: &Self, path: &str, found: &mut Vec<String>) {
                use $crate::config::place::join;
                $(if self.$key != other.$key {
                    found.push(join(path, stringify!($key)));
                })*
                $($($crate::config::section::Section::differences(
                    &self.$table,
                    &other.$table,
                    &join(path, stringify!($table)),
                    found,
                );)*)?
                $($($crate::config::difference::of_arrays(
                    &self.$array,
                    &other.$array,
                    &join(path, $header),
                    found,
                );)*)?
            }

            fn describe(&self) -> $crate::config::section::Description {
                use $crate::config::section::{Description, KeyDescription};
                Description {
                    about: &[$($about),+],
                    keys: vec![$(KeyDescription {
                        key: stringify!($key),
                        about: &[$($doc),+],
                        expected: {
                            let limits: $crate::config::value::Limits<$type> =
                                $crate::config::section::limits!($($range)?);
                            limits.expected()
                        },
                        secret: <$type as $crate::config::value::Value>::SECRET,
                        value: $crate::config::value::Value::to_toml(&self.$key),
                    },)*],
                    tables: vec![$($((stringify!($table), self.$table.describe()),)*)?],
                    arrays: vec![$($($crate::config::section::ArrayDescription {
                        header: $header,
                        is_default: !self.$array.is_empty(),
                        element: self
                            .$array
                            .first()
                            .cloned()
                            .unwrap_or_default()
                            .describe(),
                    },)*)?],
                }
            }
        }
    };
}

/// The limits of a key, from its `in` clause.
macro_rules! limits {
    () => {
        $crate::config::value::Limits::none()
    };
    ($range:expr) => {
        $crate::config::value::Limits::within($range)
    };
}

/// Defines a choice of words, each written once.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident {
            $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// The word in the file.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::config::value::Scalar for $name {
            fn expected() -> String {
                [$(concat!("\"", $word, "\"")),+].join(" or ")
            }

            fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn to_toml(&self) -> String {
                $crate::config::value::quoted(self.as_str())
            }
        }
    };
}

pub(super) use {limits, section, words};
