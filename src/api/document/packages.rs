//! The document of the app packages: the base, and what no handler should have to repeat.
//!
//! [`finish`] is a list of passes over the finished document. Each adds what follows from an
//! operation's own properties: its refusals, its headers, its behavior in words.
use std::collections::BTreeSet;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::{
    bound_arrays, extend, form_first, header, header_references, info, links, messages,
    name_schemas, number, order_extensions, pagination, parameter, remove_unused, shared_headers,
    shared_parameters, sort_schemas, tags, text,
};
use crate::directory::catalogue::Catalogue;
use crate::kernel::error::Error;
use crate::kernel::http::body::BODY_LIMIT;
use crate::package_api::access::{OAUTH, behavior_name};
use crate::package_api::call::PACKAGE_LIMIT;
use crate::package_api::convention::envelope::{AppDevError, CORRELATION, Correlation, Refused};
use crate::package_api::convention::refusal::{self, Credentials};

/// Version of the contract; raised when the contract changes, not with every release.
const VERSION: &str = "1.0.0";
/// Most elements of an array that says nothing else.
const MOST_ELEMENTS: u32 = 10_000;
/// Largest integer of each format.
const MOST: [(&str, i64); 2] = [("int32", i32::MAX as i64), ("int64", 9_007_199_254_740_991)];

/// Tags with what they are about, in the order in which the document shows them. Each is a folder of
/// the family; a test compares them.
const TAGS: &[(&str, &str)] = &[
    ("app_authtickets", "Tickets of applications: log-in, renewal and revocation."),
    ("developer_authtickets", "Tickets of developers, for tools that synchronise files."),
    ("apppackages", "Applications, their versions and the packages of these."),
    ("apppackages/behaviors", "What an application may do."),
    ("filebasedpackage", "The files of a package as one archive, or one of them."),
    ("package_files", "The files of a package."),
    ("developer_applications", "Versions of an application and names of packages, in short."),
    ("appsubscriptions", "Events that an application is told of."),
    ("appinstall", "Packages in tenants: installs and their entitlements."),
    ("event_pull", "Events that happened lately."),
    ("headless_app", "Logs and builds of hosted storefronts."),
    ("applications", "An application as it is installed in a tenant."),
    ("tenants", "Tenants and their sites."),
    ("reference", "What behaviors, events and capability types there are."),
    ("jwks", "The keys that access tokens are signed with."),
];

/// Completes a document that was gathered from the routers.
pub fn finish(document: &OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["info"] = info("App Packages", VERSION, DESCRIPTION);
    document["servers"] = json!([{
        "url": "/api",
        "description": "This server (local, test or production).",
        "x-internal": false,
    }]);
    name_rests(&mut document);
    add_error_schemas(&mut document);
    let catalogue = Catalogue::built_in();
    let (mut scopes, mut used_tags) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let operation = Operation { path, method, value: operation };
            used_tags.extend(operation.finish(&mut scopes, &catalogue));
        }
    }
    document["tags"] = tags(TAGS, &used_tags);
    let components = &mut document["components"];
    components["parameters"] = parameters();
    components["headers"] = headers();
    components["responses"] = responses();
    components["securitySchemes"] = security_schemes(&scopes);
    for (name, member) in READ_ONLY_LISTS {
        components["schemas"][name]["properties"][member]["readOnly"] = true.into();
    }
    for (name, schema) in components["schemas"].as_object_mut().into_iter().flatten() {
        free_members(name, schema);
    }
    links::add_packages(&mut document);
    messages::add_packages(&mut document);
    name_schemas(&mut document);
    sort_schemas(&mut document["components"]);
    bound(&mut document);
    bound_arrays(&mut document, MOST_ELEMENTS);
    remove_unused(&mut document);
    document
}

/// Lists that only the server sets: utoipa's `read_only` does nothing for arrays.
const READ_ONLY_LISTS: [(&str, &str); 3] = [
    ("AppDevPackage", "validApplicationStatusIdList"),
    ("AppDevPackage", "applicationEntitlements"),
    ("InstalledApplication", "capabilities"),
];

