//! The wire of automation rules (contract 3.3).
use crate::kernel::db::Row;
use crate::kernel::markdown;
use crate::kernel::record::field::{Choices, Derived, Field, Kind};
use crate::kernel::record::render::write_text;
use crate::kernel::record::{Collection, Predefined, Record, View, schema};
use crate::offering_api::app_offerings::dto as app_offerings;
use crate::{list_parameters, record_schemas};

/// What rules are about, as the vendor spells it.
pub static RULABLE_TYPE: Choices = Choices {
    name: "RulableType",
    doc: "Type of the records that an automation rule is about.",
    words: &["Req", "Task", "Ci", "Problem"],
};

/// Greatest position, as every client can read it.
pub const POSITION_MAX: i64 = 2_147_483_647;

/// Automation rules, field by field.
pub static RECORD: Record = Record {
    name: "app_offering_automation_rule",
    table: "app_offering_automation_rules",
    node_type: "AppOfferingAutomationRule",
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L0FwcE9mZmVyaW5nQXV0b21hdGlvblJ1bGUvMQ""#),
        Field::reference("app_offering", "app_offering_id", &app_offerings::REFERENCE)
            .writable()
            .required()
            .listed()
            .filterable()
            .doc("The draft or published version that brings the rule along.")
            .example(r#"{"id":1,"reference":"note-dispatcher","nodeID":"bG9jYWxob3N0L0FwcE9mZmVyaW5nLzE"}"#),
        Field::choice("rulable_type", &RULABLE_TYPE)
            .writable()
            .required()
            .listed()
            .doc("Type of the records that the rule is about: requests, tasks, configuration items or problems.")
            .example(r#""Req""#),
        Field::text("name", 128)
            .writable()
            .required()
            .listed()
            .doc("Name of the rule.")
            .example(r#""Dispatch notes""#),
        Field::new("trigger", "trigger_on", Kind::Text { max: 128, format: None })
            .writable()
            .required()
            .listed()
            .doc("When the rule is run.")
            .example(r#""on note added""#),
        Field::new("position", "position", Kind::Integer { min: 0, max: POSITION_MAX })
            .writable()
            .listed()
            .sortable()
            .doc("Rules of an offering are run in this order. Left out on create it follows the last one.")
            .example("1"),
        Field::long_text("description")
            .writable()
            .doc("What the rule is for, as Markdown.")
            .example(r#""Sends each *public* note.""#),
        Field::derived("description_html", &DESCRIPTION_HTML)
            .nullable()
            .doc("The description as HTML. Raw HTML in the description is shown as text.")
            .example(r#""<p>Sends each <em>public</em> note.</p>\n""#),
        Field::long_text("expressions")
            .writable()
            .doc("Values that condition and actions use: one `name: expression` per line.")
            .example(r#""text: note.text\nurl: rule_app_instance.custom_fields.url""#),
        Field::long_text("condition")
            .writable()
            .doc("Boolean expression over the names of `expressions`: the actions are run when it is true.")
            .example(r#""text is not empty""#),
        Field::long_text("actions")
            .writable()
            .doc(
                "What is done: one `name: action` per line. `{app_offering_webhook}` stands for the \
                 webhook that is generated for each customer.",
            )
            .example(r#""a1: call webhook '{app_offering_webhook}' with payload 'text url'""#),
        Field::derived("actions_html", &ACTIONS_HTML)
            .nullable()
            .doc("The actions as HTML, line by line.")
            .example(r#""<p>a1: call webhook '{app_offering_webhook}' with payload 'text url'</p>\n""#),
        Field::created_at().listed().filterable(),
        Field::updated_at().listed().filterable(),
    ],
};

static DESCRIPTION_HTML: Derived = Derived {
    joins: &[],
    columns: &["t.description"],
    write: write_html,
    schema: ("", HTML_SCHEMA),
};

static ACTIONS_HTML: Derived =
    Derived { joins: &[], columns: &["t.actions"], write: write_html, schema: ("", HTML_SCHEMA) };

fn write_html(out: &mut Vec<u8>, row: &dyn Row, at: usize, _: &View) {
    write_text(out, row.text(at).map(|text| markdown::to_html(&text)).as_deref());
}

/// HTML is longer than its source; this much no source of 64 KB becomes.
const HTML_SCHEMA: &str = r#"{"type": "string", "maxLength": 16777216, "pattern": "^[^\\x00]*$"}"#;

/// Lists of automation rules.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["position", "id"],
    counted: true,
    foreign: false,
    predefined: &[
        Predefined {
            name: "for_requests",
            condition: "t.account_id = {account} AND t.rulable_type = 'Req'",
            foreign: false,
        },
        Predefined {
            name: "for_tasks",
            condition: "t.account_id = {account} AND t.rulable_type = 'Task'",
            foreign: false,
        },
        Predefined {
            name: "for_cis",
            condition: "t.account_id = {account} AND t.rulable_type = 'Ci'",
            foreign: false,
        },
        Predefined {
            name: "for_problems",
            condition: "t.account_id = {account} AND t.rulable_type = 'Problem'",
            foreign: false,
        },
    ],
};

record_schemas!(RECORD =>
    AppOfferingAutomationRule: |record| schema::output(
        record, "A rule that an app brings along into the account of a customer."),
    AppOfferingAutomationRuleItem: |record| schema::item(
        record, "An automation rule in a list: the selected fields."),
    CreateAppOfferingAutomationRule: |record| schema::input(record, "A new automation rule.", true),
    UpdateAppOfferingAutomationRule: |record| schema::input(
        record, "Changes to an automation rule. Properties left out keep their value.", false),
);
list_parameters!(COLLECTION => AppOfferingAutomationRuleQuery);
