//! The rule for every run with faults: the rows of the undisturbed run and exit 0, or what is missing is named and
//! exit 3.

use std::collections::HashMap;

use serde_json::Value;

use super::cases::Case;
use super::{Outcome, Row};

/// What a fault may do besides what the rule says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    /// Cells may have other values.
    pub altered: bool,
    /// Cells may be empty without being counted.
    pub emptied: bool,
    /// Cells of these columns may be empty without being counted.
    pub nullable: &'static [&'static str],
    /// The order of the rows may differ.
    pub order: bool,
    /// Rows may be missing with exit 0.
    pub short: bool,
    /// Rows that lack this column may come besides those of the undisturbed run.
    pub undated: Option<&'static str>,
    /// One row may have another key.
    pub rekeyed: bool,
    /// One unreadable value may empty cells of many rows and be counted once.
    pub fewer: bool,
    /// Exit 3 with every row.
    pub three: bool,
    /// Exit 6 without rows, if the error names the channel or the endpoint at which it is looked up.
    pub channel: bool,
    /// Other exit codes; the rows are not compared.
    pub exits: &'static [i32],
    /// Why.
    pub because: &'static str,
}

impl Allowance {
    /// Nothing but the rule.
    pub const NONE: Allowance = Allowance {
        altered: false,
        emptied: false,
        nullable: &[],
        order: false,
        short: false,
        undated: None,
        rekeyed: false,
        fewer: false,
        three: false,
        channel: false,
        exits: &[],
        because: "",
    };

    /// Whether cells, rows and exit codes follow the rule, so that a mixture of kinds is still compared.
    pub fn is_strict(&self) -> bool {
        !self.altered && !self.emptied && !self.short && self.exits.is_empty()
    }

    /// What either allows.
    pub fn or(self, other: Allowance) -> Allowance {
        fn longer<T>(one: &'static [T], two: &'static [T]) -> &'static [T] {
            if one.len() < two.len() { two } else { one }
        }
        Allowance {
            altered: self.altered || other.altered,
            emptied: self.emptied || other.emptied,
            nullable: longer(self.nullable, other.nullable),
            order: self.order || other.order,
            short: self.short || other.short,
            undated: self.undated.or(other.undated),
            rekeyed: self.rekeyed || other.rekeyed,
            fewer: self.fewer || other.fewer,
            three: self.three || other.three,
            channel: self.channel || other.channel,
            exits: longer(self.exits, other.exits),
            because: "a mixture",
        }
    }
}

/// Columns that are put together from several values: with one of them unreadable, the cell is shorter, not empty.
const COMPOSITE: [&str; 4] = ["message", "badges", "emotes", "role"];

/// How the rows of two runs differ.
#[derive(Debug, Default)]
struct Difference {
    missing: Vec<String>,
    doubled: Vec<String>,
    invented: Vec<Row>,
    /// Rows with empty cells, with their columns.
    emptied: Vec<Vec<String>>,
    altered: Vec<String>,
    out_of_order: bool,
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

/// Texts are equal but for replacement characters, which stand for malformed parts.
fn equal(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::String(one), Value::String(two)) => {
            let good = |text: &str| text.replace('\u{fffd}', "");
            one == two || good(one) == good(two)
        }
        _ => one == two,
    }
}

/// Whether a row is another one with some cells, perhaps all, emptied.
fn is_part_of(found: &Row, whole: &Row) -> bool {
    let agrees = |(column, value): (&String, &Value)| {
        is_empty(value) || COMPOSITE.contains(&column.as_str()) || equal(value, &whole[column])
    };
    found.iter().all(agrees)
}

