"""A 1x1 convolution and max pooling in PyTorch, forward and backward.

Takes the device, the number of threads and a JSON list of {"shape", "features", "window", "density",
"budget"}; prints a JSON list of {"milliseconds"}, medians.
"""

import json
import sys
import time

import torch
from torch import nn


def measure(device, case):
    channels = case["shape"][1]
    layer = nn.Sequential(nn.Conv2d(channels, case["features"], 1), nn.MaxPool2d(case["window"]))
    layer.to(device)
    motifs = torch.relu(torch.rand(case["shape"], device=device) - (1 - case["density"]))
    motifs.requires_grad_()

    def seconds():
        begun = time.perf_counter()
        layer(motifs).sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begun

    fitting = case["budget"] / seconds()
    times = sorted(seconds() for _ in range(min(max(int(fitting), 3), 101)))
    return {"milliseconds": times[len(times) // 2] * 1e3}


def main():
    device, threads, cases = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    torch.set_num_threads(threads)
    print(json.dumps([measure(device, case) for case in cases]))


main()
