//! One file a report. `meta.rs` fails if a report has none.

mod created;
mod followers;
mod num_followers;
