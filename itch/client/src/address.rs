//! Builds the URL of a request: checks base URLs and percent-encodes parameters.

use std::collections::HashMap;

use itch_api::{Error, ErrorKind, Request, Result, Service};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use crate::Settings;
use crate::key::Place;

/// In a name or value of a query or form, only unreserved characters are left as they are (RFC 3986, section 2.3).
pub(crate) const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a path, slashes and the characters allowed in a segment are left as they are too (RFC 3986, section 3.3).
const PATH: &AsciiSet = &QUERY
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// In one segment of a path, slashes are encoded as well.
const SEGMENT: &AsciiSet = &PATH.add(b'/');

/// The base URL of each service.
#[derive(Debug)]
pub(crate) struct Addresses {
    overrides: HashMap<Service, String>,
    sandbox: Option<String>,
}

impl Addresses {
    /// Checks the base URLs of the settings.
    pub fn new(settings: &Settings) -> Result<Addresses> {
        let mut overrides = HashMap::new();
        for (&service, text) in &settings.base_urls {
            let base = text.trim().trim_end_matches('/');
            check_base(service, base, settings.insecure_http)?;
            // The canonical address, set explicitly, is not an override: it must not change the cache key.
            if base != service.canonical().trim_end_matches('/') {
                overrides.insert(service, base.to_owned());
            }
        }
        Ok(Addresses {
            overrides,
            sandbox: settings.sandbox.clone(),
        })
    }

    /// The settings that distinguish requests to this service from requests to the real one.
    pub fn place(&self, service: Service) -> Place<'_> {
        Place {
            base: self.overrides.get(&service).map(String::as_str),
            sandbox: self.sandbox.as_deref(),
        }
    }

    /// The base URL of a service, without a slash at the end.
    pub fn base(&self, service: Service) -> &str {
        let canonical = || service.canonical().trim_end_matches('/');
        self.overrides.get(&service).map_or_else(canonical, String::as_str)
    }

    /// The URL of a request.
    pub fn url(&self, request: &Request) -> Result<Url> {
        let canonical = request.service.canonical();
        let url = match self.overrides.get(&request.service) {
            // The address of loots.com ends in a slash, and the original itch added another: archives have both.
            Some(base) if canonical.ends_with('/') => join(&format!("{base}/"), request)?,
            Some(base) => join(base, request)?,
            None => join(canonical, request)?,
        };
        Url::parse(&url).map_err(|error| bad_address(request.service, &url).source_chain(&error))
    }

    /// The URL of a path whose segments are given one by one, not encoded: none can leave its place.
    pub fn url_of(&self, service: Service, path: &[String], query: &[(String, String)]) -> Result<Url> {
        // They mean another place however they are encoded (url.spec.whatwg.org, "double-dot URL path segment").
        if let Some(odd) = path.iter().find(|part| ["", ".", ".."].contains(&part.as_str())) {
            let whole = path.join("/");
            let message = format!("`{}` is not a path of the {service} service", whole.escape_debug());
            return Err(Error::new(ErrorKind::Usage, message).cause(format!("a part of it is `{odd}`")));
        }
        let base = self.overrides.get(&service).map_or(service.canonical(), String::as_str);
        let mut below = String::new();
        for part in path {
            below.push('/');
            below.extend(utf8_percent_encode(part, SEGMENT));
        }
        let mut text = format!("{base}{below}");
        for (place, (name, value)) in query.iter().enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            text.extend(utf8_percent_encode(name, QUERY));
            text.push('=');
            text.extend(utf8_percent_encode(value, QUERY));
        }
        let url = Url::parse(&text).map_err(|error| bad_address(service, &text).source_chain(&error))?;
        match url.path().ends_with(&below) && url.fragment().is_none() {
            true => Ok(url),
            false => Err(bad_address(service, &text)),
        }
    }

    /// The canonical address of a request, without secrets, for display: it describes a stored answer.
    pub fn shown(request: &Request) -> String {
        let mut shown = request.clone();
        for (name, value) in &mut shown.query {
            if ["token", "secret", "oauth", "password"]
                .iter()
                .any(|word| name.to_ascii_lowercase().contains(word))
            {
                *value = "REDACTED".to_owned();
            }
        }
        let method = if request.body.is_some() { "POST" } else { "GET" };
        let url = join(request.service.canonical(), &shown).unwrap_or_default();
        format!("{method} {url}")
    }
}

fn join(base: &str, request: &Request) -> Result<String> {
    let path = request.path.as_str();
    // A path with dots could leave the base URL and send the token elsewhere.
    if path.split(['/', '\\']).any(|part| part == "." || part == "..") {
        return Err(Error::new(ErrorKind::Usage, format!("`{path}` is not a path of the {} service", request.service)));
    }
    let mut url = String::with_capacity(base.len() + path.len() + 32);
    url.push_str(base);
    if !path.is_empty() {
        url.push('/');
        url.extend(utf8_percent_encode(path, PATH));
    }
    let mut mark = '?';
    let inline = request.inline_query.as_str();
    if !inline.is_empty() {
        // It is sent unchanged, so it must not be able to end the query.
        if !inline.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(Error::new(ErrorKind::Usage, format!("`{}` is not valid in a URL", inline.escape_debug())));
        }
        url.push(mark);
        url.push_str(inline);
        mark = '&';
    }
    for (name, value) in &request.query {
        url.push(mark);
        url.extend(utf8_percent_encode(name, QUERY));
        url.push('=');
        let value = utf8_percent_encode(value, QUERY).to_string();
        match request.service.is_legacy() {
            // The HTTP library of the original itch encodes a space like this (psf/requests).
            true => url.push_str(&value.replace("%20", "+")),
            false => url.push_str(&value),
        }
        mark = '&';
    }
    Ok(url)
}

