//! The decoder, the paper's `h`: from motifs to output tokens (section 5.1).

mod attention;
mod greedy;
mod positional;
mod reembed;
mod row_lstm;
mod transformer;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

pub use positional::Positions;
pub use reembed::Reembed;
pub use row_lstm::RowLstmStart;

use crate::layers::{dropout, linear};
use positional::sinusoids;
use row_lstm::{RowLstm, RowLstmConfig};
use transformer::{DecoderLayer, EncoderLayer, TransformerLayerConfig};

/// Configuration of a [`Decoder`]. Nothing has a default: every size is a scientific parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Channels of the motifs.
    pub channels: usize,
    /// Output tokens, those that start and end a sequence among them.
    pub vocabulary: usize,
    /// Features of a token inside the transformer.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Layers of the transformer's encoder.
    pub encoder_layers: usize,
    /// Layers of the transformer's decoder.
    pub decoder_layers: usize,
    /// Hidden features of the feed-forward parts.
    pub feed_forward: usize,
    /// Dropout probability inside the transformer's layers, and after both positional encodings, as in
    /// the authors' code.
    pub dropout: f64,
    /// Side of the max pooling's window, in positions.
    pub pool: usize,
    /// What of a cell's place the encoder is told.
    pub positions: Positions,
    /// How the bidirectional LSTM begins that runs along each row of the pooled map; `None` for no
    /// LSTM, as sequences need.
    pub row_lstm: Option<RowLstmStart>,
}

/// Why a [`DecoderConfig`] is not one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecoderConfigError {
    /// A size is zero.
    #[error("decoder: {0} must be positive")]
    Zero(&'static str),
    /// Positional encodings and the two directions of the LSTM halve the width.
    #[error("decoder: width must be even, got {0}")]
    OddWidth(usize),
    /// Rows and columns get half of the width each, and each half is sines and cosines.
    #[error("decoder: with positions of rows and columns width must be a multiple of 4, got {0}")]
    OddHalves(usize),
    /// The heads do not divide the width.
    #[error("decoder: heads ({heads}) must divide width ({width})")]
    Heads {
        /// Attention heads.
        heads: usize,
        /// Features of a token.
        width: usize,
    },
    /// The dropout is no probability below one.
    #[error("decoder: dropout must be at least 0 and below 1, got {0}")]
    Dropout(f64),
}

/// The decoder: motifs are embedded and pooled, read by an optional row LSTM and a transformer
/// encoder, and written out as tokens by an autoregressive transformer decoder.
///
/// Should be created with [`DecoderConfig`].
#[derive(Module, Debug)]
pub struct Decoder {
    pub(crate) reembed: Reembed,
    row_lstm: Option<RowLstm>,
    encoder: Vec<EncoderLayer>,
    embedding: Embedding,
    decoder: Vec<DecoderLayer>,
    output: Linear,
    pool: usize,
    #[module(skip)]
    positions: Positions,
    dropout: Dropout,
}

impl DecoderConfig {
    /// Checks that the sizes go together.
    ///
    /// # Errors
    ///
    /// Fails if a size is zero, if the width is odd or not a multiple of the heads, or if the dropout
    /// is outside `[0, 1)`.
    pub fn validate(&self) -> Result<(), DecoderConfigError> {
        let sizes = [
            ("channels", self.channels),
            ("vocabulary", self.vocabulary),
            ("width", self.width),
            ("heads", self.heads),
            ("feed_forward", self.feed_forward),
            ("pool", self.pool),
        ];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(DecoderConfigError::Zero(name));
        }
        if !self.width.is_multiple_of(2) {
            return Err(DecoderConfigError::OddWidth(self.width));
        }
        if self.positions == Positions::RowsAndColumns && !self.width.is_multiple_of(4) {
            return Err(DecoderConfigError::OddHalves(self.width));
        }
        if !self.width.is_multiple_of(self.heads) {
            let (heads, width) = (self.heads, self.width);
            return Err(DecoderConfigError::Heads { heads, width });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(DecoderConfigError::Dropout(self.dropout));
        }
        Ok(())
    }

    /// A decoder initialised as PyTorch initialises its layers.
    ///
    /// # Panics
    ///
    /// Panics if the configuration is not [valid](Self::validate).
    pub fn init(&self, device: &Device) -> Decoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let layer = self.layer();

        Decoder {
            reembed: Reembed::new(self.channels, self.width, device),
            row_lstm: self.lstm().map(|lstm| lstm.init(device)),
            encoder: (0..self.encoder_layers)
                .map(|_| layer.init_encoder(device))
                .collect(),
            embedding: EmbeddingConfig::new(self.vocabulary, self.width).init(device),
            decoder: (0..self.decoder_layers)
                .map(|_| layer.init_decoder(device))
                .collect(),
            output: LinearConfig::new(self.width, self.vocabulary).init(device),
            pool: self.pool,
            positions: self.positions,
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    fn layer(&self) -> TransformerLayerConfig {
        TransformerLayerConfig {
            width: self.width,
            heads: self.heads,
            feed_forward: self.feed_forward,
            dropout: self.dropout,
        }
    }

    fn lstm(&self) -> Option<RowLstmConfig> {
        let start = self.row_lstm.clone()?;
        Some(RowLstmConfig {
            input: self.width,
            hidden: self.width / 2,
            start,
        })
    }
}

