"""PyTorch's route to the thresholds: permute to [channels, values], then kthvalue.

Takes the device, the number of threads and a JSON list of {"shape", "k"}; prints a JSON list of
median milliseconds.
"""

import json
import sys
import time

import torch

REPEATS = 15


def milliseconds(device, shape, k):
    values = torch.randn(shape, device=device)
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        values.transpose(0, 1).reshape(shape[1], -1).kthvalue(k, dim=1).values.cpu()
        times.append(time.perf_counter() - begun)
    return sorted(times)[REPEATS // 2] * 1e3


def main():
    device, threads, cases = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    torch.set_num_threads(threads)
    print(json.dumps([milliseconds(device, case["shape"], case["k"]) for case in cases]))


main()
