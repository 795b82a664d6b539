//! Progress on stderr, for work that lasts longer than half a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use itch_api::Fact;
use itch_api::sync::{ignore_poison, lock};
use itch_client::{Client, WaitReason};

use crate::printer::Printer;
use crate::sink::Sink;

/// Nothing is shown for shorter work.
const DELAY: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(200);

/// Shows progress until it is dropped.
pub(crate) struct Progress {
    stop: Arc<(AtomicBool, Mutex<()>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts showing, if progress is wanted.
    pub(crate) fn start(
        report: &str,
        sink: Arc<Sink>,
        client: Client,
        limit: Option<u64>,
        printer: &Printer,
    ) -> Progress {
        let stop = Arc::new((AtomicBool::new(false), Mutex::new(()), Condvar::new()));
        let thread = printer.progress.then(|| {
            let (stop, printer, report) = (Arc::clone(&stop), printer.clone(), report.to_owned());
            std::thread::spawn(move || show(&report, &stop, &sink, &client, limit, &printer))
        });
        Progress { stop, thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        self.stop.2.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(
    report: &str,
    stop: &(AtomicBool, Mutex<()>, Condvar),
    sink: &Sink,
    client: &Client,
    limit: Option<u64>,
    printer: &Printer,
) {
    let start = Instant::now();
    let mut bar = None;
    let mut pause = DELAY;
    loop {
        let guard = lock(&stop.1);
        drop(ignore_poison(stop.2.wait_timeout(guard, pause)));
        if stop.0.load(Ordering::Relaxed) {
            break;
        }
        pause = INTERVAL;
        let bar = bar.get_or_insert_with(|| {
            let style =
                ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            printer.bars().add(ProgressBar::new_spinner().with_style(style))
        });
        bar.set_message(message(report, sink, client, limit, start.elapsed()));
        bar.tick();
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn message(report: &str, sink: &Sink, client: &Client, limit: Option<u64>, elapsed: Duration) -> String {
    let counters = client.counters();
    let rows = sink.rows();
    let expected = client.facts().into_iter().filter_map(|fact| match fact {
        Fact::Expected { n, .. } => Some(n),
        _ => None,
    });
    let expected = expected.chain(limit).min();
    let mut parts = vec![match expected {
        Some(expected) => format!("{report}: {rows} of {expected} rows"),
        None => format!("{report}: {rows} rows"),
    }];
    if let Some((done, total)) = sink.reported() {
        parts.push(total.map_or_else(|| format!("{done} done"), |total| format!("{done} of {total} done")));
    }
    let rate = rows as f64 / elapsed.as_secs_f64().max(0.001);
    if rows > 0 {
        parts.push(format!("{rate:.0} rows/s"));
        if let Some(left) = expected.and_then(|expected| expected.checked_sub(rows)) {
            parts.push(format!("{:.0} s left", left as f64 / rate));
        }
    }
    parts.push(format!("{} requests", counters.requests));
    if counters.cache_hits > 0 {
        parts.push(format!("{} from cache", counters.cache_hits));
    }
    if let Some(wait) = client.waiting() {
        let left = wait.until.duration_since(SystemTime::now()).unwrap_or_default();
        let what = match wait.reason {
            WaitReason::Retry => "before another try",
            _ => "for the rate limit",
        };
        parts.push(format!("waiting {:.0} s {what}", left.as_secs_f64().ceil()));
    }
    parts.join(", ")
}
