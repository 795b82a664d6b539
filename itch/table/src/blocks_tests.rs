//! The blocks together are the input, cut at record ends, for every block size.

use proptest::prelude::*;

use super::*;

/// The records of all blocks, and the number of lines that were too long.
fn cut(input: &[u8], block: usize, records: Records) -> (Vec<Vec<u8>>, usize) {
    let reader = Box::new(io::Cursor::new(input.to_vec()));
    let mut blocks = Blocks::new(reader, block, records);
    let (mut buffer, mut out, mut too_long) = (Buffer::default(), Vec::new(), 0);
    loop {
        match blocks.next(&mut buffer).unwrap() {
            Piece::End => return (out, too_long),
            Piece::TooLong => too_long += 1,
            Piece::Records => {
                let mut rest = buffer.records();
                while !rest.is_empty() {
                    let length = match records {
                        Records::Lines => memchr(b'\n', rest).map_or(rest.len(), |end| end + 1),
                        Records::Quoted(delimiter) => record_length(rest, delimiter, true).unwrap(),
                    };
                    out.push(rest[..length].to_vec());
                    rest = &rest[length..];
                }
            }
        }
    }
}

#[test]
fn a_quoted_line_end_is_no_record_end() {
    let text = b"a,\"b\nc\"\n\"d\"\"\n\",e\nf\"\n\"g\n";
    let (records, _) = cut(text, 1, Records::Quoted(b','));
    let expected: [&[u8]; 4] = [b"a,\"b\nc\"\n", b"\"d\"\"\n\",e\n", b"f\"\n", b"\"g\n"];
    assert_eq!(records, expected);
}

#[test]
fn a_line_beyond_the_limit_is_skipped() {
    for records in [Records::Lines, Records::Quoted(b',')] {
        let mut text = b"1,2\n".to_vec();
        text.extend(vec![b'x'; 10_000_000]);
        text.extend(b"\n3,4\n");
        let (kept, too_long) = cut(&text, 1 << 16, records);
        assert_eq!((kept, too_long), (vec![b"1,2\n".to_vec(), b"3,4\n".to_vec()], 1));
    }
}

#[test]
fn a_stray_quote_swallows_one_line() {
    let mut text = b"\"a,1\n".to_vec();
    text.extend(b"b,2\n".repeat(LINE_LIMIT / 3));
    for block in [1 << 12, 1 << 18, 1 << 23] {
        let (records, _) = cut(&text, block, Records::Quoted(b','));
        assert_eq!(records.len(), 1 + LINE_LIMIT / 3, "{block}");
    }
}

proptest! {
    #[test]
    fn blocks_of_any_size_hold_the_same_records(text in "[a\",;\n]{0,60}", block in 1_usize..70) {
        for records in [Records::Lines, Records::Quoted(b',')] {
            let (whole, _) = cut(text.as_bytes(), 1 << 20, records);
            prop_assert_eq!(cut(text.as_bytes(), block, records).0, whole.clone());
            prop_assert_eq!(whole.concat(), text.as_bytes());
        }
    }
}
