//! Names of enumeration values.

use std::borrow::Cow;

use super::{Language, humanised};

/// What the user calls a value of an enumeration: `("service_instance.status", "in_production")` is
/// `In Production`. A value that is not known is its id made presentable.
///
/// Currencies are called by their English names in every language.
#[must_use]
pub fn enum_text(record_field: &str, id: &str, language: Language) -> Cow<'static, str> {
    if record_field == "currency" {
        let currency = CURRENCIES.iter().find(|(code, _)| *code == id);
        return currency.map_or_else(|| id.to_owned().into(), |&(_, name)| name.into());
    }
    values(record_field)
        .iter()
        .find(|(known, _)| *known == id)
        .map_or_else(|| humanised(id).into(), |(_, texts)| texts[language as usize].into())
}

/// The enumerations that have names here, as `record.field` (or `language`), and the ids of their
/// values in the order in which they are listed.
pub fn enumerations()
-> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str> + Clone)> {
    ENUMERATIONS.iter().map(|(key, values)| (*key, values.iter().map(|(id, _)| *id)))
}

fn values(record_field: &str) -> &'static [(&'static str, Texts)] {
    let found = ENUMERATIONS.iter().find(|(key, _)| *key == record_field);
    found.map_or(&[], |(_, values)| values)
}

/// In the order of [`Language::ALL`].
type Texts = [&'static str; 4];

/// A text that is the same in all languages.
const fn same(text: &'static str) -> Texts {
    [text; 4]
}

/// Algorithms of signatures.
const ALGORITHMS: &[(&str, Texts)] = &[
    ("rs256", same("RS256 (RSA, SHA-256)")),
    ("rs384", same("RS384 (RSA, SHA-384)")),
    ("rs512", same("RS512 (RSA, SHA-512)")),
    ("es256", same("ES256 (ECDSA P-256, SHA-256)")),
    ("es384", same("ES384 (ECDSA P-384, SHA-384)")),
    ("es512", same("ES512 (ECDSA P-521, SHA-512)")),
];

#[rustfmt::skip]
const ENUMERATIONS: &[(&str, &[(&str, Texts)])] = &[
    ("app_offering.policy_jwt_alg", ALGORITHMS),
    ("app_offering_automation_rule.rulable_type", &[
        ("Req", ["Request", "Anfrage", "Demande", "Aanvraag"]),
        ("Task", ["Task", "Aufgabe", "Tâche", "Taak"]),
        ("Ci", ["Configuration Item", "Konfigurationselement", "Élément de configuration", "Configuratie-item"]),
        ("Problem", ["Problem", "Problem", "Problème", "Probleem"]),
    ]),
    ("app_offering_scope.effect", &[
        ("allow", ["Allow", "Erlauben", "Autoriser", "Toestaan"]),
        ("deny", ["Deny", "Verweigern", "Refuser", "Weigeren"]),
    ]),
    ("app_offering_scope.grant_type", &[
        ("client_credentials", ["Client Credentials", "Client-Anmeldedaten", "Identifiants du client", "Clientreferenties"]),
        ("authorization_code", ["Authorization Code", "Autorisierungscode", "Code d'autorisation", "Autorisatiecode"]),
    ]),
    ("audit_line.action", &[
        ("create", ["Created", "Erstellt", "Création", "Aangemaakt"]),
        ("update", ["Updated", "Aktualisiert", "Modification", "Bijgewerkt"]),
        ("destroy", ["Deleted", "Gelöscht", "Suppression", "Verwijderd"]),
        ("info", ["Information", "Information", "Information", "Informatie"]),
    ]),
    ("service_instance.impact", &[
        ("low", ["Low", "Niedrig", "Faible", "Laag"]),
        ("medium", ["Medium", "Mittel", "Moyen", "Gemiddeld"]),
        ("high", ["High", "Hoch", "Élevé", "Hoog"]),
        ("top", ["Top", "Sehr hoch", "Très élevé", "Zeer hoog"]),
    ]),
    ("service_instance.status", &[
        ("being_prepared", ["Being Prepared", "In Vorbereitung", "En préparation", "In voorbereiding"]),
        ("in_production", ["In Production", "In Produktion", "En production", "In productie"]),
        ("discontinued", ["Discontinued", "Eingestellt", "Hors service", "Stopgezet"]),
    ]),
    ("ui_extension.category", &[
        ("request_template", ["Request Template", "Anfragevorlage", "Modèle de demande", "Aanvraagsjabloon"]),
        ("knowledge_article_template", ["Knowledge Article Template", "Wissensartikelvorlage", "Modèle d'article de connaissances", "Kennisartikelsjabloon"]),
        ("problem", ["Problem", "Problem", "Problème", "Probleem"]),
        ("release", ["Release", "Release", "Mise en production", "Release"]),
        ("workflow_template", ["Workflow Template", "Workflow-Vorlage", "Modèle de workflow", "Workflowsjabloon"]),
        ("task_template", ["Task Template", "Aufgabenvorlage", "Modèle de tâche", "Taaksjabloon"]),
        ("project", ["Project", "Projekt", "Projet", "Project"]),
        ("project_task_template", ["Project Task Template", "Projektaufgabenvorlage", "Modèle de tâche de projet", "Projecttaaksjabloon"]),
        ("service", same("Service")),
        ("service_instance", ["Service Instance", "Service-Instanz", "Instance de service", "Service-instantie"]),
        ("product", ["Product", "Produkt", "Produit", "Product"]),
        ("product_category", ["Product Category", "Produktkategorie", "Catégorie de produit", "Productcategorie"]),
        ("contract", ["Contract", "Vertrag", "Contrat", "Contract"]),
        ("organization", ["Organization", "Organisation", "Organisation", "Organisatie"]),
        ("team", ["Team", "Team", "Équipe", "Team"]),
        ("person", ["Person", "Person", "Personne", "Persoon"]),
        ("site", ["Site", "Standort", "Site", "Locatie"]),
        ("risk", ["Risk", "Risiko", "Risque", "Risico"]),
        ("custom_collection", ["Custom Collection", "Benutzerdefinierte Sammlung", "Collection personnalisée", "Aangepaste verzameling"]),
        ("scim_user", ["SCIM User", "SCIM-Benutzer", "Utilisateur SCIM", "SCIM-gebruiker"]),
        ("app_offering", ["App Offering", "App-Angebot", "Offre d'application", "App-aanbod"]),
        ("shop_article", ["Shop Article", "Shop-Artikel", "Article de boutique", "Winkelartikel"]),
    ]),
    ("ui_extension_version.status", &[
        ("being_prepared", ["Being Prepared", "In Vorbereitung", "En préparation", "In voorbereiding"]),
        ("active", ["Active", "Aktiv", "Active", "Actief"]),
        ("archived", ["Archived", "Archiviert", "Archivée", "Gearchiveerd"]),
    ]),
    ("webhook_policy.jwt_alg", ALGORITHMS),
    ("language", &[
        ("en", ["English", "Englisch", "Anglais", "Engels"]),
        ("de", ["German", "Deutsch", "Allemand", "Duits"]),
        ("fr", ["French", "Französisch", "Français", "Frans"]),
        ("nl", ["Dutch", "Niederländisch", "Néerlandais", "Nederlands"]),
    ]),
];

/// ISO 4217 codes and English names of the currencies that accounts usually keep their books in.
pub const CURRENCIES: &[(&str, &str)] = &[
    ("AED", "United Arab Emirates Dirham"),
    ("AUD", "Australian Dollar"),
    ("BRL", "Brazilian Real"),
    ("CAD", "Canadian Dollar"),
    ("CHF", "Swiss Franc"),
    ("CNY", "Chinese Yuan"),
    ("CZK", "Czech Koruna"),
    ("DKK", "Danish Krone"),
    ("EUR", "Euro"),
    ("GBP", "Pound Sterling"),
    ("HKD", "Hong Kong Dollar"),
    ("HUF", "Hungarian Forint"),
    ("IDR", "Indonesian Rupiah"),
    ("ILS", "Israeli New Shekel"),
    ("INR", "Indian Rupee"),
    ("JPY", "Japanese Yen"),
    ("KRW", "South Korean Won"),
    ("MXN", "Mexican Peso"),
    ("MYR", "Malaysian Ringgit"),
    ("NOK", "Norwegian Krone"),
    ("NZD", "New Zealand Dollar"),
    ("PHP", "Philippine Peso"),
    ("PLN", "Polish Zloty"),
    ("RON", "Romanian Leu"),
    ("SAR", "Saudi Riyal"),
    ("SEK", "Swedish Krona"),
    ("SGD", "Singapore Dollar"),
    ("THB", "Thai Baht"),
    ("TRY", "Turkish Lira"),
    ("USD", "US Dollar"),
    ("ZAR", "South African Rand"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_value_has_a_name_in_every_language() {
        for (key, values) in ENUMERATIONS {
            let ids: HashSet<_> = values.iter().map(|(id, _)| id).collect();
            assert_eq!(ids.len(), values.len(), "{key} lists an id twice");
            for language in Language::ALL {
                let texts: HashSet<_> =
                    values.iter().map(|(id, _)| enum_text(key, id, language)).collect();
                assert_eq!(texts.len(), values.len(), "{key} has a text twice in {language:?}");
                for text in texts {
                    assert!(matches!(text, Cow::Borrowed(_)), "{key} in {language:?}: {text}");
                    assert!(text.starts_with(char::is_uppercase), "{key} in {language:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn names() {
        let texts = |key, id| Language::ALL.map(|language| enum_text(key, id, language));
        assert_eq!(
            texts("service_instance.status", "in_production"),
            ["In Production", "In Produktion", "En production", "In productie"]
        );
        assert_eq!(
            texts("app_offering_automation_rule.rulable_type", "Req"),
            ["Request", "Anfrage", "Demande", "Aanvraag"]
        );
        assert_eq!(texts("language", "de"), ["German", "Deutsch", "Allemand", "Duits"]);
        assert_eq!(texts("currency", "EUR"), ["Euro"; 4]);
    }

    #[test]
    fn each_language_is_listed_under_its_tag() {
        let (_, tags) = enumerations().find(|(key, _)| *key == "language").unwrap();
        assert!(tags.eq(Language::ALL.map(Language::tag)));
    }

    #[test]
    fn a_value_that_is_not_known_is_called_by_its_id() {
        assert_eq!(enum_text("service_instance.status", "on_hold", Language::Dutch), "On hold");
        assert_eq!(enum_text("made.up", "being_prepared", Language::German), "Being prepared");
        assert_eq!(enum_text("currency", "XTS", Language::French), "XTS");
    }

    #[test]
    fn currencies_are_listed_once_and_in_order() {
        assert!(CURRENCIES.is_sorted_by(|(one, _), (next, _)| one < next));
        for (code, _) in CURRENCIES {
            assert!(
                code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{code}"
            );
        }
    }
}
