//! Labels of fields.

use std::borrow::Cow;

use super::{Language, humanised};

/// What the user calls a field. English is the field's name made presentable (`policy_jwt_alg` →
/// `Policy jwt alg`); so is a field without a label in the other languages.
#[must_use]
pub fn label(field: &str, language: Language) -> Cow<'static, str> {
    let name = field.strip_suffix("_id").unwrap_or(field);
    let column = match language {
        Language::English => return humanised(field).into(),
        Language::German => 0,
        Language::French => 1,
        Language::Dutch => 2,
    };
    match LABELS.binary_search_by_key(&name, |(known, _)| known) {
        Ok(found) => LABELS[found].1[column].into(),
        Err(_) => humanised(field).into(),
    }
}

/// German, French and Dutch labels, sorted by field. All are singular: see `violation`.
#[rustfmt::skip]
const LABELS: &[(&str, [&str; 3])] = &[
    ("_destroy", ["Löschen", "Suppression", "Verwijderen"]),
    ("account", ["Account", "Compte", "Account"]),
    ("actions", ["Aktionsliste", "Liste d'actions", "Actielijst"]),
    ("activate", ["Aktivieren", "Activation", "Activeren"]),
    ("app_offering", ["App-Angebot", "Offre d'application", "App-aanbod"]),
    ("app_offering_references", ["App-Angebot-Referenz", "Référence d'offre d'application", "App-aanbodreferentie"]),
    ("attachments", ["Anhang", "Pièce jointe", "Bijlage"]),
    ("avatar", ["Bild", "Image", "Afbeelding"]),
    ("avatar_file_name", ["Dateiname des Bildes", "Nom du fichier image", "Bestandsnaam van de afbeelding"]),
    ("card_description", ["Kartenbeschreibung", "Description de la carte", "Kaartbeschrijving"]),
    ("category", ["Kategorie", "Catégorie", "Categorie"]),
    ("compliance", ["Compliance", "Conformité", "Compliance"]),
    ("compliance_attachments", ["Anhang zur Compliance", "Pièce jointe de la conformité", "Bijlage bij compliance"]),
    ("condition", ["Bedingung", "Condition", "Voorwaarde"]),
    ("conditions", ["Bedingungsliste", "Liste de conditions", "Lijst met voorwaarden"]),
    ("configuration_uri_template", ["Vorlage der Konfigurations-URI", "Modèle d'URI de configuration", "Sjabloon van de configuratie-URI"]),
    ("css", ["CSS", "CSS", "CSS"]),
    ("custom_fields", ["Liste benutzerdefinierter Felder", "Liste de champs personnalisés", "Lijst met aangepaste velden"]),
    ("custom_fields_attachments", ["Anhang der benutzerdefinierten Felder", "Pièce jointe des champs personnalisés", "Bijlage bij aangepaste velden"]),
    ("customer_account", ["Kundenaccount", "Compte client", "Klantaccount"]),
    ("customer_representative", ["Ansprechperson des Kunden", "Correspondant du client", "Contactpersoon van de klant"]),
    ("dark_mode_safe", ["Für dunklen Modus geeignet", "Compatibilité avec le mode sombre", "Geschikt voor donkere modus"]),
    ("description", ["Beschreibung", "Description", "Beschrijving"]),
    ("description_attachments", ["Anhang zur Beschreibung", "Pièce jointe de la description", "Bijlage bij beschrijving"]),
    ("disabled", ["Deaktiviert", "Désactivation", "Uitgeschakeld"]),
    ("effect", ["Wirkung", "Effet", "Effect"]),
    ("enabled_by_customer", ["Vom Kunden aktiviert", "Activation par le client", "Ingeschakeld door de klant"]),
    ("event", ["Ereignis", "Événement", "Gebeurtenis"]),
    ("expressions", ["Ausdrucksliste", "Liste d'expressions", "Lijst met expressies"]),
    ("features", ["Funktionsumfang", "Liste des fonctionnalités", "Functionaliteit"]),
    ("features_attachments", ["Anhang zum Funktionsumfang", "Pièce jointe de la liste des fonctionnalités", "Bijlage bij functionaliteit"]),
    ("file", ["Datei", "Fichier", "Bestand"]),
    ("filesize", ["Dateigröße", "Taille du fichier", "Bestandsgrootte"]),
    ("first_line_team", ["First-Line-Team", "Équipe de première ligne", "Eerstelijnsteam"]),
    ("form_definition_json", ["Formulardefinition", "Définition du formulaire", "Formulierdefinitie"]),
    ("grant_type", ["Grant-Typ", "Type d'autorisation", "Grant-type"]),
    ("hide_note", ["Notiz ausblenden", "Masquage de la note", "Notitie verbergen"]),
    ("html", ["HTML", "HTML", "HTML"]),
    ("inline", ["Eingebettet", "Intégration au texte", "Ingesloten"]),
    ("javascript", ["JavaScript", "JavaScript", "JavaScript"]),
    ("jwt_alg", ["JWT-Algorithmus", "Algorithme JWT", "JWT-algoritme"]),
    ("jwt_audience", ["JWT-Zielgruppe", "Audience JWT", "JWT-doelgroep"]),
    ("jwt_claim_expires_in", ["JWT-Gültigkeitsdauer", "Durée de validité JWT", "JWT-geldigheidsduur"]),
    ("key", ["Schlüssel", "Clé", "Sleutel"]),
    ("mail_exceptions_to", ["E-Mail-Adresse für Fehler", "Adresse e-mail des erreurs", "E-mailadres voor fouten"]),
    ("maintenance_window", ["Wartungsfenster", "Fenêtre de maintenance", "Onderhoudsvenster"]),
    ("name", ["Name", "Nom", "Naam"]),
    ("new_scopes", ["Neuer Scope", "Nouvelle portée", "Nieuwe scope"]),
    ("openid_connect_discovery", ["OpenID-Connect-Discovery", "Découverte OpenID Connect", "OpenID Connect-discovery"]),
    ("picture_uri", ["Bild-URI", "URI de l'image", "URI van de afbeelding"]),
    ("policy_jwt_alg", ["JWT-Algorithmus der Richtlinie", "Algorithme JWT de la politique", "JWT-algoritme van het beleid"]),
    ("policy_jwt_audience", ["JWT-Zielgruppe der Richtlinie", "Audience JWT de la politique", "JWT-doelgroep van het beleid"]),
    ("policy_jwt_claim_expires_in", ["JWT-Gültigkeitsdauer der Richtlinie", "Durée de validité JWT de la politique", "JWT-geldigheidsduur van het beleid"]),
    ("position", ["Position", "Position", "Positie"]),
    ("reference", ["Referenz", "Référence", "Referentie"]),
    ("remarks", ["Bemerkung", "Remarque", "Opmerking"]),
    ("remarks_attachments", ["Anhang zur Bemerkung", "Pièce jointe de la remarque", "Bijlage bij opmerking"]),
    ("requires_enabled_oauth_person", ["Aktivierte OAuth-Person erforderlich", "Obligation d'activer la personne OAuth", "Ingeschakelde OAuth-persoon vereist"]),
    ("rulable_type", ["Datensatztyp", "Type d'enregistrement", "Recordtype"]),
    ("scopes", ["Scope", "Portée", "Scope"]),
    ("scopes_to_delete", ["Zu löschender Scope", "Portée à supprimer", "Te verwijderen scope"]),
    ("service", ["Service", "Service", "Service"]),
    ("service_instance", ["Service-Instanz", "Instance de service", "Service-instantie"]),
    ("show_on_complete", ["Beim Abschließen anzeigen", "Affichage lors de la clôture", "Tonen bij voltooien"]),
    ("since", ["Seit", "Depuis", "Sinds"]),
    ("source", ["Quelle", "Source", "Bron"]),
    ("sourceID", ["Quell-ID", "ID source", "Bron-ID"]),
    ("standard_webhooks", ["Standard Webhooks", "Standard Webhooks", "Standard Webhooks"]),
    ("status", ["Status", "Statut", "Status"]),
    ("support_team", ["Supportteam", "Équipe de support", "Supportteam"]),
    ("suspended", ["Ausgesetzt", "Suspension", "Opgeschort"]),
    ("suspension_comment", ["Kommentar zur Aussetzung", "Commentaire de la suspension", "Opmerking bij opschorting"]),
    ("time_zone", ["Zeitzone", "Fuseau horaire", "Tijdzone"]),
    ("title", ["Titel", "Titre", "Titel"]),
    ("trigger", ["Auslöser", "Déclencheur", "Trigger"]),
    ("ui_extension", ["UI-Erweiterung", "Extension d'interface", "UI-extensie"]),
    ("ui_extension_version", ["Version der UI-Erweiterung", "Version de l'extension d'interface", "Versie van de UI-extensie"]),
    ("uri", ["URI", "URI", "URI"]),
    ("webhook_policy", ["Webhook-Richtlinie", "Politique de webhook", "Webhookbeleid"]),
    ("webhook_uri_template", ["Vorlage der Webhook-URI", "Modèle d'URI de webhook", "Sjabloon van de webhook-URI"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What clients can write: offerings, scopes, automation rules, UI extensions, service
    /// instances, webhooks and their policies, app instances, attachments.
    const WRITABLE: &str = "
        card_description compliance compliance_attachments configuration_uri_template description
        description_attachments disabled features features_attachments name
        openid_connect_discovery picture_uri policy_jwt_alg policy_jwt_audience
        policy_jwt_claim_expires_in reference requires_enabled_oauth_person service_instance_id
        source sourceID ui_extension_version_id webhook_uri_template new_scopes scopes_to_delete
        avatar avatar_file_name
        effect grant_type actions conditions
        app_offering_id rulable_type trigger position expressions condition
        activate category html css javascript form_definition_json title dark_mode_safe hide_note
        show_on_complete
        service_id status support_team_id first_line_team_id maintenance_window_id remarks
        remarks_attachments time_zone custom_fields
        event uri mail_exceptions_to app_offering_references webhook_policy_id standard_webhooks
        jwt_alg jwt_audience jwt_claim_expires_in
        customer_representative_id enabled_by_customer suspended suspension_comment
        custom_fields_attachments
        attachments key filesize inline _destroy file";

    #[test]
    fn every_writable_field_has_a_label_in_every_language() {
        for field in WRITABLE.split_whitespace() {
            for language in [Language::German, Language::French, Language::Dutch] {
                let label = label(field, language);
                assert!(matches!(label, Cow::Borrowed(_)), "{field} in {language:?}");
                assert!(label.starts_with(char::is_uppercase), "{label}");
                assert_eq!(label.trim(), label);
            }
        }
    }

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(LABELS.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    #[test]
    fn labels() {
        let labels = |field| Language::ALL.map(|language| label(field, language));
        assert_eq!(labels("name"), ["Name", "Name", "Nom", "Naam"]);
        assert_eq!(labels("sourceID"), ["Source ID", "Quell-ID", "ID source", "Bron-ID"]);
        let instance =
            ["Service instance", "Service-Instanz", "Instance de service", "Service-instantie"];
        assert_eq!(labels("service_instance"), instance);
        assert_eq!(labels("service_instance_id"), instance);
    }

    #[test]
    fn an_unknown_field_is_called_by_its_name() {
        for language in Language::ALL {
            assert_eq!(label("made_up_thing", language), "Made up thing");
        }
    }
}
