//! The page of `itch plot --renderer html` in a real browser: it loads nothing, draws, zooms, hides parts, and tells rows.

use std::path::Path;
use std::process::Command;

use itch_tests::Folder;

use crate::plot::folder;

/// A browser that runs without a screen; `tests/run` installs one.
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

/// Opens a page, lets a script work on it, and gives what the document is then.
fn open(folder: &Folder, page: &str, script: &str) -> String {
    let text = folder.read(page);
    // The page forbids every other script, so that this one has to stand in it.
    let script =
        format!("<script>window.addEventListener('load', () => {{ {script} }});</script></body>");
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
        .arg(format!(
            "--user-data-dir={}",
            folder.path("browser").display()
        ))
        .arg(format!(
            "--screenshot={}",
            folder.path("page.png").display()
        ))
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
    assert!(
        document.contains("&lt;/script&gt;&lt;b&gt;x</h1>"),
        "{document:.2000}"
    );
    assert!(is_picture(&folder.path("page.png")));
}

#[test]
fn it_zooms_hides_and_tells() {
    let folder = folder();
    folder
        .itch(&[
            "plot",
            "-s",
            "-S",
            "streams.csv",
            "followers.csv",
            "page.html",
        ])
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
    // Points at every place until one tells a row.
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
    folder
        .itch(&["plot", "-s", "-D", "many.tsv", "page.html"])
        .prints("");
    assert!(folder.path("page.html").metadata().unwrap().len() < 60_000 * 40);
    let document = open(&folder, "page.html", "");
    assert_eq!(body(&document, "points"), "60000");
    assert!(is_picture(&folder.path("page.png")));
}
