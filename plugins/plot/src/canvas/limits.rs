//! How many dots are drawn one by one, and how this number is written.

pub(crate) use itch_plugin::SINGLE_DOTS as SINGLE;

/// A dot takes 30 to 40 bytes in a vector file. With more dots than this, browsers, editors and viewers are slow.
pub(crate) const SINGLE_IN_DRAWINGS: u64 = 20_000;

/// A number with grouped digits: `50,000`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let numbers = [0, 999, 1000, 50_000, 1_234_567];
        assert_eq!(numbers.map(thousands), ["0", "999", "1,000", "50,000", "1,234,567"]);
    }
}
