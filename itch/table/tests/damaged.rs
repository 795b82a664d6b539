//! Damaged Parquet, with the encodings of which the library does not check everything: an error, and not a word on the
//! terminal. It is a test of its own, since there is one panic hook for all threads.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "parquet")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use itch_table::Input;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use support::{ReadOptions, read_table};

/// How many panics the usual hook would have printed.
static PRINTED: AtomicUsize = AtomicUsize::new(0);

const SCHEMA: &str = "message rows {
    required binary name (STRING);
    required int64 created;
    required int64 followed;
}";

const ROWS: i64 = 40;

fn file() -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_column_encoding("name".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding("created".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding("followed".into(), Encoding::DELTA_BINARY_PACKED);
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties.build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut names = group.next_column().unwrap().unwrap();
    let texts: Vec<ByteArray> = (0..ROWS)
        .map(|row| format!("user{}", row * row).as_str().into())
        .collect();
    names.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
    names.close().unwrap();
    for start in [1_400_000_000, 1_460_000_000] {
        let mut times = group.next_column().unwrap().unwrap();
        let values: Vec<i64> = (0..ROWS).map(|row| start + row * row).collect();
        times.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
        times.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn a_panic_of_the_library_is_an_error_and_is_not_printed() {
    std::panic::set_hook(Box::new(|_| {
        PRINTED.fetch_add(1, Ordering::Relaxed);
    }));
    let whole = file();
    let options = ReadOptions {
        texts: true,
        ..ReadOptions::default()
    };
    assert_eq!(read_table(Input::Bytes(whole.clone()), &options).unwrap().rows, ROWS as u64);
    let mut panics = 0;
    for place in 0..whole.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] ^= flip;
            let read = read_table(Input::Bytes(damaged), &options);
            panics += usize::from(read.is_err_and(|error| error.message.ends_with("is a damaged Parquet file")));
        }
    }
    drop(std::panic::take_hook());
    assert_eq!(PRINTED.load(Ordering::Relaxed), 0);
    assert!(panics > 0, "this file no longer makes the library panic: the test needs another one");
}
