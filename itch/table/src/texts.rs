//! Many short texts in one allocation, with an overhead of four bytes per text.

/// How many texts share a base. A text is at most one line long, so a group stays far below 4 GiB.
const GROUP: usize = 1024;

/// Texts with indices from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    /// Where each text ends, relative to the base of its group.
    ends: Vec<u32>,
    /// The base of each group: where it begins.
    bases: Vec<usize>,
}

impl Texts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at an index; empty if the index is too high.
    pub fn get(&self, index: usize) -> &str {
        let (Some(end), Some(start)) = (self.end(index), self.start(index)) else {
            return "";
        };
        self.text.get(start..end).unwrap_or("")
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    fn end(&self, index: usize) -> Option<usize> {
        Some(self.bases.get(index / GROUP)? + *self.ends.get(index)? as usize)
    }

    fn start(&self, index: usize) -> Option<usize> {
        if index.is_multiple_of(GROUP) {
            self.bases.get(index / GROUP).copied()
        } else {
            self.end(index - 1)
        }
    }

    /// Appends a text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.close(self.text.len());
    }

    /// Appends bytes; invalid UTF-8 becomes the replacement character.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.push(&String::from_utf8_lossy(bytes));
    }

    /// Ends the current text, which began where the previous one ended.
    fn close(&mut self, end: usize) {
        if self.ends.len().is_multiple_of(GROUP) {
            let last = self.ends.len().checked_sub(1);
            self.bases.push(last.and_then(|last| self.end(last)).unwrap_or(0));
        }
        let base = self.bases.last().copied().unwrap_or(0);
        self.ends.push(u32::try_from(end - base).unwrap_or(u32::MAX));
    }

    /// Appends all texts of another list.
    pub(crate) fn append(&mut self, other: &Texts) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        for index in 0..other.len() {
            self.close(shift + other.end(index).unwrap_or(0));
        }
    }

    /// Removes all texts but keeps the allocation.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.bases.clear();
    }

    /// Frees unused memory.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.bases.shrink_to_fit();
    }
}

impl<'a> Extend<&'a str> for Texts {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, texts: I) {
        texts.into_iter().for_each(|text| self.push(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_across_groups_and_appends() {
        let (mut all, mut part) = (Texts::default(), Texts::default());
        let mut expected = Vec::new();
        for round in 0..7 {
            part.clear();
            for index in 0..round * 333 {
                let text = "é".repeat(index % 5);
                part.push(&text);
                expected.push(text);
            }
            all.append(&part);
        }
        assert_eq!(all.len(), expected.len());
        assert!(all.iter().eq(expected.iter().map(String::as_str)));
        assert_eq!(all.get(all.len()), "");
    }
}