const DESCRIPTION: &str = "\
Developers make applications, versions of them and packages, upload files, subscribe to events and \
install packages in tenants.

**Keys** name a package: `namespace.appId.major.minor.revision.package`. Without the last part, the \
release package is meant. Capital letters make no difference.

**Addresses** are answered with and without `/api`, in any case of letters, with and without a slash at \
the end. Names of query parameters and of members of bodies are read in any case too; empty parameters \
count as left out, and unknown ones are ignored.

**Credentials** are `Authorization: Bearer` with an access token; or, as older clients send them, \
`x-vol-app-claims` with that of an application and `x-vol-user-claims` with that of a developer. What a \
token allows is settled when it is issued.

**`responseFields`** limits an answer to the members it names: `appKey,items(id,name)`, \
`-applicationAttributes`.

**Lists** have pages where `x-pagination` says so: the style `offset` by the number of items before a page, \
`token` by the token of the answer before, null in the last one. Its `parameters` and `members` are named by \
what they are.

**Refusals** have one body, and the header `x-vol-correlation` always. A request is checked in this \
order: address and method, token, behavior, syntax, ownership, existence, state. What belongs to another \
developer account is not found. Programs go by `errorCode`:

| status | `errorCode` | names in `additionalErrorData` |
|---|---|---|
| 400 | `MISSING_OR_INVALID_PARAMETER` | `ParameterName`, `ErrorMessage` |
| 401 | `INVALID_CREDENTIALS` of a log-in | `CredentialsName` |
| 401 | `INVALID_ACCESS_TOKEN` | `OperationName`, `WWW-Authenticate` |
| 403 | `FORBIDDEN` | `OperationName`, `BehaviorId` of a behavior |
| 404 | `ITEM_NOT_FOUND` | the name of the id, such as `AppKey` |
| 405 | `METHOD_NOT_ALLOWED` | |
| 409 | `ITEM_ALREADY_EXISTS` | the name of the id, such as `AppKey` |
| 409 | `VALIDATION_CONFLICT` | `ErrorMessage` |
| 412 | `PRECONDITION_FAILED` | |
| 413 | `REQUEST_TOO_LARGE` | `MaxBytes` |
| 422 | `VALIDATION_CONFLICT` of an `Idempotency-Key` | `ErrorMessage` |
| 429 | `EXCEEDED_MAX_RETRIES` | |
| 500 | `UNEXPECTED_ERROR` | |
| 503 | `SYSTEM_MAINTENANCE` | |

**Safe writes**: a POST takes an `Idempotency-Key`; `If-Match` with the `ETag` of a record guards what \
changes or removes it. Unknown members are ignored unless `Prefer: handling=strict` asks for their refusal.";

/// A rest of several segments is a parameter like others in a document, with a mark.
fn name_rests(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let renamed = std::mem::take(paths).into_iter().map(|(path, mut item)| {
        let Some((_, rest)) = path.split_once("{*") else { return (path, item) };
        let name = rest.trim_end_matches('}').to_owned();
        let operations = item.as_object_mut().into_iter().flatten();
        for parameter in operations.filter_map(|(_, it)| it["parameters"].as_array_mut()).flatten()
        {
            if parameter["in"] == "path" && parameter["name"] == name.as_str() {
                parameter["x-multi-segment"] = true.into();
            }
        }
        (path.replace("{*", "{"), item)
    });
    *paths = renamed.collect();
}

