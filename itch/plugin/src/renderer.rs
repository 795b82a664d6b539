//! The interface of a renderer: it gets one finished chart and writes bytes.

use std::io::Write;

use crate::{Chart, RendererSpec, Result};

/// Draws charts in one format.
pub trait Renderer: Send + Sync + 'static {
    /// Its name, the file name extensions that select it, and how much of the data it needs.
    fn describe(&self) -> RendererSpec;

    /// Draws a chart. A renderer has no access to the table from which the chart was made.
    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()>;
}
