//! What the terminal is that a chart is drawn on: its size, and whether it shows pictures, which it is asked.

use itch_plugin::{Colors, Graphics, Target, Terminal};

/// A terminal of which nothing is known.
const USUAL: (u32, u32) = (80, 24);
/// The pixels of a character where the terminal does not say.
const CHARACTER: (u32, u32) = (10, 20);

/// The target on a terminal.
pub(super) fn target(
    graphics: &str,
    size: Option<(u32, u32)>,
    dpi: Option<f64>,
    colors: Colors,
    on_terminal: bool,
) -> Target {
    let found = terminal_size::terminal_size().filter(|_| on_terminal);
    let (columns, rows) = size.unwrap_or_else(|| {
        found.map_or(USUAL, |(width, height)| {
            // The prompt comes below the picture.
            (
                u32::from(width.0),
                u32::from(height.0).saturating_sub(1).max(6),
            )
        })
    });
    let graphics = match graphics {
        "kitty" => Graphics::Kitty,
        "sixel" => Graphics::Sixel,
        "iterm" => Graphics::Iterm,
        // Who wants no colours wants no picture either.
        "auto" if on_terminal && colors != Colors::None => ask::graphics(),
        _ => Graphics::Braille,
    };
    let terminal = Some(Terminal {
        graphics,
        colors,
        columns,
        rows,
    });
    if graphics == Graphics::Braille {
        return Target {
            width: columns * 2,
            height: rows * 4,
            dpi: 72.0,
            text: 4.0,
            line: 1.0,
            terminal,
        };
    }
    let (across, down) = ask::character()
        .filter(|_| on_terminal)
        .unwrap_or(CHARACTER);
    // Text as large as the terminal's own.
    let dpi = dpi.unwrap_or(f64::from(down) * 4.8);
    Target {
        width: (columns * across).min(8_000),
        height: (rows * down).min(8_000),
        dpi,
        text: (dpi * 10.0 / 72.0).round(),
        line: (dpi / 72.0).max(1.0),
        terminal,
    }
}

#[cfg(unix)]
mod ask {
    //! Questions to a terminal, and its answers.

    use std::fs::File;
    use std::io::{Read, Write};
    use std::time::{Duration, Instant};

    use itch_plugin::Graphics;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcgetwinsize, tcsetattr,
    };

    /// A terminal that has not answered by now never will.
    const PATIENCE: Duration = Duration::from_millis(300);

    /// Asks for a picture in the way of kitty, for the terminal's name, and for its attributes, which every terminal
    /// answers and which therefore end the answers.
    const QUESTION: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c";

    /// Which pictures it shows.
    pub(super) fn graphics() -> Graphics {
        read(&answers().unwrap_or_default())
    }

    fn read(answers: &str) -> Graphics {
        if answers.contains("_Gi=31;OK") {
            return Graphics::Kitty;
        }
        if answers.contains("iTerm2") {
            return Graphics::Iterm;
        }
        // Attribute 4: sixels.
        let attributes = answers.rsplit("\x1b[?").next().unwrap_or_default();
        let attributes = attributes.trim_end_matches('c').split(';').skip(1);
        if answers.ends_with('c') && attributes.into_iter().any(|attribute| attribute == "4") {
            return Graphics::Sixel;
        }
        Graphics::Braille
    }

    fn answers() -> Option<String> {
        let mut terminal = File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut quiet = before.clone();
        // Answers are not to be seen, come without a line end, and may never come.
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 0;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).ok()?;
        let mut answers = Vec::new();
        if terminal.write_all(QUESTION.as_bytes()).is_ok() {
            let start = Instant::now();
            let mut buffer = [0; 256];
            while start.elapsed() < PATIENCE && answers.len() < 4096 {
                match terminal.read(&mut buffer) {
                    Ok(count) => answers.extend_from_slice(&buffer[..count]),
                    Err(_) => break,
                }
                let text = String::from_utf8_lossy(&answers);
                if text
                    .rfind("\x1b[?")
                    .is_some_and(|at| text[at..].ends_with('c'))
                {
                    break;
                }
            }
        }
        tcsetattr(&terminal, OptionalActions::Now, &before).ok()?;
        String::from_utf8(answers).ok()
    }

    /// The pixels of a character.
    pub(super) fn character() -> Option<(u32, u32)> {
        let size = tcgetwinsize(std::io::stdout()).ok()?;
        let side = |pixels: u16, count: u16| {
            u32::from(pixels)
                .checked_div(u32::from(count))
                .filter(|side| *side > 3)
        };
        Some((
            side(size.ws_xpixel, size.ws_col)?,
            side(size.ws_ypixel, size.ws_row)?,
        ))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_terminal_says_what_it_shows() {
            for (answers, graphics) in [
                (
                    "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.36)\x1b\\\x1b[?62;c",
                    Graphics::Kitty,
                ),
                ("\x1bP>|iTerm2 3.5\x1b\\\x1b[?62;4c", Graphics::Iterm),
                ("\x1bP>|foot(1.16)\x1b\\\x1b[?62;4;22c", Graphics::Sixel),
                ("\x1b[?62;22;42c", Graphics::Braille),
                ("\x1b[?1;2c", Graphics::Braille),
                ("", Graphics::Braille),
            ] {
                assert_eq!(read(answers), graphics, "{answers:?}");
            }
        }
    }
}

#[cfg(not(unix))]
mod ask {
    //! Nothing is asked where there is no terminal device to ask.

    use itch_plugin::Graphics;

    pub(super) fn graphics() -> Graphics {
        Graphics::Braille
    }

    pub(super) fn character() -> Option<(u32, u32)> {
        None
    }
}
