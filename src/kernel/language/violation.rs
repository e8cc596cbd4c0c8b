//! Texts of refused fields.
//!
//! They are whole sentences that begin with the label of their field. A label is only put in front,
//! so every sentence has to fit every label. That is why German, French and Dutch labels are
//! singular, why the French sentences avoid words that agree in gender, and why no label needs an
//! article.

use std::borrow::Cow;

use super::Language;

/// Why the value of a field is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A value is required.
    Blank,
    /// More characters than allowed.
    TooLong {
        /// The most characters.
        max: u32,
    },
    /// More bytes than allowed, where the limit counts UTF-8 bytes.
    TooManyBytes {
        /// The most bytes.
        max: u32,
    },
    /// More elements than allowed.
    TooManyItems {
        /// The most elements.
        max: u32,
    },
    /// Another record has this value, which must be unique.
    Taken,
    /// Not one of the values of the enumeration.
    NotIncluded,
    /// Not of the right form, where nothing more helpful can be said.
    Invalid,
    /// Refers to a record that does not exist or may not be seen.
    MustExist,
    /// Not a number.
    NotANumber,
    /// A number with a fraction.
    NotAnInteger,
    /// Less than allowed.
    TooSmall {
        /// The least value.
        min: i64,
    },
    /// More than allowed.
    TooLarge {
        /// The greatest value.
        max: i64,
    },
    /// Not an absolute http or https URL.
    NotAUrl,
    /// Fixed since the record was published.
    NotChangeable,
    /// Refers to a record that is disabled.
    Disabled,
    /// A version of an offering that is not the latest published one.
    NotLatest,
    /// An offering that the customer has installed already.
    Installed,
    /// Not a version of the offering that is installed.
    OtherOffering,
    /// Another account than the caller's, who installs for their own only.
    ForeignCustomer,
    /// A person without the role in the customer account.
    NotAdministrator,
    /// Only the provider of an app may change it.
    ProviderOnly,
    /// Only the customer of an app may change it.
    CustomerOnly,
    /// Comes with an installed app.
    OfApp,
    /// Customers have agreed to the version as it is.
    InUse,
    /// Custom fields that the form of the app does not have.
    UnknownFields {
        /// Their ids, separated by commas.
        ids: String,
    },
    /// Custom fields that the form of the app requires.
    MissingFields {
        /// Their ids, separated by commas.
        ids: String,
    },
    /// Anything that needs more words: what is wrong and what to do about it, in English whatever the
    /// language. For what developers write, such as addresses and algorithms.
    Because(Cow<'static, str>),
}

impl Violation {
    /// The sentence that tells the user, beginning with the label of the field (see [`label`](super::labels::label)).
    #[must_use]
    pub fn text(&self, language: Language, label: &str) -> String {
        format!("{label} {}", self.predicate(language))
    }

