//! Lines one pixel wide where brightness changes most (Canny 1986), as `OpenCV` finds them.

use super::{
    Grey,
    edges::{Beyond, gradients},
    sides_of,
};

/// The tangent of 22.5 degrees, in parts of 2^15.
const TAN_22: i32 = 13_573;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    /// An edge if it touches one.
    Weak,
    Edge,
}

/// Marks pixels that are steeper than their neighbours across the edge: those steeper than
/// `high`, and those steeper than `low` that touch a marked one. Steepness is the sum of both of
/// Sobel's gradients.
pub(super) fn edges(grey: &Grey, low: f64, high: f64) -> Grey {
    let size = sides_of(grey.size);
    let gradients = gradients(grey, Beyond::Last);
    let mut marks: Vec<Mark> = (0..gradients.len())
        .map(|at| {
            let steepness = f64::from(steepness(gradients[at]));
            if steepness <= low.floor() || !is_crest(&gradients, size, at) {
                Mark::None
            } else if high.floor() < steepness {
                Mark::Edge
            } else {
                Mark::Weak
            }
        })
        .collect();
    let mut due: Vec<usize> = (0..marks.len()).filter(|at| marks[*at] == Mark::Edge).collect();
    while let Some(at) = due.pop() {
        for near in neighbours(at, size) {
            if marks[near] == Mark::Weak {
                marks[near] = Mark::Edge;
                due.push(near);
            }
        }
    }
    let levels = marks.iter().map(|mark| if *mark == Mark::Edge { 255 } else { 0 }).collect();
    Grey { size: grey.size, levels }
}

fn steepness([right, down]: [i16; 2]) -> i32 {
    i32::from(right).abs() + i32::from(down).abs()
}

/// Tells whether no neighbour along the gradient is steeper. Beyond the picture nothing is.
fn is_crest(gradients: &[[i16; 2]], [width, height]: [usize; 2], at: usize) -> bool {
    let (x, y) = (at % width, at / width);
    let near = |dx: isize, dy: isize| {
        let place = x.checked_add_signed(dx).zip(y.checked_add_signed(dy));
        let inside = place.filter(|(x, y)| *x < width && *y < height);
        inside.map_or(0, |(x, y)| steepness(gradients[y * width + x]))
    };
    let own = steepness(gradients[at]);
    let [right, down] = gradients[at].map(i32::from);
    let (across, along) = (right.abs(), down.abs() << 15);
    let flat = across * TAN_22;
    if along < flat {
        near(-1, 0) < own && near(1, 0) <= own
    } else if flat + (across << 16) < along {
        near(0, -1) < own && near(0, 1) <= own
    } else {
        let side = if (right ^ down) < 0 { -1 } else { 1 };
        near(-side, -1) < own && near(side, 1) < own
    }
}

fn neighbours(at: usize, [width, height]: [usize; 2]) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
}
