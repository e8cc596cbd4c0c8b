//! The document of the app offerings: the base, and what no handler should have to repeat.
//!
//! [`finish`] is a list of passes over the finished document. Each adds what follows from an
//! operation's own properties: its refusals, its headers, its permission in words.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::{
    bound_arrays, extend, form_first, header, header_references, info, links, messages,
    name_schemas, number, order_extensions, pagination, parameter, remove_unused, shared_headers,
    shared_parameters, sort_schemas, tags, text,
};
use crate::kernel::http::operations::successes;
use crate::kernel::record::query::MAX_PER_PAGE;
use crate::kernel::record::schema;

/// Version of the contract; raised when the contract changes, not with every release.
const VERSION: &str = "1.0.0";

/// Tags with what they are about, in the order in which the document shows them. Each is a folder of
/// the family; a test compares them.
const TAGS: &[(&str, &str)] = &[
    ("meta", "The caller, their account, the request limits and the enumerations."),
    ("oauth", "Short-lived tokens for programs."),
    ("app_offerings", "Apps as they are offered: a draft and its published versions."),
    ("app_offerings/scopes", "What an app may do in the account of a customer."),
    ("app_instances", "Apps that are installed in the account of a customer."),
    ("app_instances/automation_rules", "Rules that an installed app has brought along."),
    (
        "app_offering_automation_rules",
        "Rules that an app brings along into the account of a customer.",
    ),
    ("ui_extensions", "Forms by which customers configure an app, and their versions."),
    ("service_instances", "What requests about an app are registered for."),
    ("webhook_policies", "Keys that sign the messages of webhooks, and where receivers find them."),
    ("webhooks", "Where the messages of an account go."),
    ("webhook_deliveries", "What was sent to webhooks, what came of it, and sending it once more."),
    ("attachments", "Files that texts use: upload and download."),
    ("audit_lines", "Who did what to which record."),
    ("events", "Everything that happened, in order, to be read on from any place."),
];

/// Completes a document that was gathered from the routers.
pub fn finish(document: &OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    schema::unwrap(&mut document);
    document["info"] = info("App Offerings", VERSION, DESCRIPTION);
    document["servers"] = json!([{
        "url": "/",
        "description": "This server (local, test or production).",
        "x-internal": false,
    }]);
    let mut scopes = BTreeSet::new();
    let mut used_tags = BTreeSet::new();
    // Also while operations change.
    let schemas = document["components"]["schemas"].clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let operation = Operation { path, method, value: operation, schemas: &schemas };
            used_tags.extend(operation.finish(&mut scopes));
        }
    }
    name_path_ids(&mut document["paths"]);
    document["tags"] = tags(TAGS, &used_tags);
    let components = &mut document["components"];
    components["parameters"] = parameters();
    components["headers"] = headers();
    components["responses"] = responses();
    components["securitySchemes"] = security_schemes(&scopes);
    for (name, schema) in error_schemas() {
        components["schemas"][name] = schema;
    }
    links::add_offerings(&mut document);
    messages::add_offerings(&mut document);
    name_schemas(&mut document);
    sort_schemas(&mut document["components"]);
    // Lists are pages.
    bound_arrays(&mut document, MAX_PER_PAGE);
    remove_unused(&mut document);
    document
}

