//! The tables that describe records.
use crate::kernel::db::Row;
use crate::kernel::record::view::View;

/// A record type: its database table and everything the wire shows of it.
#[derive(Debug)]
pub struct Record {
    /// Name in the singular, `app_offering`: key of audit lines and of enumerations.
    pub name: &'static str,
    /// Name in the plural, `app_offerings`: the database table and the path segment of its UI page.
    pub table: &'static str,
    /// Type in its nodeIDs, `AppOffering`.
    pub node_type: &'static str,
    /// Its fields, in the order in which they are shown.
    pub fields: &'static [Field],
}

/// A list of records: which ones, in which order.
#[derive(Debug)]
pub struct Collection {
    /// What is listed.
    pub record: &'static Record,
    /// Order when `sort` is absent; the id is always added as the last key.
    pub default_sort: &'static [&'static str],
    /// Named subsets, `GET /<resource>/<name>` and `?state=<name>`.
    pub predefined: &'static [Predefined],
    /// Whether a row counter per account exists, which makes the total of the plain list free.
    pub counted: bool,
    /// Whether records of other accounts may be in it, wherever it is listed; those show their `account`.
    pub foreign: bool,
}

/// A named subset of a collection.
#[derive(Debug)]
pub struct Predefined {
    /// Its name in the path or in `state`.
    pub name: &'static str,
    /// SQL condition over the table `t`; `{account}` stands for the caller's account id. It replaces
    /// the condition "of the caller's account" unless it is used inside a narrower list.
    pub condition: &'static str,
    /// Whether records of other accounts may be among them; those show their `account`.
    pub foreign: bool,
}

/// Who may set a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the server.
    ReadOnly,
    /// The caller, on create and on update.
    ReadWrite,
    /// The caller; it is never shown.
    WriteOnly,
}

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// Column of the table `t`; empty when writing is the resource's own business.
    pub column: &'static str,
    /// Where its value is read when that is not [`Field::column`].
    pub read: Option<Elsewhere>,
    /// Type, with its limits.
    pub kind: Kind,
    /// Who may set it.
    pub access: Access,
    /// Whether a create without it (or a change that clears it) is refused.
    pub required: bool,
    /// Whether it can be `null`.
    pub nullable: bool,
    /// Whether lists show it when `fields` is absent.
    pub listed: bool,
    /// Whether lists can be filtered by it.
    pub filterable: bool,
    /// Whether filters on this text ignore case.
    pub ignore_case: bool,
    /// Whether lists can be sorted by it.
    pub sortable: bool,
    /// Whether only the single record shows it, never a list.
    pub single_only: bool,
    /// Value of a field that a create leaves out, as JSON; only for the manual.
    pub default: Option<&'static str>,
    /// What the manual says of it.
    pub doc: &'static str,
    /// A valid value, as JSON.
    pub example: &'static str,
}

/// A value that is not a column of the record's own table.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere {
    /// Joins it needs, on the table `t`.
    pub joins: &'static [&'static str],
    /// SQL of the value.
    pub value: &'static str,
}

