//! Checks descriptions of units. Those that would break the host or hide a part of it are rejected with a reason.

use serde::Serialize;
use serde_json::Value;

use crate::access::is_valid_path;
use crate::spec::{RESERVED_COMMANDS, RESERVED_LETTERS, RESERVED_OPTIONS, SECRET_VARIABLES, SPEC_VERSION};
use crate::{
    Argument, ArgumentKind, CacheSpec, Error, ErrorKind, NO_CACHE, RendererSpec, ReportSpec, Result, Variable,
};

impl ReportSpec {
    /// Checks what the host relies on. The error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_variables(&self.variables)?;
        check_paths(self.reads.iter().map(String::as_str))?;
        check_texts(self)?;
        if RESERVED_COMMANDS.contains(&self.name.as_str()) {
            return Err(refused(format!("`{}` is a built-in command of itch", self.name)));
        }
        if self.columns.is_empty() {
            return Err(refused("it declares no columns"));
        }
        let columns = self.columns.iter().map(|column| column.name.as_str());
        check_unique("column", columns)?;
        let arguments = self.arguments.iter().map(|argument| argument.name.as_str());
        check_unique("argument", arguments)?;
        for argument in &self.arguments {
            check_name(&argument.name)?;
            // Also for a positional argument: names are unique within a command.
            if RESERVED_OPTIONS.contains(&argument.name.as_str()) {
                return Err(refused(format!("`{}` is a built-in option of itch", argument.name)));
            }
            if let Some(letter) = argument.short.filter(|letter| RESERVED_LETTERS.contains(letter)) {
                return Err(refused(format!("`-{letter}` is a built-in option of itch")));
            }
            argument.check()?;
        }
        let letters: Vec<String> = self
            .arguments
            .iter()
            .filter_map(|argument| Some(argument.short?.to_string()))
            .collect();
        check_unique("letter", letters.iter().map(String::as_str))?;
        self.check_positions()?;
        for alias in &self.aliases {
            check_name(&alias.name)?;
            if RESERVED_COMMANDS.contains(&alias.name.as_str()) {
                return Err(refused(format!("its alias `{}` is a built-in command of itch", alias.name)));
            }
        }
        let aliases = self.aliases.iter().map(|alias| alias.name.as_str());
        check_unique("name", std::iter::once(self.name.as_str()).chain(aliases))?;
        let hint = self.chart.iter();
        for name in hint.flat_map(|hint| [&hint.x, &hint.y].into_iter().chain(&hint.label)) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!("its chart shows `{name}`, which is not one of its columns")));
            }
        }
        let forms = self.aliases.iter().filter_map(|alias| alias.form.as_ref());
        for name in forms.flat_map(|form| &form.columns) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!("an alias prints `{name}`, which is not one of its columns")));
            }
        }
        Ok(())
    }
}

impl ReportSpec {
    /// Positions count from 0 without gaps. A required one cannot follow an optional one; only the last can repeat.
    fn check_positions(&self) -> Result<()> {
        let mut positional: Vec<&Argument> = self
            .arguments
            .iter()
            .filter(|argument| argument.position.is_some())
            .collect();
        positional.sort_by_key(|argument| argument.position);
        for (place, argument) in positional.iter().enumerate() {
            let last = place + 1 == positional.len();
            let after_optional = place > 0 && !positional[place - 1].required && argument.required;
            if argument.position != u32::try_from(place).ok() || after_optional || (argument.repeat && !last) {
                return Err(refused(format!(
                    "the position of `{}` is not valid: positions count from 0 without gaps, required ones come \
                     first, and only the last can repeat",
                    argument.name
                )));
            }
        }
        Ok(())
    }
}

impl Argument {
    /// Checks what the parser of command lines relies on.
    fn check(&self) -> Result<()> {
        let name = &self.name;
        if self.kind == ArgumentKind::Choice {
            let default = self.default.as_ref();
            let known = |value: &Value| self.choices.iter().any(|choice| value == choice);
            if self.choices.is_empty() {
                return Err(refused(format!("`{name}` is a choice but has no choices")));
            }
            if default.is_some_and(|default| !known(default)) {
                return Err(refused(format!("the default of `{name}` is not one of its choices")));
            }
        }
        if self.short.is_some_and(|letter| !letter.is_ascii_alphanumeric()) {
            return Err(refused(format!("the short form of `{name}` is not a letter or digit")));
        }
        if self.kind == ArgumentKind::Flag && self.position.is_some() {
            return Err(refused(format!("`{name}` is a flag, so it cannot have a position")));
        }
        if self.required && self.default.is_some() {
            return Err(refused(format!("`{name}` is required, so it cannot have a default")));
        }
        Ok(())
    }
}

