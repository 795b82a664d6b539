//! The macros that register a unit, and the macro that exports all units of a crate from a shared library.

/// Registers a report: `report!(Followers);` below a unit struct that is a [`Report`](crate::Report).
#[macro_export]
macro_rules! report {
    ($unit:path) => {
        $crate::__unit!(report, $unit);
    };
}

/// Registers a cache backend: `cache!(File);` below a unit struct that is a [`Cache`](crate::Cache).
#[macro_export]
macro_rules! cache {
    ($unit:path) => {
        $crate::__unit!(cache, $unit);
    };
}

/// Registers a renderer: `renderer!(Png);` below a unit struct that is a [`Renderer`](crate::Renderer).
#[macro_export]
macro_rules! renderer {
    ($unit:path) => {
        $crate::__unit!(renderer, $unit);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unit {
    ($kind:ident, $unit:path) => {
        const _: () = {
            static UNIT: $unit = $unit;

            fn item() -> &'static $crate::abi::Item {
                static ITEM: std::sync::OnceLock<&'static $crate::abi::Item> = std::sync::OnceLock::new();
                ITEM.get_or_init(|| $crate::abi::items::$kind(&UNIT))
            }

            $crate::__inventory::submit! {
                $crate::Unit {
                    item,
                    plugin: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                }
            }
        };
    };
}

/// Exports every unit of this crate, and of the crates that it imports with `use … as _;`, from a shared library.
/// Write `export!();` once in a crate of type `cdylib`; it needs no list of units.
///
/// The plugin's name and version are those of the crate; `export!("name")` sets another name.
///
/// ```no_run
/// use itch_plugin::prelude::*;
///
/// struct Hello;
///
/// impl Report for Hello {
///     fn describe(&self) -> ReportSpec {
///         ReportSpec::new("hello", "Say hello").column(Column::text("greeting", "What is said"))
///     }
///
///     fn run(&self, call: &mut Call) -> Result<()> {
///         call.emit(row!["hello"])
///     }
/// }
///
/// report!(Hello);
/// itch_plugin::export!();
/// ```
#[macro_export]
macro_rules! export {
    () => {
        $crate::export!(env!("CARGO_PKG_NAME"));
    };
    ($name:expr) => {
        const _: () = {
            use $crate::abi;

            unsafe extern "C" fn items(items: *mut *const *const abi::Item, n: *mut usize) -> abi::Status {
                abi::export::keep_panics();
                // SAFETY: the host gave two places to write to.
                unsafe { abi::export::items(items, n) }
            }

            #[allow(non_upper_case_globals, reason = "the boundary fixes the name")]
            #[unsafe(no_mangle)]
            pub static itch_plugin_v1: abi::Plugin = abi::Plugin {
                magic: abi::MAGIC,
                size: size_of::<abi::Plugin>() as u32,
                abi_major: abi::ABI_MAJOR,
                abi_minor: abi::ABI_MINOR,
                // The SDK checks for every entry after version 1.0 whether it is present.
                min_host_minor: 0,
                flags: 0,
                name: abi::Str::new($name.as_bytes()),
                version: abi::Str::new(env!("CARGO_PKG_VERSION").as_bytes()),
                about_json: abi::export::about(concat!(
                    "{\"description\":\"",
                    env!("CARGO_PKG_DESCRIPTION"),
                    "\",\"authors\":\"",
                    env!("CARGO_PKG_AUTHORS"),
                    "\",\"license\":\"",
                    env!("CARGO_PKG_LICENSE"),
                    "\",\"repository\":\"",
                    env!("CARGO_PKG_REPOSITORY"),
                    "\"}"
                )),
                items,
            };
        };
    };
}
