//! The form in which the facts of a custom resource definition stand here: a tree of types, bounds and rules.
//!
//! Written as Rust constants and not as a copy of the definitions, because those are a megabyte of YAML, mostly prose.
//! `tests/program/envelope.rs` holds the facts against the definitions, where those are at hand.

/// The schema of a value.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Type and bounds of the value.
    pub shape: Shape,
    /// True if null is a value of its own. Elsewhere an API server takes null for a key that is left out.
    pub is_nullable: bool,
    /// Rules beyond types and bounds.
    pub rules: &'static [Rule],
}

/// The type of a value, with its bounds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// An object with known keys.
    Object(&'static [Field]),
    /// An object with any keys.
    Free,
    /// An object whose keys the user names.
    Map {
        /// Schema of each value.
        values: &'static Schema,
        /// The most keys; `usize::MAX` where there is no bound.
        most: usize,
    },
    /// A list.
    List {
        /// Schema of each entry.
        items: &'static Schema,
        /// The most entries; `usize::MAX` where there is no bound.
        most: usize,
        /// The key by which an entry is known, and which no two entries may share.
        key: Option<&'static str>,
    },
    /// Text.
    Text {
        /// The fewest characters.
        least: usize,
        /// The most characters; `usize::MAX` where there is no bound.
        most: usize,
        /// Form of the text.
        pattern: Option<Pattern>,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number.
    Integer {
        /// The lowest number.
        least: i64,
        /// The highest number.
        most: i64,
    },
    /// Any number.
    Number {
        /// The lowest number.
        least: f64,
        /// The highest number.
        most: f64,
    },
    /// `true` or `false`.
    Boolean,
}

/// A known key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// True if the key must be there.
    pub is_required: bool,
    /// Schema of the value.
    pub schema: Schema,
}

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A DNS subdomain or nothing: an API group.
    Group,
    /// A kind of resource.
    Kind,
    /// 64 hexadecimal digits or nothing.
    Sha256,
    /// A DNS subdomain: the name of a resource.
    ResourceName,
}

/// A rule beyond types and bounds. Most are CEL expressions of the definition; those of Istio's webhook are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At most one of these keys, because they say in two ways where a resource counts.
    OneTarget(&'static [&'static str]),
    /// At most one of these keys, which are a `oneof` in protobuf.
    OneOf(&'static [&'static str]),
    /// Exactly one of `wasm` and `lua`.
    WasmOrLua,
    /// No `*` in a text.
    NoWildcard,
    /// No `*` in a key.
    NoWildcardKey,
    /// No empty key.
    NoEmptyKey,
    /// No other namespace: the text is empty.
    OwnNamespace,
    /// A kind that Istio attaches resources to, with its group (webhook).
    TargetKind,
    /// A URL with one of Istio's schemes.
    Url,
    /// No pin in `sha256` beside another one in `url` (agent).
    OneDigest,
    /// No `value` beside `valueFrom: HOST`.
    EnvValue,
    /// `waypoint` with the context `WAYPOINT` alone, and always with it.
    WaypointContext,
    /// A port other than 0.
    WaypointPort,
    /// A value where a tag is set.
    TagUpsert,
    /// No value where a tag is removed.
    TagRemove,
    /// A duration of at least a millisecond.
    Duration,
    /// All parts of a patch (webhook).
    WholePatch,
    /// A patch that puts its filter before the router (istiod and Envoy).
    InstallingPatch,
}

impl Schema {
    const fn of(shape: Shape) -> Self {
        Self {
            shape,
            is_nullable: false,
            rules: &[],
        }
    }

    /// Returns the schema with rules.
    pub(super) const fn with(self, rules: &'static [Rule]) -> Self {
        Self { rules, ..self }
    }

    /// Returns the schema with null as a value.
    pub(super) const fn or_null(self) -> Self {
        Self {
            is_nullable: true,
            ..self
        }
    }
}

/// Returns the schema of an object with these keys.
pub(super) const fn object(fields: &'static [Field]) -> Schema {
    Schema::of(Shape::Object(fields))
}

/// Returns the schema of an object whose keys the user names.
pub(super) const fn map(values: &'static Schema, most: usize) -> Schema {
    Schema::of(Shape::Map { values, most })
}

/// Returns the schema of a list of at most so many entries.
pub(super) const fn list(items: &'static Schema, most: usize) -> Schema {
    let key = None;
    Schema::of(Shape::List { items, most, key })
}

/// Returns the schema of a list of at most so many entries, whose values of one key differ.
pub(super) const fn list_by(key: &'static str, items: &'static Schema, most: usize) -> Schema {
    let key = Some(key);
    Schema::of(Shape::List { items, most, key })
}

/// Returns the schema of a text with a number of characters.
pub(super) const fn text(least: usize, most: usize) -> Schema {
    let pattern = None;
    Schema::of(Shape::Text {
        least,
        most,
        pattern,
    })
}

/// Returns the schema of a text of this form.
pub(super) const fn formed(pattern: Pattern, least: usize, most: usize) -> Schema {
    let pattern = Some(pattern);
    Schema::of(Shape::Text {
        least,
        most,
        pattern,
    })
}

/// Returns the schema of one of these words.
pub(super) const fn word(words: &'static [&'static str]) -> Schema {
    Schema::of(Shape::Word(words))
}

/// Returns the schema of a whole number.
pub(super) const fn integer(least: i64, most: i64) -> Schema {
    Schema::of(Shape::Integer { least, most })
}

/// Returns the schema of a number.
pub(super) const fn number(least: f64, most: f64) -> Schema {
    Schema::of(Shape::Number { least, most })
}

/// Returns a key that may be left out.
pub(super) const fn field(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        is_required: false,
        schema,
    }
}

/// Returns a key that must be there.
pub(super) const fn required(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        is_required: true,
        schema,
    }
}

/// Any text.
pub(super) const TEXT: Schema = text(0, ANY);
/// Text that is not empty.
pub(super) const SOME_TEXT: Schema = text(1, ANY);
/// `true` or `false`.
pub(super) const BOOLEAN: Schema = Schema::of(Shape::Boolean);
/// An object that is not judged.
pub(super) const FREE: Schema = Schema::of(Shape::Free);
/// A whole number of 32 bits with a sign.
pub(super) const INT32: Schema = integer(i32::MIN as i64, i32::MAX as i64);
/// A whole number of 32 bits without a sign.
pub(super) const UINT32: Schema = integer(0, u32::MAX as i64);
/// No bound.
pub(super) const ANY: usize = usize::MAX;
