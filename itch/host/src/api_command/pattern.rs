//! Texts with `{}` in them, which stands for a line of the list of `--each`.

/// A text that a line is put into, at each `{}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// What stands between the places of the line.
    parts: Vec<String>,
}

/// What stands for the line.
pub(super) const PLACE: &str = "{}";

impl Pattern {
    /// A text as it was typed.
    pub(super) fn of(text: &str) -> Pattern {
        Pattern {
            parts: text.split(PLACE).map(str::to_owned).collect(),
        }
    }

    /// A text in which `{}` has no meaning.
    pub(super) fn literal(text: impl Into<String>) -> Pattern {
        Pattern {
            parts: vec![text.into()],
        }
    }

    /// The same with each part decoded. The `{}` are found before, so `%7B%7D` takes no line.
    pub(super) fn decoded<E>(text: &str, decode: impl FnMut(&str) -> Result<String, E>) -> Result<Pattern, E> {
        Ok(Pattern {
            parts: text.split(PLACE).map(decode).collect::<Result<_, E>>()?,
        })
    }

    /// Whether there is a place for a line.
    pub(super) fn takes_line(&self) -> bool {
        self.parts.len() > 1
    }

    /// The text with the line in its places; without a line, with `{}`.
    pub(super) fn fill(&self, line: Option<&str>) -> String {
        self.parts.join(line.unwrap_or(PLACE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_every_place() {
        let pattern = Pattern::of("a{}b{}");
        assert!(pattern.takes_line());
        assert_eq!(pattern.fill(Some("{}")), "a{}b{}");
        assert_eq!(pattern.fill(Some("1")), "a1b1");
        assert_eq!(pattern.fill(None), "a{}b{}");
        assert!(!Pattern::of("a{ }").takes_line() && !Pattern::literal("{}").takes_line());
        assert_eq!(Pattern::literal("{}").fill(Some("1")), "{}");
    }
}
