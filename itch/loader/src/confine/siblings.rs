//! The libraries that a plugin names: those in `DT_NEEDED` that are found by `$ORIGIN`, or in another directory of its
//! run path.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use elf::ElfStream;
use elf::abi::{DT_NEEDED, DT_RPATH, DT_RUNPATH, ET_DYN};
use elf::endian::AnyEndian;

/// How many libraries are followed; a circle ends here too.
const MOST: usize = 64;

/// The libraries that a plugin's file needs and names the directories of, by their real paths, and those that they need.
///
/// Only what is a library is among them: a plugin could name any directory and file, and would be allowed to read it.
pub(crate) fn siblings(file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![file.to_owned()];
    while let Some(library) = next.pop() {
        for path in named(&library).unwrap_or_default() {
            // They are loaded like the plugin itself, so the same rule holds for them.
            let Ok(real) = crate::safety::check(&path) else {
                continue;
            };
            if real != file && found.len() < MOST && is_library(&real) && found.insert(real) {
                next.push(path);
            }
        }
    }
    found
}

fn is_library(file: &Path) -> bool {
    let elf = File::open(file)
        .ok()
        .and_then(|file| ElfStream::<AnyEndian, _>::open_stream(file).ok());
    elf.is_some_and(|elf| elf.ehdr.e_type == ET_DYN)
}

/// The files that one library names and that exist in its run path.
fn named(library: &Path) -> Option<Vec<PathBuf>> {
    let origin = library.parent()?;
    let mut elf = ElfStream::<AnyEndian, _>::open_stream(File::open(library).ok()?).ok()?;
    let dynamic: Vec<(i64, u64)> = elf
        .dynamic()
        .ok()??
        .iter()
        .map(|entry| (entry.d_tag, entry.d_val()))
        .collect();
    let (_, strings) = elf.dynamic_symbol_table().ok()??;
    let texts = |tags: &[i64]| -> Vec<String> {
        let entries = dynamic.iter().filter(|(tag, _)| tags.contains(tag));
        let text = |(_, place): &(i64, u64)| strings.get(usize::try_from(*place).ok()?).ok().map(str::to_owned);
        entries.filter_map(text).collect()
    };
    let folders: Vec<PathBuf> = texts(&[DT_RUNPATH, DT_RPATH])
        .iter()
        .flat_map(|paths| paths.split(':'))
        .filter_map(|path| {
            let rest = path.strip_prefix("$ORIGIN").or_else(|| path.strip_prefix("${ORIGIN}"));
            match rest {
                Some(rest) => Some(origin.join(rest.trim_start_matches('/'))),
                None => path.starts_with('/').then(|| PathBuf::from(path)),
            }
        })
        .collect();
    let needed = texts(&[DT_NEEDED]);
    let plain = needed.iter().filter(|name| !name.contains('/'));
    let paths = plain.filter_map(|name| {
        folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|path| path.exists())
    });
    Some(paths.collect())
}
