//! The request for a chart: its appearance, and the axis limits, which are read when the types of the columns are
//! known.

use itch_api::Error;
use itch_chart::{AxisRequest, ColumnKind, Request, Table};
use itch_plugin::{ChartHint, Mark};
use itch_table::Zone;
use itch_table::dates::DateFormat;

use super::draw::Drawing;
use crate::failure::usage;
use crate::options::plot::{LogAxes, PlotOptions};
use crate::times;

/// Everything about a chart that does not depend on the rows.
#[derive(Debug)]
pub(super) struct Looks {
    title: String,
    label: Option<String>,
    bounds: [Option<String>; 4],
    date_format: Option<String>,
    request: Request,
}

impl Looks {
    /// Takes them from the options.
    pub(super) fn new(options: &PlotOptions) -> Looks {
        let (looks, data) = (&options.looks, &options.data);
        let axis = |alone: LogAxes| AxisRequest {
            log: looks.log == Some(alone) || looks.log == Some(LogAxes::Xy),
            ..AxisRequest::default()
        };
        let bounds = [&data.xmin, &data.xmax, &data.ymin, &data.ymax];
        Looks {
            title: looks.title.clone().unwrap_or_default(),
            label: looks.label.clone(),
            bounds: bounds.map(Clone::clone),
            date_format: data.date_format.clone(),
            request: Request {
                x: axis(LogAxes::X),
                y: axis(LogAxes::Y),
                density: looks.density,
                density_scale: looks.density_scale.unwrap_or_default(),
                color_map: looks.colormap.unwrap_or_default(),
                theme: looks.theme().unwrap_or_default(),
                zone: looks.tz.clone().unwrap_or_default(),
                dots: looks.dots.unwrap_or_default(),
                ..Request::default()
            },
        }
    }

    /// Makes the request when the types of the columns are known.
    pub(super) fn request(
        self,
        hint: &ChartHint,
        table: &Table,
        bands: Vec<(f64, Option<f64>)>,
        drawing: &Drawing<'_>,
    ) -> anyhow::Result<Request> {
        let mut request = self.request;
        let y_kind = match hint.mark {
            // The left axis shows the running count then.
            Mark::Line => ColumnKind::Number,
            _ => table.y.kind,
        };
        let [xmin, xmax, ymin, ymax] = &self.bounds;
        let format = self.date_format.as_deref();
        let zone = request.zone.clone();
        let bound =
            |name: &str, text: &Option<String>, kind: ColumnKind| bound(name, text.as_deref(), kind, format, &zone);
        request.x.min = bound("m/--xmin", xmin, table.x.kind)?;
        request.x.max = bound("M/--xmax", xmax, table.x.kind)?;
        request.y.min = bound("n/--ymin", ymin, y_kind)?;
        request.y.max = bound("N/--ymax", ymax, y_kind)?;
        for (axis, low, high) in [(request.x, "-m", "-M"), (request.y, "-n", "-N")] {
            if let (Some(min), Some(max)) = (axis.min, axis.max)
                && min >= max
            {
                return Err(
                    usage(format!("{low} has to be less than {high}: the axis would end before it starts")).into()
                );
            }
        }
        request.title = self.title;
        request.x_label = self.label;
        request.mark = hint.mark;
        request.bands = bands;
        request.target = drawing.target();
        request.detail = drawing.detail();
        Ok(request)
    }
}

/// Reads an axis limit. Times without a zone are in `zone`, as the labels are.
fn bound(
    name: &str,
    text: Option<&str>,
    kind: ColumnKind,
    format: Option<&str>,
    zone: &Zone,
) -> Result<Option<f64>, Error> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = |error: Error| error.context(format!("-{name} cannot be read"));
    let value = match kind {
        ColumnKind::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .ok_or_else(|| {
                wrong(usage(format!("`{}` is not a number, and the axis shows numbers", text.escape_debug())))
            })?,
        ColumnKind::Time => {
            let formed = format.and_then(|format| DateFormat::new(format).ok()?.read(text, zone));
            if let Some(seconds) = text.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite()) {
                seconds
            } else {
                let read = || {
                    let time = times::time_in(text, times::now(), zone)?;
                    Ok(time.timestamp_millis() as f64 / 1e3)
                };
                formed.map_or_else(read, Ok).map_err(wrong)?
            }
        }
    };
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_kind_of_the_axis() {
        let time = |text| bound("m", Some(text), ColumnKind::Time, Some("%d.%m.%Y"), &Zone::default());
        assert_eq!(time("2016-07-25").unwrap(), Some(1_469_404_800.0));
        assert_eq!(time("25.07.2016").unwrap(), Some(1_469_404_800.0));
        assert_eq!(time("-1.5").unwrap(), Some(-1.5));
        assert!(time("soon").is_err());
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let local = |text| bound("m", Some(text), ColumnKind::Time, Some("%d.%m.%Y"), &berlin);
        for text in ["2016-07-25", "25.07.2016", "2016-07-24T22:00:00Z"] {
            assert_eq!(local(text).unwrap(), Some(1_469_397_600.0), "{text}");
        }
        let number = |text| bound("m", Some(text), ColumnKind::Number, None, &berlin);
        assert_eq!(number("-1e3").unwrap(), Some(-1000.0));
        assert!(number("2016-07-25").is_err() && number("NaN").is_err() && number("inf").is_err());
    }
}
