//! A map that forgets its oldest entries, so that a long run does not take ever more memory.

use std::collections::{HashMap, VecDeque};

/// A map with at most so many entries.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    maximum: usize,
    values: HashMap<String, V>,
    /// The keys, oldest first; also those of removed entries, until there are too many of them.
    order: VecDeque<String>,
}

impl<V> Bounded<V> {
    pub(super) fn new(maximum: usize) -> Bounded<V> {
        Bounded {
            maximum,
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Adds an entry under a new key.
    pub(super) fn insert(&mut self, key: String, value: V) {
        self.order.push_back(key.clone());
        self.values.insert(key, value);
        while self.values.len() > self.maximum
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
        if self.order.len() > 2 * self.maximum {
            self.order.retain(|key| self.values.contains_key(key));
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        self.values.remove(key)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }

    /// Removes an entry for which a condition holds, and returns its key.
    pub(super) fn take_key(&mut self, holds: impl Fn(&V) -> bool) -> Option<String> {
        let key = self.values.iter().find(|(_, value)| holds(value))?.0.clone();
        self.values.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut map = Bounded::new(3);
        for number in 0..100 {
            map.insert(number.to_string(), number);
            if number % 2 == 0 {
                map.remove(&number.to_string());
            }
        }
        assert_eq!(["95", "97", "99"].map(|key| map.get(key).copied()), [Some(95), Some(97), Some(99)]);
        assert_eq!((map.get("93"), map.values.len()), (None, 3));
        assert!(map.order.len() <= 6, "{:?}", map.order);
        assert_eq!(map.take_key(|number| *number > 98).as_deref(), Some("99"));
        assert_eq!(map.take_key(|number| *number > 98), None);
    }
}
