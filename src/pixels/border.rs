//! Grey levels → the rectangle inside uniform margins: letterboxes, frames, paper.

/// A row or column whose levels vary less than this is margin.
const VARIANCE_MAX: f32 = 20.0;

/// A rectangle of pixels; right and bottom lie just outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

/// Finds what lies inside the margins; the whole picture if nearly all of it is margin.
pub(super) fn inner(levels: &[u8], width: usize) -> Inner {
    let height = levels.len() / width;
    let whole = Inner { left: 0, top: 0, right: width, bottom: height };
    let mut inner = whole;
    // Twice, because bars above and below hide the bars at the sides.
    for _ in 0..2 {
        let row = |y: usize, it: Inner| {
            is_flat(&mut levels[y * width + it.left..y * width + it.right].iter())
        };
        let column = |x: usize, it: Inner| {
            is_flat(&mut levels[it.top * width + x..it.bottom * width].iter().step_by(width))
        };
        while height < 3 * (inner.bottom - inner.top) && row(inner.top, inner) {
            inner.top += 1;
        }
        while height < 3 * (inner.bottom - inner.top) && row(inner.bottom - 1, inner) {
            inner.bottom -= 1;
        }
        while width < 3 * (inner.right - inner.left) && column(inner.left, inner) {
            inner.left += 1;
        }
        while width < 3 * (inner.right - inner.left) && column(inner.right - 1, inner) {
            inner.right -= 1;
        }
    }
    let is_little =
        height >= 3 * (inner.bottom - inner.top) || width >= 3 * (inner.right - inner.left);
    if is_little { whole } else { inner }
}

fn is_flat(levels: &mut dyn Iterator<Item = &u8>) -> bool {
    let (mut n, mut sum, mut squares) = (0.0_f32, 0.0_f32, 0.0_f32);
    for &level in levels {
        let level = f32::from(level);
        n += 1.0;
        sum += level;
        squares += level * level;
    }
    squares / n - (sum / n).powi(2) < VARIANCE_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_and_a_full_picture_has_none() {
        let framed: Vec<u8> = (0..400_usize)
            .map(|at| match (at % 20, at / 20) {
                (x @ 3..18, y @ 2..15) => u8::try_from(x * y * 5 % 256).unwrap(),
                _ => 255,
            })
            .collect();
        assert_eq!(inner(&framed, 20), Inner { left: 3, top: 2, right: 18, bottom: 15 });

        let full: Vec<u8> = (0..400_usize).map(|at| u8::try_from(at * 7 % 256).unwrap()).collect();
        assert_eq!(inner(&full, 20), Inner { left: 0, top: 0, right: 20, bottom: 20 });
    }

    #[test]
    fn a_plain_picture_is_not_all_border() {
        assert_eq!(inner(&[7; 100], 10), Inner { left: 0, top: 0, right: 10, bottom: 10 });
    }
}