/// Type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The record's number.
    Id,
    /// The record's nodeID, made from its number.
    NodeId,
    /// A short text of at most this many characters, optionally of a pattern (for the manual; the
    /// service checks it).
    Text {
        /// Most characters.
        max: u32,
        /// A format, or a pattern that starts with `^`.
        format: Option<&'static str>,
    },
    /// A long text of at most this many bytes.
    LongText {
        /// Most bytes.
        max_bytes: u32,
    },
    /// True or false, never null.
    Boolean,
    /// A whole number.
    Integer {
        /// Smallest value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// Minutes.
    Duration {
        /// Least value.
        min: i64,
    },
    /// A point in time.
    Timestamp,
    /// One of these lower-case words.
    Choice(&'static Choices),
    /// Another record.
    Reference(&'static Reference),
    /// Address of a picture; a `data:` URL may be written. One that is kept here is stored as a path,
    /// which is shown behind the public address.
    Picture,
    /// Texts, kept as a JSON array.
    Texts {
        /// Most texts.
        max_items: u32,
        /// Most characters of each.
        max: u32,
    },
    /// Values by the id of their field, kept as a JSON array of `{"id","value"}`. What is written is
    /// merged into what is there: ids that are not mentioned keep their value.
    CustomFields,
    /// Files to add or remove (write-only), for the field this is named after.
    Attachments,
    /// Anything a resource makes of its own columns.
    Derived(&'static Derived),
}

/// How another record is shown and named in input.
#[derive(Debug)]
pub struct Reference {
    /// What is shown.
    pub output: Derived,
    /// Its nodeID's type, for references by nodeID.
    pub node_type: &'static str,
}

/// Words of which a field has one.
#[derive(Debug)]
pub struct Choices {
    /// Name of their type in the document. Go gives the words of all such types one namespace (openapi-generator
    /// without `enumClassPrefix`): of two types that share a word one has no name, which inlines it.
    pub name: &'static str,
    /// What they are, wherever they stand.
    pub doc: &'static str,
    /// The words, at least one.
    pub words: &'static [&'static str],
}

/// An output made from several columns.
pub struct Derived {
    /// Joins it needs, on the table `t`.
    pub joins: &'static [&'static str],
    /// Columns it reads.
    pub columns: &'static [&'static str],
    /// Writes its JSON from those columns, the first of which is at the given index.
    pub write: fn(&mut Vec<u8>, &dyn Row, usize, &View),
    /// Name of its schema in the document and the schema itself, as JSON. An empty name inlines it.
    pub schema: (&'static str, &'static str),
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Derived({:?})", self.columns)
    }
}

/// The whole-number range that every JSON reader keeps exactly (2^53 − 1).
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// Limit of a `text 64KB`, in bytes.
pub const KB64: u32 = 65_535;
/// Longest address, in bytes.
pub const MAX_URL: u32 = 2_048;
/// Longest picture as a `data:` URL, in bytes: half a megabyte of picture.
pub const MAX_DATA_URL: u32 = 700_000;
/// Longest duration, in minutes: a hundred years.
pub const MAX_DURATION: i64 = 52_596_000;
/// Most custom fields of a record.
pub const MAX_CUSTOM_FIELDS: u32 = 1_000;
/// Longest id of a custom field, in characters.
pub const MAX_CUSTOM_FIELD_ID: u32 = 128;

impl Field {
    /// A field that the server sets.
    pub const fn new(name: &'static str, column: &'static str, kind: Kind) -> Self {
        Self {
            name,
            column,
            read: None,
            kind,
            access: Access::ReadOnly,
            required: false,
            nullable: false,
            listed: false,
            filterable: false,
            ignore_case: false,
            sortable: false,
            single_only: false,
            default: None,
            doc: "",
            example: "null",
        }
    }

    /// The record's number.
    pub const fn id() -> Self {
        Self::new("id", "id", Kind::Id)
            .doc("Number of the record, unique within its type.")
            .example("12")
            .listed()
            .filterable()
            .sortable()
    }

    /// The record's nodeID; `example` for the manual.
    pub const fn node_id(example: &'static str) -> Self {
        Self::new("nodeID", "id", Kind::NodeId)
            .doc("Name of the record that is unique across all types and accounts. Opaque.")
            .example(example)
            .listed()
    }

