//! The PATH of `itch api`: a path below the Helix base URL, which nothing in it can leave.

use itch_api::{Error, Result};
use percent_encoding::percent_decode_str;

use super::pattern::{PLACE, Pattern};
use crate::failure::usage;

/// A path, and the query that was typed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The segments, decoded.
    pub(super) segments: Vec<Pattern>,
    /// The parameters behind `?`, decoded.
    pub(super) query: Vec<(String, Pattern)>,
}

impl Path {
    /// Reads a path as it was typed. `/` and `helix/` in front are left out.
    pub(super) fn read(text: &str) -> Result<Path> {
        let refuse = |why: &str| refused(text, why);
        if text.chars().any(|c| c.is_control()) {
            return Err(refuse("it has a control character"));
        }
        if text.contains('\\') {
            return Err(refuse("it has a backslash"));
        }
        if text.contains('#') {
            return Err(refuse("it has a fragment"));
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if path.starts_with("//") {
            return Err(refuse("it begins with a host"));
        }
        if has_scheme(path) {
            return Err(refuse("it is a whole URL"));
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_prefix("helix/").unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.contains('=') {
            return Err(refuse("it has a `=`").hint("PATH stands before KEY=VALUE: `itch api users login=burkeblack`"));
        }
        if path.split('/').any(str::is_empty) {
            return Err(refuse("a part of it is empty"));
        }
        let segments = path.split('/').map(|part| segment(part).map_err(&refuse));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |part: &str| form_decoded(part).ok_or_else(|| refuse("its query is not UTF-8"));
            Ok((decode(key)?, Pattern::decoded(value, decode)?))
        });
        Ok(Path {
            segments: segments.collect::<Result<_>>()?,
            query: query.collect::<Result<_>>()?,
        })
    }
}

/// Reads one segment.
fn segment(part: &str) -> Result<Pattern, &'static str> {
    let pattern = Pattern::decoded(part, |text| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| "a part of it is not UTF-8")
    })?;
    let text = pattern.fill(None);
    let hidden = text.split(['/', '\\']).any(means_another_place) || text.contains('\\');
    match text {
        _ if hidden || means_another_place(&text) => Err("a part of it is `.` or `..`, or has a backslash"),
        text if text.chars().any(char::is_control) => Err("it has a control character"),
        _ => Ok(pattern),
    }
}

/// The segment with a line in it. The line is encoded as a whole, but some texts mean another place however they are
/// encoded.
pub(super) fn filled(segment: &Pattern, line: Option<&str>) -> Result<String> {
    let text = segment.fill(line);
    let odd = text.is_empty() || means_another_place(&text) || text.chars().any(char::is_control);
    match line {
        Some(line) if segment.takes_line() && odd => {
            Err(usage(format!("`{}` cannot be a part of a path", line.escape_debug())))
        }
        _ => Ok(text),
    }
}

/// Whether a text is `.` or `..`, also when it is decoded once or several times more, as servers do.
fn means_another_place(text: &str) -> bool {
    let mut text = text.to_owned();
    loop {
        if text.split(['/', '\\']).all(|part| matches!(part, "." | "..")) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
}

/// Whether a text begins with a scheme (RFC 3986, section 3.1).
fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(allowed)
}

/// Decodes a part of a query: `+` is a space there.
fn form_decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

fn refused(text: &str, why: &str) -> Error {
    let hint = match text.contains(PLACE) {
        true => "PATH is a path below the Helix base URL, such as `users`; `{}` in it takes a line of `--each`",
        false => "PATH is a path below the Helix base URL, such as `users` or `channels/followers`",
    };
    usage(format!("`{}` is not a PATH", text.escape_debug()))
        .cause(why)
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use itch_api::ErrorKind;

    use super::*;

    #[test]
    fn a_path_is_read_with_its_query() {
        for text in ["users", "/users", "helix/users", "/helix/users", "users/"] {
            let path = Path::read(text).unwrap();
            assert_eq!(path.segments, [Pattern::of("users")], "{text}");
        }
        let path = Path::read("a%20b/{}x?id={}&login=a%26+b&empty").unwrap();
        assert_eq!(path.segments, [Pattern::of("a b"), Pattern::of("{}x")]);
        let query = [
            ("id", Pattern::of("{}")),
            ("login", Pattern::of("a& b")),
            ("empty", Pattern::of("")),
        ];
        assert_eq!(path.query, query.map(|(key, value)| (key.to_owned(), value)));
        let path = Path::read("x/%7B%7D?a=%7B%7D").unwrap();
        assert!(!path.segments[1].takes_line() && !path.query[0].1.takes_line());
    }

    #[test]
    fn nothing_leaves_the_base() {
        for text in [
            "",
            "/",
            "helix/",
            "//host/users",
            "///users",
            "https://api.twitch.tv/helix/users",
            "HTTP:users",
            "file:users",
            "../oauth2/token",
            "users/..",
            "./users",
            "users/./x",
            "%2e%2e/x",
            ".%2E/x",
            "%252e%252e/x",
            "x/%25252e%25252e",
            "x/..%2f..%2foauth2",
            "x/%2e%2e%5cy",
            "x\\y",
            "x%5cy",
            "users#top",
            "users?x=1#top",
            "a//b",
            "/helix//users",
            "users\n",
            "users\u{0}",
            "us\u{85}ers",
            "users%0a",
            "users%00",
            "x/%ff",
            "users?login=%ff",
            "login=burkeblack",
        ] {
            let error = Path::read(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{text:?}");
        }
    }

    #[test]
    fn no_line_leaves_its_segment() {
        let alone = Pattern::of("{}");
        for line in [".", "..", "%2e%2e", "%252E.", "../..", "a\u{1}"] {
            assert!(filled(&alone, Some(line)).is_err(), "{line:?}");
        }
        assert!(filled(&Pattern::of(".{}"), Some(".")).is_err());
        for line in ["...", "..a", "a/../b", "?x", "#x", "%zz", "é"] {
            assert_eq!(filled(&alone, Some(line)).unwrap(), line);
        }
        assert_eq!(filled(&Pattern::of("users"), Some("..")).unwrap(), "users");
    }
}
