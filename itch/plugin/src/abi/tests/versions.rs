//! Structs of other versions, older and newer, and incompatible descriptors.

use std::ffi::c_void;
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

use super::super::library::Library;
use super::super::table::{self, Table};
use super::super::{ABI_MAJOR, ABI_MINOR, MAGIC, Plugin, Report, Run, Status, drive, export};
use super::*;
use crate::Origin;

unsafe extern "C" fn fails(_: *mut c_void, _: *const Host, _: *mut Run, _: Str) -> Status {
    -3
}

unsafe extern "C" fn added() -> i32 {
    7
}

/// A report's table of a later version, which has an additional entry.
#[repr(C)]
#[derive(Clone, Copy)]
struct Later {
    size: u32,
    run: unsafe extern "C" fn(*mut c_void, *const Host, *mut Run, Str) -> Status,
    added: Option<unsafe extern "C" fn() -> i32>,
}

// SAFETY: zeros are an absent entry; `run` is listed.
unsafe impl Table for Later {
    const WHAT: &'static str = "a later table";
    const V1: usize = offset_of!(Later, added);
    const REQUIRED: &'static [usize] = &[offset_of!(Later, run)];
}

fn later(size: usize) -> Later {
    Later {
        size: size as u32,
        run: fails,
        added: Some(added),
    }
}

/// A struct of which only the first bytes exist, at the end of their memory.
fn cut<T: Copy>(value: T, size: usize) -> Box<[MaybeUninit<u64>]> {
    let mut memory = vec![MaybeUninit::<u64>::uninit(); size.div_ceil(8)].into_boxed_slice();
    // SAFETY: both have this many bytes.
    unsafe {
        ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), memory.as_mut_ptr().cast(), size.min(size_of::<T>()));
    }
    memory
}

#[test]
fn an_entry_that_came_later_is_absent_in_an_older_table() {
    let old = cut(later(Later::V1), Later::V1);
    // SAFETY: the memory has as many bytes as its size says.
    let old: Later = unsafe { table::read(old.as_ptr().cast()) }.unwrap();
    assert!(old.added.is_none());
    let new = later(size_of::<Later>());
    // SAFETY: as above.
    let new: Later = unsafe { table::read(&raw const new) }.unwrap();
    // SAFETY: it is the function above.
    assert_eq!(unsafe { new.added.unwrap()() }, 7);
}

