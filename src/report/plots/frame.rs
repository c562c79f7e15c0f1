//! The ground of a plot: where values lie in it, its lines and the words on its axes.

use maud::{Markup, html};

use super::{Reading, px};
use crate::report::reading::Area;

/// Where the drawing area lies within the picture.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 44.0;

/// A place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub words: String,
}

/// A plot's size in its own units, and what its axes span and say.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    pub width: f64,
    pub height: f64,
    /// From the left to the right end.
    pub across: (f64, f64),
    /// From the bottom to the top.
    pub along: (f64, f64),
    pub names: (&'a str, &'a str),
}

impl Frame<'_> {
    pub(super) fn x(&self, value: f64) -> f64 {
        LEFT + part(value, self.across) * (self.width - LEFT - RIGHT)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.height - BOTTOM - part(value, self.along) * (self.height - TOP - BOTTOM)
    }

    /// Draws the lines and words of both axes.
    pub(super) fn grid(&self, across: &[Tick], along: &[Tick]) -> Markup {
        let bottom = self.height - BOTTOM;
        html! {
            text.tick x="2" y="14" { (self.names.1) }
            text.tick x=(px(f64::midpoint(LEFT, self.width - RIGHT))) y=(px(self.height - 5.0)) text-anchor="middle" { (self.names.0) }
            @for tick in along {
                @let y = self.y(tick.at);
                line.grid x1=(LEFT) x2=(px(self.width - RIGHT)) y1=(px(y)) y2=(px(y)) {}
                text.tick x=(LEFT - 8.0) y=(px(y + 4.0)) text-anchor="end" { (tick.words) }
            }
            @for tick in across {
                @let x = self.x(tick.at);
                line.grid x1=(px(x)) x2=(px(x)) y1=(px(bottom)) y2=(px(bottom + 4.0)) {}
                text.tick x=(px(x)) y=(px(bottom + 19.0)) text-anchor="middle" { (tick.words) }
            }
        }
    }

    /// Draws strips over the whole height that show what is read in them, given at places of the
    /// axis.
    pub(super) fn readings(
        &self,
        readings: impl IntoIterator<Item = (f64, Vec<String>)>,
    ) -> Markup {
        let area =
            Area { left: LEFT, top: TOP, right: self.width - RIGHT, bottom: self.height - BOTTOM };
        let read = |(at, words)| Reading { at: self.x(at), words };
        area.readings(readings.into_iter().map(read).collect())
    }

    /// Writes the places of a line, leaving out those that would not move the pen.
    pub(super) fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let places = points.into_iter().map(|(x, y)| (px(self.x(x)), px(self.y(y))));
        let mut path: Vec<(String, String)> = Vec::new();
        for place in places {
            if path.last() == Some(&place) {
                continue;
            }
            // The middle one of three that lie on a level or plumb line says nothing.
            if let [.., before, last] = path.as_slice() {
                let is_level = before.1 == last.1 && last.1 == place.1;
                let is_plumb = before.0 == last.0 && last.0 == place.0;
                if is_level || is_plumb {
                    path.pop();
                }
            }
            path.push(place);
        }
        let written: Vec<String> = path.into_iter().map(|(x, y)| format!("{x},{y}")).collect();
        written.join(" ")
    }

    /// Draws an upright line with feet, from one value to another.
    pub(super) fn whisker(&self, at: f64, from: f64, to: f64) -> Markup {
        let (x, low, high) = (self.x(at), self.y(from), self.y(to));
        let (left, right) = (px(x - 4.0), px(x + 4.0));
        let (x, low, high) = (px(x), px(low), px(high));
        let path = format!("M{left} {low}H{right}M{x} {low}V{high}M{left} {high}H{right}");
        html! { path.whisker d=(path) {} }
    }
}

fn part(value: f64, (low, high): (f64, f64)) -> f64 {
    (value - low) / (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'_> = Frame {
        width: 470.0,
        height: 174.0,
        across: (0.0, 1.0),
        along: (0.0, 1.0),
        names: ("x", "y"),
    };

    #[test]
    fn corners_lie_in_the_corners() {
        assert_eq!(FRAME.path([(0.0, 0.0), (1.0, 1.0)]), "54.0,130.0 444.0,30.0");
    }

    #[test]
    fn a_line_of_steps_keeps_its_corners_only() {
        let path =
            FRAME.path([(0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0)]);

        assert_eq!(path, "54.0,130.0 54.0,30.0 444.0,30.0");
    }
}
