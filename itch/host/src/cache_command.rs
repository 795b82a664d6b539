//! `itch cache`: shows, checks and removes what the caches store.
//!
//! It uses only what every backend can do: list keys, read a value, remove a value. The client reads the fields of a
//! value; its format is not known here.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use itch_api::{Error, ErrorKind};
use itch_client::StoredEntry;
use itch_output::{Format, Layout, row_writer};
use itch_plugin::{CacheStore, Cell, Column, Registry, Scan, ScanSupport, row};
use serde_json::{Value, json};

use crate::cache_stores;
use crate::config::{Config, DEFAULT_CACHE};
use crate::exit_codes::DONE;
use crate::options::cache::CacheCommand;
use crate::printer::Printer;
use crate::stdout::{self, print, stdout};

/// Runs the command and returns the exit code.
pub(crate) fn run(registry: &Registry, command: &CacheCommand, printer: &Printer) -> anyhow::Result<u8> {
    let selection = command.selection();
    let mut names = cache_stores::chosen(registry, selection.cache.clone(), &Config::read()?)?;
    if names.is_empty() && selection.cache.is_none() {
        names.push(DEFAULT_CACHE.to_owned());
    }
    let mut stores = Vec::new();
    for name in names {
        let store = cache_stores::open_one(registry, &name, None, false, printer);
        stores.push(OpenStore {
            store: store.map_err(|error| unusable(&name, error))?,
            name,
        });
    }
    let mut results = Vec::new();
    for store in &mut stores {
        results.push(match command {
            CacheCommand::Stats(_) => store.stats(printer)?,
            CacheCommand::List(_) => store.list()?,
            CacheCommand::Prune(options) => store.prune(options.older_than, options.max_size)?,
            CacheCommand::Clear(options) => store.clear(options.all, printer)?,
            CacheCommand::Verify(_) => store.verify()?,
            CacheCommand::Path(_) => store.path(),
        });
    }
    if selection.json {
        let all: Vec<Value> = results.into_iter().map(|result| result.json).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        return Ok(DONE);
    }
    table(&results, printer)
}

/// The result for one store: a table, and the same and more as JSON.
struct StoreResult {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    json: Value,
}

fn table(results: &[StoreResult], printer: &Printer) -> anyhow::Result<u8> {
    // A store that cannot list its keys may have no table.
    let Some(first) = results.iter().find(|result| !result.columns.is_empty()) else {
        return Ok(DONE);
    };
    let layout = Layout::new(&first.columns, None, None, None)?;
    let terminal = printer.terminal();
    let format = match terminal {
        Some(_) => Format::Table,
        None => Format::Tsv,
    };
    let mut writer = row_writer(format, &layout, terminal, Box::new(stdout()?));
    let mut rows = results.iter().flat_map(|result| &result.rows);
    let written = rows.try_for_each(|row| writer.row(row));
    stdout::written(written.and_then(|()| writer.finish()))?;
    Ok(DONE)
}

/// A failed cache has the same exit code as in a report with `--cache-strict`.
fn unusable(name: &str, error: Error) -> Error {
    let kind = match error.kind {
        ErrorKind::Usage | ErrorKind::Unsupported => error.kind,
        _ => ErrorKind::Service,
    };
    if kind == ErrorKind::Usage {
        return error;
    }
    Error { kind, ..error }.context(format!("the cache `{name}` cannot be used"))
}

struct OpenStore {
    name: String,
    store: Box<dyn CacheStore>,
}

/// One stored value.
struct Item {
    key: String,
    bytes: u64,
    /// When it was written, as far as the store knows; for values that do not contain it.
    modified: Option<SystemTime>,
    /// `None` if it is broken.
    entry: Option<StoredEntry>,
}

impl Item {
    fn age(&self) -> Option<Duration> {
        let since = |time: SystemTime| SystemTime::now().duration_since(time).unwrap_or_default();
        match &self.entry {
            Some(entry) => entry.age,
            None => self.modified.map(since),
        }
    }

    /// Whether it must go, whatever its age: it is broken, or it is from the future and so is never used.
    fn is_useless(&self) -> bool {
        self.entry.as_ref().is_none_or(|entry| entry.from_future)
    }

    /// Whether the itch of 2016 stored it: then it cannot be fetched again.
    fn is_archive(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.request.is_none())
    }
}

impl OpenStore {
    fn failed(&self) -> impl Fn(Error) -> Error + use<> {
        let name = self.name.clone();
        move |error| unusable(&name, error)
    }

