//! The built-in renderers, one file each, named as `--renderer` takes them, over one shared canvas.
//!
//! This crate imports [`itch_plugin`] and must never import the chart's maker, the client or the host: a renderer draws a
//! finished chart and never sees the table behind it, exactly as the renderer of a third party would.
//!
//! To add a renderer: copy the nearest file, name it in the list below, and give it a golden picture in `tests/golden/`.

mod canvas;
mod html;
mod json;
mod pdf;
mod png;
mod svg;
mod terminal;
