//! From a table to a finished chart: reading, scales, ticks, the density at each point, reduction to a target's pixels.
//!
//! This crate imports [`itch_api`] and [`itch_plugin`] and must never import the client, a renderer or the host: it knows
//! what a chart shows and nothing of how it is drawn.
#![deny(missing_docs)]

mod build;
mod density;
mod layout;
mod parallel;
pub mod read;
mod reduce;
mod request;
mod shade;
mod ticks;

pub use build::{Built, build, check};
pub use request::{AxisRequest, ColorMap, DensityScale, Dots, Request};
pub use ticks::Zone;