    /// When the record was made.
    pub const fn created_at() -> Self {
        Self::new("created_at", "created_at", Kind::Timestamp)
            .doc("When the record was created, in the time zone of the caller.")
            .example(r#""2026-02-01T09:15:00+01:00""#)
    }

    /// When the record last changed.
    pub const fn updated_at() -> Self {
        Self::new("updated_at", "updated_at", Kind::Timestamp)
            .doc("When the record last changed; equal to `created_at` until then.")
            .example(r#""2026-02-01T09:15:00+01:00""#)
    }

    /// Where the record came from.
    pub const fn source() -> Self {
        Self::text("source", 30)
            .writable()
            .filterable()
            .doc(
                "Where the record came from. On create the first of: this property, the header \
                 `X-Xurrent-Source` or `X-4me-Source`, the header `User-Agent`, a configured constant.",
            )
            .example(r#""curl/8.5.0""#)
    }

    /// The record's id where it came from.
    pub const fn source_id() -> Self {
        Self::new("sourceID", "source_id", Kind::Text { max: 128, format: None })
            .writable()
            .nullable()
            .listed()
            .filterable()
            .sortable()
            .doc("Id of the record in the system it came from.")
            .example(r#""ERP-4711""#)
    }

    /// A short text whose column has its name.
    pub const fn text(name: &'static str, max: u32) -> Self {
        Self::new(name, name, Kind::Text { max, format: None })
    }

    /// A text of up to 64 KB whose column has its name.
    pub const fn long_text(name: &'static str) -> Self {
        Self::new(name, name, Kind::LongText { max_bytes: KB64 }).nullable()
    }

    /// A flag whose column has its name; false unless set.
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, name, Kind::Boolean).example("false").default("false")
    }

    /// One of several words.
    pub const fn choice(name: &'static str, choices: &'static Choices) -> Self {
        Self::new(name, name, Kind::Choice(choices))
    }

    /// A reference, whose number is in `column`.
    pub const fn reference(
        name: &'static str,
        column: &'static str,
        reference: &'static Reference,
    ) -> Self {
        Self::new(name, column, Kind::Reference(reference))
    }

    /// A made-up output.
    pub const fn derived(name: &'static str, derived: &'static Derived) -> Self {
        Self::new(name, "", Kind::Derived(derived))
    }

    /// The write-only companion of a text that may embed files, `<text>_attachments`.
    pub const fn attachments(name: &'static str, doc: &'static str) -> Self {
        let mut field = Self::new(name, "", Kind::Attachments).doc(doc);
        field.access = Access::WriteOnly;
        field.example = r#"[{"key":"attachments/1/2026/02/01/501/1769935000-3f9a1c/logo.png","filesize":1234,"inline":false}]"#;
        field
    }

    /// The caller may set it.
    pub const fn writable(mut self) -> Self {
        self.access = Access::ReadWrite;
        self
    }

    /// The caller may set it; it is neither shown nor kept: a trigger.
    pub const fn trigger(mut self) -> Self {
        self.column = "";
        self.access = Access::WriteOnly;
        self
    }

    /// It is read from here, and neither written nor audited with the record's own row.
    pub const fn read_from(mut self, joins: &'static [&'static str], value: &'static str) -> Self {
        self.column = "";
        self.read = Some(Elsewhere { joins, value });
        self
    }

    /// A create needs it, and a change cannot clear it.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It can be null.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Lists show it.
    pub const fn listed(mut self) -> Self {
        self.listed = true;
        self
    }

    /// Lists never show it.
    pub const fn single_only(mut self) -> Self {
        self.single_only = true;
        self
    }

    /// Lists can be filtered by it.
    pub const fn filterable(mut self) -> Self {
        self.filterable = true;
        self
    }

    /// Filters on it ignore case.
    pub const fn ignore_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    /// Lists can be sorted by it.
    pub const fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }

    /// Text of the manual.
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// A valid value, as JSON.
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// What a create that leaves it out stores, as JSON.
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// A format or pattern for the manual; the service enforces it.
    pub const fn format(mut self, format: &'static str) -> Self {
        if let Kind::Text { max, .. } = self.kind {
            self.kind = Kind::Text { max, format: Some(format) };
        }
        self
    }

    /// Whether answers show it.
    pub fn is_readable(&self) -> bool {
        self.access != Access::WriteOnly
    }

    /// Whether callers may set it.
    pub fn is_writable(&self) -> bool {
        self.access != Access::ReadOnly
    }

    /// Name of the input property: references are written by `<name>_id`.
    pub fn input_name(&self) -> std::borrow::Cow<'static, str> {
        match self.kind {
            Kind::Reference(_) => format!("{}_id", self.name).into(),
            _ => self.name.into(),
        }
    }
}

impl Record {
    /// The field of this name, if answers show it.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name && field.is_readable())
    }
}
