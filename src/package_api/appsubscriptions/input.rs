//! What a request says of a subscription (contract 3.10).
use super::dto::AppDevEvent;
use crate::directory::catalogue::events::{Event, EventCatalogue};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::outgoing::{Credentials, Guard};
use crate::package_api::convention::body::{Object, Sent};

/// Longest address, in characters.
const URL_MAX: usize = 2000;
/// Most elements of `events`.
const EVENTS_MAX: usize = 1000;
/// Longest name of an event that is looked for, in characters.
const NAME_MAX: usize = 200;

/// What a subscription may name.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What can be subscribed to.
    pub events: &'a EventCatalogue,
    /// Where messages may go.
    pub guard: &'a Guard,
}

impl<'a> Known<'a> {
    /// What this deployment knows.
    pub fn of(state: &'a AppState) -> Self {
        Self { events: &state.catalogue.events, guard: state.outgoing.guard() }
    }
}

/// A subscription as a request has it. What it leaves out or sets to null is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// `applicationSubscriptionId` other than 0.
    pub id: Option<i64>,
    /// `packageId` above 0.
    pub package: Option<i64>,
    /// `applicationEndPoint`.
    pub endpoint: Option<String>,
    /// `events`, at least one, each once.
    pub events: Option<Vec<AppDevEvent>>,
    /// `noCallback`, false unless it is said.
    pub no_callback: bool,
}

/// A subscription as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Absolute address.
    pub endpoint: String,
    /// At least one event, each once.
    pub events: Vec<AppDevEvent>,
    /// Whether the application is not told of what it did itself.
    pub no_callback: bool,
}

impl Given {
    /// Reads a subscription and checks its values. Members that nobody knows are left in `object`, and in
    /// the objects in it, which are added to `seen`.
    ///
    /// # Errors
    /// 400 with the path of the member that is not acceptable.
    pub fn read(object: &mut Object, known: Known<'_>, seen: &mut Vec<Object>) -> Result<Self> {
        Ok(Self {
            id: object.int("applicationSubscriptionId")?.value().filter(|id| *id != 0),
            package: object.int("packageId")?.value().filter(|id| *id != 0),
            endpoint: endpoint(object, known.guard)?,
            events: events(object, known.events, seen)?,
            no_callback: object.flag("noCallback")?.value().unwrap_or(false),
        })
    }
}

/// A subscription in the body of a package, in which `packageId` says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// One to make.
    New(Wanted),
    /// One that the package has, by its number, with what is to change.
    Known(i64, Given),
}

impl Listed {
    /// Reads a subscription, as [`Given::read`]. In the body of a package that is new, none is known.
    ///
    /// # Errors
    /// 400 with the path of the member that is missing or not acceptable.
    pub fn read(
        object: &mut Object,
        known: Known<'_>,
        is_new: bool,
        seen: &mut Vec<Object>,
    ) -> Result<Self> {
        let given = Given::read(object, known, seen)?;
        match given.id.filter(|_| !is_new) {
            Some(id) => Ok(Self::Known(id, given)),
            None => Wanted::of(given, object).map(Self::New),
        }
    }
}

impl Wanted {
    /// The whole subscription that a request has.
    ///
    /// # Errors
    /// 400 with the path of the member that is missing.
    pub fn of(given: Given, object: &Object) -> Result<Self> {
        let Given { id: _, package: _, endpoint, events, no_callback } = given;
        let missing = |name, what| object.refused(name, what);
        Ok(Self {
            endpoint: endpoint.ok_or_else(|| missing("applicationEndPoint", ADDRESS))?,
            events: events.ok_or_else(|| missing("events", EVENTS))?,
            no_callback,
        })
    }
}

const ADDRESS: &str =
    "must be the absolute http or https URL that is told, of at most 2000 characters.";
const FRAGMENT: &str = "must not have a fragment: no server is told what is behind #.";
const EVENTS: &str = "must be an array of at least one event.";
const EVENT: &str = "must be an event of the catalogue, or eventName must be one.";
const EVENT_NAME: &str = "must be the name of an event of the catalogue.";
const OTHER_NAME: &str = "must be the name of the event that eventId says, or be left out.";