/// Adds the body of refusals, which no handler names.
fn add_error_schemas(document: &mut Value) {
    let mut named = Vec::new();
    AppDevError::schemas(&mut named);
    named.push((AppDevError::name().into_owned(), AppDevError::schema()));
    for (name, schema) in named {
        document["components"]["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
}

/// `responseFields` may leave out any member of an answer, and what a request needs is said in words:
/// the server reads members in any case. Refusals alone are always whole.
fn free_members(name: &str, schema: &mut Value) {
    if name.starts_with("AppDevError") {
        return;
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| free_members(name, item)),
        Value::Object(object) => {
            if object.get("required").is_some_and(Value::is_array) {
                object.remove("required");
            }
            object.values_mut().for_each(|inner| free_members(name, inner));
        }
        _ => {}
    }
}

/// Bounds every schema that does not do it itself, and turns `example` into the `examples` of today.
fn bound(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Object(object) => {
            simplify_choice(object);
            for (name, inner) in object.iter_mut() {
                // Values, not descriptions.
                if !["example", "examples", "default", "enum"].contains(&name.as_str()) {
                    bound(inner);
                }
            }
            let kind = object.get("type").cloned().unwrap_or_default();
            let is = |wanted: &str| {
                kind == wanted || kind.as_array().is_some_and(|it| it.iter().any(|it| it == wanted))
            };
            if is("string") {
                bound_text(object);
            } else if is("integer") {
                bound_integer(object);
            } else if is("array") && !object.contains_key("maxItems") {
                object.insert("maxItems".to_owned(), MOST_ELEMENTS.into());
            }
            let is_schema = kind.is_string() || kind.is_array() || object.contains_key("oneOf");
            if is_schema && let Some(example) = object.shift_remove("example") {
                // 3.0.3 tools take a null example for a mistake.
                if !example.is_null() {
                    object.insert("examples".to_owned(), json!([example]));
                }
            }
        }
        _ => {}
    }
}

/// Says a choice between a schema and null as older documents can: what is said of it stands beside a
/// reference, not with it, and anything else is a type that may be null.
fn simplify_choice(schema: &mut Map<String, Value>) {
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    let is_null = |choice: &Value| choice["type"] == "null";
    let has_null = choices.iter().any(is_null);
    let mut others: Vec<&mut Value> =
        choices.iter_mut().filter(|choice| !is_null(choice)).collect();
    let [only] = others.as_mut_slice() else { return };
    let Some(only) = only.as_object_mut() else { return };
    if only.contains_key("$ref") {
        if let Some(text) = only.shift_remove("description") {
            schema.insert("description".to_owned(), text);
        }
        return;
    }
    let mut only = std::mem::take(only);
    if has_null && let Some(kind) = only.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema.remove("oneOf");
    only.extend(std::mem::take(schema));
    *schema = only;
}

fn bound_text(schema: &mut Map<String, Value>) {
    if schema.contains_key("enum") || schema.contains_key("const") {
        return;
    }
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let most: i64 = match format {
        "date-time" => 35,
        "binary" => i32::MAX.into(),
        _ => 4000,
    };
    if format.is_empty() && !schema.contains_key("pattern") {
        schema.insert("pattern".to_owned(), r"^[^\x00]*$".into());
    }
    schema.entry("maxLength").or_insert_with(|| most.into());
}

fn bound_integer(schema: &mut Map<String, Value>) {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or("int64").to_owned();
    let most = MOST.iter().find(|(name, _)| *name == format).map_or(i64::MAX, |(_, most)| *most);
    schema.entry("format").or_insert_with(|| format.into());
    schema.entry("minimum").or_insert_with(|| 0.into());
    schema.entry("maximum").or_insert_with(|| most.into());
}

/// One operation of the document, with where it is.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a mut Value,
}

