//! `itch plot` on terminals: characters, pictures with three protocols, queries to the terminal, small and slow
//! terminals.

use std::time::Duration;

use itch_tests::Folder;

use crate::terminal::Device;

/// The end of the query to a terminal.
const QUESTION: &str = "\u{1b}[c";

fn answering(answer: &'static str) -> Device {
    Device {
        answer,
        ..Device::default()
    }
}

#[test]
fn a_chart_is_drawn_where_no_file_is_named() {
    let folder = crate::plot::folder();
    let arguments = ["plot", "-D", "-S", "streams.csv", "-T", "BurkeBlack", "followers.csv"];
    let screen = Device::default().run(&folder, &arguments);
    assert_eq!(screen.code, 0, "{}", screen.all());
    let title = screen.lines.iter().find(|line| line.contains("BurkeBlack"));
    assert!(title.is_some_and(|title| title.trim() == "BurkeBlack"), "{}", screen.all());
    let page = screen.lines.join("\n");
    for part in [
        "running count",
        "streams",
        "created",
        "Jul 26",
        "followed (UTC)",
        "100%",
    ] {
        assert!(page.contains(part), "{part}: {}", screen.all());
    }
    let braille = page.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c));
    assert!(braille.count() > 50, "{}", screen.all());
    assert!(screen.bytes.contains("\u{1b}[38;2;"));

    // Without colours, the terminal is not queried either.
    let plain = Device::default().run(&folder, &[&["--color", "never"], &arguments[..]].concat());
    assert!(!plain.bytes.contains('\u{1b}'), "{:?}", plain.bytes);
    assert!(plain.lines.iter().any(|line| line.contains("BurkeBlack")));
}

#[test]
fn a_terminal_that_shows_pictures_gets_one() {
    let folder = crate::plot::folder();
    for (answer, picture) in [
        ("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;c", "\u{1b}_G"),
        ("\u{1b}[?62;4;22c", "\u{1b}P"),
        ("\u{1b}P>|iTerm2 3.5\u{1b}\\\u{1b}[?62;4c", "\u{1b}]1337;File="),
    ] {
        let arguments = ["plot", "followers.csv"];
        let screen = answering(answer).run(&folder, &arguments);
        assert_eq!(screen.code, 0, "{}", screen.all());
        // The query contains the kitty protocol's sequence too.
        let drawn = screen.bytes.rsplit("\u{1b}[c").next().unwrap();
        assert!(drawn.contains(picture), "{answer:?}: {:.300?}", drawn);
    }
}

#[test]
fn pictures_that_were_asked_for_need_no_question() {
    let folder = crate::plot::folder();
    let draw = |graphics: &str, more: &[&str]| {
        let arguments = ["plot", "followers.csv", "--graphics", graphics];
        let screen = Device::default().run(&folder, &[&arguments, more].concat());
        assert_eq!(screen.code, 0, "{}", screen.all());
        assert!(!screen.bytes.contains(QUESTION));
        screen.bytes
    };
    // The picture has the size of the terminal without the line of the prompt. It is a PNG in chunks, all of which but
    // the last one say that more follow.
    let kitty = draw("kitty", &[]);
    assert!(kitty.starts_with("\u{1b}_Ga=T,f=100,q=2,c=100,r=199,m=1;iVBORw0KGgo"));
    let parts: Vec<&str> = kitty.split_terminator("\u{1b}\\").collect();
    assert!(parts.iter().all(|part| part.len() < 4096 + 64));
    assert!(parts[parts.len() - 2].contains("m=0;") && parts[1].starts_with("\u{1b}_Gm=1;"));
    let small = draw("kitty", &["--size", "30x10"]);
    assert!(small.starts_with("\u{1b}_Ga=T,f=100,q=2,c=30,r=10,m="));
    let sixel = draw("sixel", &["--size", "30x10"]);
    assert!(sixel.starts_with("\u{1b}P0;1q\"1;1;300;200#0;2;0;0;0"));
    assert!(sixel.trim_end().ends_with("-\u{1b}\\"));
    let iterm = draw("iterm", &["--size", "30x10"]);
    let start = "\u{1b}]1337;File=inline=1;size=";
    assert!(iterm.starts_with(start) && iterm.trim_end().ends_with('\u{7}'));
    assert!(iterm.contains(";width=30;height=10;preserveAspectRatio=0:iVBORw0KGgo"));
    let braille = draw("braille", &[]);
    assert!(braille.contains("\u{1b}[38;2;") && braille.contains("running count"));
}

