//! The largest of each two by two values of a map, and where its gradient goes: on as many windows
//! at once as this processor takes. What is left of an odd row or column belongs to no window.

#![expect(
    clippy::inline_always,
    reason = "only what is part of the caller is compiled for the processor that was found"
)]

use pulp::Arch;

/// Finds the maxima of a map of this height and width.
pub(super) fn find([_, width]: [usize; 2], x: &[f32], y: &mut [f32]) {
    let rows = x.chunks_exact(2 * width).zip(y.chunks_exact_mut(width / 2));
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (x, y) in rows {
                find_in_rows(x.split_at(width), y);
            }
        },
    );
}

/// Gives each gradient to the first of the four places that holds the maximum; `back` holds zeros.
pub(super) fn send_back([_, width]: [usize; 2], x: &[f32], gradient: &[f32], back: &mut [f32]) {
    let rows = x.chunks_exact(2 * width).zip(back.chunks_exact_mut(2 * width));
    let rows = rows.zip(gradient.chunks_exact(width / 2));
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((x, back), gradient) in rows {
                send_back_in_rows(x.split_at(width), gradient, back.split_at_mut(width));
            }
        },
    );
}

#[inline(always)]
fn find_in_rows((above, below): (&[f32], &[f32]), y: &mut [f32]) {
    let fours = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (y, (above, below)) in y.iter_mut().zip(fours) {
        *y = largest(above, below);
    }
}

#[inline(always)]
fn send_back_in_rows(
    (above, below): (&[f32], &[f32]),
    gradient: &[f32],
    (back_above, back_below): (&mut [f32], &mut [f32]),
) {
    let fours = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    let backs = back_above.as_chunks_mut::<2>().0.iter_mut();
    let backs = backs.zip(back_below.as_chunks_mut::<2>().0);
    for (((above, below), gradient), (back_above, back_below)) in fours.zip(gradient).zip(backs) {
        let most = largest(above, below);
        // A maximum that is no number is at none of the places.
        let mut left = *gradient;
        let mut give = |value: f32| {
            let given = if most <= value { left } else { 0.0 };
            left = if most <= value { 0.0 } else { left };
            given
        };
        *back_above = [give(above[0]), give(above[1])];
        *back_below = [give(below[0]), give(below[1])];
    }
}

#[inline(always)]
fn largest(above: &[f32; 2], below: &[f32; 2]) -> f32 {
    larger(larger(above[0], above[1]), larger(below[0], below[1]))
}

/// Returns the larger value; what is no number wins.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if (a < b) | b.is_nan() { b } else { a }
}
