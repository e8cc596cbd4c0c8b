//! The host of an account, where its pages are: `https://acme.example.com`, or a path on another host,
//! as the setting `account_url` has it. Requests for either become the same routes, below
//! `/accounts/{account}`.
use std::collections::BTreeSet;

use http::header;
use serde_json::Value;

/// Where the routes of accounts are.
const ROUTES: &str = "/accounts/";

/// Knows what belongs to the host of an account.
#[derive(Debug)]
pub struct AccountHost {
    /// What surrounds the account in the host's name, in lower case, if the account is there.
    host: Option<(String, String)>,
    /// What precedes a resource in the path. Where the account is not part of the host it is part of
    /// this.
    path: String,
    /// First segments of the routes: `webhooks`. Everything else belongs to the API, which may be reached
    /// under a name that looks like that of an account.
    resources: BTreeSet<String>,
}

impl AccountHost {
    /// Reads `account_url`, and from the document which routes accounts have.
    pub fn of(document: &Value, account_url: &str) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let resources = paths.filter_map(|(path, _)| {
            let rest = path.strip_prefix(ROUTES)?.strip_prefix("{account}/")?;
            rest.split('/').next().map(str::to_owned)
        });
        let address = account_url.split_once("://").map_or(account_url, |(_, address)| address);
        let at = address.find('/').unwrap_or(address.len());
        let (host, path) = address.split_at(at);
        let host = without_port(host).split_once("{account}");
        Self {
            host: host
                .map(|(before, after)| (before.to_ascii_lowercase(), after.to_ascii_lowercase())),
            path: path.trim_end_matches('/').to_owned(),
            resources: resources.collect(),
        }
    }

    /// The route that a request for the host of an account means; none for any other.
    pub fn route<B>(&self, request: &http::Request<B>) -> Option<String> {
        let path = request.uri().path();
        let (account, rest) = match &self.host {
            Some((before, after)) => {
                let named = || request.headers().get(header::HOST)?.to_str().ok();
                let host = request.uri().host().or_else(named)?;
                let host = without_port(host).to_ascii_lowercase();
                let account = host.strip_prefix(before)?.strip_suffix(after.as_str())?.to_owned();
                let prefix = self.path.replace("{account}", &account);
                (account, path.strip_prefix(&prefix)?)
            }
            // Whatever host: proxies in front may name another one.
            None => {
                let (before, after) = self.path.split_once("{account}")?;
                let (account, _) = path.strip_prefix(before)?.split_once('/')?;
                let account = account.strip_suffix(after).unwrap_or(account);
                let rest = path.strip_prefix(&self.path.replace("{account}", account))?;
                (account.to_owned(), rest)
            }
        };
        let resource = rest.strip_prefix('/')?.split('/').next()?;
        let is_account = !account.is_empty()
            && account
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
        (is_account && self.resources.contains(resource))
            .then(|| format!("{ROUTES}{account}{rest}"))
    }
}

/// A host without its port, which proxies change.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::json;

    use super::*;

    fn route(account_url: &str, host: &str, path: &str) -> Option<String> {
        let document = json!({"paths": {
            "/v1/webhooks": {},
            "/accounts/{account}/webhooks/{id}/verify": {},
        }});
        let request = Request::get(path).header("host", host).body(()).unwrap();
        AccountHost::of(&document, account_url).route(&request)
    }

    #[test]
    fn the_account_is_found_in_the_host_or_in_the_path() {
        let expected = Some("/accounts/acme/webhooks/7/verify".to_owned());
        for (account_url, host, path) in [
            ("https://{account}.example.test", "acme.example.test", "/webhooks/7/verify"),
            ("https://{account}.example.test", "ACME.example.test:443", "/webhooks/7/verify"),
            ("http://{account}.localhost:8080", "acme.localhost", "/webhooks/7/verify"),
            (
                "https://{account}.example.test/pages",
                "acme.example.test",
                "/pages/webhooks/7/verify",
            ),
            ("https://example.test/of/{account}/pages", "any", "/of/acme/pages/webhooks/7/verify"),
            ("https://example.test/of-{account}", "any", "/of-acme/webhooks/7/verify"),
            ("https://example.test/accounts/{account}", "any", "/accounts/acme/webhooks/7/verify"),
        ] {
            assert_eq!(route(account_url, host, path), expected, "{account_url} {host} {path}");
        }
    }

    #[test]
    fn all_else_is_left_to_the_api() {
        let pages = "https://{account}.example.test";
        for (account_url, host, path) in [
            (pages, "acme.example.test", "/v1/webhooks"),
            (pages, "acme.example.test", "/"),
            (pages, "acme.example.test", "/webhooksx/7/verify"),
            (pages, "example.test", "/webhooks/7/verify"),
            (pages, ".example.test", "/webhooks/7/verify"),
            (pages, "a.b.example.test", "/webhooks/7/verify"),
            (pages, "acme.example.org", "/webhooks/7/verify"),
            ("https://example.test/of/{account}", "any", "/webhooks/7/verify"),
            ("https://example.test/of/{account}", "any", "/of/ac%2Fme/webhooks/7/verify"),
            ("https://example.test/of/{account}", "any", "/of/acme"),
        ] {
            assert_eq!(route(account_url, host, path), None, "{account_url} {host} {path}");
        }
    }
}