impl Operation<'_> {
    /// Adds what follows from the operation's own properties; returns its tags.
    fn finish(mut self, scopes: &mut BTreeSet<String>, catalogue: &Catalogue) -> Vec<String> {
        self.secure(scopes, catalogue);
        self.members();
        self.files();
        self.parameters();
        self.successes();
        self.refusals();
        form_first(self.value);
        pagination::mark(self.value);
        order_extensions(self.value);
        let tags = self.value["tags"].as_array().into_iter().flatten();
        tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
    }

    fn is_anonymous(&self) -> bool {
        let alternatives = self.value["security"].as_array().into_iter().flatten();
        alternatives.filter_map(Value::as_object).any(Map::is_empty)
    }

    /// The behavior that it needs, as a scope.
    fn scope(&self) -> Option<String> {
        let alternatives = self.value["security"].as_array().into_iter().flatten();
        // Handlers call the scheme as the other family does; in the document it has a name of its own.
        let mut scopes = alternatives
            .filter_map(|it| it.get(OAUTH).or_else(|| it.get("oauth2"))?.get(0)?.as_str());
        scopes.next().map(str::to_owned)
    }

    fn is(&self, method: &str) -> bool {
        self.method == method
    }

    /// Whether the answer is JSON, of which parts can be shown.
    fn answers_json(&self) -> bool {
        self.value.pointer("/responses/200/content/application~1json").is_some()
    }

    /// Whether it lists records: of what is not there it has none (contract 1.9), unless its handler says
    /// that it is refused.
    fn lists(&self) -> bool {
        self.value["operationId"].as_str().is_some_and(|id| id.starts_with("list_"))
    }

    fn has_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    fn takes_json(&self) -> bool {
        self.value.pointer("/requestBody/content/application~1json").is_some()
    }

    /// Each way of sending a token serves; the behavior also stands in words.
    fn secure(&mut self, scopes: &mut BTreeSet<String>, catalogue: &Catalogue) {
        if self.is_anonymous() || self.value["security"].is_null() {
            return;
        }
        let scope = self.scope();
        let needed: Vec<&String> = scope.iter().collect();
        self.value["security"] = json!([
            {"bearerAuth": []}, {OAUTH: needed}, {"appClaims": []}, {"userClaims": []},
        ]);
        let Some(scope) = scope else { return };
        let name = behavior_name(&scope);
        let id = catalogue.behaviors.named(&name).map(|behavior| behavior.id);
        let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
        let own = if self.value["x-own-package"] == true {
            ", unless an application asks for its own package"
        } else {
            ""
        };
        let text = self.value["description"].as_str().unwrap_or_default();
        let text = format!("{text}\n\nNeeds the behavior *{name}*{id}{own}.");
        self.value["description"] = text.trim_start().into();
        scopes.insert(scope);
    }

    /// Says at `sortBy` and `filter` which members they know: the handler of a list names them.
    fn members(&mut self) {
        let members = self.value.as_object_mut().and_then(|it| it.shift_remove("x-members"));
        let Some(members) = members.as_ref().and_then(Value::as_str) else { return };
        for parameter in self.value["parameters"].as_array_mut().into_iter().flatten() {
            if ["sortBy", "filter"].map(Value::from).contains(&parameter["name"]) {
                let text = parameter["description"].as_str().unwrap_or_default();
                parameter["description"] = format!("{text} {members}").into();
            }
        }
    }

    /// Files are bytes of any kind, and may be empty: generated clients then send no body.
    fn files(&mut self) {
        let is_file = |kind: &str| kind != "application/json" && !kind.contains("form");
        let bytes = |content: Option<&mut Value>| {
            let content = content.and_then(Value::as_object_mut).into_iter().flatten();
            let mut files = 0;
            for (_, media) in content.filter(|(kind, _)| is_file(kind)) {
                media["schema"] = json!({"type": "string", "format": "binary"});
                files += 1;
            }
            files > 0
        };
        if bytes(self.value.pointer_mut("/requestBody/content")) {
            self.value["requestBody"]["required"] = false.into();
        }
        for (_, response) in self.value["responses"].as_object_mut().into_iter().flatten() {
            bytes(response.get_mut("content"));
        }
    }

    /// Adds the parameters that operations of this kind understand.
    fn parameters(&mut self) {
        let mut names: Vec<&str> = Vec::new();
        if self.answers_json() {
            names.push("ResponseFields");
        }
        if !self.is_anonymous() {
            if self.is("post") {
                names.push("IdempotencyKey");
            }
            if self.is_conditional() {
                names.push("IfMatch");
            }
            if self.takes_json() {
                names.push("Prefer");
            }
        }
        if self.may_be_known() {
            names.push("IfNoneMatch");
        }
        names.push("Correlation");
        let parameters = self.value["parameters"].take();
        let mut parameters: Vec<Value> = parameters.as_array().cloned().unwrap_or_default();
        parameters.iter_mut().for_each(offer);
        for (path, name, example) in EXAMPLES {
            if path == self.path {
                let own = parameters.iter_mut().filter(|parameter| parameter["name"] == name);
                own.for_each(|parameter| parameter["schema"]["examples"] = json!([example]));
            }
        }
        parameters.extend(
            names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})),
        );
        self.value["parameters"] = parameters.into();
        if let Some(body) = self.value.get_mut("requestBody").and_then(Value::as_object_mut) {
            body.entry("required").or_insert_with(|| true.into());
        }
    }

    /// Whether `If-Match` guards what it changes: the addressed record, or, of a POST, a record that was there
    /// before, as its handler says.
    fn is_conditional(&self) -> bool {
        match self.method {
            "put" | "delete" => !self.is_anonymous(),
            "post" => self.value["responses"].get("412").is_some(),
            _ => false,
        }
    }

    /// Whether a caller can name the state that they know.
    fn may_be_known(&self) -> bool {
        self.is("get") && self.answers_json()
    }

    /// Adds the headers of successes.
    fn successes(&mut self) {
        let mut names = LIMITS.to_vec();
        if self.answers_json() && (self.is("get") || !self.is_anonymous()) {
            names.push("ETag");
        }
        if self.is("post") && !self.is_anonymous() {
            names.push("Idempotency-Replayed");
        }
        if self.takes_json() && !self.is_anonymous() {
            names.push("Preference-Applied");
        }
        let headers = references(&names);
        for (status, response) in self.value["responses"].as_object_mut().into_iter().flatten() {
            if status.starts_with(['2', '3']) {
                let own = response["headers"].take();
                response["headers"] = headers.clone();
                extend(&mut response["headers"], own);
            }
        }
    }

    /// Adds every refusal that the operation can give. What a handler says of one itself stays, and gets
    /// what it left out.
    fn refusals(&mut self) {
        let mut statuses = vec!["400", "429", "500", "503"];
        if !self.is_anonymous() {
            statuses.push("401");
        }
        if self.scope().is_some() {
            statuses.push("403");
        }
        let changes = !self.is("get") && !self.is_anonymous();
        // A body may name records too.
        if self.path.contains('{') && !self.lists() || changes {
            statuses.push("404");
        }
        if changes && self.is("post") {
            statuses.extend(["409", "422"]);
        }
        if self.is_conditional() {
            statuses.push("412");
        }
        // Where none is wanted, a body is thrown away, however large.
        if self.has_body() {
            statuses.push("413");
        }
        let is_known = self.may_be_known();
        let is_anonymous = self.is_anonymous();
        let id = self.value["operationId"].as_str().unwrap_or_default().to_owned();
        let Some(responses) = self.value["responses"].as_object_mut() else { return };
        if is_known {
            let reference = json!({"$ref": "#/components/responses/NotModified"});
            responses.entry("304").or_insert(reference);
        }
        for (status, response) in responses.iter_mut() {
            if let Some(refusal) = Refusal::of(status, is_anonymous) {
                complete(response, &refusal.response(&id));
            }
        }
        for status in statuses {
            let Some(refusal) = Refusal::of(status, is_anonymous) else { continue };
            let reference = json!({"$ref": format!("#/components/responses/{}", refusal.name)});
            responses.entry(status).or_insert(reference);
        }
        responses.sort_keys();
    }
}

