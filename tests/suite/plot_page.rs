//! The page of `itch plot --renderer html` in a real browser: it loads no other file, draws, zooms, hides parts, and
//! shows rows.

use std::path::Path;
use std::process::Command;

use itch_tests::Folder;

use crate::plot::folder;

/// A headless browser; `tests/run` installs one.
fn browser() -> &'static str {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    });
    found.expect("the page cannot be tested: install chromium")
}

/// Opens a page, runs a script in it, and returns the resulting document.
fn open(folder: &Folder, page: &str, script: &str) -> String {
    let text = folder.read(page);
    // The page's policy allows only its own scripts, so the script is inserted into the page. Frames use the browser's
    // virtual clock: on a busy machine the document would be dumped before a real frame.
    let script = format!(
        "<script>window.requestAnimationFrame = frame => setTimeout(frame, 16);
        window.addEventListener('load', () => {{ {script} }});</script></body>"
    );
    folder.write("driven.html", &text.replace("</body>", &script));
    let output = Command::new(browser())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1000,600",
        ])
        .arg("--virtual-time-budget=3000")
        .arg(format!("--user-data-dir={}", folder.path("browser").display()))
        .arg(format!("--screenshot={}", folder.path("page.png").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", folder.path("driven.html").display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The value of an attribute of the body.
fn body<'a>(document: &'a str, name: &str) -> &'a str {
    let start = document
        .find(&format!("data-{name}=\""))
        .unwrap_or_else(|| panic!("no {name} in {document:.2000}"));
    let rest = &document[start + name.len() + 7..];
    rest.split('"').next().unwrap()
}

fn is_picture(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000)
}

#[test]
fn the_page_is_complete_in_itself() {
    let folder = folder();
    folder
        .itch(&[
            "plot",
            "-s",
            "-D",
            "-T",
            "</script><b>x",
            "-S",
            "streams.csv",
            "followers.csv",
            "page.html",
        ])
        .prints("");
    let page = folder.read("page.html");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="));
    assert_eq!(page.matches("</script>").count(), 2);
    let document = open(&folder, "page.html", "");
    assert_eq!(body(&document, "ready"), "true");
    assert_eq!(body(&document, "points"), "10");
    assert_eq!(document.matches("aria-pressed=\"true\"").count(), 3);
    assert!(document.contains("&lt;/script&gt;&lt;b&gt;x</h1>"), "{document:.2000}");
    assert!(is_picture(&folder.path("page.png")));
}

#[test]
fn it_zooms_hides_and_tells() {
    let folder = folder();
    folder
        .itch(&["plot", "-s", "-S", "streams.csv", "followers.csv", "page.html"])
        .prints("");
    let zoom = "const c = document.getElementById('chart'); const b = c.getBoundingClientRect();
        c.dispatchEvent(new WheelEvent('wheel', { deltaY: -400, clientX: b.left + b.width / 2, clientY: b.top + 100, shiftKey: true, cancelable: true }));
        document.querySelector('[data-layer=line]').click();";
    let document = open(&folder, "page.html", zoom);
    let view: Vec<f64> = body(&document, "view")
        .split(' ')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(view[0] > 0.1 && view[1] < 0.9, "{view:?}");
    assert_eq!(view[2..], [0.0, 1.0]);
    assert_eq!(document.matches("aria-pressed=\"false\"").count(), 1);
    // Moves the pointer until a row is shown.
    let search = "const c = document.getElementById('chart'); const b = c.getBoundingClientRect();
        const h = document.getElementById('hover');
        for (let x = 0; x < b.width && !h.textContent; x += 5) for (let y = 0; y < b.height && !h.textContent; y += 5)
          c.dispatchEvent(new PointerEvent('pointermove', { clientX: b.left + x, clientY: b.top + y }));";
    let document = open(&folder, "page.html", search);
    let told = document
        .split("id=\"hover\"")
        .nth(1)
        .unwrap()
        .split("</div>")
        .next()
        .unwrap();
    assert!(
        told.contains("ann") && told.contains("2016-07-25 00:00:00") && told.contains("2014-07-01"),
        "{told}"
    );
}

