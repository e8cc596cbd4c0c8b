//! What can be told of an install.

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