fn check_base(service: Service, base: &str, insecure_http: bool) -> Result<()> {
    let url = Url::parse(base).map_err(|error| bad_address(service, base).source_chain(&error))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The text is not shown: it may contain a password.
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the base URL of the {service} service must not contain a user name or password"),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() || url.host_str().is_none() {
        return Err(bad_address(service, base));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if insecure_http || is_loopback(&url) => Ok(()),
        "http" => Err(Error::new(
            ErrorKind::Usage,
            format!("the base URL of the {service} service, `{base}`, uses plain http to another machine"),
        )
        .hint("use https, or pass `--insecure-http`: others on the network can then read your tokens")),
        _ => Err(bad_address(service, base)),
    }
}

fn bad_address(service: Service, text: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("`{text}` is not a valid base URL for the {service} service"))
}

/// Whether a URL is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(service: Service, base: &str) -> Result<Addresses> {
        let mut settings = Settings::new();
        settings.base_urls.insert(service, base.to_owned());
        Addresses::new(&settings)
    }

    #[test]
    fn queries_are_encoded_once_and_keep_order_and_repetition() {
        let request = Request::helix("users")
            .query("login", "a b&c=%20+é")
            .query("id", 2)
            .query("id", 1);
        let url = with(Service::Helix, "http://127.0.0.1:9/helix/")
            .unwrap()
            .url(&request)
            .unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:9/helix/users?login=a%20b%26c%3D%2520%2B%C3%A9&id=2&id=1");
    }

    #[test]
    fn old_services_see_the_urls_of_the_first_itch() {
        let mut request = Request::get(Service::Loots, "search/channels/7/streams");
        request = request.query("json", r#"{"limit": 2}"#);
        let addresses = Addresses::new(&Settings::new()).unwrap();
        assert_eq!(
            addresses.url(&request).unwrap().as_str(),
            "https://loots.com/api/v1//search/channels/7/streams?json=%7B%22limit%22%3A+2%7D"
        );
    }

    #[test]
    fn paths_cannot_leave_the_base() {
        let addresses = Addresses::new(&Settings::new()).unwrap();
        for path in ["../oauth2/token", "a/./b", "a/..", "a\\..\\b"] {
            let error = addresses.url(&Request::helix(path)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{path}");
        }
        let url = addresses.url(&Request::helix("a?b#c%2e/d")).unwrap();
        assert_eq!(url.as_str(), "https://api.twitch.tv/helix/a%3Fb%23c%252e/d");
    }

    #[test]
    fn segments_stay_in_their_place() {
        let addresses = Addresses::new(&Settings::new()).unwrap();
        let url = |path: &[&str], query: &[(&str, &str)]| {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            let query: Vec<_> = query.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            addresses.url_of(Service::Helix, &path, &query).map(String::from)
        };
        let base = "https://api.twitch.tv/helix";
        assert_eq!(
            url(&["users"], &[("a b", "c&d=é"), ("x", "")]).unwrap(),
            format!("{base}/users?a%20b=c%26d%3D%C3%A9&x=")
        );
        for (part, encoded) in [
            ("a/../../b", "a%2F..%2F..%2Fb"),
            ("a?b#c", "a%3Fb%23c"),
            ("\\..\\", "%5C..%5C"),
            ("%2e%2e", "%252e%252e"),
            ("@host", "@host"),
            ("...", "..."),
            ("a\nb", "a%0Ab"),
        ] {
            assert_eq!(url(&["x", part], &[]).unwrap(), format!("{base}/x/{encoded}"));
        }
        for part in ["", ".", ".."] {
            assert_eq!(url(&["x", part], &[]).unwrap_err().kind, ErrorKind::Usage, "{part:?}");
        }
    }

    #[test]
    fn an_empty_path_is_the_base_itself() {
        let addresses = Addresses::new(&Settings::new()).unwrap();
        let rechat = Request::get(Service::Rechat, "").query("start", 0);
        assert_eq!(addresses.url(&rechat).unwrap().as_str(), "https://rechat.twitch.tv/rechat-messages?start=0");
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for good in [
            "http://127.0.0.1:80/",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "http://localhost:1",
            "https://example.org/helix/",
        ] {
            assert!(with(Service::Helix, good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org",
            "http://localhost.example.org",
            "http://128.0.0.1",
            "ftp://127.0.0.1",
            "https://a:b@example.org",
            "https://example.org/?a=1",
            "nonsense",
            "",
        ] {
            let error = with(Service::Helix, bad).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{bad}");
        }
        let mut settings = Settings::new();
        settings.insecure_http = true;
        settings
            .base_urls
            .insert(Service::Helix, "http://example.org".to_owned());
        assert!(Addresses::new(&settings).is_ok());
    }

    #[test]
    fn the_canonical_base_typed_out_is_no_override() {
        let addresses = with(Service::Helix, "https://api.twitch.tv/helix/").unwrap();
        assert!(addresses.place(Service::Helix).base.is_none());
        let addresses = with(Service::Helix, "https://example.org/").unwrap();
        assert_eq!(addresses.place(Service::Helix).base, Some("https://example.org"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let request = Request::helix("x").query("access_token", "abc").query("a", 1);
        assert_eq!(Addresses::shown(&request), "GET https://api.twitch.tv/helix/x?access_token=REDACTED&a=1");
    }
}
