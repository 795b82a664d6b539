//! Plugins of third parties, built with `cc` and cargo where a test first asks for one, and files that are none.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{root, target};

/// A plugin in C: its name, which is that of its unit, its source, and what the compiler is told.
type Recipe = (&'static str, &'static str, &'static [&'static str]);

const IN_C: &[Recipe] = &[
    ("c-report", "report.c", &[]),
    ("c-cache", "cache.c", &[]),
    ("c-renderer", "renderer.c", &[]),
    ("crashing-cache", "cache.c", &["-DCRASHES"]),
    ("crashing-renderer", "renderer.c", &["-DCRASHES"]),
    ("hanging-renderer", "renderer.c", &["-DHANGS"]),
    ("hanging-open", "cache.c", &["-DHANGS_OPENING"]),
    ("hanging-get", "cache.c", &["-DHANGS_GETTING"]),
    ("hanging-put", "cache.c", &["-DHANGS_PUTTING"]),
    ("hanging-close", "cache.c", &["-DHANGS_CLOSING"]),
    // One report, which breaks the rules in the way that it is told.
    ("odd", "odd.c", &[]),
    // Reports with an option of their own; the second is called like a built-in one.
    ("hello", "hello.c", &["-DNAME=\"hello\""]),
    ("talkative", "hello.c", &["-DPLUGIN=\"talkative\"", "-DNAME=\"followers\""]),
    // Built for a later minor version, whose addition it can do without.
    ("newer", "versions.c", &["-DNEWER"]),
    // The same, and it cannot.
    ("needs-newer", "versions.c", &["-DNEWER", "-DMIN_HOST_MINOR=1"]),
    // Of the next major version, whose symbol has another name.
    ("other-major", "versions.c", &["-DMAJOR=2", "-Ditch_plugin_v1=itch_plugin_v2"]),
    // Says so under the old name.
    ("wrong-major", "versions.c", &["-DMAJOR=2"]),
    ("segfault", "misbehave.c", &["-DMISBEHAVIOUR=SEGFAULT"]),
    ("stack-overflow", "misbehave.c", &["-DMISBEHAVIOUR=STACK_OVERFLOW"]),
    ("exit", "misbehave.c", &["-DMISBEHAVIOUR=EXIT"]),
    ("abort", "misbehave.c", &["-DMISBEHAVIOUR=ABORT"]),
    ("hang", "misbehave.c", &["-DMISBEHAVIOUR=HANG"]),
    ("flood", "misbehave.c", &["-DMISBEHAVIOUR=FLOOD"]),
    ("megabyte-rows", "misbehave.c", &["-DMISBEHAVIOUR=MEGABYTE_ROWS"]),
    ("stdout", "misbehave.c", &["-DMISBEHAVIOUR=STDOUT"]),
    ("fork", "misbehave.c", &["-DMISBEHAVIOUR=FORK"]),
    ("fork-and-crash", "misbehave.c", &["-DMISBEHAVIOUR=FORK_AND_CRASH"]),
    ("session", "misbehave.c", &["-DMISBEHAVIOUR=SESSION"]),
    ("leave", "misbehave.c", &["-DMISBEHAVIOUR=LEAVE"]),
    ("garbage", "misbehave.c", &["-DMISBEHAVIOUR=GARBAGE"]),
    ("close", "misbehave.c", &["-DMISBEHAVIOUR=CLOSE"]),
    ("close-and-hang", "misbehave.c", &["-DMISBEHAVIOUR=CLOSE_AND_HANG"]),
    ("grumble", "misbehave.c", &["-DMISBEHAVIOUR=GRUMBLE"]),
    // These do something before anybody calls them.
    ("hangs-loading", "start.c", &["-DSTART=HANG_LOADING"]),
    ("hangs-loading-to-run", "start.c", &["-DSTART=HANG_LOADING_TO_RUN"]),
    ("hangs-describing", "start.c", &["-DSTART=HANG_DESCRIBING"]),
    ("forks-loading", "start.c", &["-DSTART=FORK_LOADING"]),
    ("long-spec", "start.c", &["-DSTART=CLAIM_SPEC"]),
    ("long-name", "start.c", &["-DSTART=CLAIM_NAME"]),
    // Two plugins whose units have one name, `twin`.
    ("twin-a", "versions.c", &["-DPLUGIN=\"twin-a\"", "-DNAME=\"twin\""]),
    ("twin-b", "versions.c", &["-DPLUGIN=\"twin-b\"", "-DNAME=\"twin\""]),
    // Reports that are called like a built-in one, and like a command of itch's own.
    ("impostor", "versions.c", &["-DPLUGIN=\"impostor\"", "-DNAME=\"followers\""]),
    ("reserved", "versions.c", &["-DPLUGIN=\"reserved\"", "-DNAME=\"plugins\""]),
    // Units that are not to be waited for.
    ("hanging-cache", "trials.c", &["-DTRIAL=1"]),
    ("hanging-renderer", "trials.c", &["-DTRIAL=2"]),
    ("endless-renderer", "trials.c", &["-DTRIAL=3"]),
    ("many", "trials.c", &["-DTRIAL=4"]),
];

/// Plugins in Rust. `fixture-report` has the reports `rust-report`, `panic` and `callback-panic`, `fixture-cache` the
/// cache `rust-cache`, `fixture-renderer` the renderer `rust-renderer`.
const IN_RUST: &[(&str, &str)] = &[
    ("fixture-report", "itch_fixture_report"),
    ("fixture-cache", "itch_fixture_cache"),
    ("fixture-renderer", "itch_fixture_renderer"),
];

