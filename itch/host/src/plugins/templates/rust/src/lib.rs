//! `itch {{name}}`: greet somebody.

use itch_plugin::prelude::*;

struct Hello;

report!(Hello);
itch_plugin::export!();

impl Report for Hello {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("{{name}}", "Greet somebody")
            .argument(
                Argument::positional(0, ArgumentKind::Text, "who", "Who is greeted").required(),
            )
            .column(Column::text("greeting", "What is said"))
            .column(Column::text("who", "Who is greeted"))
            .example("itch {{name}} world", "Greet the world")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let who = call.text("who").unwrap_or_default().to_owned();
        // To ask Twitch: call.api().json(Request::helix("users").query("login", &who))?
        call.emit(row!["hello", who])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_greets() {
        let ran = itch_plugin::testing::run(&Hello, [("who", "world")]).unwrap();
        assert_eq!(ran.rows, [row!["hello", "world"]]);
    }
}