/// Where a list below a record has a filter `id` too, the id in its path, and in those below it, gets the
/// record's name: `/v1/app_offerings/{app_offering_id}/scopes?id=`. Two parameters of one name are allowed,
/// but clients that are made of the document would call one of them `id2`, or could not be made at all.
fn name_path_ids(paths: &mut Value) {
    let Some(items) = paths.as_object_mut() else { return };
    let is_filtered = |item: &Value| {
        let operations = item.as_object().into_iter().flatten();
        let parameters = operations.filter_map(|(_, operation)| operation["parameters"].as_array());
        parameters.flatten().any(|one| one["in"] == "query" && one["name"] == "id")
    };
    let lists: Vec<String> = items
        .iter()
        .filter(|(path, item)| path.contains("/{id}/") && is_filtered(item))
        .map(|(path, _)| path.clone())
        .collect();
    let belongs = |path: &str| {
        lists.iter().any(|list| {
            path.strip_prefix(list.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    *items = std::mem::take(items)
        .into_iter()
        .map(|(path, item)| if belongs(&path) { name_path_id(&path, item) } else { (path, item) })
        .collect();
}

/// A schema, by its name or itself.
fn resolved<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
    name.map_or(schema, |name| &schemas[name])
}

fn name_path_id(path: &str, mut item: Value) -> (String, Value) {
    let (records, rest) = path.split_once("/{id}").unwrap_or((path, ""));
    let collection = records.rsplit('/').next().unwrap_or_default();
    let record = match collection.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => collection.trim_end_matches('s').to_owned(),
    };
    let name = format!("{record}_id");
    for (_, operation) in item.as_object_mut().into_iter().flatten() {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["in"] == "path" && parameter["name"] == "id" {
                parameter["name"] = name.as_str().into();
            }
        }
    }
    (format!("{records}/{{{name}}}{rest}"), item)
}

const DESCRIPTION: &str = "\
Publishers describe apps, version and publish them; customer accounts that they trust find and \
install them.

**Lists** take `fields`, `sort`, `per_page`, a page or a cursor, and a filter for each property that \
the operation names. Filters are `?field=value`, `?field=!value`, `?field=a,b`, `?field=>value`, \
`?field=>=a<b`; an empty value finds records without one, `!` alone those with one. The header `Link` \
leads to the neighbouring pages. `x-pagination` says how the pages of a list follow one another: `link` by the \
address in the header that its member `next` names; `feed` likewise, and for ever. Its `parameters` and \
`response_headers` are named by what they are.

**Values** are accepted leniently: numbers and booleans also as text, references as `<name>_id` with \
a number or a nodeID, durations as minutes or `hhh:mm`, `\"\"` as `null`.

**Safe writes**: every POST takes an `Idempotency-Key`; `If-Match` with the `ETag` of a record guards \
what changes it. Unknown properties are ignored unless `Prefer: handling=strict` asks for their refusal.

**Limits**: so many requests an hour, and few at once; by default 3,600, and 20 in two seconds, for each token. \
`GET /v1/rate_limit` and the headers `X-RateLimit-…` tell what is left. A 429 says in `Retry-After` how many seconds \
to wait.";

/// One operation of the document, with where it is.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a mut Value,
    /// What can be referred to.
    schemas: &'a Value,
}

