//! What can be told of an install.
use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// What happened to an installed application: the topics of contract 5.2 that operations of this service
/// cause. That a licence has ended is no event: it ends by itself, and nobody changes anything then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// It was installed, or installed again.
    Installed,
    /// Another version or package took its place.
    Upgraded,
    /// It was switched on.
    Enabled,
    /// It was switched off.
    Disabled,
    /// It was removed.
    Uninstalled,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Installed, Self::Upgraded, Self::Enabled, Self::Disabled, Self::Uninstalled];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "application.installed",
            Self::Upgraded => "application.upgraded",
            Self::Enabled => "application.enabled",
            Self::Disabled => "application.disabled",
            Self::Uninstalled => "application.uninstalled",
        }
    }
}

/// In schemas its name.
impl JsonSchema for Topic {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Topic".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Self::ALL.map(Self::as_str)})
    }
}
