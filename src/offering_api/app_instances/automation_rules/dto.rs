//! The wire of the automation rules of an installed app.
use crate::kernel::record::field::{Field, Kind};
use crate::kernel::record::{Collection, Record, schema};
use crate::offering_api::app_offering_automation_rules::dto::{POSITION_MAX, RULABLE_TYPE};
use crate::{list_parameters, record_schemas};

/// Automation rules of installed apps, field by field.
pub static RECORD: Record = Record {
    name: "automation_rule",
    table: "automation_rules",
    node_type: "AutomationRule",
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L0F1dG9tYXRpb25SdWxlLzE""#),
        Field::choice("rulable_type", &RULABLE_TYPE)
            .listed()
            .doc("Type of the records that the rule is about: requests, tasks, configuration items or problems.")
            .example(r#""Req""#),
        Field::text("name", 128).listed().doc("Name of the rule.").example(r#""Dispatch notes""#),
        Field::new("trigger", "trigger_on", Kind::Text { max: 128, format: None })
            .listed()
            .doc("When the rule is run.")
            .example(r#""on note added""#),
        Field::new("position", "position", Kind::Integer { min: 0, max: POSITION_MAX })
            .listed()
            .sortable()
            .doc("Rules of an app are run in this order.")
            .example("1"),
        Field::boolean("disabled")
            .listed()
            .doc("Whether it is not run: because one of the three switches of the app instance is off."),
        Field::long_text("description")
            .doc("What the rule is for, as Markdown.")
            .example(r#""Sends each *public* note.""#),
        Field::long_text("expressions")
            .doc("Values that condition and actions use: one `name: expression` per line.")
            .example(r#""text: note.text\nurl: rule_app_instance.custom_fields.url""#),
        Field::long_text("condition")
            .doc("Boolean expression over the names of `expressions`: the actions are run when it is true.")
            .example(r#""text is not empty""#),
        Field::new("actions", "actions", Kind::LongText { max_bytes: ACTIONS_MAX })
            .nullable()
            .doc(
                "What is done: one `name: action` per line. Where the rule of the offering says \
                 `{app_offering_webhook}` stands the nodeID of the generated webhook, by which it is called.",
            )
            .example(r#""a1: call webhook 'bG9jYWxob3N0L1dlYmhvb2svMQ' with payload 'text url'""#),
        Field::created_at().listed(),
        Field::updated_at().listed(),
    ],
};

/// Most bytes of the actions: a text of 64 KB, in which a nodeID of up to 400 characters stands for each
/// `{app_offering_webhook}`.
const ACTIONS_MAX: u32 = 65_535 / 22 * 400;

/// The rules of one instance.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["position", "id"],
    counted: false,
    foreign: true,
    predefined: &[],
};

record_schemas!(RECORD =>
    AutomationRuleItem: |record| schema::item(
        record, "An automation rule of an installed app in a list: the selected fields."),
);
list_parameters!(COLLECTION => AutomationRuleQuery);