impl Operation<'_> {
    /// Adds what follows from the operation's own properties; returns its tags.
    fn finish(mut self, scopes: &mut BTreeSet<String>) -> Vec<String> {
        let permission = self.value["security"][0]["oauth2"][0].as_str().map(str::to_owned);
        self.name_put();
        self.secure(permission.as_deref(), scopes);
        self.parameters(permission.is_some());
        self.responses(permission.is_some());
        form_first(self.value);
        pagination::mark(self.value);
        order_extensions(self.value);
        let tags = self.value["tags"].as_array().into_iter().flatten();
        tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
    }

    /// PATCH and PUT are one handler and so described once; the document has to tell them apart.
    fn name_put(&mut self) {
        if self.method != "put" {
            return;
        }
        let text = |name: &str| self.value[name].as_str().unwrap_or_default();
        let id = text("operationId").replacen("update_", "replace_", 1);
        let summary = format!("{} (PUT)", text("summary"));
        self.value["operationId"] = id.into();
        self.value["summary"] = summary.into();
        self.value["description"] = "The same as PATCH: fields left out keep their value.".into();
    }

    fn is_ours(&self) -> bool {
        self.value["x-appmarket-extension"] == true
    }

    fn writes(&self) -> bool {
        self.method != "get"
    }

    fn takes_json(&self) -> bool {
        self.value["requestBody"]["content"].get("application/json").is_some()
    }

    /// Whether the body may say where its record came from, which headers may say in its place.
    fn takes_source(&self) -> bool {
        let body = &self.value["requestBody"]["content"]["application/json"]["schema"];
        resolved(body, self.schemas)["properties"].get("source").is_some()
    }

    /// Whether unknown properties can be refused: those of JSON, and any where no body is needed.
    fn can_be_strict(&self) -> bool {
        self.writes() && (self.takes_json() || !self.has_body())
    }

    fn has_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    /// Whether a caller can have its answer already. Each description of an upload has a key of its own.
    fn may_be_known(&self) -> bool {
        self.method == "get" && self.value["operationId"] != "get_attachment_storage"
    }

    /// Whether it changes a record that the caller may have read before: such a change can be guarded.
    /// A POST below a record without a JSON body is one, as publishing or the upload of a picture.
    fn changes_record(&self) -> bool {
        match self.method {
            "patch" | "put" | "delete" => true,
            "post" => self.path.contains('{') && !self.takes_json(),
            _ => false,
        }
    }

    /// Either kind of token serves; the permission also stands in words.
    fn secure(&mut self, permission: Option<&str>, scopes: &mut BTreeSet<String>) {
        let Some(permission) = permission else {
            self.value["security"] = json!([{}]);
            return;
        };
        scopes.insert(permission.to_owned());
        let is_optional = self.value["security"]
            .as_array()
            .is_some_and(|them| them.iter().any(|one| one.as_object().is_some_and(Map::is_empty)));
        let mut security =
            vec![json!({"personal_access_token": []}), json!({"oauth2": [permission]})];
        if is_optional {
            security.push(json!({}));
        }
        self.value["security"] = security.into();
        let role = match self.value["x-required-role"].as_str() {
            Some(_) => " and the role Account Administrator",
            None => "",
        };
        let text = self.value["description"].as_str().unwrap_or_default();
        self.value["description"] =
            format!("{text}\n\nNeeds the permission `{permission}`{role}.").trim_start().into();
    }

    /// Adds the headers that operations of this kind understand.
    fn parameters(&mut self, needs_token: bool) {
        let mut names: Vec<&str> = Vec::new();
        if needs_token {
            names.extend(["XurrentAccount", "FourMeAccount", "XurrentLanguage", "FourMeLanguage"]);
        }
        match self.method {
            "get" if needs_token && self.may_be_known() => names.push("IfNoneMatch"),
            "post" if needs_token => names.push("IdempotencyKey"),
            _ => {}
        }
        if needs_token && self.changes_record() {
            names.push("IfMatch");
        }
        if self.can_be_strict() && needs_token {
            names.push("Prefer");
        }
        if self.method == "post" && needs_token && self.takes_source() {
            names.extend(["XurrentSource", "FourMeSource"]);
        }
        if self.has_body() && self.value["requestBody"].get("required").is_none() {
            self.value["requestBody"]["required"] = true.into();
        }
        let parameters = self.value["parameters"].take();
        let mut parameters: Vec<Value> = parameters.as_array().cloned().unwrap_or_default();
        for parameter in &mut parameters {
            if parameter["in"] == "path"
                && parameter["name"].as_str().is_some_and(|name| name.ends_with("id"))
            {
                parameter["schema"] = json!({"type": "string", "minLength": 1, "maxLength": 400,
                    "pattern": "^([1-9][0-9]{0,18}|[A-Za-z0-9_-]{8,400})$"});
            }
        }
        parameters.extend(
            names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})),
        );
        if !parameters.is_empty() {
            self.value["parameters"] = parameters.into();
        } else if let Some(operation) = self.value.as_object_mut() {
            operation.remove("parameters");
        }
    }

    /// Adds the headers of the answers and every refusal that the operation can give.
    fn responses(&mut self, needs_token: bool) {
        let is_get = self.method == "get";
        let prefix = if self.is_ours() { "Problem" } else { "" };
        let is_create = self.value["responses"].get("201").is_some();
        let has_id = self.path.contains('{');
        let can_be_strict = self.can_be_strict();
        let may_be_known = self.may_be_known();
        let ok = &self.value["responses"]["200"]["content"]["application/json"]["schema"];
        let is_feed = self.value["operationId"] == "list_events";
        let lists = is_get && ok["type"] == "array" && !is_feed;
        let schemas = self.schemas;
        for (status, response) in self.value["responses"].as_object_mut().into_iter().flatten() {
            let Some(response) = response.as_object_mut() else { continue };
            if response.contains_key("$ref") {
                continue;
            }
            let json = response.get("content").and_then(|content| content.get("application/json"));
            let content = response.get("content");
            let has_file = content.is_some_and(|it| it.get("application/octet-stream").is_some());
            let mut names = vec!["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
            let shown = json.map(|json| Shown::of(resolved(&json["schema"], schemas)));
            let is_tagged = shown.is_some_and(|shown| shown != Shown::Secret);
            if needs_token && is_tagged && status.starts_with('2') && (may_be_known || !is_get) {
                names.push("ETag");
            }
            if status == "401" {
                names.push("WWW-Authenticate");
            }
            if has_file {
                names.push("Content-Disposition");
            }
            if is_create && status == "201" {
                names.push("Location");
            }
            if status == "302" {
                names.extend(["Location", "Set-Cookie"]);
            }
            if lists && status == "200" {
                names.extend(PAGE_HEADERS);
            }
            if self.method == "post" && needs_token {
                names.push("Idempotency-Replayed");
            }
            if can_be_strict && needs_token {
                names.push("Preference-Applied");
            }
            let mut headers = header_references(&names);
            if is_feed && status == "200" {
                // It has no pages, and always leads on.
                headers["Link"] = json!({"$ref": "#/components/headers/FeedLink"});
            }
            if shown == Some(Shown::PerhapsSecret) {
                headers["ETag"] = json!({"$ref": "#/components/headers/ETagUnlessSecret"});
            }
            response.insert("headers".to_owned(), headers);
        }
        // 401 also where no token is needed: one that is sent must be valid.
        let mut refusals = vec![("400", "BadRequest"), ("401", "Unauthorized")];
        if needs_token {
            refusals.push(("403", "Forbidden"));
        }
        if has_id {
            refusals.push(("404", "NotFound"));
        }
        // What files and pages are is not for `Accept` to decide.
        if successes(self.value).all(|kind| kind == "application/json") {
            refusals.push(("406", "NotAcceptable"));
        }
        if self.method == "post" && needs_token {
            refusals.push(("409", "Conflict"));
        }
        if needs_token && self.changes_record() {
            refusals.push(("412", "PreconditionFailed"));
        }
        // Pages do not look at a body.
        if self.writes() && (needs_token || self.has_body()) {
            refusals.push(("413", "PayloadTooLarge"));
        }
        // Some that have no body are refused too; their handlers name the status without a body of its own.
        let is_named = self.value["responses"]["422"].is_object()
            && self.value["responses"]["422"].get("content").is_none();
        if needs_token && (self.has_body() || self.method == "post" || is_named) {
            refusals.push(("422", "UnprocessableEntity"));
        }
        refusals.extend([
            ("429", "TooManyRequests"),
            ("500", "InternalServerError"),
            ("503", "ServiceUnavailable"),
        ]);
        if needs_token && may_be_known {
            refusals.push(("304", if lists { "PageNotModified" } else { "NotModified" }));
        }
        let Some(responses) = self.value["responses"].as_object_mut() else { return };
        if is_named {
            responses.remove("422");
        }
        for (status, name) in refusals {
            let prefix = if status == "304" { "" } else { prefix };
            // What a handler says of a status itself stays.
            responses.entry(status).or_insert_with(
                || json!({"$ref": format!("#/components/responses/{prefix}{name}")}),
            );
        }
        // Pages refuse in their own way; what the door refuses before them is JSON also there.
        let content = responses.get_mut("400").and_then(|it| it.get_mut("content"));
        if let Some(content) = content.filter(|it| it.get("application/json").is_none()) {
            let bad_request = json!({"application/json": {
                "schema": {"$ref": "#/components/schemas/Message"},
                "example": {"message": "Invalid x-xurrent-account header"},
            }});
            extend(content, bad_request);
        }
        responses.sort_keys();
    }
}

