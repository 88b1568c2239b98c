//! Where PyTorch has the decoder's parameters.
//!
//! The names are those of a module with the parts `reembed` (a 1x1 convolution), `lstm`, `encoder`
//! and `decoder` (`nn.TransformerEncoder` and `nn.TransformerDecoder`), `embed` and `output`.

use super::{InPytorch, Place};
use crate::decoder::Decoder;

/// What a path is made a name by.
const RENAMES: [(&str, &str); 19] = [
    ("encoder.", "encoder.layers."),
    ("decoder.", "decoder.layers."),
    (".attention.projection.", ".self_attn.in_proj_"),
    (".attention.output.", ".self_attn.out_proj."),
    (".cross.query.", ".multihead_attn.in_proj_"),
    (".cross.key_value.", ".multihead_attn.in_proj_"),
    (".cross.output.", ".multihead_attn.out_proj."),
    (".feed_forward.inner.", ".linear1."),
    (".feed_forward.outer.", ".linear2."),
    (".attention_norm.", ".norm1."),
    (".cross_norm.", ".norm2."),
    (".gamma", ".weight"),
    (".beta", ".bias"),
    ("embedding.", "embed."),
    ("row_lstm.", "lstm."),
    ("input_weight", "weight_ih"),
    ("recurrent_weight", "weight_hh"),
    ("input_bias", "bias_ih"),
    ("recurrent_bias", "bias_hh"),
];

impl InPytorch for Decoder {
    fn place(path: &str) -> Place {
        // The last norm of a layer has its number.
        let last_norm = match path.starts_with("decoder.") {
            true => ".norm3.",
            false => ".norm2.",
        };
        let name = path.replace(".feed_forward_norm.", last_norm);
        let name = RENAMES
            .iter()
            .fold(name, |name, (ours, theirs)| name.replace(ours, theirs));
        let names = match path.starts_with("row_lstm.") {
            true => ["_l0", "_l0_reverse"]
                .map(|way| format!("{name}{way}"))
                .into(),
            false => vec![name],
        };
        let embeds = path.starts_with("reembed.") || path.starts_with("embedding.");
        // Queries, keys and values are packed together.
        let (parts, packed) = match path {
            path if path.contains(".cross.query.") => (0..1, 3),
            path if path.contains(".cross.key_value.") => (1..3, 3),
            _ => (0..1, 1),
        };
        Place {
            names,
            transposed: path.ends_with("weight") && !embeds,
            parts,
            packed,
        }
    }
}