/// The reports that misbehave after three rows, with the plugins that they are in.
pub const MISBEHAVING: &[(&str, &str)] = &[
    ("segfault", "segfault"),
    ("stack-overflow", "stack-overflow"),
    ("exit", "exit"),
    ("abort", "abort"),
    ("hang", "hang"),
    ("flood", "flood"),
    ("megabyte-rows", "megabyte-rows"),
    ("stdout", "stdout"),
    ("panic", "fixture-report"),
    ("callback-panic", "fixture-report"),
];

/// The library of a plugin, built where this is the first to ask.
pub fn plugin(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, library)) = IN_RUST.iter().find(|(known, _)| *known == name) {
        return cargo_built(library);
    }
    let recipe = IN_C.iter().find(|(known, ..)| *known == name);
    c_built(recipe.unwrap_or_else(|| panic!("there is no fixture `{name}`")))
}

/// A plugin with one report, both of this name, which greets.
pub fn greeter(name: &str) -> PathBuf {
    let library = built().join(file_name(name));
    let partial = built().join(format!("{name}.{}", std::process::id()));
    let include = root().join("itch/plugin/include");
    let include = format!("-I{}", include.display());
    let named = format!("-DNAME=\"{name}\"");
    let source = root().join("tests/fixtures/c/versions.c");
    compile(&source, &partial, &[&named, &include]);
    fs::rename(&partial, &library).unwrap();
    library
}

/// Puts plugins into a folder, each as `<name>.so` or what the system calls it, and says where they are.
pub fn install(names: &[&str], folder: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let copy = |name: &&str| {
        let path = folder.join(file_name(name));
        fs::copy(plugin(name), &path).unwrap();
        path
    };
    names.iter().map(copy).collect()
}

/// The name of a library's file.
pub fn file_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::DLL_SUFFIX)
}

/// A text file that is called like a library.
pub fn text(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("text"));
    fs::write(&path, "This is a text.\n").unwrap();
    path
}

/// The first half of a library.
pub fn truncated(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("truncated"));
    let whole = fs::read(plugin("c-report")).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    path
}

/// A library that is no plugin.
pub fn no_plugin(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("no-plugin"));
    let source = folder.join("no-plugin.c");
    fs::write(&source, "int nothing(void) { return 0; }\n").unwrap();
    compile(&source, &path, &[]);
    fs::remove_file(source).unwrap();
    path
}

/// A directory that is called like a library.
pub fn directory(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("directory"));
    fs::create_dir(&path).unwrap();
    path
}

/// A link to nothing.
pub fn dangling(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("dangling"));
    symlink(folder.join("nothing"), &path).unwrap();
    path
}

/// A plugin that anybody may change.
pub fn world_writable(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("world-writable"));
    fs::copy(plugin("c-report"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    path
}

/// The folder of what is built in C.
fn built() -> PathBuf {
    let folder = target().join("fixtures");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn c_built((name, source, told): &Recipe) -> PathBuf {
    let library = built().join(file_name(name));
    let sources = root().join("tests/fixtures/c");
    let header = root().join("itch/plugin/include/itch_plugin.h");
    let source = sources.join(source);
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let made_of = [
        &source,
        &sources.join("unit.h"),
        &header,
        &root().join("tests/src/fixtures.rs"),
    ];
    let made = changed(&library);
    if made.is_some() && made_of.iter().all(|path| changed(path) < made) {
        return library;
    }
    let named = format!("-DNAME=\"{name}\"");
    let mut told = told.to_vec();
    if ["versions.c", "misbehave.c", "start.c", "trials.c"]
        .iter()
        .any(|file| source.ends_with(file))
        && !told.iter().any(|word| word.starts_with("-DNAME="))
    {
        told.push(&named);
    }
    let include = match told.contains(&"-DNEWER") {
        true => newer_header(&header),
        false => header.parent().unwrap().to_owned(),
    };
    let include = format!("-I{}", include.display());
    told.push(&include);
    // Another process may be building the same one.
    let partial = built().join(format!("{name}.{}", std::process::id()));
    compile(&source, &partial, &told);
    fs::rename(&partial, &library).unwrap();
    library
}

fn compile(source: &Path, library: &Path, told: &[&str]) {
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"])
        .args(["-shared", "-fPIC", "-fvisibility=hidden", "-g"])
        .args(told)
        .arg("-o")
        .args([library, source])
        .output()
        .expect("a C compiler is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", source.display());
}

/// The header as a later minor version could be: its number is larger, and itch's table ends with one entry more.
fn newer_header(header: &Path) -> PathBuf {
    let text = fs::read_to_string(header).unwrap();
    let end = "  void (*buf_free)(itch_buf buf);\n} itch_host;";
    let later =
        "  void (*buf_free)(itch_buf buf);\n  /* Greets. */\n  itch_status (*greet)(itch_run *run);\n} itch_host;";
    let minor = "#define ITCH_ABI_MINOR 0 ";
    assert!(text.contains(end) && text.contains(minor), "the header has changed");
    let text = text.replace(end, later).replace(minor, "#define ITCH_ABI_MINOR 1 ");
    let folder = built().join("newer");
    fs::create_dir_all(&folder).unwrap();
    let partial = folder.join(format!("header.{}", std::process::id()));
    fs::write(&partial, text).unwrap();
    fs::rename(partial, folder.join("itch_plugin.h")).unwrap();
    folder
}

/// Builds all of them at once, unless `tests/run` has: cargo knows what has changed.
fn cargo_built(library: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        if crate::all_is_built() {
            return;
        }
        let mut arguments = vec!["build".to_owned()];
        for (name, _) in IN_RUST {
            arguments.extend(["--package".to_owned(), format!("itch-{name}")]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        crate::build(&arguments, "debug");
    });
    let file = format!("{}{}", std::env::consts::DLL_PREFIX, file_name(library));
    target().join("debug").join(file)
}