/// An address to which messages can be sent, as it was written.
fn endpoint(object: &mut Object, guard: &Guard) -> Result<Option<String>> {
    const NAME: &str = "applicationEndPoint";
    let Sent::Set(text) = object.text(NAME, URL_MAX)? else { return Ok(None) };
    let text = text.trim();
    let url = guard.check_url(text, Credentials::Refused);
    let url = url.map_err(|refused| object.refused(NAME, &format!("{refused}.")))?;
    if url.fragment().is_some() {
        return Err(object.refused(NAME, FRAGMENT));
    }
    Ok(Some(text.to_owned()))
}

fn events(
    object: &mut Object,
    catalogue: &EventCatalogue,
    seen: &mut Vec<Object>,
) -> Result<Option<Vec<AppDevEvent>>> {
    let Sent::Set(given) = object.objects("events", EVENTS_MAX)? else { return Ok(None) };
    let mut events: Vec<AppDevEvent> = Vec::with_capacity(given.len().min(catalogue.all().len()));
    for mut given in given {
        let event = event(&mut given, catalogue)?;
        if events.iter().all(|known| known.event_id != event.id) {
            events.push(shown(event));
        }
        seen.push(given);
    }
    if events.is_empty() {
        return Err(object.refused("events", EVENTS));
    }
    Ok(Some(events))
}

/// The event that an element names: by its id, else by its name. Two that disagree name none.
fn event<'a>(given: &mut Object, catalogue: &'a EventCatalogue) -> Result<&'a Event> {
    let id = given.int("eventId")?.value().filter(|id| *id > 0);
    let name = given.text("eventName", NAME_MAX)?.value();
    given.ignore(&["eventCategory", "apiVersionNumber"]);
    let name = name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    match (id.map(|id| catalogue.find(id)), name) {
        (Some(None), _) | (None, None) => Err(given.refused("eventId", EVENT)),
        (Some(Some(event)), Some(name)) if !event.name.eq_ignore_ascii_case(name) => {
            Err(given.refused("eventName", OTHER_NAME))
        }
        (Some(Some(event)), _) => Ok(event),
        (None, Some(name)) => {
            catalogue.named(name).ok_or_else(|| given.refused("eventName", EVENT_NAME))
        }
    }
}

