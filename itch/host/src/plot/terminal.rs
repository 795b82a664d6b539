//! The size of the terminal that a chart is drawn on, and whether it can show pictures.

use itch_plugin::{Colors, Graphics, Target, Terminal};

use crate::options::plot::{GraphicsChoice, LookOptions};
use crate::printer::is_dumb;

/// The size of a terminal if it is not known.
const USUAL: (u32, u32) = (80, 24);
/// The size of a character in pixels if the terminal does not report it.
const CHARACTER: (u32, u32) = (10, 20);

/// The target on a terminal, without asking the terminal. Unless `graphics` names a kind of picture, it is characters.
pub(super) fn target(
    graphics: Option<Graphics>,
    size: Option<(u32, u32)>,
    dpi: Option<f64>,
    colors: Colors,
    on_terminal: bool,
) -> Target {
    let found = terminal_size::terminal_size().filter(|_| on_terminal);
    let (columns, rows) = size.unwrap_or_else(|| {
        found.map_or(USUAL, |(width, height)| {
            // One line is left for the prompt.
            let lines = u32::from(height.0).saturating_sub(1);
            (u32::from(width.0).max(1), lines.max(1))
        })
    });
    let terminal = Terminal {
        graphics: graphics.unwrap_or(Graphics::Braille),
        colors,
        columns,
        rows,
    };
    showing(terminal, dpi, on_terminal)
}

/// Asks the terminal whether it shows pictures, unless `--graphics` was given or it cannot show them. This takes time
/// and writes to the terminal, so it is done just before drawing, when all other errors have been reported.
pub(super) fn settle(target: &mut Target, looks: &LookOptions) {
    let graphics = looks.graphics.and_then(GraphicsChoice::named);
    let Some(terminal) = target.terminal.clone() else {
        return;
    };
    // Without colours, there is no picture either.
    if graphics.is_some() || terminal.colors == Colors::None || is_dumb() {
        return;
    }
    let found = ask::graphics();
    if found != Graphics::Braille {
        let graphics = Terminal {
            graphics: found,
            ..terminal
        };
        *target = showing(graphics, looks.dpi, true);
    }
}

/// The target for this kind of terminal.
fn showing(terminal: Terminal, dpi: Option<f64>, on_terminal: bool) -> Target {
    let (columns, rows) = (terminal.columns, terminal.rows);
    if terminal.graphics == Graphics::Braille {
        return Target {
            width: columns * 2,
            height: rows * 4,
            dpi: 72.0,
            text: 4.0,
            line: 1.0,
            terminal: Some(terminal),
        };
    }
    let (across, down) = ask::character().filter(|_| on_terminal).unwrap_or(CHARACTER);
    // Text of the same size as the terminal's text.
    let dpi = dpi.unwrap_or(f64::from(down) * 4.8);
    Target {
        width: (columns * across).min(8_000),
        height: (rows * down).min(8_000),
        dpi,
        text: (dpi * 10.0 / 72.0).round(),
        line: (dpi / 72.0).max(1.0),
        terminal: Some(terminal),
    }
}

#[cfg(unix)]
mod ask {
    //! Queries to a terminal, and its replies.

    use std::fs::File;
    use std::io::{ErrorKind, Read, Write};
    use std::time::{Duration, Instant};

    use itch_plugin::Graphics;
    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcgetwinsize, tcsetattr};

    /// How long to wait for the first byte of a reply, also over a slow connection.
    const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
    /// How long to wait for the whole reply: bytes that arrive later would be read as typed.
    const WHOLE_ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
    /// The byte of Ctrl-C, which is read like any other key here.
    const INTERRUPT: u8 = 3;

    /// Queries for kitty's graphics, for the terminal's name, and for its attributes. Every terminal replies to the
    /// last one, so its reply is the end.
    const QUESTION: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c";

    /// The pictures that the terminal shows.
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
        let attributes = attributes(answers).unwrap_or_default();
        if attributes.split(';').skip(1).any(|one| one == "4") {
            return Graphics::Sixel;
        }
        Graphics::Braille
    }

    /// The terminal's attributes, which are its last reply.
    fn attributes(answers: &str) -> Option<&str> {
        let (_, last) = answers.rsplit_once("\x1b[?")?;
        let (attributes, _) = last.split_once('c')?;
        let is_list = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';'));
        is_list(attributes).then_some(attributes)
    }

    fn answers() -> Option<String> {
        let mut terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut quiet = before.clone();
        // Replies must not be echoed, come without a line end, and may never come. Ctrl-C is read as a byte: if it
        // ended the program here, the terminal would stay in this mode.
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 0;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).ok()?;
        let mut answers = Vec::new();
        let asked = terminal.write_all(QUESTION.as_bytes());
        let is_whole = asked.is_ok() && listen(&mut terminal, &mut answers);
        // If the reply is incomplete, the rest of it is discarded, so that it is not read as typed.
        let rest = match is_whole {
            true => OptionalActions::Now,
            false => OptionalActions::Flush,
        };
        tcsetattr(&terminal, rest, &before).ok()?;
        if answers.contains(&INTERRUPT) {
            let _ = kill_process(getpid(), Signal::INT);
        }
        String::from_utf8(answers).ok()
    }

    /// Reads until the replies are complete; returns whether they are.
    fn listen(terminal: &mut File, answers: &mut Vec<u8>) -> bool {
        let start = Instant::now();
        let mut buffer = [0; 256];
        while answers.len() < 4096 && !answers.contains(&INTERRUPT) {
            let patience = if answers.is_empty() {
                FIRST_ANSWER_TIMEOUT
            } else {
                WHOLE_ANSWER_TIMEOUT
            };
            if start.elapsed() >= patience {
                break;
            }
            match terminal.read(&mut buffer) {
                Ok(count) => answers.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if attributes(&String::from_utf8_lossy(answers)).is_some() {
                return true;
            }
        }
        false
    }

    /// The size of a character in pixels.
    pub(super) fn character() -> Option<(u32, u32)> {
        let size = tcgetwinsize(std::io::stdout()).ok()?;
        let side = |pixels: u16, count: u16| u32::from(pixels).checked_div(u32::from(count)).filter(|side| *side > 3);
        Some((side(size.ws_xpixel, size.ws_col)?, side(size.ws_ypixel, size.ws_row)?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_terminal_says_what_it_shows() {
            for (answers, graphics) in [
                ("\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.36)\x1b\\\x1b[?62;c", Graphics::Kitty),
                ("\x1bP>|iTerm2 3.5\x1b\\\x1b[?62;4c", Graphics::Iterm),
                ("\x1bP>|foot(1.16)\x1b\\\x1b[?62;4;22c", Graphics::Sixel),
                ("\x1b[?62;22;42c", Graphics::Braille),
                ("\x1b[?1;2c", Graphics::Braille),
                ("\x1b[?62;4ctyped", Graphics::Sixel),
                ("\x1b[?62;4", Graphics::Braille),
                ("", Graphics::Braille),
            ] {
                assert_eq!(read(answers), graphics, "{answers:?}");
            }
        }
    }
}

#[cfg(not(unix))]
mod ask {
    //! Without a terminal device, no query is sent.

    use itch_plugin::Graphics;

    pub(super) fn graphics() -> Graphics {
        Graphics::Braille
    }

    pub(super) fn character() -> Option<(u32, u32)> {
        None
    }
}
