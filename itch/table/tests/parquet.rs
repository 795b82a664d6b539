//! Parquet of every type that can be drawn, with every supported compression, intact and damaged.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "parquet")]

mod support;

use std::sync::Arc;

use itch_table::{ColumnKind, Input};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use support::{ReadOptions, pairs, read_spans, read_table};

/// A file with a schema, a number of equal groups of rows, and a function that writes a column by its number.
fn file(
    schema: &str,
    compression: Compression,
    groups: usize,
    write: impl Fn(usize, &mut SerializedColumnWriter<'_>),
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    for _ in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        let mut index = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            write(index, &mut column);
            column.close().unwrap();
            index += 1;
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

const FOLLOWERS: &str = "message rows {
    optional binary name (STRING);
    required int64 created (TIMESTAMP(MILLIS,true));
    optional int64 followed;
    required double score;
    repeated int32 list;
}";

fn followers(compression: Compression, groups: usize) -> Vec<u8> {
    file(FOLLOWERS, compression, groups, |index, column| {
        match index {
            0 => column
                .typed::<ByteArrayType>()
                .write_batch(&["alice".into(), "b\tob".into()], Some(&[1, 0, 1]), None),
            1 => column
                .typed::<Int64Type>()
                .write_batch(&[1_400_000_000_500, -1000, 1_300_000_000_000], None, None),
            2 => column
                .typed::<Int64Type>()
                .write_batch(&[1_469_404_800, 7], Some(&[1, 1, 0]), None),
            3 => column
                .typed::<DoubleType>()
                .write_batch(&[0.5, f64::NAN, 2.0], None, None),
            _ => column
                .typed::<Int32Type>()
                .write_batch(&[], Some(&[0, 0, 0]), Some(&[0, 0, 0])),
        }
        .unwrap();
    })
}

#[test]
fn rows_come_out_of_every_compression() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, zstd] {
        let options = ReadOptions {
            texts: true,
            ..ReadOptions::default()
        };
        let table = read_table(Input::Bytes(followers(compression, 2)), &options).unwrap();
        let expected = [(1_469_404_800.0, 1_400_000_000.5), (7.0, -1.0)];
        assert_eq!(pairs(&table), [expected, expected].concat());
        assert_eq!((table.x.kind, table.y.kind), (ColumnKind::Time, ColumnKind::Time));
        assert_eq!(table.labels.unwrap().iter().collect::<Vec<_>>(), ["alice", "", "alice", ""]);
        assert!(
            table
                .records
                .unwrap()
                .get(0)
                .starts_with("alice\t2014-05-13 16:53:20.500 ")
        );
        assert_eq!(table.fields, ["name", "created", "followed", "score"]);
        assert_eq!((table.bad.count, table.empty, table.rows), (0, 2, 6));
    }
}

#[test]
fn a_file_is_read_in_place_and_a_pipe_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("followers");
    let bytes = followers(Compression::SNAPPY, 1);
    let options = ReadOptions {
        x: "score".to_owned(),
        ..ReadOptions::default()
    };
    let zipped = zstd::encode_all(&bytes[..], 1).unwrap();
    for content in [bytes, zipped] {
        std::fs::write(&path, content).unwrap();
        let table = read_table(Input::Path(path.clone()), &options).unwrap();
        assert_eq!(pairs(&table), [(0.5, 1_400_000_000.5), (2.0, 1.3e9)]);
        assert_eq!(table.x.kind, ColumnKind::Number);
        assert_eq!(table.bad.first, [(2, "score is not finite: \"NaN\"".to_owned())]);
    }
}

#[test]
fn every_type_that_is_a_number_is_one() {
    let schema = "message rows {
        required int32 day (DATE);
        required int32 small (INTEGER(32,false));
        required int64 price (DECIMAL(10,2));
        required fixed_len_byte_array(3) cost (DECIMAL(6,1));
        required binary text (STRING);
        required int64 micros (TIMESTAMP(MICROS,true));
        required int64 nanos (TIMESTAMP(NANOS,false));
    }";
    let bytes = file(schema, Compression::UNCOMPRESSED, 1, |index, column| {
        match index {
            0 => column.typed::<Int32Type>().write_batch(&[17_007], None, None),
            1 => column.typed::<Int32Type>().write_batch(&[-1], None, None),
            2 => column.typed::<Int64Type>().write_batch(&[-1234], None, None),
            3 => {
                let cost = FixedLenByteArray::from(ByteArray::from(vec![0xff, 0xff, 0xf1]));
                column.typed::<FixedLenByteArrayType>().write_batch(&[cost], None, None)
            }
            4 => column
                .typed::<ByteArrayType>()
                .write_batch(&["2016-07-25T00:00:01Z".into()], None, None),
            5 => column.typed::<Int64Type>().write_batch(&[1_500_000], None, None),
            _ => column.typed::<Int64Type>().write_batch(&[-2_500_000_000], None, None),
        }
        .unwrap();
    });
    for (name, kind, value) in [
        ("day", ColumnKind::Time, 1_469_404_800.0),
        ("small", ColumnKind::Number, 4_294_967_295.0),
        ("price", ColumnKind::Number, -12.34),
        ("cost", ColumnKind::Number, -1.5),
        ("text", ColumnKind::Time, 1_469_404_801.0),
        ("micros", ColumnKind::Time, 1.5),
        ("nanos", ColumnKind::Time, -2.5),
    ] {
        let options = ReadOptions {
            x: name.to_owned(),
            y: "1".to_owned(),
            ..ReadOptions::default()
        };
        let table = read_table(Input::Bytes(bytes.clone()), &options).unwrap();
        assert_eq!((table.x.kind, &table.x.values[..]), (kind, &[value][..]), "{name}");
    }
}

#[test]
fn streams_may_be_parquet() {
    let schema = "message rows { required int64 start; optional int64 end; }";
    let bytes = file(schema, Compression::UNCOMPRESSED, 1, |index, column| {
        let column = column.typed::<Int64Type>();
        match index {
            0 => column.write_batch(&[10, 20], None, None),
            _ => column.write_batch(&[15], Some(&[1, 0]), None),
        }
        .unwrap();
    });
    let bands = read_spans(Input::Bytes(bytes), &ReadOptions::default()).unwrap().spans;
    assert_eq!((bands[0].end, bands[1].start, bands[1].end), (Some(15.0), 20.0, None));
}

#[test]
fn damage_is_an_error_or_other_rows_but_never_the_end() {
    let whole = followers(Compression::SNAPPY, 1);
    let options = ReadOptions {
        texts: true,
        ..ReadOptions::default()
    };
    for length in 0..whole.len() {
        let cut = whole[..length].to_vec();
        // The first letters alone are read as a text without a usable row.
        let read = read_table(Input::Bytes(cut), &options);
        assert!(read.is_err() || length < 4 && pairs(&read.unwrap()).is_empty(), "{length}");
    }
    for place in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] ^= flip;
            let _ = read_table(Input::Bytes(damaged), &options);
        }
    }
}
