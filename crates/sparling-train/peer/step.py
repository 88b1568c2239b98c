"""The same model's training step in PyTorch.

Takes the device, the number of threads and a JSON case: the model's configuration, the input's shape,
batch, tokens, density and seconds to spend on each measurement. Prints JSON: samples_per_s,
peak_memory in bytes, and milliseconds by part (forward and backward).
"""

import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class Unit(nn.Module):
    def __init__(self, conv, norm, width):
        super().__init__()
        self.layers = nn.Sequential(
            norm(width), nn.ReLU(), conv(width, width, 3, padding=1),
            norm(width), nn.ReLU(), conv(width, width, 3, padding=1),
        )

    def forward(self, x):
        return x + self.layers(x)


def motif_model(config, conv, norm):
    width = config["width"]
    units = [Unit(conv, norm, width) for _ in range(config["units"])]
    return nn.Sequential(
        conv(config["inputs"], width, 1), *units, conv(width, config["channels"], 1)
    )


class Bottleneck(nn.Module):
    def __init__(self, norm, channels, affine, momentum, density):
        super().__init__()
        self.norm = norm(channels, affine=affine)
        self.momentum, self.density = momentum, density
        self.register_buffer("thresholds", torch.zeros(channels))

    def forward(self, x):
        x = self.norm(x)
        channels = x.shape[1]
        with torch.no_grad():
            flat = x.transpose(0, 1).reshape(channels, -1)
            rank = max(1, int(flat.shape[1] * (1 - self.density)))
            quantile = flat.kthvalue(rank, dim=1).values
            self.thresholds.mul_(self.momentum).add_(quantile, alpha=1 - self.momentum)
        return functional.relu(x - self.thresholds.view(1, -1, *[1] * (x.dim() - 2)))


def sinusoids(length, width):
    positions = torch.arange(length).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2], table[:, 1::2] = torch.sin(positions * rates), torch.cos(positions * rates)
    return table


class Decoder(nn.Module):
    def __init__(self, config, conv, pool, device):
        super().__init__()
        width = config["width"]
        self.reembed = conv(config["channels"], width, 1)
        self.pool = pool(config["pool"])
        self.lstm = None
        if config["row_lstm"] is not None:
            self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)
        shape = (width, config["heads"], config["feed_forward"], config["dropout"])
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*shape, batch_first=True), config["encoder_layers"]
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(*shape, batch_first=True), config["decoder_layers"]
        )
        self.embedding = nn.Embedding(config["vocabulary"], width)
        self.output = nn.Linear(width, config["vocabulary"])
        self.table = sinusoids(4096, width).to(device)
        self.dropout = nn.Dropout(config["dropout"])

    def encode(self, motifs):
        cells = self.pool(self.reembed(motifs))
        if cells.dim() == 3:
            cells = cells.unsqueeze(3)
        cells = cells.permute(0, 2, 3, 1)
        batch, rows, columns, width = cells.shape
        if self.lstm is not None:
            cells = self.lstm(cells.reshape(batch * rows, columns, width))[0]
            cells = cells.view(batch, rows, columns, width)
        cells = cells + self.table[:rows].view(1, rows, 1, width)
        return self.encoder(self.dropout(cells.reshape(batch, rows * columns, width)))

    def decode(self, memory, tokens):
        time = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(time, device=tokens.device)
        x = self.dropout(self.embedding(tokens) + self.table[:time])
        return self.output(self.decoder(x, memory, tgt_mask=mask, tgt_is_causal=True))


def main():
    device, threads, case = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    torch.set_num_threads(threads)
    config = case["config"]
    channels, height, width = case["input"]
    images = height > 1
    conv, norm = (nn.Conv2d, nn.BatchNorm2d) if images else (nn.Conv1d, nn.BatchNorm1d)
    pool = nn.MaxPool2d if images else nn.MaxPool1d
    sparsity = config["bottleneck"]["sparsity"]

    g = motif_model(config["motif_model"], conv, norm).to(device)
    bottleneck = Bottleneck(
        norm, sparsity["channels"], config["bottleneck"]["affine"], sparsity["momentum"],
        case["density"],
    ).to(device)
    h = Decoder(config["decoder"], conv, pool, device).to(device)
    model = nn.ModuleList([g, bottleneck, h])
    optimizer = torch.optim.Adam(model.parameters(), lr=case["learning_rate"])

    plane = (height, width) if images else (width,)
    x = (torch.rand(case["batch"], channels, *plane, device=device) < 0.3).float()
    tokens = torch.randint(config["decoder"]["vocabulary"], (case["batch"], case["time"]))
    tokens = tokens.to(device)

    def loss(logits):
        return functional.cross_entropy(logits.transpose(1, 2), tokens)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(h.decode(h.encode(bottleneck(g(x))), tokens)).backward()
        clip_and_update()

    def clip_and_update():
        if case["gradient_clip_norm"] is not None:
            nn.utils.clip_grad_norm_(model.parameters(), case["gradient_clip_norm"])
        optimizer.step()

    def leaf(values):
        return values.detach().requires_grad_()

    def seconds(run):
        def timed():
            begun = time.perf_counter()
            run()
            if device == "cuda":
                torch.cuda.synchronize()
            return time.perf_counter() - begun

        fitting = case["budget"] / timed()
        times = [timed() for _ in range(min(max(int(fitting), 3), 101))]
        return sorted(times)[len(times) // 2]

    whole = seconds(step)
    if device == "cuda":
        memory = torch.cuda.max_memory_allocated()
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    features = leaf(g(x))
    motifs = leaf(bottleneck(features))
    memory_of_motifs = leaf(h.encode(motifs))
    parts = {
        "model and loss": lambda: loss(h.decode(h.encode(bottleneck(g(x))), tokens)).backward(),
        "clipping and Adam": clip_and_update,
        "motif model": lambda: g(x).sum().backward(),
        "bottleneck": lambda: bottleneck(features).sum().backward(),
        "encoder": lambda: h.encode(motifs).sum().backward(),
        "decoder": lambda: h.decode(memory_of_motifs, tokens).sum().backward(),
    }
    print(json.dumps({
        "samples_per_s": case["batch"] / whole,
        "peak_memory": memory,
        "milliseconds": {name: seconds(run) * 1e3 for name, run in parts.items()},
    }))


main()