#[test]
fn many_rows_are_counted_anew_at_every_zoom() {
    let folder = Folder::new();
    let text: String = (0..60_000u64)
        .map(|row| {
            format!(
                "a\tb\t{}\t{}\t0\t0\n",
                1_400_000_000 + row * 7919 % 60_000_000,
                1_469_000_000 + row * 104_729 % 1_000_003
            )
        })
        .collect();
    folder.write("many.tsv", &text);
    folder.itch(&["plot", "-s", "-D", "many.tsv", "page.html"]).prints("");
    assert!(folder.path("page.html").metadata().unwrap().len() < 60_000 * 40);
    let document = open(&folder, "page.html", "");
    assert_eq!(body(&document, "points"), "60000");
    assert!(is_picture(&folder.path("page.png")));
}

/// Draws rows of name, x and y, and opens the page.
fn page_of(rows: &str, options: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.write("rows.tsv", &format!("name\tx\ty\n{rows}"));
    let before = ["plot", "-s", "-x", "x", "-y", "y", "rows.tsv", "page.html"];
    folder.itch(&[&before, options].concat()).prints("");
    folder
}

/// Helpers for the scripts: the canvas, events on it, and every row that is shown at the pointer.
const HANDS: &str = "
    const canvas = document.getElementById('chart'), box = canvas.getBoundingClientRect();
    const hover = document.getElementById('hover'), body = document.body.dataset;
    const event = (kind, name, x, y, more) => canvas.dispatchEvent(
      new kind(name, { clientX: box.left + x, clientY: box.top + y, cancelable: true, ...more }));
    const wheel = (x, y, delta, more) => {
      event(WheelEvent, 'wheel', x, y, { deltaY: delta, ...more });
      window.dispatchEvent(new Event('resize'));
    };
    const area = () => body.area.split(' ').map(Number);
    const told = () => {
      const rows = new Set(), [left, top, width, height] = area();
      for (let x = left - 1; x <= left + width + 8; x += 8) for (let y = top - 1; y <= top + height + 8; y += 8) {
        event(PointerEvent, 'pointermove', Math.min(x, left + width), y);
        if (hover.textContent) rows.add(hover.textContent.replaceAll('\\n', ', '));
      }
      return [...rows].sort().join('; ');
    };";

#[test]
fn the_pointer_tells_exact_values_on_any_axis() {
    for (rows, options, expected) in [
        (
            "a\t5\t1000000000000\nb\t7\t3\nd\t500000000001\t55\n",
            &[][..],
            "a, x: 5, y: 1,000,000,000,000; b, x: 7, y: 3; d, x: 500,000,000,001, y: 55",
        ),
        (
            "a\t1700-01-01\t0.1\nb\t9000-06-07 12:34:56\t0.30000000000000004\n",
            &[],
            "a, x (UTC): 1700-01-01 00:00:00, y: 0.1; b, x (UTC): 9000-06-07 12:34:56, y: 0.30000000000000004",
        ),
        (
            "a\t2016-11-06T05:30:00Z\t1e250\nb\t2016-11-06T06:30:00.25Z\t2e-3\n",
            &["--tz", "America/New_York", "--log", "y"],
            "a, x (America/New_York): 2016-11-06 01:30:00, y: 1e250; \
             b, x (America/New_York): 2016-11-06 01:30:00.25, y: 0.002",
        ),
    ] {
        let folder = page_of(rows, options);
        let document = open(&folder, "page.html", &format!("{HANDS} body.told = told();"));
        assert_eq!(body(&document, "told"), expected);
    }
}

