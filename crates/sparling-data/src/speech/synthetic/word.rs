//! How the ten digits are pronounced.

use super::phone::Phone;
use super::phone::Phone::{
    Ah, Ao, Ax, Ay, Eh, Er, Ey, F, Ih, Iy, KBurst, KClosure, N, Ow, R, S, TBreath, TBurst,
    TClosure, Th, Uw, Ux, V, W, Z,
};
use crate::speech::DIGITS;

/// Phones with their durations in milliseconds at a medium tempo.
pub(super) type Word = [(Phone, u16)];

/// For each digit the ways of saying it, of which each voice has one.
pub(super) const WORDS: [&[&Word]; DIGITS] = [
    &[
        &[(Z, 95), (Ih, 80), (R, 75), (Ow, 200)],
        &[(Z, 95), (Iy, 95), (R, 70), (Ow, 190)],
    ],
    &[&[(W, 80), (Ah, 150), (N, 125)]],
    &[
        &[(TBurst, 16), (TBreath, 55), (Uw, 260)],
        &[(TBurst, 16), (TBreath, 55), (Ux, 260)],
    ],
    &[&[(Th, 100), (R, 80), (Iy, 220)]],
    &[
        &[(F, 100), (Ao, 160), (Er, 130)],
        &[(F, 100), (Ao, 230), (Ax, 60)],
    ],
    &[&[(F, 100), (Ay, 230), (V, 85)]],
    &[&[(S, 120), (Ih, 95), (KClosure, 60), (KBurst, 22), (S, 125)]],
    &[
        &[(S, 115), (Eh, 95), (V, 60), (Ax, 60), (N, 105)],
        &[(S, 115), (Eh, 95), (V, 50), (Ax, 35), (N, 120)],
    ],
    &[&[(Ey, 200), (TClosure, 65), (TBurst, 18), (TBreath, 50)]],
    &[&[(N, 95), (Ay, 210), (N, 115)]],
];