    /// The sentence without its subject.
    fn predicate(&self, language: Language) -> Cow<'static, str> {
        match language {
            Language::English => self.english(),
            Language::German => self.german(),
            Language::French => self.french(),
            Language::Dutch => self.dutch(),
        }
    }

    fn english(&self) -> Cow<'static, str> {
        match self {
            Self::Blank => "can't be blank".into(),
            Self::TooLong { max } => {
                format!("is too long (maximum is {})", counted(*max, "character", "characters"))
                    .into()
            }
            Self::TooManyBytes { max } => {
                format!("is too long (maximum is {})", counted(*max, "byte", "bytes")).into()
            }
            Self::TooManyItems { max } => format!("has too many items (maximum is {max})").into(),
            Self::Taken => "has already been taken".into(),
            Self::NotIncluded => "is not included in the list".into(),
            Self::Invalid => "is invalid".into(),
            Self::MustExist => "must exist".into(),
            Self::NotANumber => "is not a number".into(),
            Self::NotAnInteger => "must be an integer".into(),
            Self::TooSmall { min } => format!("must be greater than or equal to {min}").into(),
            Self::TooLarge { max } => format!("must be less than or equal to {max}").into(),
            Self::NotAUrl => "must be an absolute http or https URL".into(),
            Self::NotChangeable => "cannot be changed after publication".into(),
            Self::Disabled => "is disabled".into(),
            Self::NotLatest => "is not the latest published version".into(),
            Self::Installed => "is already installed".into(),
            Self::OtherOffering => "must be a version of the offering that is installed".into(),
            Self::ForeignCustomer => "must be the caller's own: an administrator of the customer account installs the app".into(),
            Self::NotAdministrator => "must be an Account Administrator of the customer account".into(),
            Self::ProviderOnly => "can only be changed by the provider of the app".into(),
            Self::CustomerOnly => "can only be changed by the customer".into(),
            Self::OfApp => "cannot be changed: it belongs to an installed app".into(),
            Self::InUse => "cannot be changed while the version is installed: change the draft and publish it".into(),
            Self::UnknownFields { ids } => format!("has fields that the form of the app does not have: {ids}").into(),
            Self::MissingFields { ids } => format!("lacks fields that the form of the app requires: {ids}").into(),
            Self::Because(text) => text.clone(),
        }
    }

    fn german(&self) -> Cow<'static, str> {
        match self {
            Self::Blank => "muss ausgefüllt werden".into(),
            Self::TooLong { max } => format!("ist zu lang (maximal {max} Zeichen)").into(),
            Self::TooManyBytes { max } => {
                format!("ist zu lang (maximal {})", counted(*max, "Byte", "Bytes")).into()
            }
            Self::TooManyItems { max } => format!("hat zu viele Einträge (maximal {max})").into(),
            Self::Taken => "ist bereits vergeben".into(),
            Self::NotIncluded => "ist nicht in der Liste enthalten".into(),
            Self::Invalid => "ist ungültig".into(),
            Self::MustExist => "muss existieren".into(),
            Self::NotANumber => "ist keine Zahl".into(),
            Self::NotAnInteger => "muss eine ganze Zahl sein".into(),
            Self::TooSmall { min } => format!("muss größer oder gleich {min} sein").into(),
            Self::TooLarge { max } => format!("muss kleiner oder gleich {max} sein").into(),
            Self::NotAUrl => "muss eine absolute HTTP- oder HTTPS-URL sein".into(),
            Self::NotChangeable => {
                "kann nach der Veröffentlichung nicht mehr geändert werden".into()
            }
            Self::Disabled => "ist deaktiviert".into(),
            Self::NotLatest => "ist nicht die neueste veröffentlichte Version".into(),
            Self::Installed => "ist bereits installiert".into(),
            Self::OtherOffering => "muss eine Version des installierten Angebots sein".into(),
            Self::ForeignCustomer => "muss der eigene sein: Die App wird durch die Administration des Kundenaccounts installiert".into(),
            Self::NotAdministrator => "muss im Kundenaccount die Rolle Account-Administrator haben".into(),
            Self::ProviderOnly => "kann nur vom Anbieter der App geändert werden".into(),
            Self::CustomerOnly => "kann nur vom Kunden geändert werden".into(),
            Self::OfApp => "kann nicht geändert werden: gehört zu einer installierten App".into(),
            Self::InUse => "kann nicht geändert werden, solange die Version installiert ist: Entwurf ändern und veröffentlichen".into(),
            Self::UnknownFields { ids } => format!("enthält Felder, die das Formular der App nicht hat: {ids}").into(),
            Self::MissingFields { ids } => format!("enthält nicht alle Felder, die das Formular der App verlangt: {ids}").into(),
            Self::Because(text) => text.clone(),
        }
    }

    fn french(&self) -> Cow<'static, str> {
        match self {
            Self::Blank => "ne peut pas être vide".into(),
            Self::TooLong { max } => {
                format!("comporte trop de caractères ({max} au maximum)").into()
            }
            Self::TooManyBytes { max } => {
                format!("comporte trop d'octets ({max} au maximum)").into()
            }
            Self::TooManyItems { max } => {
                format!("comporte trop d'éléments ({max} au maximum)").into()
            }
            Self::Taken => "existe déjà".into(),
            Self::NotIncluded => "ne figure pas dans la liste".into(),
            Self::Invalid => "n'est pas valide".into(),
            Self::MustExist => "doit exister".into(),
            Self::NotANumber => "n'est pas un nombre".into(),
            Self::NotAnInteger => "doit être un nombre entier".into(),
            Self::TooSmall { min } => format!("doit valoir au moins {min}").into(),
            Self::TooLarge { max } => format!("doit valoir au plus {max}").into(),
            Self::NotAUrl => "doit être une URL HTTP ou HTTPS absolue".into(),
            Self::NotChangeable => "ne peut plus changer après la publication".into(),
            Self::Disabled => "est hors service".into(),
            Self::NotLatest => "n'est pas la dernière version publiée".into(),
            Self::Installed => "existe déjà dans le compte".into(),
            Self::OtherOffering => "doit être une version de l'offre en place".into(),
            Self::ForeignCustomer => "doit être celui de l'appelant : l'application est mise en place par l'administration du compte client".into(),
            Self::NotAdministrator => "doit avoir le rôle d'administrateur du compte client".into(),
            Self::ProviderOnly => "ne peut changer que par le fournisseur de l'application".into(),
            Self::CustomerOnly => "ne peut changer que par le client".into(),
            Self::OfApp => "ne peut pas changer : fait partie d'une application installée".into(),
            Self::InUse => "ne peut pas changer tant que la version est installée : modifier le brouillon et le publier".into(),
            Self::UnknownFields { ids } => format!("comporte des champs que le formulaire de l'application n'a pas : {ids}").into(),
            Self::MissingFields { ids } => format!("ne comporte pas tous les champs qu'exige le formulaire de l'application : {ids}").into(),
            Self::Because(text) => text.clone(),
        }
    }

    fn dutch(&self) -> Cow<'static, str> {
        match self {
            Self::Blank => "mag niet leeg zijn".into(),
            Self::TooLong { max } => {
                format!("is te lang (maximaal {})", counted(*max, "teken", "tekens")).into()
            }
            Self::TooManyBytes { max } => {
                format!("is te lang (maximaal {})", counted(*max, "byte", "bytes")).into()
            }
            Self::TooManyItems { max } => format!("bevat te veel items (maximaal {max})").into(),
            Self::Taken => "is al in gebruik".into(),
            Self::NotIncluded => "komt niet voor in de lijst".into(),
            Self::Invalid => "is ongeldig".into(),
            Self::MustExist => "moet bestaan".into(),
            Self::NotANumber => "is geen getal".into(),
            Self::NotAnInteger => "moet een geheel getal zijn".into(),
            Self::TooSmall { min } => format!("moet groter dan of gelijk aan {min} zijn").into(),
            Self::TooLarge { max } => format!("moet kleiner dan of gelijk aan {max} zijn").into(),
            Self::NotAUrl => "moet een absolute http- of https-URL zijn".into(),
            Self::NotChangeable => "kan na publicatie niet meer worden gewijzigd".into(),
            Self::Disabled => "is uitgeschakeld".into(),
            Self::NotLatest => "is niet de nieuwste gepubliceerde versie".into(),
            Self::Installed => "is al geïnstalleerd".into(),
            Self::OtherOffering => "moet een versie van het geïnstalleerde aanbod zijn".into(),
            Self::ForeignCustomer => "moet het eigen account zijn: de app wordt door een beheerder van het klantaccount geïnstalleerd".into(),
            Self::NotAdministrator => "moet de rol accountbeheerder in het klantaccount hebben".into(),
            Self::ProviderOnly => "kan alleen door de aanbieder van de app worden gewijzigd".into(),
            Self::CustomerOnly => "kan alleen door de klant worden gewijzigd".into(),
            Self::OfApp => "kan niet worden gewijzigd: hoort bij een geïnstalleerde app".into(),
            Self::InUse => "kan niet worden gewijzigd zolang de versie geïnstalleerd is: wijzig het concept en publiceer het".into(),
            Self::UnknownFields { ids } => format!("bevat velden die het formulier van de app niet heeft: {ids}").into(),
            Self::MissingFields { ids } => format!("mist velden die het formulier van de app vereist: {ids}").into(),
            Self::Because(text) => text.clone(),
        }
    }
}

