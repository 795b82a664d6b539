//! The contract of a report: a description, and a run that turns a call into rows.

use crate::{Call, ReportSpec, Result};

/// A report command.
///
/// It names rows and facts and leaves everything else to the host: parsing, formats, limits, verdicts, exit codes.
/// See `plugins/reports/src/created.rs` for one of the smallest.
pub trait Report: Send + Sync + 'static {
    /// What it is called, takes and prints.
    fn describe(&self) -> ReportSpec;

    /// Emits the rows of one call, in order.
    fn run(&self, call: &mut Call) -> Result<()>;
}