    /// All values, each read completely; `None` if the store cannot list its keys.
    fn items(&mut self) -> Result<Option<Vec<Item>>, Error> {
        let failed = self.failed();
        let mut items = Vec::new();
        let support = self.store.scan(&mut |entry| {
            let modified = |ms| UNIX_EPOCH.checked_add(Duration::from_millis(ms));
            items.push(Item {
                modified: entry.modified_ms.and_then(modified),
                key: entry.key,
                bytes: entry.bytes,
                entry: None,
            });
            Scan::Continue
        });
        if support.map_err(&failed)? == ScanSupport::Unsupported {
            return Ok(None);
        }
        let now = SystemTime::now();
        let mut read = Vec::with_capacity(items.len());
        for mut item in items {
            // Another process may have removed the value meanwhile.
            if let Some(value) = self.store.get(&item.key).map_err(&failed)? {
                item.entry = StoredEntry::read(&item.key, &value, now).ok();
                read.push(item);
            }
        }
        // Oldest first, and before these the values of unknown age.
        read.sort_by_key(|item| std::cmp::Reverse(item.age().unwrap_or(Duration::MAX)));
        Ok(Some(read))
    }

    fn listed(&mut self) -> Result<Vec<Item>, Error> {
        self.items()?.ok_or_else(|| {
            let said = format!("the cache `{}` cannot list its entries", self.name);
            Error::new(ErrorKind::Unsupported, said)
                .hint(format!("`itch cache clear -c {}` removes all of them", self.name))
        })
    }

    fn remove(&mut self, item: &Item) -> Result<(), Error> {
        let failed = self.failed();
        self.store.remove(&item.key).map_err(failed)
    }

    fn path(&self) -> StoreResult {
        let location = self.store.location();
        StoreResult {
            columns: vec![Column::text("PATH", "")],
            json: json!({"cache": self.name, "path": location}),
            rows: vec![vec![location.into()]],
        }
    }

    fn stats(&mut self, printer: &Printer) -> Result<StoreResult, Error> {
        let (name, path) = (self.name.clone(), self.store.location());
        let items = self.items()?;
        if items.is_none() {
            printer.note(&format!("the cache `{name}` cannot list its entries"));
        }
        let mut all = Sum::default();
        let mut groups: BTreeMap<(String, String), Sum> = BTreeMap::new();
        for item in items.iter().flatten() {
            let (service, report) = match &item.entry {
                None => ("broken", ""),
                Some(entry) => (entry.service.as_deref().unwrap_or("unknown"), entry.report.as_deref().unwrap_or("")),
            };
            all.add(item);
            let group = groups.entry((service.to_owned(), report.to_owned()));
            group.or_default().add(item);
        }
        let known = items.is_some();
        let number = |n: u64| if known { integer(n) } else { Cell::Null };
        let first = row![
            name.as_str(),
            "all",
            "",
            number(all.entries),
            number(all.bytes),
            all.oldest()
        ];
        let mut rows = vec![Vec::from(first)];
        for ((service, report), sum) in &groups {
            rows.push(Vec::from(row![
                name.as_str(),
                service.as_str(),
                report.as_str(),
                integer(sum.entries),
                integer(sum.bytes),
                sum.oldest(),
            ]));
        }
        let groups = groups.iter().map(|((service, report), sum)| {
            json!({"service": service, "report": report, "entries": sum.entries,
                   "bytes": sum.bytes, "oldest_seconds": sum.oldest.map(|age| age.as_secs())})
        });
        let json = json!({
            "cache": name,
            "path": path,
            "entries": known.then_some(all.entries),
            "bytes": known.then_some(all.bytes),
            "oldest_seconds": all.oldest.map(|age| age.as_secs()),
            "by": groups.collect::<Vec<_>>(),
        });
        let columns = vec![
            Column::text("CACHE", ""),
            Column::text("SERVICE", ""),
            Column::text("REPORT", ""),
            Column::int("ENTRIES", ""),
            Column::int("BYTES", ""),
            Column::duration("OLDEST", ""),
        ];
        Ok(StoreResult { columns, rows, json })
    }