/// Moves the example of an optional parameter into its schema: the Swagger UI sends the others at once.
/// One that is left out is not there; only JSON has null.
fn offer(parameter: &mut Value) {
    if let Some(kinds) = parameter["schema"]["type"].as_array_mut() {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            parameter["schema"]["type"] = kind.clone();
        }
    }
    if parameter["required"] == true {
        return;
    }
    let example = parameter.as_object_mut().and_then(|it| it.shift_remove("example"));
    if let Some(example) = example {
        parameter["schema"]["examples"] = json!([example]);
    }
}

/// Examples of lists whose items have none of the members that the others show.
const EXAMPLES: [(&str, &str, &str); 4] = [
    ("/event/pull", "sortBy", "createDate desc"),
    ("/event/pull", "filter", "topic sw 'application.'"),
    (LIST_OF_PACKAGES, "sortBy", "packageName asc"),
    (LIST_OF_PACKAGES, "filter", "packageName cont 'work'"),
];
const LIST_OF_PACKAGES: &str =
    "/platform/appdev/apppackages/applications/{applicationKey}/packages";

/// Headers of every answer that was counted.
const LIMITS: [&str; 3] = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];

/// These headers and those that every answer of this family has.
fn references(names: &[&str]) -> Value {
    header_references(&[names, &[CORRELATION.as_str()]].concat())
}

