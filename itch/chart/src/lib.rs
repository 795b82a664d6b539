//! Makes a finished chart from columns: scales, ticks, the density at each point, reduction to the pixels of a target.
//!
//! This crate imports [`itch_api`], [`itch_plugin`] and [`itch_table`] and must never import the client, a renderer or
//! the host: it decides what a chart shows, but neither fetches data nor draws.
#![deny(missing_docs)]

mod axes;
mod build;
mod data;
mod density;
mod dots;
mod layout;
mod parallel;
mod reduce;
mod request;
mod rows;
mod shade;
mod text;
mod ticks;

pub use build::{Built, build, check};
pub use data::{Column, ColumnKind, KeepText, ReadOptions, Table, read_table};
pub use request::{AxisRequest, ColorMap, DensityScale, Dots, Request};
