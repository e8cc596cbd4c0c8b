//! The languages the service speaks: texts of refused fields ([`violation`]), labels of fields
//! ([`labels`]), names of enumeration values ([`enumerations`]).
pub mod enumerations;
pub mod labels;
pub mod violation;

/// A language that texts exist in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// What is spoken when nothing else is asked for.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Dutch.
    Dutch,
}

impl Language {
    /// Every language, in the order they are listed to clients.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Dutch];

    /// The language of a tag such as `de`, `de-CH` or `DE_at`; the region makes no difference.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next()?.trim();
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// The tag of the language: `en`, `de`, `fr`, `nl`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Dutch => "nl",
        }
    }
}

/// A name made presentable: `policy_jwt_alg` → `Policy jwt alg`, `sourceID` → `Source ID`. The
/// `_id` under which a reference is written is not part of the name.
fn humanised(name: &str) -> String {
    let name = name.strip_suffix("_id").unwrap_or(name);
    let mut text = String::with_capacity(name.len() + 1);
    let mut was_lower_case = false;
    for character in name.trim_matches('_').chars() {
        if character.is_uppercase() && was_lower_case {
            text.push(' ');
        }
        was_lower_case = character.is_lowercase();
        match character {
            '_' => text.push(' '),
            _ if text.is_empty() => text.extend(character.to_uppercase()),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag_whatever_the_region() {
        for (tag, language) in [
            ("en", Language::English),
            ("en-US", Language::English),
            ("de", Language::German),
            ("de-CH", Language::German),
            ("DE_at", Language::German),
            ("fr-CA", Language::French),
            ("nl", Language::Dutch),
            (" nl ", Language::Dutch),
            ("nl-Latn-BE", Language::Dutch),
        ] {
            assert_eq!(Language::from_tag(tag), Some(language), "{tag}");
        }
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
        for tag in ["", "-", "d", "den", "deu", "es", "-de", "x-de", "*"] {
            assert_eq!(Language::from_tag(tag), None, "{tag:?}");
        }
    }

    #[test]
    fn names_are_made_presentable() {
        for (name, text) in [
            ("name", "Name"),
            ("policy_jwt_alg", "Policy jwt alg"),
            ("ui_extension_version", "Ui extension version"),
            ("service_instance_id", "Service instance"),
            ("sourceID", "Source ID"),
            ("nodeID", "Node ID"),
            ("_destroy", "Destroy"),
            ("id", "Id"),
            ("_id", ""),
            ("", ""),
            ("élan_vital", "Élan vital"),
        ] {
            assert_eq!(humanised(name), text, "{name:?}");
        }
    }
}
