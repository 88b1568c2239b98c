//! The speech sounds of the ten words.
//!
//! Formants and bandwidths are a man's; a [voice](super::Voice) scales them. Plain vowels are about
//! those of Peterson and Barney (1952) and Hillenbrand et al. (1995), and move a little as in table
//! II of Klatt (1980); diphthongs, consonants and bandwidths follow his tables II and III. /n/ is
//! simplified: its first formant is the murmur, its others are wide, and nothing models the nasal
//! zero. Levels of noise are chosen so that spectrograms look like those of recordings.

/// A stretch of speech in which the vocal tract does one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phone {
    /// The vowel of "three".
    Iy,
    /// The vowel of "six".
    Ih,
    /// The first vowel of "seven".
    Eh,
    /// The vowel of "one".
    Ah,
    /// The second vowel of "seven".
    Ax,
    /// The vowel of "four".
    Ao,
    /// The vowel of "two".
    Uw,
    /// The same, further forward in the mouth, as the young say it.
    Ux,
    /// The diphthong of "five" and "nine".
    Ay,
    /// The diphthong of "eight".
    Ey,
    /// The last vowel of "zero".
    Ow,
    /// The start of "one".
    W,
    /// The r of "three" and "zero".
    R,
    /// The r of "four".
    Er,
    /// The n of "one", "seven" and "nine".
    N,
    /// The start of "zero".
    Z,
    /// The v of "five" and "seven".
    V,
    /// The s of "six" and "seven".
    S,
    /// The start of "four" and "five".
    F,
    /// The start of "three".
    Th,
    /// The silence before the t of "eight".
    TClosure,
    /// The release of the t of "two" and "eight".
    TBurst,
    /// The breath after it.
    TBreath,
    /// The silence before the k of "six".
    KClosure,
    /// The release of the k of "six".
    KBurst,
}

/// What the vocal tract does during a phone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Articulation {
    /// The first three formants at the start, in Hz.
    pub(super) from: [f64; 3],
    /// The first three formants at the end, in Hz.
    pub(super) to: [f64; 3],
    /// The bandwidths of these formants, in Hz.
    pub(super) bandwidths: [f64; 3],
    /// The level of the glottis's pulses in dB, 0 in vowels.
    pub(super) voicing: Option<f64>,
    /// The level of the glottis's breath, in dB of the pulses' level in vowels.
    pub(super) aspiration: Option<f64>,
    /// What the noise of a narrow passage consists of.
    pub(super) noise: &'static [Pole],
    /// The most time that the formants take for getting here or away, in seconds.
    pub(super) transition: f64,
    /// How long the sources take for getting here, in seconds.
    pub(super) attack: f64,
}

/// A resonance of noise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pole {
    /// In Hz.
    pub(super) frequency: f64,
    /// In Hz.
    pub(super) bandwidth: f64,
    /// In dB, where a vowel has about 0.
    pub(super) level: f64,
}

const S_NOISE: &[Pole] = &[
    pole(2600.0, 500.0, -33.0),
    pole(3400.0, 700.0, -19.0),
    pole(4900.0, 900.0, -14.0),
    pole(6800.0, 1800.0, -16.0),
];
const Z_NOISE: &[Pole] = &[
    pole(2600.0, 500.0, -38.0),
    pole(3400.0, 700.0, -24.0),
    pole(4900.0, 900.0, -19.0),
    pole(6800.0, 1800.0, -22.0),
];
const F_NOISE: &[Pole] = &[
    pole(1200.0, 1200.0, -38.0),
    pole(2700.0, 2000.0, -33.0),
    pole(5500.0, 4000.0, -32.0),
];
const V_NOISE: &[Pole] = &[
    pole(1200.0, 1200.0, -44.0),
    pole(2700.0, 2000.0, -39.0),
    pole(5500.0, 4000.0, -38.0),
];
const TH_NOISE: &[Pole] = &[
    pole(1500.0, 1000.0, -40.0),
    pole(3300.0, 1600.0, -34.0),
    pole(6200.0, 4000.0, -33.0),
];
const T_NOISE: &[Pole] = &[
    pole(2600.0, 500.0, -26.0),
    pole(3600.0, 700.0, -16.0),
    pole(4600.0, 1200.0, -13.0),
];
const K_NOISE: &[Pole] = &[
    pole(2050.0, 300.0, -15.0),
    pole(2900.0, 500.0, -21.0),
    pole(4300.0, 1200.0, -24.0),
];