impl CacheSpec {
    /// Checks what the host relies on. The error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_texts(self)?;
        if self.name == NO_CACHE {
            return Err(refused(format!("`{NO_CACHE}` is a reserved name: it means that no cache is used")));
        }
        check_variables(&self.variables)?;
        check_paths(self.access.iter().flat_map(|access| access.paths()))
    }
}

impl RendererSpec {
    /// Checks what the host relies on. The error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_texts(self)?;
        let known = |byte: u8| byte.is_ascii_alphanumeric();
        for extension in &self.extensions {
            if extension.is_empty() || !extension.bytes().all(known) {
                return Err(refused(format!(
                    "`{}` is not a file name extension: use letters and digits, without the dot",
                    extension.escape_debug()
                )));
            }
        }
        check_unique("extension", self.extensions.iter().map(String::as_str))
    }
}

fn refused(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, why)
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(known) {
        return Err(refused(format!(
            "`{}` is not a valid name: use lower-case letters, digits, `-` and `_`",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// Texts of a description are printed to terminals, in help and tables: they must not contain control characters.
fn check_texts(spec: &impl Serialize) -> Result<()> {
    /// Whether every text of a JSON document is printable ASCII, line feeds and tabs. Other characters are escaped.
    fn is_plain(document: &[u8]) -> bool {
        let mut bytes = document.iter();
        while let Some(byte) = bytes.next() {
            let plain = match byte {
                b'\\' => matches!(bytes.next(), Some(b'"' | b'\\' | b'n' | b't')),
                byte => matches!(byte, b' '..=b'~'),
            };
            if !plain {
                return false;
            }
        }
        true
    }
    fn steers(value: &Value) -> bool {
        match value {
            Value::String(text) => text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')),
            Value::Array(values) => values.iter().any(steers),
            Value::Object(members) => members.values().any(steers),
            _ => false,
        }
    }
    if serde_json::to_vec(spec).is_ok_and(|document| is_plain(&document)) {
        return Ok(());
    }
    match serde_json::to_value(spec) {
        Ok(value) if !steers(&value) => Ok(()),
        _ => Err(refused("its description contains control characters")),
    }
}

/// 0 means that the description has no version.
fn check_version(version: u32) -> Result<()> {
    if version > SPEC_VERSION {
        return Err(refused(format!(
            "its description has version {version}, but this itch supports up to {SPEC_VERSION}"
        ))
        .hint("update itch"));
    }
    Ok(())
}

/// A unit gets the values of the variables that it declares, so it must not declare those used to sign in.
fn check_variables(variables: &[Variable]) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    for variable in variables {
        let name = &variable.name;
        if name.is_empty() || !name.bytes().all(known) {
            return Err(refused(format!(
                "`{}` is not a valid variable name: use capital letters, digits and `_`",
                name.escape_debug()
            )));
        }
        if SECRET_VARIABLES.contains(&name.as_str()) {
            return Err(refused(format!("`{name}` is a secret that a plugin may not read")));
        }
    }
    check_unique("variable", variables.iter().map(|variable| variable.name.as_str()))
}

/// Paths must not depend on the working directory.
fn check_paths<'a>(mut paths: impl Iterator<Item = &'a str>) -> Result<()> {
    match paths.find(|path| !is_valid_path(path)) {
        None => Ok(()),
        Some(path) => Err(refused(format!(
            "the path `{}` is not absolute: begin it with `/`, `~/` or `$VARIABLE`",
            path.escape_debug()
        ))),
    }
}

fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(refused(format!("it declares the {what} `{name}` twice")));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn sound() -> ReportSpec {
        ReportSpec::new("x", "").column(Column::text("a", ""))
    }

    fn channel(position: u32) -> Argument {
        Argument::positional(position, ArgumentKind::Channel, format!("channel{position}"), "")
    }

    #[test]
    fn a_description_that_would_break_the_host_is_refused() {
        assert!(
            sound()
                .argument(channel(0).required())
                .argument(channel(1).repeat())
                .check()
                .is_ok()
        );
        let named = |name: &str| Argument::positional(0, ArgumentKind::Text, name, "");
        let short = |name: &str| Argument {
            short: Some('z'),
            ..Argument::option(ArgumentKind::Text, name, "")
        };
        for (why, spec) in [
            (
                "a built-in command",
                ReportSpec {
                    name: "plugins".to_owned(),
                    ..sound()
                },
            ),
            ("no columns", ReportSpec::new("x", "")),
            ("a column twice", sound().column(Column::int("a", ""))),
            ("an option's name at a position", sound().argument(named("limit"))),
            (
                "the letter of a built-in option",
                sound().argument(Argument {
                    short: Some('l'),
                    ..named("y")
                }),
            ),
            ("a letter twice", sound().argument(short("y")).argument(short("z"))),
            ("a choice without choices", sound().argument(Argument::option(ArgumentKind::Choice, "y", ""))),
            ("a gap in the positions", sound().argument(channel(1))),
            ("a repeat that is not last", sound().argument(channel(0).repeat()).argument(channel(1))),
            ("a required one after an optional one", sound().argument(channel(0)).argument(channel(1).required())),
            ("an alias that is a built-in command", sound().alias("sandbox")),
            ("an alias that is not a valid name", sound().alias("-x")),
            ("its own name again", sound().alias("x")),
            (
                "a variable that is a secret",
                ReportSpec {
                    variables: vec![variable("TWITCH_TOKEN")],
                    ..sound()
                },
            ),
            ("a later version", ReportSpec { spec: 2, ..sound() }),
            (
                "a control character",
                ReportSpec {
                    summary: "\u{1b}[2J".to_owned(),
                    ..sound()
                },
            ),
            ("a required default", sound().argument(option("a").default_value("b").required())),
            ("a flag with a position", sound().argument(placed_flag())),
            ("a short form that is not a letter", sound().argument(lettered('-'))),
        ] {
            assert!(spec.check().is_err(), "{why}");
        }
    }

    #[test]
    fn no_text_steers_a_terminal() {
        let text = |summary: &str| CacheSpec::new("shelf", summary).check().is_ok();
        for plain in ["", "a \\ \"b\" / ~", "one\ntwo\tthree", "Äpfel 年 😀"] {
            assert!(text(plain), "{plain:?}");
        }
        for code in (0..0xa0).filter(|code| !matches!(code, 0x20..0x7f)) {
            let control = char::from(code);
            let allowed = matches!(control, '\n' | '\t');
            assert_eq!(text(&format!("a{control}b")), allowed, "{code:#x}");
        }
    }

    fn option(name: &str) -> Argument {
        Argument::option(ArgumentKind::Text, name, "")
    }

    fn lettered(letter: char) -> Argument {
        Argument {
            short: Some(letter),
            ..option("a")
        }
    }

    fn placed_flag() -> Argument {
        Argument {
            kind: ArgumentKind::Flag,
            position: Some(0),
            ..option("a")
        }
    }

    fn variable(name: &str) -> Variable {
        Variable {
            name: name.to_owned(),
            help: String::new(),
            default: None,
        }
    }

    #[test]
    fn caches_and_renderers_are_checked_too() {
        let cache = || CacheSpec::new("shelf", "");
        assert!(cache().variable("SHELF", "", None).check().is_ok());
        for spec in [
            CacheSpec::new("a,b", ""),
            cache().variable("PATH=x", "", None),
            cache().variable("TWITCH_CLIENT_SECRET", "", None),
            cache().variable("A", "", None).variable("A", "", None),
        ] {
            assert!(spec.check().is_err(), "{spec:?}");
        }
        let renderer = || RendererSpec::new("svg", "", "image/svg+xml");
        assert!(renderer().extension("svg").check().is_ok());
        for spec in [
            RendererSpec::new("a/b", "", ""),
            renderer().extension(".svg"),
            renderer().extension("svg").extension("svg"),
        ] {
            assert!(spec.check().is_err(), "{spec:?}");
        }
    }
}