#[test]
fn ticks_are_those_of_the_pictures() {
    for (rows, options, x, y) in [
        (
            "a\t2016-01-01T00:00:00.5Z\t1e250\nb\t2016-01-01T00:00:01.75Z\t2e-3\n",
            &["--log", "y"][..],
            "00:00:00.6 2016-01-01 | 00:00:00.8 | 00:00:01.0 | 00:00:01.2 | 00:00:01.4 | 00:00:01.6",
            "1 | 1e50 | 1e100 | 1e150 | 1e200 | 1e250",
        ),
        // The night in which the clock was set back.
        (
            "a\t2016-11-05T12:00:00Z\t-2\nb\t2016-11-07T12:00:00Z\t2500000\n",
            &["--tz", "America/New_York"],
            "12:00 2016-11-05 | 18:00 | 00:00 2016-11-06 | 06:00 | 12:00 | 18:00 | 00:00 2016-11-07 | 06:00",
            "0 | 500,000 | 1,000,000 | 1,500,000 | 2,000,000 | 2,500,000",
        ),
        (
            "a\t-1e300\t1e-9\nb\t1e300\t1.1e-9\n",
            &[],
            "-1e300 | -8e299 | -6e299 | -4e299 | -2e299 | 0 | 2e299 | 4e299 | 6e299 | 8e299 | 1e300",
            "1e-9 | 1.02e-9 | 1.04e-9 | 1.06e-9 | 1.08e-9 | 1.1e-9",
        ),
    ] {
        let folder = page_of(rows, options);
        let document = open(&folder, "page.html", "");
        assert_eq!((body(&document, "x"), body(&document, "y")), (x, y));
    }
}

#[test]
fn neighbours_come_apart_at_the_nearest_zoom() {
    let rows = "a\t5\t1000000000000\nb\t7\t3\nd\t500000000001\t55\n";
    let folder = page_of(rows, &["-m", "5"]);
    // At the left side of the area, where the first row is.
    let script = format!(
        "{HANDS}
        for (let turn = 0; turn < 100; turn++) {{
          const [low, high] = body.view.split(' ').map(Number);
          if ((high - low) * 5e11 < 8) break;
          wheel(area()[0], 100, -300, {{ shiftKey: true }});
        }}
        const [left, , width] = area();
        body.first = body.x;
        body.told = told();
        // Zooms in and out beyond the limits.
        for (let turn = 0; turn < 200; turn++) wheel(left, 100, -300);
        body.near = body.view;
        for (let turn = 0; turn < 200; turn++) wheel(left + width / 2, 200, 300);"
    );
    let document = open(&folder, "page.html", &script);
    assert!(body(&document, "first").starts_with("5 | 6 | 7 | "));
    assert_eq!(body(&document, "told"), "a, x: 5, y: 1,000,000,000,000; b, x: 7, y: 3");
    let length = |name: &str| {
        let view: Vec<f64> = body(&document, name)
            .split(' ')
            .map(|part| part.parse().unwrap())
            .collect();
        view[1] - view[0]
    };
    assert!(length("near") > 0.0 && length("near") < 1e-12);
    assert!((length("view") - 10.0).abs() < 1e-6, "{}", length("view"));
}

#[test]
fn a_drag_moves_what_is_seen() {
    let folder = page_of("a\t0\t0\nb\t100\t100\n", &[]);
    let script = format!(
        "{HANDS}
        const [left, top, width, height] = area(), x = left + width / 2, y = top + height / 2;
        event(PointerEvent, 'pointerdown', x, y, {{ pointerId: 1 }});
        event(PointerEvent, 'pointermove', x + width / 4, y + height / 2, {{ pointerId: 1 }});
        event(PointerEvent, 'pointerup', x + width / 4, y + height / 2, {{ pointerId: 1 }});
        event(PointerEvent, 'pointermove', x, y);
        window.dispatchEvent(new Event('resize'));
        body.moved = body.view;
        document.getElementById('reset').click();"
    );
    let document = open(&folder, "page.html", &script);
    let moved: Vec<f64> = body(&document, "moved")
        .split(' ')
        .map(|part| part.parse().unwrap())
        .collect();
    for (found, expected) in moved.iter().zip([-0.25, 0.75, 0.5, 1.5]) {
        assert!((found - expected).abs() < 1e-9, "{moved:?}");
    }
    assert_eq!(body(&document, "view"), "0 1 0 1");
}
