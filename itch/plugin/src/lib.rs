//! The plugin interface: what a report, a cache backend or a renderer is, and how the host calls units.
//!
//! A plugin author needs only [`prelude`]. A Rust type implements one of three traits, [`Report`], [`Cache`] or
//! [`Renderer`], and describes itself; [`report!`], [`cache!`] or [`renderer!`] registers it with the shared
//! [`Registry`]. Help, completions, checks and tables are generated from the descriptions.
//!
//! The host calls every unit through the `repr(C)` structs of [`abi`], even those that are linked in. So a shared
//! library, in any language, is called in the same way.
//!
//! In a crate of type `cdylib`, [`export!`] makes a plugin of all registered units; `itch plugins new` creates such a
//! crate. [`testing`] runs a report in the plugin's own tests. `include/itch_plugin.h` is the same interface for C.
//!
//! This crate imports [`itch_api`] and must never import another crate of the workspace: neither the client, which
//! sends requests, nor the host, which prints rows.
//!
//! ```
//! use itch_plugin::prelude::*;
//!
//! struct Ages;
//!
//! impl Report for Ages {
//!     fn describe(&self) -> ReportSpec {
//!         ReportSpec::new("ages", "When channels were created")
//!             .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The channels").required().repeat())
//!             .column(Column::text("name", "The channel's login"))
//!             .column(Column::time("created", "When it was created"))
//!             .example("itch ages burkeblack", "When burkeblack was created")
//!     }
//!
//!     fn run(&self, call: &mut Call) -> Result<()> {
//!         for lookup in call.api().channels(call.channels("channel")?) {
//!             if let Some(channel) = lookup?.channel {
//!                 call.emit(row![channel.login, channel.created_at])?;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! report!(Ages);
//! # assert!(Registry::linked_in().report("ages").is_some());
//! # use itch_plugin::Registry;
//! ```
#![deny(missing_docs)]

pub mod abi;
mod access;
mod cache;
mod call;
mod cell;
mod chart;
mod check;
mod color;
mod column;
mod macros;
mod registry;
mod renderer;
mod report;
pub mod spec;
mod spill;
pub mod testing;

pub use access::Access;
pub use cache::{
    Cache, CacheLog, CacheSettings, CacheStats, CacheStore, NO_CACHE, Put, Scan, ScanEntry, ScanSupport, StoredValue,
};
pub use call::{Call, CallInput, LogLevel};
pub use cell::Cell;
pub use chart::{
    Axis, AxisKind, Buffer, Chart, ColorBar, Colors, Graphics, Layer, LegendEntry, Point, Rect, SINGLE_DOTS, Scale,
    Target, Terminal, Tick,
};
pub use color::{Color, Theme};
pub use column::{Column, ColumnType};
pub use itch_api::{Error, ErrorKind, Result};
pub use registry::{Origin, Registered, Registry, Spec, Standing, Unit};
pub use renderer::Renderer;
pub use report::Report;
pub use spec::{
    Alias, Argument, ArgumentKind, CacheSpec, ChartHint, Detail, Escape, Example, Mark, OutputForm, RendererSpec,
    ReportSpec, Variable, WantedScope,
};
pub use spill::{Reversed, reversed};

#[doc(hidden)]
pub use inventory as __inventory;
#[doc(hidden)]
pub use itch_api::sync;

/// Everything that a plugin author imports.
pub mod prelude {
    pub use itch_api::chrono::{self, DateTime, Utc};
    pub use itch_api::{
        Api, Channel, ChannelName, ChatMessage, Chatter, Direction, Fact, Follow, FollowedChannel, Freshness, Listing,
        Pages, PastStream, Request, Response, Role, Rows, Service, Stream, User, Video, serde_json,
    };

    pub use crate::{
        Access, Argument, ArgumentKind, Cache, CacheSettings, CacheSpec, CacheStats, CacheStore, Call, Cell, Chart,
        ChartHint, Column, ColumnType, Detail, Error, ErrorKind, Escape, LogLevel, Mark, OutputForm, Put, Renderer,
        RendererSpec, Report, ReportSpec, Result, Scan, ScanEntry, ScanSupport, StoredValue, cache, renderer, report,
        reversed, row,
    };
}
