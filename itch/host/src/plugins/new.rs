//! `itch plugins new NAME --lang rust|c`: writes a plugin that builds and passes its own test, as a start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Column, Registry, ReportSpec};

use crate::exit_codes::DONE;
use crate::failure::usage;
use crate::options::plugins::{Language, NewOptions};
use crate::printer::Printer;

/// Each file's name and text. `{{name}}`, `{{library}}` and `{{sdk}}` are filled in.
type Template = &'static [(&'static str, &'static str)];

const RUST: Template = &[
    ("Cargo.toml", include_str!("templates/rust/manifest.toml")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
    ("README.md", include_str!("templates/rust/README.md")),
    (".gitignore", include_str!("templates/rust/gitignore")),
];

const C: Template = &[
    ("plugin.c", include_str!("templates/c/plugin.c")),
    ("test.c", include_str!("templates/c/test.c")),
    ("itch_plugin.h", include_str!("../../../plugin/include/itch_plugin.h")),
    ("Makefile", include_str!("templates/c/Makefile")),
    ("README.md", include_str!("templates/c/README.md")),
    (".gitignore", include_str!("templates/c/gitignore")),
];

/// The source tree that this program was built from.
const SOURCE_TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Runs the command and returns the exit code.
pub(super) fn run(registry: &Registry, options: &NewOptions, printer: &Printer) -> anyhow::Result<u8> {
    let name = options.name.as_str();
    check(registry, name)?;
    let folder = Path::new(name);
    if folder.symlink_metadata().is_ok() {
        let message = format!("`{name}` exists already");
        return Err(usage(message).hint("choose another name, or another directory").into());
    }
    let given = options.sdk.as_ref();
    let (template, library, sdk) = match options.lang {
        Language::C if given.is_some() => {
            let message = "a plugin in C needs no source tree: the header comes with it";
            return Err(usage(message).hint(format!("itch plugins new {name} --lang c")).into());
        }
        Language::C => {
            let library = format!("{name}{}", std::env::consts::DLL_SUFFIX);
            (C, library, None)
        }
        Language::Rust => {
            let file = format!(
                "target/release/{}{}{}",
                std::env::consts::DLL_PREFIX,
                name.replace('-', "_"),
                std::env::consts::DLL_SUFFIX
            );
            let tree = given.map_or(Path::new(SOURCE_TREE), PathBuf::as_path);
            (RUST, file, Some(kit(tree, name)?))
        }
    };
    // A JSON string is also a valid TOML string.
    let quoted = sdk.as_ref().map(|sdk| serde_json::json!(sdk).to_string());
    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{library}}", &library)
            .replace("{{sdk}}", quoted.as_deref().unwrap_or_default())
    };
    write(folder, template, fill)?;
    if let Some(sdk) = sdk {
        printer.note(&format!("the plugin is built with the crate at {sdk}, which is not published yet"));
    }
    printer.note(&format!("wrote {name}; {name}/README.md says how to build, test and add it"));
    Ok(DONE)
}

/// Checks that a report and a crate may have this name, and that no report has it.
fn check(registry: &Registry, name: &str) -> Result<()> {
    let spec = ReportSpec::new(name, "").column(Column::text("greeting", ""));
    spec.check().map_err(|error| usage(error.message))?;
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(usage(format!("`{name}` does not begin with a letter")));
    }
    if registry.report(name).is_some() {
        let message = format!("there is a report `{name}` already");
        return Err(usage(message).hint("itch plugins list"));
    }
    Ok(())
}

/// The crate `itch-plugin` in a source tree.
fn kit(tree: &Path, name: &str) -> Result<String> {
    let kit = tree.join("itch/plugin");
    let hint = format!("itch plugins new {name} --sdk DIRECTORY");
    let found = kit.join("Cargo.toml").is_file().then(|| kit.canonicalize().ok());
    let found = found.flatten().ok_or_else(|| {
        let message = format!("there is no source tree of itch at `{}`", tree.display());
        usage(message).hint(&hint)
    })?;
    found.into_os_string().into_string().map_err(|path| {
        let message = format!("the path `{}` cannot be written to Cargo.toml: it is not UTF-8", path.display());
        usage(message).hint(&hint)
    })
}

/// Writes all files to a temporary folder and renames it, so that the folder is never incomplete.
fn write(folder: &Path, template: Template, fill: impl Fn(&str) -> String) -> Result<()> {
    let failed = |error: io::Error| {
        let message = format!("`{}` could not be written", folder.display());
        Error::new(ErrorKind::Failed, message).source_chain(&error)
    };
    let partial = PathBuf::from(format!(".{}.{}.part", folder.display(), std::process::id()));
    let written = (|| {
        for (name, text) in template {
            let path = partial.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, fill(text))?;
        }
        fs::rename(&partial, folder)
    })();
    written.map_err(|error| {
        let _ = fs::remove_dir_all(&partial);
        failed(error)
    })
}