#[test]
fn terminals_without_colours_get_plain_characters_and_no_question() {
    let picture = "\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;4c";
    let arguments = ["plot", "followers.csv"];
    let refused = crate::plot::folder().variable("NO_COLOR", "1");
    let dumb = Device {
        name: "dumb",
        ..answering(picture)
    };
    for screen in [
        answering(picture).run(&refused, &arguments),
        dumb.run(&crate::plot::folder(), &arguments),
    ] {
        assert_eq!(screen.code, 0, "{}", screen.all());
        assert!(!screen.bytes.contains('\u{1b}'), "{:?}", screen.bytes);
        assert!(screen.bytes.contains("running count"), "{}", screen.all());
    }
    let error = dumb.run(&Folder::new(), &["plot", "missing.csv"]);
    assert_eq!(error.code, 1, "{}", error.all());
    assert!(!error.bytes.contains('\u{1b}'), "{:?}", error.bytes);
}

#[test]
fn nothing_is_asked_before_there_is_something_to_draw() {
    let folder = crate::plot::folder();
    for (arguments, message) in [
        (&["plot"][..], "no file with rows was given"),
        (&["plot", "missing.csv"], "missing.csv"),
        (&["plot", "-x", "height", "followers.csv"], "height"),
    ] {
        let screen = answering("\u{1b}[?62c").run(&folder, arguments);
        assert_ne!(screen.code, 0, "{}", screen.all());
        assert!(!screen.bytes.contains(QUESTION), "{:?}", screen.bytes);
        assert!(screen.bytes.contains(message), "{}", screen.all());
    }
}

/// The labels of the axes that are numbers or start with one.
fn numbers(lines: &[String]) -> Vec<String> {
    let words = lines.iter().flat_map(|line| line.split(['│', '┤', '├', ' ']));
    let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    words.filter(is_number).map(str::to_owned).collect()
}

/// A chart with a title, drawn with characters.
fn in_braille(title: &str) -> [&str; 6] {
    ["plot", "-T", title, "--graphics", "braille", "followers.csv"]
}

#[test]
fn charts_fit_in_terminals_of_every_size() {
    let folder = crate::plot::folder();
    let title = "followers of each day";
    for (columns, rows) in [(20, 24), (80, 24), (200, 60), (10, 5), (3, 2), (1, 1)] {
        let device = Device {
            rows,
            columns,
            ..Device::default()
        };
        let screen = device.run(&folder, &in_braille(title));
        assert_eq!(screen.code, 0, "{}", screen.all());
        let printed = screen.bytes.lines().count();
        let most = usize::from(rows).saturating_sub(1).max(1);
        assert!(printed <= most, "{columns}x{rows}: {}", screen.all());
        // Years, months, days, times of day, and counts up to ten: labels are never cut.
        for number in numbers(&screen.lines) {
            let parts: Vec<usize> = number.split(['-', ':']).map(str::len).collect();
            let is_whole = match parts[..] {
                [4] => number.starts_with("201"),
                [small] => small < 3 && number != "20",
                _ => matches!(parts[..], [4, 2] | [4, 2, 2] | [2, 2]),
            };
            assert!(is_whole, "{columns}x{rows}: {number}: {}", screen.all());
        }
        if columns >= 80 {
            let page = screen.lines.join("\n");
            for part in [title, "2016", "10", "followed (UTC)", "running count"] {
                assert!(page.contains(part), "{part}: {}", screen.all());
            }
        }
    }
}

#[test]
fn marks_stay_with_their_letters() {
    let folder = crate::plot::folder();
    let title = "हिन्दी é́ ❤\u{fe0f}";
    let screen = Device::default().run(&folder, &in_braille(title));
    assert!(screen.bytes.contains("हिन्दी é́ ❤"), "{}", screen.all());
    let mischief = format!("Z{}!", "\u{300}".repeat(100));
    let arguments = ["plot", "-T", &mischief, "--graphics", "braille", "followers.csv"];
    let screen = Device::default().run(&folder, &arguments);
    assert_eq!(screen.bytes.matches('\u{300}').count(), 8);
}

#[cfg(unix)]
#[test]
fn a_slow_terminal_is_waited_for_and_leaves_nothing_to_the_shell() {
    // The rest of its answer would be read by the shell as typed text.
    let script = "\"$0\" plot followers.csv >/dev/tty; stty -icanon -echo min 0 time 2; echo \"left: [$(cat)]\"";
    let device = Device {
        delay: Duration::from_millis(500),
        ..answering("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}P>|far(1)\u{1b}\\\u{1b}[?62;c")
    };
    let screen = device.script(&crate::plot::folder(), script);
    assert!(screen.bytes.contains("\u{1b}_Ga=T,"), "{:.300?}", screen.bytes);
    assert!(screen.bytes.contains("left: []"), "{}", screen.all());
}

#[cfg(unix)]
#[test]
fn an_interrupt_while_it_asks_leaves_the_terminal_as_it_was() {
    let script = "trap : INT; \"$0\" plot followers.csv; echo \"left: $?\"; stty -a";
    let screen = answering("\u{3}").script(&crate::plot::folder(), script);
    assert!(screen.bytes.contains("left: 130"), "{}", screen.all());
    for mode in [" echo ", " icanon ", "isig "] {
        assert!(screen.bytes.contains(mode), "{mode}: {}", screen.all());
    }
}