/// `1 character`, `2 characters`
fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::super::labels::label;
    use super::*;

    /// Every kind of violation.
    const VIOLATIONS: [Violation; 16] = [
        Violation::Blank,
        Violation::TooLong { max: 128 },
        Violation::TooManyBytes { max: 65_535 },
        Violation::TooManyItems { max: 100 },
        Violation::Taken,
        Violation::NotIncluded,
        Violation::Invalid,
        Violation::MustExist,
        Violation::NotANumber,
        Violation::NotAnInteger,
        Violation::TooSmall { min: -3 },
        Violation::TooLarge { max: 9 },
        Violation::NotAUrl,
        Violation::NotChangeable,
        Violation::Disabled,
        Violation::Because(Cow::Borrowed("must start with https://")),
    ];

    fn texts(field: &str, language: Language) -> Vec<String> {
        let label = label(field, language);
        VIOLATIONS.iter().map(|violation| violation.text(language, &label)).collect()
    }

    #[test]
    fn english_sentences() {
        assert_eq!(
            texts("name", Language::English),
            [
                "Name can't be blank",
                "Name is too long (maximum is 128 characters)",
                "Name is too long (maximum is 65535 bytes)",
                "Name has too many items (maximum is 100)",
                "Name has already been taken",
                "Name is not included in the list",
                "Name is invalid",
                "Name must exist",
                "Name is not a number",
                "Name must be an integer",
                "Name must be greater than or equal to -3",
                "Name must be less than or equal to 9",
                "Name must be an absolute http or https URL",
                "Name cannot be changed after publication",
                "Name is disabled",
                "Name must start with https://",
            ]
        );
    }

    #[test]
    fn german_sentences() {
        assert_eq!(
            texts("reference", Language::German),
            [
                "Referenz muss ausgefüllt werden",
                "Referenz ist zu lang (maximal 128 Zeichen)",
                "Referenz ist zu lang (maximal 65535 Bytes)",
                "Referenz hat zu viele Einträge (maximal 100)",
                "Referenz ist bereits vergeben",
                "Referenz ist nicht in der Liste enthalten",
                "Referenz ist ungültig",
                "Referenz muss existieren",
                "Referenz ist keine Zahl",
                "Referenz muss eine ganze Zahl sein",
                "Referenz muss größer oder gleich -3 sein",
                "Referenz muss kleiner oder gleich 9 sein",
                "Referenz muss eine absolute HTTP- oder HTTPS-URL sein",
                "Referenz kann nach der Veröffentlichung nicht mehr geändert werden",
                "Referenz ist deaktiviert",
                "Referenz must start with https://",
            ]
        );
    }

    #[test]
    fn french_sentences() {
        assert_eq!(
            texts("reference", Language::French),
            [
                "Référence ne peut pas être vide",
                "Référence comporte trop de caractères (128 au maximum)",
                "Référence comporte trop d'octets (65535 au maximum)",
                "Référence comporte trop d'éléments (100 au maximum)",
                "Référence existe déjà",
                "Référence ne figure pas dans la liste",
                "Référence n'est pas valide",
                "Référence doit exister",
                "Référence n'est pas un nombre",
                "Référence doit être un nombre entier",
                "Référence doit valoir au moins -3",
                "Référence doit valoir au plus 9",
                "Référence doit être une URL HTTP ou HTTPS absolue",
                "Référence ne peut plus changer après la publication",
                "Référence est hors service",
                "Référence must start with https://",
            ]
        );
    }

    #[test]
    fn dutch_sentences() {
        assert_eq!(
            texts("reference", Language::Dutch),
            [
                "Referentie mag niet leeg zijn",
                "Referentie is te lang (maximaal 128 tekens)",
                "Referentie is te lang (maximaal 65535 bytes)",
                "Referentie bevat te veel items (maximaal 100)",
                "Referentie is al in gebruik",
                "Referentie komt niet voor in de lijst",
                "Referentie is ongeldig",
                "Referentie moet bestaan",
                "Referentie is geen getal",
                "Referentie moet een geheel getal zijn",
                "Referentie moet groter dan of gelijk aan -3 zijn",
                "Referentie moet kleiner dan of gelijk aan 9 zijn",
                "Referentie moet een absolute http- of https-URL zijn",
                "Referentie kan na publicatie niet meer worden gewijzigd",
                "Referentie is uitgeschakeld",
                "Referentie must start with https://",
            ]
        );
    }

    #[test]
    fn sentences_about_installed_apps() {
        let ids = || "url, api_key".to_owned();
        let cases = [
            ("app_offering", Violation::NotLatest),
            ("app_offering", Violation::Installed),
            ("app_offering", Violation::OtherOffering),
            ("customer_account", Violation::ForeignCustomer),
            ("customer_representative", Violation::NotAdministrator),
            ("disabled", Violation::ProviderOnly),
            ("enabled_by_customer", Violation::CustomerOnly),
            ("custom_fields", Violation::UnknownFields { ids: ids() }),
            ("custom_fields", Violation::MissingFields { ids: ids() }),
        ];
        let texts = |language| {
            cases
                .clone()
                .map(|(field, violation)| violation.text(language, &label(field, language)))
        };
        assert_eq!(
            texts(Language::English),
            [
                "App offering is not the latest published version",
                "App offering is already installed",
                "App offering must be a version of the offering that is installed",
                "Customer account must be the caller's own: an administrator of the customer account \
                 installs the app",
                "Customer representative must be an Account Administrator of the customer account",
                "Disabled can only be changed by the provider of the app",
                "Enabled by customer can only be changed by the customer",
                "Custom fields has fields that the form of the app does not have: url, api_key",
                "Custom fields lacks fields that the form of the app requires: url, api_key",
            ]
        );
        assert_eq!(
            texts(Language::German),
            [
                "App-Angebot ist nicht die neueste veröffentlichte Version",
                "App-Angebot ist bereits installiert",
                "App-Angebot muss eine Version des installierten Angebots sein",
                "Kundenaccount muss der eigene sein: Die App wird durch die Administration des \
                 Kundenaccounts installiert",
                "Ansprechperson des Kunden muss im Kundenaccount die Rolle Account-Administrator haben",
                "Deaktiviert kann nur vom Anbieter der App geändert werden",
                "Vom Kunden aktiviert kann nur vom Kunden geändert werden",
                "Liste benutzerdefinierter Felder enthält Felder, die das Formular der App nicht hat: \
                 url, api_key",
                "Liste benutzerdefinierter Felder enthält nicht alle Felder, die das Formular der App \
                 verlangt: url, api_key",
            ]
        );
        assert_eq!(
            texts(Language::French),
            [
                "Offre d'application n'est pas la dernière version publiée",
                "Offre d'application existe déjà dans le compte",
                "Offre d'application doit être une version de l'offre en place",
                "Compte client doit être celui de l'appelant : l'application est mise en place par \
                 l'administration du compte client",
                "Correspondant du client doit avoir le rôle d'administrateur du compte client",
                "Désactivation ne peut changer que par le fournisseur de l'application",
                "Activation par le client ne peut changer que par le client",
                "Liste de champs personnalisés comporte des champs que le formulaire de l'application \
                 n'a pas : url, api_key",
                "Liste de champs personnalisés ne comporte pas tous les champs qu'exige le formulaire de \
                 l'application : url, api_key",
            ]
        );
        assert_eq!(
            texts(Language::Dutch),
            [
                "App-aanbod is niet de nieuwste gepubliceerde versie",
                "App-aanbod is al geïnstalleerd",
                "App-aanbod moet een versie van het geïnstalleerde aanbod zijn",
                "Klantaccount moet het eigen account zijn: de app wordt door een beheerder van het \
                 klantaccount geïnstalleerd",
                "Contactpersoon van de klant moet de rol accountbeheerder in het klantaccount hebben",
                "Uitgeschakeld kan alleen door de aanbieder van de app worden gewijzigd",
                "Ingeschakeld door de klant kan alleen door de klant worden gewijzigd",
                "Lijst met aangepaste velden bevat velden die het formulier van de app niet heeft: url, \
                 api_key",
                "Lijst met aangepaste velden mist velden die het formulier van de app vereist: url, \
                 api_key",
            ]
        );
    }

    #[test]
    fn one_of_something_is_not_plural() {
        let one = Violation::TooLong { max: 1 };
        let texts = Language::ALL.map(|language| one.text(language, "X"));
        assert_eq!(
            texts,
            [
                "X is too long (maximum is 1 character)",
                "X ist zu lang (maximal 1 Zeichen)",
                "X comporte trop de caractères (1 au maximum)",
                "X is te lang (maximaal 1 teken)",
            ]
        );
    }
}
