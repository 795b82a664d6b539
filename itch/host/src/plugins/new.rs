//! `itch plugins new NAME`: a plugin that builds and passes its own test, to begin with.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use itch_api::{Error, ErrorKind};
use itch_plugin::{Column, ReportSpec};

use crate::failure::usage;
use crate::talk::Talk;

/// A file of a template: its name, and its text with places to fill.
type File = (&'static str, &'static str);

const RUST: &[File] = &[
    ("Cargo.toml", include_str!("templates/rust/manifest.toml")),
    (".gitignore", include_str!("templates/rust/gitignore")),
    ("README.md", include_str!("templates/rust/README.md")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
];

const C: &[File] = &[
    ("Makefile", include_str!("templates/c/Makefile")),
    (".gitignore", include_str!("templates/c/gitignore")),
    ("README.md", include_str!("templates/c/README.md")),
    ("plugin.c", include_str!("templates/c/plugin.c")),
    ("test.c", include_str!("templates/c/test.c")),
    (
        "itch_plugin.h",
        include_str!("../../../plugin/include/itch_plugin.h"),
    ),
];

/// The kit in the source tree that this program was built from.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin");

/// Runs it.
pub(crate) fn run(matches: &ArgMatches, talk: &Talk) -> anyhow::Result<u8> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let name = text("name").unwrap_or_default();
    check_name(name)?;
    let target = PathBuf::from(name);
    if std::fs::symlink_metadata(&target).is_ok() {
        return Err(usage(format!("`{name}` is there already")).into());
    }
    let suffix = std::env::consts::DLL_SUFFIX;
    let (files, library, sdk) = match text("lang") {
        Some("c") => (C, format!("{name}{suffix}"), None),
        _ => {
            let prefix = std::env::consts::DLL_PREFIX;
            let library = format!("target/release/{prefix}{}{suffix}", name.replace('-', "_"));
            let sdk = find_sdk(matches.get_one::<PathBuf>("sdk").map(PathBuf::as_path))?;
            (RUST, library, Some(sdk))
        }
    };
    let fill = |text: &str| {
        let sdk = sdk
            .as_deref()
            .unwrap_or(Path::new(""))
            .display()
            .to_string();
        text.replace("{{name}}", name)
            .replace("{{library}}", &library)
            .replace("{{sdk}}", &sdk)
    };
    let failed = |error: std::io::Error| {
        let message = format!("`{name}` cannot be written");
        Error::new(ErrorKind::Failed, message).source_chain(&error)
    };
    write(&target, files, fill).map_err(failed)?;
    talk.note(&format!("wrote {name}/: its README.md says how to go on"));
    if let Some(sdk) = sdk {
        talk.note(&format!(
            "it is built with the kit in {}, since that is not published yet",
            sdk.display()
        ));
    }
    Ok(0)
}

/// Writes all files, or none.
fn write(target: &Path, files: &[File], fill: impl Fn(&str) -> String) -> std::io::Result<()> {
    let part = tempfile::Builder::new().prefix(".itch-").tempdir_in(".")?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(part.path(), readable)?;
    }
    for (name, text) in files {
        let path = part.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, fill(text))?;
    }
    std::fs::rename(part.path(), target)
}

/// The name has to do as a command, as a crate and as a file.
fn check_name(name: &str) -> Result<(), Error> {
    let mut spec = ReportSpec::new(name, "");
    spec.columns.push(Column::text("row", "").clone());
    let first = name.starts_with(|first: char| first.is_ascii_lowercase());
    spec.check()
        .and(match first {
            true => Ok(()),
            false => Err(usage("a name begins with a letter")),
        })
        .map_err(|error| Error {
            kind: ErrorKind::Usage,
            ..error.context(format!("`{}` is no name for a plugin", name.escape_debug()))
        })
}

/// The crate `itch-plugin`: in a source tree, or that directory itself.
fn find_sdk(given: Option<&Path>) -> Result<PathBuf, Error> {
    let places = match given {
        Some(path) => vec![path.join("itch/plugin"), path.to_owned()],
        None => vec![PathBuf::from(SDK)],
    };
    let is_sdk = |path: &PathBuf| path.join("include/itch_plugin.h").is_file();
    let found = places.iter().find(|path| is_sdk(path));
    let found = found.and_then(|path| std::fs::canonicalize(path).ok());
    found.ok_or_else(|| {
        let place = given.unwrap_or(Path::new(SDK)).display();
        usage(format!("the kit for plugins in Rust is not in `{place}`")).hint(
            "name a source tree of itch with `--sdk DIR`, or take `--lang c`, which needs none",
        )
    })
}