/// Completes a refusal of which the handler has only told when it occurs.
fn complete(response: &mut Value, known: &Value) {
    for part in ["headers", "content"] {
        if response.get(part).is_none_or(|it| it.as_object().is_none_or(Map::is_empty)) {
            response[part] = known[part].clone();
        }
    }
}

/// A refusal as the document tells of it.
struct Refusal {
    name: &'static str,
    status: &'static str,
    /// Whether it is that of operations without a token, where they have one of their own.
    is_anonymous: bool,
    description: &'static str,
    /// As the operation of this id answers it.
    example: fn(&str) -> Error,
}

/// The operation that shared responses have as their example.
const SHARED: &str = "get_package";

impl Refusal {
    /// The refusal with a status.
    fn of(status: &str, is_anonymous: bool) -> Option<&'static Self> {
        let with = |is_anonymous: bool| {
            let is_meant = |it: &&Self| it.status == status && it.is_anonymous == is_anonymous;
            REFUSALS.iter().find(is_meant)
        };
        with(is_anonymous).or_else(|| with(false))
    }

    /// The response of an operation, with an example as the service itself makes it.
    fn response(&self, operation: &str) -> Value {
        let mut given = HeaderMap::new();
        let id = http::HeaderValue::from_static("5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f");
        given.insert(CORRELATION, id);
        let correlation = Correlation::of(&given, Uuid::nil());
        let refused = Refused { operation, path: "", correlation: &correlation };
        let mut names = LIMITS.to_vec();
        match self.status {
            "401" => names.push("WWW-Authenticate"),
            "429" | "503" => names.push("Retry-After"),
            _ => {}
        }
        json!({
            "description": self.description,
            "headers": references(&names),
            "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/AppDevError"},
                "example": refused.body(&(self.example)(operation)),
            }},
        })
    }
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        name: "BadRequest",
        status: "400",
        is_anonymous: false,
        description: "The body, a parameter or a header is missing or malformed.",
        example: |_| refusal::missing("appKey", "must not be blank."),
    },
    Refusal {
        name: "Unauthorized",
        status: "401",
        is_anonymous: false,
        description: "The access token is missing, not valid or expired.",
        example: refusal::access_token,
    },
    Refusal {
        name: "InvalidCredentials",
        status: "401",
        is_anonymous: true,
        description: "The credentials are not accepted; which of them is wrong is not told.",
        example: |operation| {
            refusal::credentials(match operation {
                "authenticate_developer" => Credentials::Password,
                "refresh_app_ticket" | "refresh_developer_ticket" => Credentials::Refresh,
                _ => Credentials::Secret,
            })
        },
    },
    Refusal {
        name: "Forbidden",
        status: "403",
        is_anonymous: false,
        description: "The token lacks the behavior; a namespace or tenant is another account's; or only operators \
                      may do it: decide about a certification, or give a private behavior.",
        example: |operation| refusal::forbidden(operation, Some(42)),
    },
    Refusal {
        name: "NoMember",
        status: "403",
        is_anonymous: true,
        description: "The developer does not work for this account.",
        example: |operation| refusal::not_a_member(operation, 3),
    },
    Refusal {
        name: "NotFound",
        status: "404",
        is_anonymous: false,
        description: "There is no such record, or the caller may not see it.",
        example: |operation| match operation {
            "delete_app_ticket" | "delete_developer_ticket" => {
                refusal::not_found("refresh token", "RefreshToken", "…BkMh")
            }
            _ => refusal::not_found("package", "AppKey", "acme01.loyalty.9.9.9.Release"),
        },
    },
    Refusal {
        name: "Conflict",
        status: "409",
        is_anonymous: false,
        description: "The state of a record does not allow it, there is one already, or a request with \
                      the same `Idempotency-Key` is still running.",
        example: |operation| match operation {
            "create_package" | "clone_package" | SHARED => {
                refusal::exists("package", "AppKey", "acme01.loyalty.1.0.0.Release")
            }
            _ => refusal::conflict(
                "version 1.0.0 of acme01.loyalty is locked, because its status is Published.",
            ),
        },
    },
    Refusal {
        name: "PreconditionFailed",
        status: "412",
        is_anonymous: false,
        description: "`If-Match` names another state of the record.",
        example: |_| refusal::changed_since(),
    },
    Refusal {
        name: "PayloadTooLarge",
        status: "413",
        is_anonymous: false,
        description: "The body is larger than the limit: 1 MiB (1,048,576 bytes), where nothing else is said.",
        example: |operation| match operation {
            "create_package" | "update_package" => refusal::too_large(PACKAGE_LIMIT as u64),
            "upsert_package_file" => refusal::too_large(67_108_864),
            _ => refusal::too_large(BODY_LIMIT as u64),
        },
    },
    Refusal {
        name: "UnprocessableEntity",
        status: "422",
        is_anonymous: false,
        description: "The `Idempotency-Key` was used with another request.",
        example: |_| {
            refusal::unprocessable("The Idempotency-Key was used before with another request")
        },
    },
    Refusal {
        name: "TooManyRequests",
        status: "429",
        is_anonymous: false,
        description: "Too many requests; wait as long as `Retry-After` says.",
        example: |_| refusal::throttled(2),
    },
    Refusal {
        name: "InternalServerError",
        status: "500",
        is_anonymous: false,
        description: "Unforeseen; the `x-vol-correlation` leads to the cause in the server's log.",
        example: |_| refusal::unexpected(),
    },
    Refusal {
        name: "ServiceUnavailable",
        status: "503",
        is_anonymous: false,
        description: "The database does not answer; try again soon.",
        example: |_| refusal::unavailable(),
    },
];