/// Properties that only the answer shows that makes their value: it has no tag, because no later one is like it.
const SHOWN_ONCE: [&str; 2] = ["public_key_pem", "standard_webhooks_secret"];

/// Whether an answer shows such a property.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Always,
    PerhapsSecret,
    Secret,
}

impl Shown {
    /// Of an answer with this schema.
    fn of(schema: &Value) -> Self {
        let properties = &schema["properties"];
        let required = schema["required"].as_array();
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|it| it == name));
        match SHOWN_ONCE.into_iter().find(|name| properties.get(name).is_some()) {
            None => Self::Always,
            Some(name) if is_required(name) => Self::Secret,
            Some(_) => Self::PerhapsSecret,
        }
    }
}

/// What leads from one page to the next.
const PAGE_HEADERS: [&str; 8] = [
    "Link",
    "X-Pagination-Per-Page",
    "X-Pagination-Current-Page",
    "X-Pagination-Total-Pages",
    "X-Pagination-Total-Entries",
    "X-Pagination-Start-Cursor",
    "X-Pagination-End-Cursor",
    "X-Pagination-Throttled",
];

fn security_schemes(scopes: &BTreeSet<String>) -> Value {
    let scopes: Map<String, Value> = scopes
        .iter()
        .map(|scope| {
            let (record, operation) = scope.split_once(':').unwrap_or((scope, ""));
            (scope.clone(), format!("{operation}: {}", record.replace('-', " ")).into())
        })
        .collect();
    json!({
        "personal_access_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal access token, as `appmarket token create` prints it, or an \
                            access token from `/token`.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "Short-lived access tokens for programs. They are opaque, not JWTs, so that \
                            the pitfalls of RFC8725 do not arise. There are no refresh tokens: a token is \
                            followed by another that is got in the same way. The scopes of an operation \
                            are the permission it needs.",
            "flows": {"clientCredentials": {
                "tokenUrl": "/token", "refreshUrl": "/token", "scopes": scopes,
            }},
        },
    })
}