impl Decoder {
    /// The logits of each next token, given those before it (teacher forcing).
    ///
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    /// - tokens: `[batch, time]`
    /// - output: `[batch, time, vocabulary]`
    ///
    /// # Panics
    ///
    /// Panics if the motifs' shape does not suit the decoder, as [`Decoder::encode`].
    pub fn forward(&self, motifs: Tensor<4>, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.decode(self.encode(motifs), tokens)
    }

    /// Encodes motifs as a sequence, the cells of the pooled map in row-major order.
    ///
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    /// - output: `[batch, source, width]`, source = `(height / pool) * (width / pool)`, or `width / pool`
    ///   of a sequence, whose height is 1
    ///
    /// # Panics
    ///
    /// Panics if the motifs are a sequence where there is a row LSTM or columns are encoded, or do not
    /// have the configured channels, or have an axis shorter than the pooling's window.
    pub fn encode(&self, motifs: Tensor<4>) -> Tensor<3> {
        let (map, window) = self.as_map(motifs);
        let cells = self.reembed.forward(map, window); // [batch, rows, columns, width]
        let [batch, rows, columns, width] = cells.dims();

        let cells = match &self.row_lstm {
            Some(lstm) => {
                let folded = cells.reshape([batch * rows, columns, width]);
                lstm.forward(folded).reshape([batch, rows, columns, width])
            }
            None => cells,
        };
        let encoding = self
            .positions
            .encode([rows, columns], width, &cells.device());
        let x = (cells + encoding).reshape([batch, rows * columns, width]); // [batch, source, width]
        let mut x = dropout(&self.dropout, x);
        for layer in &self.encoder {
            x = layer.forward(x);
        }
        x
    }

    /// The logits of each next token, given encoded motifs and the tokens before it.
    ///
    /// # Shapes
    ///
    /// - memory: `[batch, source, width]`
    /// - tokens: `[batch, time]`
    /// - output: `[batch, time, vocabulary]`
    pub fn decode(&self, memory: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<3> {
        let device = memory.device();
        let [_, time] = tokens.dims();

        let x = self.embedding.forward(tokens);
        let [_, _, width] = x.dims();
        let x = x + sinusoids(0..time, width, &device).unsqueeze();
        let mut x = dropout(&self.dropout, x);
        for layer in &self.decoder {
            x = layer.forward(x, layer.cross.project(memory.clone()));
        }
        linear(&self.output, x)
    }

    /// The motifs as they are read, and the pooling's window. A sequence is turned, so that each of its
    /// positions is a row of its own.
    fn as_map(&self, motifs: Tensor<4>) -> (Tensor<4>, [usize; 2]) {
        let [batch, channels, height, width] = motifs.dims();
        if height > 1 {
            return (motifs, [self.pool, self.pool]);
        }
        assert!(
            self.row_lstm.is_none(),
            "the row LSTM needs motifs of more than one row"
        );
        assert!(
            self.positions == Positions::Rows,
            "positions of columns need motifs of more than one row"
        );
        (motifs.reshape([batch, channels, width, 1]), [self.pool, 1])
    }
}