impl Difference {
    fn of(whole: &[Row], found: &[Row], case: &Case) -> Difference {
        let (key, limit) = (case.key, case.limit().unwrap_or(usize::MAX));
        let mut difference = Difference::default();
        let places: HashMap<String, usize> = whole.iter().map(|row| row[key].to_string()).zip(0..).collect();
        let mut pairs: Vec<Option<&Row>> = vec![None; whole.len()];
        let (mut unpaired, mut last) = (Vec::new(), 0);
        for row in found {
            let name = row.get(key).map(Value::to_string).unwrap_or_default();
            match places.get(&name) {
                Some(place) if pairs[*place].is_some() => difference.doubled.push(name),
                Some(place) => {
                    pairs[*place] = Some(row);
                    difference.out_of_order |= *place < last;
                    last = *place;
                }
                None => unpaired.push(row),
            }
        }
        // Rows with the fewest empty cells first, so that an empty one does not take the place of another.
        unpaired.sort_by_key(|row| row.values().filter(|value| is_empty(value)).count());
        for row in unpaired {
            let mut open = pairs
                .iter()
                .zip(whole)
                .enumerate()
                .filter(|(_, (pair, _))| pair.is_none());
            let place = open
                .find(|(_, (_, base))| is_part_of(row, base))
                .map(|(place, _)| place);
            match place {
                Some(place) => pairs[place] = Some(row),
                None => difference.invented.push(row.clone()),
            }
        }
        for (place, (base, pair)) in whole.iter().zip(pairs).enumerate() {
            match pair {
                Some(row) => difference.compare(base, row, key),
                // Rows beyond the limit are not expected, but may come.
                None if place >= limit => {}
                None => difference.missing.push(base[key].to_string()),
            }
        }
        difference
    }

    fn compare(&mut self, base: &Row, row: &Row, key: &str) {
        let mut emptied = Vec::new();
        for (column, value) in base {
            let found = row.get(column).unwrap_or(&Value::Null);
            if equal(value, found) || (is_empty(value) && is_empty(found)) {
                continue;
            }
            if is_empty(found) || COMPOSITE.contains(&column.as_str()) {
                emptied.push(column.clone());
            } else {
                self.altered
                    .push(format!("{column} of {}: {found} for {value}", base[key]));
            }
        }
        if !emptied.is_empty() {
            self.emptied.push(emptied);
        }
    }
}

/// The sum of `n` over a list of the verdict, of the entries that a function accepts.
fn sum(verdict: &Value, list: &str, accepts: impl Fn(&str) -> bool) -> u64 {
    let entries = verdict[list].as_array().map_or(&[][..], Vec::as_slice).iter();
    let entries = entries.filter(|entry| accepts(entry["what"].as_str().unwrap_or_default()));
    entries.map(|entry| entry["n"].as_u64().unwrap_or(0)).sum()
}

fn few(items: &[String]) -> String {
    let shown = items.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = if items.len() > 3 { ", …" } else { "" };
    format!("{} ({shown}{more})", items.len())
}

/// What is wrong with a run: one sentence each, none if the run follows the rule.
pub fn judge(whole: &Outcome, found: &Outcome, case: &Case, allowed: &Allowance) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |text: String| wrong.push(text);
    if found.hung {
        return vec!["it hung".to_owned()];
    }
    if found.stderr.contains("panicked") {
        say("it panicked".to_owned());
    }
    if let Some(secret) = leaked(found) {
        say(format!("a credential is printed: {secret}"));
    }
    let rows = match (&whole.rows, &found.rows) {
        (Ok(whole), Ok(found)) => (whole, found),
        (_, rows) => {
            say(format!("stdout is not JSON lines: {rows:?}"));
            return wrong;
        }
    };
    let mut difference = Difference::of(rows.0, rows.1, case);
    if allowed.rekeyed && difference.invented.len() <= 1 && difference.missing.len() <= 1 {
        difference.invented.clear();
        difference.missing.clear();
    }
    if let Some(column) = allowed.undated {
        difference.invented.retain(|row| !row.get(column).is_none_or(is_empty));
    }
    let invented = difference
        .invented
        .iter()
        .map(|row| Value::from(row.clone()).to_string());
    for (what, items) in [("doubled", &difference.doubled), ("invented", &invented.collect())] {
        if !items.is_empty() {
            say(format!("rows are {what}: {}", few(items)));
        }
    }
    let names_channel = |line: &str| {
        line.starts_with("error: ") && case.arguments.last().is_some_and(|name| line.contains(name))
            || line.contains("`users`")
    };
    let is_about_channel = found.code == 6 && rows.1.is_empty() && found.stderr.lines().any(names_channel);
    if allowed.exits.contains(&found.code) || (allowed.channel && is_about_channel) {
        return wrong;
    }
    if !difference.altered.is_empty() && !allowed.altered {
        say(format!("cells have other values: {}", few(&difference.altered)));
    }
    if difference.out_of_order && !allowed.order {
        say("the rows are in another order".to_owned());
    }
    let complete = &found.verdict["complete"];
    if complete.as_bool() != Some(found.code == 0) {
        say(format!("the verdict says complete: {complete}"));
    }
    match found.code {
        0 | 3 => wrong.extend(counted((whole, found), &difference, case, allowed)),
        code => {
            let rows = (rows.1.len(), rows.0.len());
            wrong.push(format!("it ended with exit code {code} and {} of {} rows", rows.0, rows.1));
        }
    }
    wrong
}

