//! The built-in renderers, one file each, named like the values of `--renderer`, on a shared canvas.
//!
//! This crate imports [`itch_plugin`] and must never import `itch-chart`, the client or the host: a renderer draws a
//! finished chart and never sees the table behind it, exactly like a third-party renderer.
//!
//! To add a renderer: copy the most similar file, name it in the list below, and add a golden picture in
//! `tests/golden/`.

mod canvas;
mod html;
mod json;
mod pdf;
mod png;
mod svg;
mod terminal;
