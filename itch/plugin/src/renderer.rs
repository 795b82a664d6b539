//! The contract of a renderer: one finished chart in, bytes out.

use std::io::Write;

use crate::{Chart, RendererSpec, Result};

/// Draws charts in one form.
pub trait Renderer: Send + Sync + 'static {
    /// What it is called, which files it is chosen for and how much of the data it wants.
    fn describe(&self) -> RendererSpec;

    /// Draws a chart. It never sees the table that the chart was made from.
    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()>;
}
