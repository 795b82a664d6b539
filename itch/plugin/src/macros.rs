//! The macros that register a unit, and the one that exports all of a crate's units from a shared library.

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
                static ITEM: std::sync::OnceLock<&'static $crate::abi::Item> =
                    std::sync::OnceLock::new();
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
