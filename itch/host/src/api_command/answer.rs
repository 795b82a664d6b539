//! Printing an answer as it came, and the error for its status.

use std::fmt::Write as _;
use std::io::{self, Write};

use itch_api::{Error, ErrorKind, Response, Service};
use itch_client::DirectAnswer;
use itch_output::sanitize;

/// The error for an answer whose status is not a success. `what` was asked for: `DELETE users/blocks`.
pub(super) fn refusal(service: Service, what: &str, status: u16, body: &[u8]) -> Error {
    let response = Response {
        status,
        age: None,
        body: body.to_vec(),
    };
    let mut error = response.refusal(service);
    error.message = format!("Twitch answered {status} to `{what}`");
    if status == 400 {
        error.kind = ErrorKind::Usage;
    }
    error
}

/// The status line and the headers, with an empty line behind.
pub(super) fn head(answer: &DirectAnswer, on_terminal: bool) -> String {
    let mut head = format!("{}\n", answer.status_line);
    for (name, value) in &answer.headers {
        let value = match on_terminal {
            true => sanitize(value),
            false => value.as_str().into(),
        };
        // Writing into a `String` cannot fail.
        let _ = writeln!(head, "{name}: {value}");
    }
    head.push('\n');
    head
}

/// Writes a body, with a line end. On a terminal it is made safe, and JSON stays the same value.
pub(super) fn write_body(out: &mut dyn Write, body: &[u8], on_terminal: bool) -> io::Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    match on_terminal {
        true => {
            for line in String::from_utf8_lossy(body).lines() {
                writeln!(out, "{}", json_for_terminal(line))?;
            }
            Ok(())
        }
        false => {
            out.write_all(body)?;
            match body.ends_with(b"\n") {
                true => Ok(()),
                false => out.write_all(b"\n"),
            }
        }
    }
}

/// A JSON text in which characters that a terminal would interpret or not show are escaped as JSON does it.
pub(super) fn json_for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let mut buffer = [0; 4];
        let one: &str = character.encode_utf8(&mut buffer);
        if character == '\t' || sanitize(one) == one {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: &str, on_terminal: bool) -> String {
        let mut out = Vec::new();
        write_body(&mut out, body.as_bytes(), on_terminal).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_body_is_raw_for_programs_and_harmless_for_terminals() {
        let body = "{\"a\":\"é\u{9b}2J\u{202e}\"}";
        assert_eq!(written(body, false), format!("{body}\n"));
        assert_eq!(written("{}\n", false), "{}\n");
        assert_eq!(written("", true) + &written("", false), "");
        let shown = written(body, true);
        assert_eq!(shown, "{\"a\":\"é\\u009b2J\\u202e\"}\n");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            serde_json::from_str::<serde_json::Value>(body).unwrap()
        );
    }

    #[test]
    fn a_status_has_its_exit_code() {
        for (status, code) in [(400, 2), (401, 4), (403, 4), (404, 5), (409, 6), (429, 6), (500, 6)] {
            let error = refusal(Service::Helix, "GET x", status, br#"{"message":"why"}"#);
            assert_eq!(error.kind.exit_code(), code, "{status}");
            assert_eq!(format!("{error:#}"), format!("Twitch answered {status} to `GET x`: why"));
        }
    }
}