/// Request headers that many operations understand.
fn parameters() -> Value {
    let account = text(32, "^[a-z0-9-]*$", "wdc");
    let language = text(35, "^[A-Za-z0-9_-]*$", "de");
    let source = text(1000, r"^[^\x00]*$", "ERP");
    let mut parameters = json!({
        "XurrentAccount": parameter(
            "X-Xurrent-Account",
            "Account in whose context the call is executed. Default: the account of the token.",
            account.clone(),
        ),
        "FourMeAccount": parameter("X-4me-Account", "The same as `X-Xurrent-Account`.", account),
        "XurrentLanguage": parameter(
            "X-Xurrent-Language",
            "Language of validation messages and enumerations: `en`, `de`, `fr` or `nl`. Default: the \
             language of the account.",
            language.clone(),
        ),
        "FourMeLanguage": parameter("X-4me-Language", "The same as `X-Xurrent-Language`.", language),
        "XurrentSource": parameter(
            "X-Xurrent-Source",
            "`source` of the new record, unless its body names one. Of more than 30 characters the first 30 \
             are kept.",
            source.clone(),
        ),
        "FourMeSource": parameter("X-4me-Source", "The same as `X-Xurrent-Source`.", source),
    });
    extend(&mut parameters, shared_parameters());
    parameters
}