#[test]
fn a_newer_table_is_read_as_far_as_it_is_known() {
    let new = later(size_of::<Later>());
    // SAFETY: a report's table is the beginning of a later one, and the size says that there is more.
    let known: Report = unsafe { table::read((&raw const new).cast()) }.unwrap();
    assert_eq!(known.size as usize, size_of::<Later>());
    let item: &'static Item = Box::leak(Box::new(Item {
        size: size_of::<Item>() as u32,
        kind: super::super::REPORT,
        this: ptr::null_mut(),
        name: Str::new(b"x"),
        spec_json: Str::new(b"{}"),
        vtable: (&raw const *Box::leak(Box::new(new))).cast(),
    }));
    drive::check(item).unwrap();
    let (host, _) = recorder();
    let error = run_report(item, host, &CallInput::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[test]
fn a_table_that_lacks_what_version_one_had_is_refused() {
    let message = |error: Error| error.message;
    let short = later(Later::V1 - 1);
    // SAFETY: there are more bytes than the size says.
    let error = unsafe { table::read(&raw const short) }.err().unwrap();
    assert_eq!(message(error), "a later table is 15 bytes long, and version 1.0 of the boundary had 16");
    // SAFETY: null is allowed.
    let error = unsafe { table::read::<Later>(ptr::null()) }.err().unwrap();
    assert_eq!(message(error), "a later table is missing");
    let mut hollow = cut(later(16), 16);
    hollow[1] = MaybeUninit::new(0);
    // SAFETY: there are as many bytes as the size says.
    let hollow = unsafe { table::read::<Later>(hollow.as_ptr().cast()) };
    assert_eq!(message(hollow.err().unwrap()), "a later table lacks the entry at byte 8");
}

#[test]
fn a_unit_refuses_a_host_that_lacks_what_version_one_had() {
    let host = Host {
        size: Host::V1 as u32 - 1,
        ..super::super::host::HOST
    };
    // SAFETY: the table is that of a report, and the unit reads no further than the size says.
    let status = unsafe {
        let report: Report = table::read(item("probe").vtable.cast()).unwrap();
        (report.run)(item("probe").this, &raw const host, ptr::null_mut(), Str::new(b"{}"))
    };
    assert_eq!(status, ErrorKind::Unsupported.status());
}

unsafe extern "C" fn linked_in(items: *mut *const *const Item, n: *mut usize) -> Status {
    // SAFETY: the host gave two places to write to.
    unsafe { export::items(items, n) }
}

fn descriptor() -> Plugin {
    Plugin {
        magic: MAGIC,
        size: size_of::<Plugin>() as u32,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        min_host_minor: 0,
        flags: 0,
        name: Str::new(b"own-units"),
        version: Str::new(b"1.2.3"),
        about_json: export::about(r#"{"description":"","authors":"","license":"","repository":""}"#),
        items: linked_in,
    }
}

fn read(plugin: &Plugin) -> Result<Library> {
    // SAFETY: a descriptor of this version.
    unsafe { Library::read(plugin) }
}

#[test]
fn a_descriptor_gives_its_units() {
    let library = read(&Plugin {
        // A newer minor version is allowed.
        abi_minor: ABI_MINOR + 3,
        size: size_of::<Plugin>() as u32 + 64,
        ..descriptor()
    })
    .unwrap();
    assert_eq!(library.name, "own-units");
    assert_eq!(library.version, "1.2.3");
    assert_eq!(library.abi(), (1, ABI_MINOR + 3));
    assert!(library.about_json.starts_with("{\"description\""));
    let (units, unknown) = library.units(&Origin::LinkedIn).unwrap();
    let mut names: Vec<_> = units.iter().map(Registered::full_name).collect();
    names.sort();
    assert_eq!(
        (names, unknown),
        (
            ["memory", "probe", "tally"]
                .map(|name| format!("own-units/{name}"))
                .into(),
            0
        )
    );
}

#[test]
fn a_descriptor_that_does_not_fit_is_refused_before_anything_is_called() {
    unsafe extern "C" fn never(_: *mut *const *const Item, _: *mut usize) -> Status {
        panic!("called before the versions were checked")
    }
    let descriptor = || Plugin {
        items: never,
        ..descriptor()
    };
    for (expected, plugin) in [
        (
            "`itch_plugin_v1` begins with 0x49544348 instead of 0x48435449: it is not a plugin, or one for another \
             byte order",
            Plugin {
                magic: MAGIC.swap_bytes(),
                ..descriptor()
            },
        ),
        (
            "a plugin is 16 bytes long, and version 1.0 of the boundary had 72",
            Plugin {
                size: 16,
                ..descriptor()
            },
        ),
        (
            "it was built for version 2.5 of the plugin boundary, and this itch has 1.0",
            Plugin {
                abi_major: 2,
                abi_minor: 5,
                ..descriptor()
            },
        ),
        (
            "it needs version 1.9 of the plugin boundary or later, and this itch has 1.0",
            Plugin {
                min_host_minor: 9,
                ..descriptor()
            },
        ),
        (
            "its version is not valid UTF-8",
            Plugin {
                version: Str::new(b"\xff"),
                ..descriptor()
            },
        ),
        (
            "`a/b` is not a valid name: use lower-case letters, digits, `-` and `_`",
            Plugin {
                name: Str::new(b"a/b"),
                ..descriptor()
            },
        ),
    ] {
        assert_eq!(read(&plugin).unwrap_err().message, expected);
    }
}

#[test]
fn a_library_that_cannot_give_its_units_says_so() {
    unsafe extern "C" fn fails(_: *mut *const *const Item, _: *mut usize) -> Status {
        -1
    }
    unsafe extern "C" fn nowhere(_: *mut *const *const Item, n: *mut usize) -> Status {
        // SAFETY: the host gave a place to write to.
        unsafe { n.write(2) };
        OK
    }
    unsafe extern "C" fn hollow(items: *mut *const *const Item, n: *mut usize) -> Status {
        struct List([*const Item; 1]);
        // SAFETY: never written.
        unsafe impl Sync for List {}
        static LIST: List = List([ptr::null()]);
        // SAFETY: the host gave two places to write to.
        unsafe {
            items.write(LIST.0.as_ptr());
            n.write(1);
        }
        OK
    }
    type Items = unsafe extern "C" fn(*mut *const *const Item, *mut usize) -> Status;
    for (items, expected) in [
        (fails as Items, "it did not list its units"),
        (nowhere, "it has 2 units, but their address is not valid"),
        (hollow, "a unit is missing"),
    ] {
        let library = read(&Plugin { items, ..descriptor() });
        assert_eq!(library.unwrap().items().unwrap_err().message, expected);
    }
}

#[test]
fn what_cannot_be_json_is_not_said() {
    for text in ["\"", "a\\b", "a\nb"] {
        let json = format!("{{\"description\":\"{text}\",\"authors\":\"\",\"license\":\"\",\"repository\":\"\"}}");
        assert_eq!(export::about(json.leak()).len, 0);
    }
}
