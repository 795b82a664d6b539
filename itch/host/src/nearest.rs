//! Near misses: which known name an unknown one was probably meant to be.

use itch_api::Error;

/// The known name that is most like this one, if one is like it. As in rustc, a third of the letters may be wrong, and
/// one in short names; two letters in the wrong order count as one wrong letter.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = name.chars().count();
    let rated = known
        .into_iter()
        .map(|known| (strsim::osa_distance(name, known), known));
    let alike = rated.filter(|(wrong, _)| *wrong <= (letters / 3).max(1) && *wrong < letters);
    alike.min_by_key(|(wrong, _)| *wrong).map(|(_, known)| known)
}

/// Adds the nearest known name to the hint of an error about an unknown one. A hint that lists names is kept after it; a
/// hint that is a command for listing them is replaced.
pub(crate) fn suggest<'a>(error: Error, name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let Some(nearest) = nearest(name, known) else {
        return error;
    };
    let question = format!("did you mean `{nearest}`?");
    let hint = match &error.hint {
        Some(list) if !list.starts_with("itch ") => format!("{question} {list}"),
        _ => question,
    };
    error.hint(hint)
}

#[cfg(test)]
mod tests {
    use crate::failure::usage;

    use super::*;

    #[test]
    fn the_name_that_is_most_alike_is_suggested() {
        let known = ["created", "channel", "followers", "following"];
        assert_eq!(nearest("chanel", known), Some("channel"));
        assert_eq!(nearest("folowers", known), Some("followers"));
        assert_eq!(nearest("cvs", ["tsv", "csv"]), Some("csv"));
        assert_eq!(nearest("xyz", known), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn a_list_stays_in_the_hint_and_a_command_does_not() {
        let suggested = |error: Error| suggest(error, "fole", ["file"]).hint.unwrap_or_default();
        assert_eq!(suggested(usage("x")), "did you mean `file`?");
        assert_eq!(suggested(usage("x").hint("itch plugins list")), "did you mean `file`?");
        assert_eq!(suggested(usage("x").hint("the caches are file")), "did you mean `file`? the caches are file");
    }
}