/// What is missing or empty without being named, and exit 3 for nothing.
fn counted(
    (whole, found): (&Outcome, &Outcome),
    difference: &Difference,
    case: &Case,
    allowed: &Allowance,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let gone = |outcome: &Outcome| sum(&outcome.verdict, "missing", |_| true);
    // With a limit, the undisturbed run has more rows.
    let usual = if case.limit().is_some() { 0 } else { gone(whole) };
    let gone = gone(found).saturating_sub(usual);
    let unreadable_rows = sum(&found.verdict, "unreadable", |what| what == "rows");
    let unreadable_cells = sum(&found.verdict, "unreadable", |what| what != "rows");
    let missing = difference.missing.len() as u64;
    let is_uncounted =
        |columns: &&Vec<String>| !columns.iter().all(|column| allowed.nullable.contains(&column.as_str()));
    let emptied: Vec<&Vec<String>> = difference.emptied.iter().filter(is_uncounted).collect();
    let columns = || {
        let mut columns: Vec<String> = emptied.iter().copied().flatten().cloned().collect();
        columns.sort();
        columns.dedup();
        columns.join(", ")
    };
    let has_gaps = found.verdict["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty());
    if found.code == 0 {
        if missing > 0 && !allowed.short {
            wrong.push(format!("exit 0 with rows missing: {}", few(&difference.missing)));
        }
        if emptied.len() as u64 > gone && !allowed.emptied {
            wrong.push(format!(
                "exit 0 with {} rows that lack {}, of which {gone} are counted",
                emptied.len(),
                columns()
            ));
        }
        return wrong;
    }
    if missing > unreadable_rows && !has_gaps {
        wrong.push(format!(
            "rows are missing without a gap: {}, of which {unreadable_rows} are counted as unreadable",
            few(&difference.missing)
        ));
    }
    let named = gone + unreadable_cells + unreadable_rows;
    let is_named = named > 0 && allowed.fewer;
    if emptied.len() as u64 > named && !is_named && !allowed.emptied {
        wrong.push(format!("{} rows lack {}, of which {named} are counted", emptied.len(), columns()));
    }
    let is_whole = missing == 0 && difference.emptied.is_empty() && difference.altered.is_empty();
    if is_whole && unreadable_rows + unreadable_cells == 0 && !allowed.three {
        wrong.push(format!("exit 3 with every row and cell: {}", found.verdict["gaps"]));
    }
    wrong
}

/// A credential of the sandbox in the output, in one of the encodings in which services repeat them.
pub fn leaked(outcome: &Outcome) -> Option<&'static str> {
    let texts = [outcome.stderr.clone(), outcome.verdict.to_string()];
    let encoded: String = itch_sandbox::TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect();
    // base64 of the token without its end, which depends on what follows.
    let base64 = "c2FuZGJveDB0b2tlbjBvZjBidXJrZWJsYWNr";
    let has = |secret: &str| texts.iter().any(|text| text.contains(secret));
    if has(itch_sandbox::TOKEN) {
        Some("the token")
    } else if has(&encoded) || has(&encoded.to_lowercase()) {
        Some("the token, percent-encoded")
    } else {
        has(base64).then_some("the token in base64")
    }
}