impl Phone {
    /// How many there are.
    pub(super) const COUNT: usize = Self::KBurst as usize + 1;

    /// What a man's vocal tract does.
    pub(super) const fn articulation(self) -> Articulation {
        let (t, k) = ([400, 1600, 2600], [300, 1990, 2850]);
        match self {
            Self::Iy => held([310, 2050, 2870], [50, 110, 300]).towards([275, 2280, 3000]),
            Self::Ih => held([390, 1990, 2550], [50, 100, 140]).towards([440, 1800, 2570]),
            Self::Eh => held([530, 1840, 2480], [60, 90, 200]).towards([580, 1690, 2510]),
            Self::Ah => held([640, 1190, 2390], [80, 70, 140]),
            Self::Ax => held([490, 1450, 2450], [70, 90, 150]).voiced(-4.0),
            Self::Ao => held([580, 870, 2420], [80, 90, 110]),
            Self::Er => held([470, 1270, 1560], [100, 80, 110]),
            Self::Uw => held([350, 1300, 2200], [65, 110, 140]).towards([310, 890, 2240]),
            Self::Ux => held([350, 1750, 2300], [65, 110, 140]).towards([320, 1250, 2240]),
            Self::Ay => held([690, 1180, 2490], [80, 80, 180]).towards([400, 1970, 2550]),
            Self::Ey => held([480, 1840, 2530], [65, 100, 200]).towards([330, 2150, 2680]),
            Self::Ow => held([520, 1080, 2330], [80, 70, 90]).towards([410, 860, 2300]),
            Self::W => held([290, 610, 2150], [50, 80, 60]).timed(0.1, 0.03),
            Self::R => held([320, 1060, 1380], [70, 100, 120]).timed(0.12, 0.03),
            Self::N => {
                let murmur = held([270, 1340, 2470], [80, 300, 300]).voiced(-3.0);
                murmur.timed(0.035, 0.012)
            }
            Self::Z => obstruent([240, 1390, 2530], 70, Z_NOISE).voiced(-8.0),
            Self::V => obstruent([220, 1100, 2080], 60, V_NOISE).voiced(-7.0),
            Self::S => obstruent([320, 1390, 2530], 200, S_NOISE),
            Self::F => obstruent([340, 1100, 2080], 200, F_NOISE),
            Self::Th => obstruent([320, 1290, 2540], 200, TH_NOISE),
            Self::TClosure => obstruent(t, 300, &[]).timed(0.035, 0.015),
            Self::TBurst => obstruent(t, 300, T_NOISE).timed(0.035, 0.002),
            Self::TBreath => obstruent(t, 300, &[]).breathed(-19.0).timed(0.06, 0.012),
            Self::KClosure => obstruent(k, 250, &[]).timed(0.035, 0.015),
            Self::KBurst => obstruent(k, 250, K_NOISE).timed(0.035, 0.002),
        }
    }
}

/// Voiced, with formants that stay; in Hz.
const fn held(formants: [u16; 3], bandwidths: [u16; 3]) -> Articulation {
    Articulation {
        from: hertz(formants),
        to: hertz(formants),
        bandwidths: hertz(bandwidths),
        voicing: Some(0.0),
        aspiration: None,
        noise: &[],
        transition: 0.14,
        attack: 0.02,
    }
}

const fn hertz(values: [u16; 3]) -> [f64; 3] {
    let [first, second, third] = values;
    [first as f64, second as f64, third as f64]
}

/// Voiceless, with the noise of a narrow passage or none.
const fn obstruent(
    formants: [u16; 3],
    first_bandwidth: u16,
    noise: &'static [Pole],
) -> Articulation {
    Articulation {
        voicing: None,
        noise,
        ..held(formants, [first_bandwidth, 110, 200]).timed(0.05, 0.025)
    }
}

impl Articulation {
    const fn towards(self, formants: [u16; 3]) -> Self {
        let to = hertz(formants);
        Self { to, ..self }
    }

    const fn voiced(self, level: f64) -> Self {
        let voicing = Some(level);
        Self { voicing, ..self }
    }

    const fn breathed(self, level: f64) -> Self {
        let aspiration = Some(level);
        Self { aspiration, ..self }
    }

    const fn timed(self, transition: f64, attack: f64) -> Self {
        Self {
            transition,
            attack,
            ..self
        }
    }
}

const fn pole(frequency: f64, bandwidth: f64, level: f64) -> Pole {
    Pole {
        frequency,
        bandwidth,
        level,
    }
}