/// An event of the catalogue as subscriptions show it.
fn shown(event: &Event) -> AppDevEvent {
    AppDevEvent {
        event_id: event.id,
        event_name: event.name.clone(),
        event_category: event.category.clone(),
        api_version_number: event.api_version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::directory::catalogue::Catalogue;
    use crate::kernel::error::Error;

    fn read(body: &Value) -> Result<Given> {
        let mut object = Object::parse(body.to_string().as_bytes(), "applicationSubscription")?;
        let known = Known { events: &Catalogue::built_in().events, guard: &Guard::default() };
        Given::read(&mut object, known, &mut Vec::new())
    }

    fn opened() -> AppDevEvent {
        AppDevEvent {
            event_id: 52,
            event_name: "order.opened".to_owned(),
            event_category: "Order".to_owned(),
            api_version_number: "1".to_owned(),
        }
    }

    /// Parameter and reason of a refusal.
    fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
        let Err(Error::Coded(coded)) = result else { panic!("{result:?} is no refusal") };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
        let [(_, parameter), (_, why)] = coded.data.try_into().unwrap();
        (parameter, why)
    }

    #[test]
    fn a_subscription_is_read_and_filled_from_the_catalogue() {
        let given = read(&json!({"ApplicationSubscriptionId": 7, "packageid": 4102,
            "applicationEndPoint": " https://loyalty.acme.example/hooks ", "noCallback": true,
            "events": [{"eventId": 52, "eventName": "Order.Opened", "eventCategory": "Wrong",
                "apiVersionNumber": null}, {"eventName": "ORDER.opened"}, {"eventId": 52}]}));
        assert_eq!(
            given.unwrap(),
            Given {
                id: Some(7),
                package: Some(4102),
                endpoint: Some("https://loyalty.acme.example/hooks".to_owned()),
                events: Some(vec![opened()]),
                no_callback: true,
            }
        );
    }

    #[test]
    fn null_zero_and_absent_say_nothing() {
        let nothing =
            Given { id: None, package: None, endpoint: None, events: None, no_callback: false };
        assert_eq!(read(&json!({})).unwrap(), nothing);
        let body = json!({"applicationSubscriptionId": 0, "packageId": 0, "events": null,
            "applicationEndPoint": null, "noCallback": null});
        assert_eq!(read(&body).unwrap(), nothing);
        let object = Object::parse(b"{}", "applicationSubscription").unwrap();
        let endpoint = Some("https://a.example/".to_owned());
        let events = Some(vec![opened()]);
        let without = |given| refused(Wanted::of(given, &object)).0;
        assert_eq!(
            without(Given { events: events.clone(), ..nothing.clone() }),
            "applicationEndPoint"
        );
        assert_eq!(without(Given { endpoint: endpoint.clone(), ..nothing.clone() }), "events");
        let whole = Wanted::of(Given { endpoint, events, ..nothing }, &object).unwrap();
        assert_eq!(
            whole,
            Wanted {
                endpoint: "https://a.example/".to_owned(),
                events: vec![opened()],
                no_callback: false,
            }
        );
    }

    #[test]
    fn addresses_are_absolute_and_plain() {
        let right =
            ["http://a.example", "HTTPS://a.example:8443/x?y=1", "https://[2606:4700::1]/x"];
        for address in right {
            let given = read(&json!({"applicationEndPoint": address})).unwrap();
            assert_eq!(given.endpoint.as_deref(), Some(address));
        }
        let scheme = "must start with https:// or http://.";
        let credentials = "must not contain a user name or password.";
        let malformed = "is not a web address: write it as https://example.com/path.";
        let character = "must not contain white space, control characters or backslashes: \
                         percent-encode them.";
        let wrong = [
            ("", malformed),
            (" ", malformed),
            ("/hooks", malformed),
            ("a.example/hooks", malformed),
            ("ftp://a.example/", scheme),
            ("javascript:alert(1)", scheme),
            ("https:a.example", malformed),
            ("https://", malformed),
            ("https://ann@a.example/", credentials),
            ("https://:pw@a.example/", credentials),
            ("https://@a.example/", credentials),
            ("https://a.example/#top", FRAGMENT),
            ("https://a.example/#", FRAGMENT),
            ("https://a.example/a b", character),
            ("https://a.example/a\nb", character),
            ("https://a b.example/", character),
            (
                "https://[::1]/x",
                "leads from [::1] to the server itself: use a public address, or ask the operator to \
                 allow this one (setting outgoing_allow).",
            ),
        ];
        for (address, why) in wrong {
            let expected = ("applicationEndPoint".to_owned(), why.to_owned());
            assert_eq!(
                refused(read(&json!({"applicationEndPoint": address}))),
                expected,
                "{address}"
            );
        }
        let long = format!("https://a.example/{}", "x".repeat(1983));
        let why = "must have at most 2000 characters.".to_owned();
        let refusal = refused(read(&json!({"applicationEndPoint": long})));
        assert_eq!(refusal, ("applicationEndPoint".to_owned(), why));
        assert!(read(&json!({"applicationEndPoint": &long[..2000]})).is_ok());
    }

    #[test]
    fn events_are_those_of_the_catalogue() {
        let table = [
            (json!([]), "events", EVENTS),
            (json!([{}]), "events[0].eventId", EVENT),
            (json!([{"eventId": 0, "eventName": " "}]), "events[0].eventId", EVENT),
            (json!([{"eventId": 52}, {"eventId": 122}]), "events[1].eventId", EVENT),
            (json!([{"eventId": 122, "eventName": "order.opened"}]), "events[0].eventId", EVENT),
            (json!([{"eventName": "order"}]), "events[0].eventName", EVENT_NAME),
            (
                json!([{"eventId": 52, "eventName": "order.closed"}]),
                "events[0].eventName",
                OTHER_NAME,
            ),
            (json!([7]), "events[0]", "must be an object."),
            (json!({}), "events", "must be an array."),
            (json!([{"eventId": "52"}]), "events[0].eventId", "must be a 32-bit integer."),
        ];
        for (events, parameter, why) in table {
            let expected = (parameter.to_owned(), why.to_owned());
            assert_eq!(refused(read(&json!({"events": events}))), expected, "{events}");
        }
        let by_name = read(&json!({"events": [{"eventId": -1, "eventName": " order.opened "}]}));
        assert_eq!(by_name.unwrap().events, Some(vec![opened()]));
    }
}
