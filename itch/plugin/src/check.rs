//! Checking a description: what would break the host or hide something of it is refused, and said why.

use crate::spec::{RESERVED_COMMANDS, RESERVED_LETTERS, RESERVED_OPTIONS};
use crate::{Argument, ArgumentKind, CacheSpec, Error, ErrorKind, NO_CACHE, ReportSpec, Result};

impl ReportSpec {
    /// Checks what the host relies on; the error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        if RESERVED_COMMANDS.contains(&self.name.as_str()) {
            return Err(refused(format!(
                "`{}` is a command of itch's own",
                self.name
            )));
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
                return Err(refused(format!(
                    "`{}` is the name of an option of itch's own",
                    argument.name
                )));
            }
            if let Some(letter) = argument
                .short
                .filter(|letter| RESERVED_LETTERS.contains(letter))
            {
                return Err(refused(format!("`-{letter}` is an option of itch's own")));
            }
            if argument.kind == ArgumentKind::Choice && argument.choices.is_empty() {
                return Err(refused(format!(
                    "`{}` is a choice without choices",
                    argument.name
                )));
            }
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
                return Err(refused(format!(
                    "its other name `{}` is a command of itch's own",
                    alias.name
                )));
            }
        }
        let hint = self.chart.iter();
        for name in hint.flat_map(|hint| [&hint.x, &hint.y].into_iter().chain(&hint.label)) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!(
                    "its chart shows `{name}`, which is no column"
                )));
            }
        }
        let forms = self.aliases.iter().filter_map(|alias| alias.form.as_ref());
        for name in forms.flat_map(|form| &form.columns) {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(refused(format!(
                    "an alias prints `{name}`, which is no column"
                )));
            }
        }
        Ok(())
    }
}

impl CacheSpec {
    /// Checks what the host relies on; the error says what is wrong with the description.
    pub fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        if self.name == NO_CACHE {
            return Err(refused(format!("`{NO_CACHE}` stands for no cache at all")));
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
            if argument.position != u32::try_from(place).ok()
                || after_optional
                || (argument.repeat && !last)
            {
                return Err(refused(format!(
                    "the position of `{}` cannot be meant",
                    argument.name
                )));
            }
        }
        Ok(())
    }
}

fn refused(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, why)
}

fn check_name(name: &str) -> Result<()> {
    let known = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(known) {
        return Err(refused(format!(
            "`{}` is not a name: lower-case letters, digits, `-` and `_`",
            name.escape_debug()
        )));
    }
    Ok(())
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
        Argument::positional(
            position,
            ArgumentKind::Channel,
            format!("channel{position}"),
            "",
        )
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
            (
                "an option's name at a position",
                sound().argument(named("limit")),
            ),
            (
                "a letter of itch's own",
                sound().argument(Argument {
                    short: Some('l'),
                    ..named("y")
                }),
            ),
            (
                "a letter twice",
                sound().argument(short("y")).argument(short("z")),
            ),
            (
                "a choice without choices",
                sound().argument(Argument::option(ArgumentKind::Choice, "y", "")),
            ),
            ("a gap in the positions", sound().argument(channel(1))),
            (
                "a repeat that is not last",
                sound().argument(channel(0).repeat()).argument(channel(1)),
            ),
            (
                "a required one after an optional one",
                sound().argument(channel(0)).argument(channel(1).required()),
            ),
            ("another name that is a command", sound().alias("sandbox")),
            ("another name that is no name", sound().alias("-x")),
        ] {
            assert!(spec.check().is_err(), "{why}");
        }
    }
}
