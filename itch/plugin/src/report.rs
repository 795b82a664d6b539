//! The interface of a report: a description, and a function that turns a call into rows.

use crate::{Call, ReportSpec, Result};

/// A report command.
///
/// It emits rows and facts. The host handles everything else: parsing, formats, limits, verdicts, exit codes. See
/// `plugins/reports/src/created.rs` for a small example.
pub trait Report: Send + Sync + 'static {
    /// Its name, arguments and columns.
    fn describe(&self) -> ReportSpec;

    /// Emits the rows of one call, in order.
    fn run(&self, call: &mut Call) -> Result<()>;
}