fn headers() -> Value {
    let cursor = || text(2000, "^[A-Za-z0-9_-]+$", "eyJvZmZzZXQiOjE5LCJjdXJzb3IiOlsxMl19");
    let mut headers = shared_headers();
    extend(
        &mut headers,
        json!({
            "Link": header(
                "Neighbouring pages as `<url>; rel=\"first\"`, `\"prev\"` and `\"next\"`, separated by \
                 commas. Absent when there is only one page.",
                text(100_000, r"^<[^\x00]*$",
                     "<https://api.example.test/v1/app_offerings?search_after=eyJv>; rel=\"next\""),
            ),
            "ETagUnlessSecret": header(
                "Tag of this state, for `If-None-Match` and `If-Match`. An answer to a body with \
                 `standard_webhooks` true has none, because it may show a secret that is not shown again.",
                text(40, "^W/\"[0-9a-f]{32}\"$", "W/\"0cc175b9c0f1b6a831c399e269772661\""),
            ),
            "FeedLink": header(
                "Where the feed goes on as `<url>; rel=\"next\"`, also when there is nothing yet.",
                text(2048, r"^<[^\x00]*$",
                     "<https://api.example.test/v1/events?after=1742&limit=100>; rel=\"next\""),
            ),
            "Location": header(
                "Page of the new record among those of the account. This service shows none there: the record \
                 is read at its address below `/v1`, by its `id`. Of a redirect, where the browser goes on.",
                json!({"type": "string", "format": "uri", "maxLength": 16_384,
                       "examples": ["https://acme.example.test/app_offerings/12"]}),
            ),
            "Set-Cookie": header(
                "By which the browser is known when it comes back.",
                text(1000, r"^[^\x00]*$", "appmarket_configuration=q0V9…; HttpOnly; SameSite=Lax"),
            ),
            "X-Pagination-Current-Page": header("Number of this page, from 1.", number(1)),
            "X-Pagination-End-Cursor": header("Cursor of the last item.", cursor()),
            "X-Pagination-Per-Page": header("Items on a page.", number(20)),
            "X-Pagination-Start-Cursor": header("Cursor of the first item.", cursor()),
            "X-Pagination-Throttled": header(
                "`true` when more than 100,000 records match; a filtered list is then counted no further.",
                json!({"type": "string", "enum": ["true"], "examples": ["true"]}),
            ),
            "X-Pagination-Total-Entries": header("Records in the whole list.", number(42)),
            "X-Pagination-Total-Pages": header("Pages of the whole list.", number(3)),
        }),
    );
    if let Some(headers) = headers.as_object_mut() {
        headers.sort_keys();
    }
    headers
}