/// Responses that operations share.
fn responses() -> Value {
    let known = [["ETag"].as_slice(), &LIMITS].concat();
    let not_modified = json!({
        "description": "Nothing has changed since the `ETag` in `If-None-Match`.",
        "headers": references(&known),
    });
    let mut responses = Map::from_iter([("NotModified".to_owned(), not_modified)]);
    for refusal in REFUSALS {
        responses.insert(refusal.name.to_owned(), refusal.response(SHARED));
    }
    Value::Object(responses)
}

fn security_schemes(scopes: &BTreeSet<String>) -> Value {
    let scopes: Map<String, Value> =
        scopes.iter().map(|scope| (scope.clone(), behavior_name(scope).into())).collect();
    let token = "/api/platform/applications/authtickets/oauth";
    json!({
        "bearerAuth": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of an application or developer: a JWT, signed with ES256 by \
                            a key of `/.well-known/jwks.json` and checked as RFC8725 recommends. Valid \
                            for an hour.",
        },
        OAUTH: {
            "type": "oauth2",
            "description": "The same tokens, for the key of an application as client id and its secret. \
                            They are JWTs; see RFC8725. The scopes of an operation name the behavior \
                            that it needs.",
            "flows": {"clientCredentials": {
                "tokenUrl": token, "refreshUrl": token, "scopes": scopes,
            }},
        },
        "appClaims": {
            "type": "apiKey",
            "in": "header",
            "name": "x-vol-app-claims",
            "description": "An access token of an application, as older clients send it.",
        },
        "userClaims": {
            "type": "apiKey",
            "in": "header",
            "name": "x-vol-user-claims",
            "description": "An access token of a developer. Beside that of an application, what either \
                            may not do is refused.",
        },
    })
}

/// Parameters that many operations understand.
fn parameters() -> Value {
    let mut fields = parameter(
        "responseFields",
        "Members of the answer that are wanted, separated by commas; those of a member in parentheses: \
         `appKey,items(id,name)`. A hyphen leaves a member out: `-applicationAttributes`. Members of an \
         array's elements are named as those of the array. Default: all.",
        text(4096, r"^[A-Za-z0-9_,()* \t-]*$", "appKey,id"),
    );
    fields["in"] = "query".into();
    let mut parameters = json!({
        "ResponseFields": fields,
        "Correlation": parameter(
            "x-vol-correlation",
            "Id of the request, of the caller's choice: the answer and the server's log repeat it. \
             Default: one of the server's.",
            text(64, "^[A-Za-z0-9-]{1,64}$", "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f"),
        ),
    });
    extend(&mut parameters, shared_parameters());
    parameters
}

