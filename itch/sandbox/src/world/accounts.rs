//! Account ids and registration times: Twitch numbers its accounts in the order of registration.

use super::time::{PRESENT, Seconds, date};

/// Twitch writes ids as decimal strings; they fit in 31 bits until about 2030.
pub(crate) type UserId = u32;

/// The range of account ids. Every id in it is an account.
pub(crate) const FIRST_ID: UserId = 1_000_000;
pub(crate) const LAST_ID: UserId = 1_480_000_000;

/// The highest id at some times; between them it is interpolated linearly. From 2011 on this is roughly the real
/// growth, including the jump in 2018 and 2019.
const REGISTRATIONS: [(Seconds, UserId); 11] = [
    (date(2007, 6, 1), FIRST_ID),
    (date(2011, 6, 1), 22_000_000),
    (date(2013, 6, 1), 44_000_000),
    (date(2014, 9, 12), 71_000_000),
    (date(2016, 6, 1), 125_000_000),
    (date(2018, 1, 1), 190_000_000),
    (date(2020, 1, 1), 480_000_000),
    (date(2021, 6, 1), 690_000_000),
    (date(2023, 1, 1), 870_000_000),
    (date(2025, 1, 1), 1_200_000_000),
    (PRESENT, LAST_ID),
];

/// When the account with this id was registered.
pub(crate) fn registered_at(id: UserId) -> Seconds {
    let ((since, first), (until, last)) = segment(|(_, known)| known <= id);
    let id = id.clamp(first, last);
    since + i64::from(id - first) * (until - since) / i64::from(last - first)
}

/// The highest id registered at or before a time.
pub(crate) fn last_registered(by: Seconds) -> UserId {
    let ((since, first), (until, last)) = segment(|(moment, _)| moment <= by);
    let passed = by.clamp(since, until) - since;
    // The product is at most a few years times a few hundred million, far below 2^63, and the quotient is at most
    // `last - first`.
    first + (passed * i64::from(last - first) / (until - since)) as UserId
}

/// The segment that starts at the last point for which `reached` holds.
fn segment(reached: impl Fn((Seconds, UserId)) -> bool) -> ((Seconds, UserId), (Seconds, UserId)) {
    let next = REGISTRATIONS
        .partition_point(|&point| reached(point))
        .clamp(1, REGISTRATIONS.len() - 1);
    (REGISTRATIONS[next - 1], REGISTRATIONS[next])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_time_and_both_ways_agree() {
        assert_eq!(registered_at(FIRST_ID), date(2007, 6, 1));
        assert_eq!(registered_at(LAST_ID), PRESENT);
        assert_eq!(last_registered(0), FIRST_ID);
        assert_eq!(last_registered(PRESENT + 1), LAST_ID);
        let mut before = Seconds::MIN;
        for id in (FIRST_ID..=LAST_ID).step_by(99_991) {
            let moment = registered_at(id);
            assert!(moment >= before);
            assert!(last_registered(moment) <= id + 1);
            assert!(registered_at(last_registered(moment)) <= moment);
            before = moment;
        }
    }
}