/// Refusals: the vendor's body, and RFC 9457's for operations that are ours alone.
fn responses() -> Value {
    const REFUSALS: &[(&str, u16, &str, &str)] = &[
        (
            "BadRequest",
            400,
            "The request cannot be understood; the answer says what to mend.",
            "Invalid JSON string posted",
        ),
        ("Unauthorized", 401, "Credentials are missing or wrong.", "Unauthorized"),
        (
            "Forbidden",
            403,
            "The token lacks the permission, the person the role, or the record belongs to another account.",
            "Forbidden",
        ),
        ("NotFound", 404, "There is no such record, or the caller may not see it.", "Not Found"),
        ("NotAcceptable", 406, "`Accept` names nothing that can be produced.", "Not Acceptable"),
        (
            "Conflict",
            409,
            "A request with the same `Idempotency-Key` is still running.",
            "A request with this Idempotency-Key is still running; try again soon",
        ),
        (
            "PreconditionFailed",
            412,
            "`If-Match` names another state of the record.",
            "Precondition Failed",
        ),
        (
            "PayloadTooLarge",
            413,
            "The body is larger than 1 MiB. Uploads of files and pictures have limits of their own, which the \
             message names.",
            "Payload Too Large: the limit is 1048576 bytes",
        ),
        (
            "UnprocessableEntity",
            422,
            "The request was understood, but not accepted.",
            "Validation Failed",
        ),
        (
            "TooManyRequests",
            429,
            "Too many requests; wait as long as `Retry-After` says.",
            "Too Many Requests",
        ),
        (
            "InternalServerError",
            500,
            "Unforeseen; the `X-Request-Id` leads to the cause in the server's log.",
            "Internal Server Error",
        ),
        (
            "ServiceUnavailable",
            503,
            "The database does not answer; try again soon.",
            "Service Unavailable",
        ),
    ];
    let mut responses = Map::new();
    let mut names = vec!["ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
    responses.insert(
        "NotModified".to_owned(),
        json!({"description": "Nothing has changed since the `ETag` in `If-None-Match`.",
               "headers": header_references(&names)}),
    );
    names.extend(PAGE_HEADERS);
    responses.insert(
        "PageNotModified".to_owned(),
        json!({"description": "The items of this page have not changed since the `ETag` in \
                               `If-None-Match`. The headers tell whether the rest of the list has.",
               "headers": header_references(&names)}),
    );
    for (name, status, description, message) in REFUSALS {
        let mut names = match status {
            // Told without limits (contract 1.2).
            401 => vec!["WWW-Authenticate"],
            _ => vec!["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
        };
        if matches!(status, 429 | 503) {
            names.push("Retry-After");
        }
        let (schema, mut example) = match status {
            422 => (
                "ValidationFailed",
                json!({"message": message, "errors": [["name", "Name can't be blank"]]}),
            ),
            429 => (
                "TooManyRequests",
                json!({"message": message, "documentation_url": "https://api.example.test/docs"}),
            ),
            _ => ("Message", json!({"message": message})),
        };
        let answer = |kind: &str, schema: &str, example: &Value| {
            json!({
                "description": description,
                "headers": header_references(&names),
                "content": {kind: {
                    "schema": {"$ref": format!("#/components/schemas/{schema}")},
                    "example": example,
                }},
            })
        };
        responses.insert((*name).to_owned(), answer("application/json", schema, &example));
        let title =
            http::StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        example =
            json!({"type": "about:blank", "title": title, "status": status, "detail": message});
        if *status == 422 {
            example["errors"] = json!([{"field": "name", "detail": "Name can't be blank"}]);
        }
        if *status == 429 {
            example["documentation_url"] = "https://api.example.test/docs".into();
        }
        responses.insert(
            format!("Problem{name}"),
            answer("application/problem+json", "Problem", &example),
        );
    }
    Value::Object(responses)
}

fn error_schemas() -> Vec<(&'static str, Value)> {
    let text = |max: u32, description: &str, example: &str| {
        json!({"type": "string", "maxLength": max, "pattern": r"^[^\x00]*$", "description": description,
               "examples": [example]})
    };
    vec![
        (
            "Message",
            json!({
                "type": "object", "description": "Why a request was refused.", "required": ["message"],
                "properties": {"message": text(1000, "What is wrong, in English.", "Not Found")},
            }),
        ),
        (
            "TooManyRequests",
            json!({
                "type": "object", "description": "The request limit is reached.",
                "required": ["message", "documentation_url"],
                "properties": {
                    "message": text(1000, "What is wrong, in English.", "Too Many Requests"),
                    "documentation_url": {"type": "string", "format": "uri", "maxLength": 2048,
                        "description": "Page that explains the limits.",
                        "examples": ["https://api.example.test/docs"]},
                },
            }),
        ),
        (
            "ValidationFailed",
            json!({
                "type": "object", "description": "What was refused, all of it.",
                "required": ["message", "errors"],
                "properties": {
                    "message": text(1000, "What is wrong, in English.", "Validation Failed"),
                    "errors": {
                        "type": "array", "maxItems": 1000,
                        "description": "Pairs of field and text; a field may occur several times, and `base` stands for the request as a whole.",
                        "items": {
                            "type": "array", "minItems": 2, "maxItems": 2,
                            "description": "The name of the field, and what is wrong with it in the \
                                            caller's language.",
                            "items": {"type": "string", "maxLength": 1000, "pattern": r"^[^\x00]*$"},
                        },
                        "examples": [[["name", "Name can't be blank"]]],
                    },
                },
            }),
        ),
        (
            "Problem",
            json!({
                "type": "object", "description": "Why a request was refused (RFC 9457).",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": text(200, "Kind of problem; `about:blank`: the status says it all.", "about:blank"),
                    "title": text(200, "The status in words.", "Unprocessable Entity"),
                    "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599,
                        "description": "The HTTP status.", "examples": [422]},
                    "detail": text(1000, "What is wrong with this request.", "Validation Failed"),
                    "errors": {
                        "type": "array", "maxItems": 1000,
                        "description": "Fields that were refused, all of them.",
                        "items": {
                            "title": "ProblemField", "type": "object", "description": "A refused field.",
                            "required": ["field", "detail"],
                            "properties": {
                                "field": text(100, "Name of the field.", "name"),
                                "detail": text(1000, "What is wrong, in the caller's language.", "Name can't be blank"),
                            },
                        },
                        "examples": [[{"field": "name", "detail": "Name can't be blank"}]],
                    },
                    "documentation_url": {"type": "string", "format": "uri", "maxLength": 2048,
                        "description": "Only when the request limit is reached: page that explains the limits.",
                        "examples": ["https://api.example.test/docs"]},
                },
            }),
        ),
    ]
}
