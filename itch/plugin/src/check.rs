//! Checking a description: what would break the host or hide something of it is refused, and said why.

use serde::Serialize;
use serde_json::Value;

use crate::spec::{RESERVED_COMMANDS, RESERVED_LETTERS, RESERVED_OPTIONS, SECRET_VARIABLES, SPEC_VERSION};
use crate::{
    Argument, ArgumentKind, CacheSpec, Error, ErrorKind, NO_CACHE, RendererSpec, ReportSpec, Result, Variable,
};

impl ReportSpec {
    /// Checks what the host relies on; the error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_variables(&self.variables)?;
        check_texts(self)?;
        if RESERVED_COMMANDS.contains(&self.name.as_str()) {
            return Err(refused(format!("`{}` is a command of itch's own", self.name)));
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
            // Also where it has a position: within a command names are one space.
            if RESERVED_OPTIONS.contains(&argument.name.as_str()) {
                return Err(refused(format!("`{}` is the name of an option of itch's own", argument.name)));
            }
            if let Some(letter) = argument.short.filter(|letter| RESERVED_LETTERS.contains(letter)) {
                return Err(refused(format!("`-{letter}` is an option of itch's own")));
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
                return Err(refused(format!("its other name `{}` is a command of itch's own", alias.name)));
            }
        }
        let aliases = self.aliases.iter().map(|alias| alias.name.as_str());
        check_unique("name", std::iter::once(self.name.as_str()).chain(aliases))?;
        let hint = self.chart.iter();
        for name in hint.flat_map(|hint| [&hint.x, &hint.y].into_iter().chain(&hint.label)) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!("its chart shows `{name}`, which is no column")));
            }
        }
        let forms = self.aliases.iter().filter_map(|alias| alias.form.as_ref());
        for name in forms.flat_map(|form| &form.columns) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!("an alias prints `{name}`, which is no column")));
            }
        }
        Ok(())
    }
}

impl ReportSpec {
    /// Positions count from 0 without a gap; a required one does not follow an optional one, and only the last repeats.
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
                return Err(refused(format!("the position of `{}` cannot be meant", argument.name)));
            }
        }
        Ok(())
    }
}

impl Argument {
    /// What the parser of command lines relies on.
    fn check(&self) -> Result<()> {
        let name = &self.name;
        if self.kind == ArgumentKind::Choice {
            let default = self.default.as_ref();
            let known = |value: &Value| self.choices.iter().any(|choice| value == choice);
            if self.choices.is_empty() {
                return Err(refused(format!("`{name}` is a choice without choices")));
            }
            if default.is_some_and(|default| !known(default)) {
                return Err(refused(format!("the default of `{name}` is none of its choices")));
            }
        }
        if self.short.is_some_and(|letter| !letter.is_ascii_alphanumeric()) {
            return Err(refused(format!("the letter of `{name}` is none")));
        }
        if self.kind == ArgumentKind::Flag && self.position.is_some() {
            return Err(refused(format!("`{name}` is a flag and has a position")));
        }
        if self.required && self.default.is_some() {
            return Err(refused(format!("`{name}` is required and has a default")));
        }
        Ok(())
    }
}

impl CacheSpec {
    /// Checks what the host relies on; the error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_texts(self)?;
        if self.name == NO_CACHE {
            return Err(refused(format!("`{NO_CACHE}` stands for no cache at all")));
        }
        check_variables(&self.variables)
    }
}

impl RendererSpec {
    /// Checks what the host relies on; the error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_version(self.spec)?;
        check_name(&self.name)?;
        check_texts(self)?;
        let known = |byte: u8| byte.is_ascii_alphanumeric();
        for extension in &self.extensions {
            if extension.is_empty() || !extension.bytes().all(known) {
                return Err(refused(format!(
                    "`{}` is not a file name extension without its dot",
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
            "`{}` is not a name: lower-case letters, digits, `-` and `_`",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// Texts of a description reach terminals, in help and in tables: none of them may steer one.
fn check_texts(spec: &impl Serialize) -> Result<()> {
    /// Whether every text of a JSON document is of plain letters, line feeds and tabs: the rest stands as an escape.
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
        _ => Err(refused("its description has control characters")),
    }
}

/// 0 stands for a description that does not say.
fn check_version(version: u32) -> Result<()> {
    if version > SPEC_VERSION {
        return Err(refused(format!(
            "its description is of version {version}, and this itch reads up to {SPEC_VERSION}"
        ))
        .hint("update itch"));
    }
    Ok(())
}

/// A unit is told the variables that it declares: those that sign in are none of its business.
fn check_variables(variables: &[Variable]) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    for variable in variables {
        let name = &variable.name;
        if name.is_empty() || !name.bytes().all(known) {
            return Err(refused(format!(
                "`{}` is not a variable: capital letters, digits and `_`",
                name.escape_debug()
            )));
        }
        if SECRET_VARIABLES.contains(&name.as_str()) {
            return Err(refused(format!("`{name}` is for itch alone")));
        }
    }
    check_unique("variable", variables.iter().map(|variable| variable.name.as_str()))
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
                "a command of itch's own",
                ReportSpec {
                    name: "plugins".to_owned(),
                    ..sound()
                },
            ),
            ("no columns", ReportSpec::new("x", "")),
            ("a column twice", sound().column(Column::int("a", ""))),
            ("an option's name at a position", sound().argument(named("limit"))),
            (
                "a letter of itch's own",
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
            ("another name that is a command", sound().alias("sandbox")),
            ("another name that is no name", sound().alias("-x")),
            ("its own name again", sound().alias("x")),
            (
                "a secret of itch's own",
                ReportSpec {
                    variables: vec![variable("TWITCH_TOKEN")],
                    ..sound()
                },
            ),
            ("a later version", ReportSpec { spec: 2, ..sound() }),
            (
                "text that steers a terminal",
                ReportSpec {
                    summary: "\u{1b}[2J".to_owned(),
                    ..sound()
                },
            ),
            ("a required default", sound().argument(option("a").default_value("b").required())),
            ("a flag with a place", sound().argument(placed_flag())),
            ("a letter that is none", sound().argument(lettered('-'))),
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
