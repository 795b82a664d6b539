//! Third-party plugins, built with `cc` and cargo when a test first needs one, and files that are not plugins.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{root, target};

/// A plugin in C: its name, which is also that of its unit, its source file, and the compiler's arguments.
type Recipe = (&'static str, &'static str, &'static [&'static str]);

const IN_C: &[Recipe] = &[
    ("c-report", "report.c", &[]),
    ("c-cache", "cache.c", &[]),
    ("old-cache", "cache.c", &["-DOLD"]),
    ("c-renderer", "renderer.c", &[]),
    ("crashing-cache", "cache.c", &["-DCRASHES"]),
    ("crashing-renderer", "renderer.c", &["-DCRASHES"]),
    ("hanging-renderer", "renderer.c", &["-DHANGS"]),
    ("silent-renderer", "renderer.c", &["-DSILENT"]),
    ("wrong-renderer", "renderer.c", &["-DWRONG"]),
    ("hanging-open", "cache.c", &["-DHANGS_OPENING"]),
    ("hanging-get", "cache.c", &["-DHANGS_GETTING"]),
    ("hanging-put", "cache.c", &["-DHANGS_PUTTING"]),
    ("hanging-close", "cache.c", &["-DHANGS_CLOSING"]),
    // A report that breaks the rule given by its argument.
    ("odd", "odd.c", &[]),
    // Reports with their own option; the second has the name of a built-in report.
    ("hello", "hello.c", &["-DNAME=\"hello\""]),
    ("talkative", "hello.c", &["-DPLUGIN=\"talkative\"", "-DNAME=\"followers\""]),
    // Built for a later minor version, whose addition it does not need.
    ("newer", "versions.c", &["-DNEWER"]),
    // Built for a later minor version, whose addition it needs.
    ("needs-newer", "versions.c", &["-DNEWER", "-DMIN_HOST_MINOR=1"]),
    // Built for the next major version, whose symbol has another name.
    ("other-major", "versions.c", &["-DMAJOR=2", "-Ditch_plugin_v1=itch_plugin_v2"]),
    // Built for the next major version, but with the symbol of this one.
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
    ("hoard", "misbehave.c", &["-DMISBEHAVIOUR=HOARD"]),
    ("hoard-and-crash", "misbehave.c", &["-DMISBEHAVIOUR=HOARD_AND_CRASH"]),
    ("grab", "misbehave.c", &["-DMISBEHAVIOUR=GRAB"]),
    ("grab-and-crash", "misbehave.c", &["-DMISBEHAVIOUR=GRAB_AND_CRASH"]),
    ("exception", "misbehave.c", &["-DMISBEHAVIOUR=EXCEPTION"]),
    ("reader", "reader.c", &[]),
    // These try what a plugin must not do.
    ("attack", "attack.c", &[]),
    ("attack-mild", "attack.c", &["-DMILD"]),
    // These do something before they are called.
    ("hangs-loading", "start.c", &["-DSTART=HANG_LOADING"]),
    ("hangs-loading-to-run", "start.c", &["-DSTART=HANG_LOADING_TO_RUN"]),
    ("hangs-describing", "start.c", &["-DSTART=HANG_DESCRIBING"]),
    ("forks-loading", "start.c", &["-DSTART=FORK_LOADING"]),
    ("long-spec", "start.c", &["-DSTART=CLAIM_SPEC"]),
    ("long-name", "start.c", &["-DSTART=CLAIM_NAME"]),
    // Two plugins whose units have the same name, `twin`.
    ("twin-a", "versions.c", &["-DPLUGIN=\"twin-a\"", "-DNAME=\"twin\""]),
    ("twin-b", "versions.c", &["-DPLUGIN=\"twin-b\"", "-DNAME=\"twin\""]),
    // Reports with the name of a built-in report and of a command of itch.
    ("impostor", "versions.c", &["-DPLUGIN=\"impostor\"", "-DNAME=\"followers\""]),
    ("reserved", "versions.c", &["-DPLUGIN=\"reserved\"", "-DNAME=\"plugins\""]),
    // Units that `itch plugins check` must not wait for.
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

/// The reports that misbehave after three rows, with their plugins.
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

/// The library of a plugin, which is built at the first call.
pub fn plugin(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, library)) = IN_RUST.iter().find(|(known, _)| *known == name) {
        return cargo_built(library);
    }
    let recipe = IN_C.iter().find(|(known, ..)| *known == name);
    c_built(recipe.unwrap_or_else(|| panic!("there is no fixture `{name}`")))
}

/// A plugin and its report, both with this name; the report greets.
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

/// A plugin whose report `with-sibling` gets its row from a library beside it, `libsibling.so`, which has no name of its
/// own. Both are built into a folder.
pub fn with_sibling(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let sources = root().join("tests/fixtures/c");
    let sibling = folder.join("libsibling.so");
    compile(&sources.join("sibling.c"), &sibling, &["-DSIBLING"]);
    let plugin = folder.join(file_name("with-sibling"));
    let include = format!("-I{}", root().join("itch/plugin/include").display());
    let search = format!("-L{}", folder.display());
    // The linker takes libraries after the objects that need them.
    let needs = [
        "-Wl,--no-as-needed",
        &search,
        "-lsibling",
        "-Wl,-rpath,$ORIGIN",
        &include,
    ];
    compile(&sources.join("sibling.c"), &plugin, &needs);
    plugin
}

/// Copies plugins into a folder, each as `<name>.so` or with the system's extension, and returns their paths.
pub fn install(names: &[&str], folder: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let copy = |name: &&str| {
        let path = folder.join(file_name(name));
        fs::copy(plugin(name), &path).unwrap();
        path
    };
    names.iter().map(copy).collect()
}

/// The file name of a library.
pub fn file_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::DLL_SUFFIX)
}

/// A text file with the name of a library.
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

/// A library that is not a plugin.
pub fn no_plugin(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("no-plugin"));
    let source = folder.join("no-plugin.c");
    fs::write(&source, "int nothing(void) { return 0; }\n").unwrap();
    compile(&source, &path, &[]);
    fs::remove_file(source).unwrap();
    path
}

/// A directory with the name of a library.
pub fn directory(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("directory"));
    fs::create_dir(&path).unwrap();
    path
}

/// A broken symbolic link.
pub fn dangling(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("dangling"));
    symlink(folder.join("nothing"), &path).unwrap();
    path
}

/// A plugin that is writable by everyone.
pub fn world_writable(folder: &Path) -> PathBuf {
    let path = folder.join(file_name("world-writable"));
    fs::copy(plugin("c-report"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    path
}

/// The folder for built C plugins.
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
    if ["attack.c", "versions.c", "misbehave.c", "start.c", "trials.c"]
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
    // Another process may build the same plugin at the same time.
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
        .expect("a C compiler is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", source.display());
}

/// The header of a possible later minor version: its number is larger, and itch's table has one more entry at the end.
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

/// Builds all of them at once, unless `tests/run` did: cargo detects changes.
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