fn headers() -> Value {
    let mut headers = shared_headers();
    extend(
        &mut headers,
        json!({
            CORRELATION.as_str(): header(
                "Id of the request, as in the body of a refusal.",
                text(64, "^[A-Za-z0-9-]{1,64}$", "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f"),
            ),
            "Content-Length": header("Size of the file, in bytes.", number(1024)),
            "WWW-Authenticate": header("How to authenticate.", text(10, "^Bearer$", "Bearer")),
        }),
    );
    if let Some(headers) = headers.as_object_mut() {
        headers.sort_keys();
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(mut schema: Value) -> Value {
        bound(&mut schema);
        schema
    }

    #[test]
    fn the_introduction_names_every_code() {
        for refusal in REFUSALS {
            let Error::Coded(coded) = (refusal.example)(SHARED) else { panic!("{}", refusal.name) };
            let line = format!("| {} | `{}`", coded.status, coded.code);
            let line = DESCRIPTION
                .lines()
                .find(|it| it.starts_with(&line))
                .unwrap_or_else(|| panic!("{line}"));
            for (name, _) in coded.data {
                assert!(line.contains(&format!("`{name}`")), "{line}: {name}");
            }
        }
    }

    #[test]
    fn schemas_without_bounds_get_them() {
        let table = [
            (
                json!({"type": "integer", "format": "int32"}),
                json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 2_147_483_647}),
            ),
            (
                json!({"type": ["integer", "null"], "format": "int32", "minimum": 1, "maximum": 6}),
                json!({"type": ["integer", "null"], "format": "int32", "minimum": 1, "maximum": 6}),
            ),
            (
                json!({"type": "string", "example": "a"}),
                json!({"type": "string", "pattern": r"^[^\x00]*$", "maxLength": 4000, "examples": ["a"]}),
            ),
            (
                json!({"type": ["string", "null"], "format": "date-time", "example": null}),
                json!({"type": ["string", "null"], "format": "date-time", "maxLength": 35}),
            ),
            (json!({"type": "string", "enum": ["a"]}), json!({"type": "string", "enum": ["a"]})),
            (
                json!({"type": "array", "items": {"type": "boolean"}}),
                json!({"type": "array", "items": {"type": "boolean"}, "maxItems": 10_000}),
            ),
        ];
        for (schema, expected) in table {
            assert_eq!(bounded(schema.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn choices_with_null_are_said_as_older_documents_can() {
        let none = json!({"type": "null"});
        let reference = |more: Value| {
            let mut reference = json!({"$ref": "#/components/schemas/A"});
            extend(&mut reference, more);
            reference
        };
        assert_eq!(
            bounded(json!({"oneOf": [none, reference(json!({"description": "An A."}))]})),
            json!({"oneOf": [none, reference(json!({}))], "description": "An A."})
        );
        assert_eq!(
            bounded(
                json!({"oneOf": [none, {"type": "object", "properties": {}}], "description": "B"})
            ),
            json!({"type": ["object", "null"], "properties": {}, "description": "B"})
        );
    }

    #[test]
    fn rests_of_paths_are_marked_parameters() {
        let path = |name: &str| json!({"name": name, "in": "path"});
        let mut document = json!({"paths": {
            "/a/{key}/files/{*filepath}": {"get": {"parameters": [path("key"), path("filepath")]}},
            "/b/{key}": {"get": {"parameters": [path("key")]}},
        }});
        name_rests(&mut document);
        let marked = json!({"name": "filepath", "in": "path", "x-multi-segment": true});
        let expected = json!({"paths": {
            "/a/{key}/files/{filepath}": {"get": {"parameters": [path("key"), marked]}},
            "/b/{key}": {"get": {"parameters": [path("key")]}},
        }});
        assert_eq!(document, expected);
    }
}
