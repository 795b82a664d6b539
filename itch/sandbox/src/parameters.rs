//! Query parameters and form bodies: names with one or more values.

/// In the order they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// From a query string or an urlencoded body.
    pub(crate) fn parse(encoded: &[u8]) -> Parameters {
        Parameters(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The parameters with one of these names, and all others.
    pub(crate) fn or(mut self, others: Parameters) -> Parameters {
        let more: Vec<_> = others
            .0
            .into_iter()
            .filter(|(name, _)| self.one(name).is_none())
            .collect();
        self.0.extend(more);
        self
    }

    /// The first value of a name.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first value of a name, unless it is empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.one(name).filter(|value| !value.is_empty())
    }

    /// Every value of a name. Twitch repeats the key; it does not split a value at commas.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
