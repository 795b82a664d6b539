//! Columns of numbers in a page: exact, and in as few bytes as possible.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The denominators that are tried: numbers in tables usually have few decimal places.
const PARTS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// The largest integer up to which a browser represents every integer exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Encodes the numbers of a column. If all are integers (or multiples of 0.1, 0.01 …), each is stored as the difference
/// to the smallest, in as few bytes as the largest difference needs. Otherwise they are stored as doubles.
pub(super) fn column(values: &[f64]) -> Value {
    for parts in PARTS {
        if let Some((least, most)) = whole(values, parts) {
            let bytes = (8 - most.abs_diff(least).leading_zeros() as usize / 8).max(1);
            if bytes > 6 {
                break;
            }
            let above = values.iter().flat_map(|value| {
                let above = ((value * parts).round() as i64).abs_diff(least);
                above.to_le_bytes().into_iter().take(bytes)
            });
            let data = STANDARD.encode(above.collect::<Vec<u8>>());
            return json!({"least": least, "parts": parts, "bytes": bytes, "data": data});
        }
    }
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    json!({"bytes": 8, "data": STANDARD.encode(data)})
}

/// The smallest and the largest multiple of `1 / parts`, if every number is exactly such a multiple.
fn whole(values: &[f64], parts: f64) -> Option<(i64, i64)> {
    let (mut least, mut most) = (EXACT, -EXACT);
    for value in values {
        let count = (value * parts).round();
        if count.abs() > EXACT || count / parts != *value {
            return None;
        }
        least = least.min(count);
        most = most.max(count);
    }
    (least <= most).then_some((least as i64, most as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a column like the page does.
    fn read(column: &Value) -> Vec<f64> {
        let data = STANDARD.decode(column["data"].as_str().unwrap()).unwrap();
        let bytes = column["bytes"].as_u64().unwrap() as usize;
        let values = data.chunks(bytes).map(|part| {
            let mut whole = [0; 8];
            whole[..bytes].copy_from_slice(part);
            match bytes {
                8 => f64::from_le_bytes(whole),
                _ => {
                    let count = column["least"].as_f64().unwrap() + u64::from_le_bytes(whole) as f64;
                    count / column["parts"].as_f64().unwrap()
                }
            }
        });
        values.collect()
    }

    #[test]
    fn columns_are_exact_and_no_larger_than_they_need_to_be() {
        for (bytes, values) in [
            (1, vec![]),
            (1, vec![7.0, 7.0]),
            (1, vec![-3.0, 0.0, 252.0]),
            (2, vec![0.0, 256.0]),
            (4, vec![1_404_172_800.0, 1_469_404_800.0]),
            (5, vec![5.0, 7.0, 500_000_000_001.0]),
            (5, vec![-8_520_336_000.0, 221_845_437_296.0]),
            (2, vec![0.1, 0.3, 100.7]),
            (6, vec![1_469_404_800.123_456, 1_469_404_801.0]),
            (8, vec![1.0 / 3.0, 1.0]),
            (8, vec![f64::MAX, f64::MIN_POSITIVE, -1.0]),
            (8, vec![-EXACT, EXACT]),
        ] {
            let column = column(&values);
            assert_eq!(read(&column), values);
            if !values.is_empty() {
                assert!(column["bytes"].as_u64().unwrap() <= bytes, "{values:?}");
            }
        }
    }
}
