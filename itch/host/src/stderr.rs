//! Writing to stderr, which never fails: if the terminal was closed, nobody can be told, and the rows go elsewhere.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};
use itch_api::sync::lock;

/// How often a second progress is drawn at most, as indicatif does it itself.
const FRAMES: u8 = 20;

/// A writer to stderr that ignores all errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Progress bars on stderr, which are hidden unless it is a terminal.
pub(crate) fn bars(stderr_is_terminal: bool) -> MultiProgress {
    MultiProgress::with_draw_target(match stderr_is_terminal {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), FRAMES),
        false => ProgressDrawTarget::hidden(),
    })
}

/// The terminal as indicatif draws on it. With its own one, a call that draws panics if the terminal was closed. What is
/// drawn is written at once, when a frame is complete.
#[derive(Debug, Default)]
struct Screen(Mutex<String>);

impl Screen {
    fn frame(&self) -> MutexGuard<'_, String> {
        lock(&self.0)
    }

    fn push(&self, text: &str) -> io::Result<()> {
        self.frame().push_str(text);
        Ok(())
    }

    /// Moves the cursor: `n` places in a direction, which is a letter (ECMA-48, 8.3.19 to 8.3.22).
    fn moved(&self, n: usize, direction: char) -> io::Result<()> {
        match n {
            0 => Ok(()),
            n => self.push(&format!("\x1b[{n}{direction}")),
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0)
    }

    fn height(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(24, |(_, height)| height.0)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(text)?;
        self.push("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let frame = std::mem::take(&mut *self.frame());
        Stderr.write_all(frame.as_bytes())
    }
}