    fn list(&mut self) -> Result<StoreResult, Error> {
        let items = self.listed()?;
        let row = |item: &Item| {
            let entry = item.entry.as_ref();
            let text = |text: Option<&String>| text.cloned().map_or(Cell::Null, Cell::Text);
            let request = match entry {
                None => Cell::Text(format!("broken, under {}", item.key)),
                Some(entry) => text(entry.request.as_ref()),
            };
            Vec::from(row![
                age_cell(item.age()),
                integer(item.bytes),
                entry.map_or(Cell::Null, |entry| Cell::Int(entry.status.into())),
                text(entry.and_then(|entry| entry.service.as_ref())),
                text(entry.and_then(|entry| entry.report.as_ref())),
                request,
            ])
        };
        let json = |item: &Item| {
            let entry = item.entry.as_ref();
            json!({
                "key": item.key,
                "age_seconds": item.age().map(|age| age.as_secs_f64()),
                "bytes": item.bytes,
                "broken": entry.is_none(),
                "status": entry.map(|entry| entry.status),
                "service": entry.and_then(|entry| entry.service.as_ref()),
                "report": entry.and_then(|entry| entry.report.as_ref()),
                "request": entry.and_then(|entry| entry.request.as_ref()),
                "immutable": entry.map(|entry| entry.immutable),
            })
        };
        let entries: Vec<Value> = items.iter().map(json).collect();
        Ok(StoreResult {
            columns: vec![
                Column::duration("AGE", ""),
                Column::int("BYTES", ""),
                Column::int("STATUS", ""),
                Column::text("SERVICE", ""),
                Column::text("REPORT", ""),
                Column::text("REQUEST", ""),
            ],
            rows: items.iter().map(row).collect(),
            json: json!({"cache": self.name, "entries": entries}),
        })
    }

    fn prune(&mut self, older: Option<Duration>, most: Option<u64>) -> Result<StoreResult, Error> {
        let items = self.listed()?;
        let mut left: u64 = items.iter().map(|item| item.bytes).sum();
        let mut removed = Sum::default();
        // Oldest first: once an entry is neither too old nor too much, the rest are not either.
        for item in items.iter().filter(|item| !item.is_archive()) {
            let too_old = older.is_some_and(|older| item.age().is_some_and(|age| age > older));
            let too_much = most.is_some_and(|most| left > most);
            if too_old || too_much || item.is_useless() {
                self.remove(item)?;
                left -= item.bytes;
                removed.add(item);
            }
        }
        let left = Sum {
            entries: items.len() as u64 - removed.entries,
            bytes: left,
            oldest: None,
        };
        Ok(self.removed(&removed, Some(&left)))
    }

    fn clear(&mut self, all: bool, printer: &Printer) -> Result<StoreResult, Error> {
        let failed = self.failed();
        let mut removed = Sum::default();
        if self.store.clear().map_err(failed)? {
            printer.note(&format!(
                "the cache `{}` cannot list its entries; they are no longer used, and the server will drop them",
                self.name
            ));
            return Ok(StoreResult {
                columns: Vec::new(),
                rows: Vec::new(),
                json: json!({"cache": self.name, "removed": null}),
            });
        }
        let items = self.listed()?;
        let mut kept = 0_u64;
        for item in &items {
            if item.is_archive() && !all {
                kept += 1;
                continue;
            }
            self.remove(item)?;
            removed.add(item);
        }
        if kept > 0 {
            printer.note(&format!(
                "not removed: {kept} of the itch of 2016, which cannot be fetched again; `--all` removes them too"
            ));
        }
        Ok(self.removed(&removed, None))
    }

    fn removed(&self, removed: &Sum, left: Option<&Sum>) -> StoreResult {
        let mut columns = vec![Column::int("REMOVED", ""), Column::int("BYTES", "")];
        let mut row = vec![integer(removed.entries), integer(removed.bytes)];
        let mut json = json!({
            "cache": self.name,
            "removed": removed.entries,
            "removed_bytes": removed.bytes,
        });
        if let Some(left) = left {
            columns.extend([Column::int("LEFT", ""), Column::int("LEFT BYTES", "")]);
            row.extend([integer(left.entries), integer(left.bytes)]);
            json["left"] = left.entries.into();
            json["left_bytes"] = left.bytes.into();
        }
        StoreResult {
            columns,
            rows: vec![row],
            json,
        }
    }

    fn verify(&mut self) -> Result<StoreResult, Error> {
        let items = self.listed()?;
        let mut broken = 0_u64;
        for item in items.iter().filter(|item| item.entry.is_none()) {
            self.remove(item)?;
            broken += 1;
        }
        let read = items.len() as u64;
        Ok(StoreResult {
            columns: vec![Column::int("READ", ""), Column::int("BROKEN", "")],
            rows: vec![vec![integer(read), integer(broken)]],
            json: json!({"cache": self.name, "read": read, "broken": broken}),
        })
    }
}

/// The sum over several values.
#[derive(Default)]
struct Sum {
    entries: u64,
    bytes: u64,
    oldest: Option<Duration>,
}

impl Sum {
    fn add(&mut self, item: &Item) {
        self.entries += 1;
        self.bytes += item.bytes;
        self.oldest = self.oldest.max(item.age());
    }

    fn oldest(&self) -> Cell {
        age_cell(self.oldest)
    }
}

fn integer(n: u64) -> Cell {
    Cell::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn age_cell(age: Option<Duration>) -> Cell {
    age.map_or(Cell::Null, |age| Cell::Duration(age.as_secs() as f64))
}
