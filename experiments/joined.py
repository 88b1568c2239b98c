"""Joins real recordings of digits and checks what a run's model reads in them, and when.

usage: python3 experiments/joined.py RUN RECORDINGS [--count N] [--program "cargo xtask"]

RECORDINGS is the Free Spoken Digit Dataset's folder of that name. Each joined recording holds ten takes of
the speakers trained on, with pauses between them; it is longer than the model was trained on, and read in
windows. Digits are aligned with what was said; a time is right if it lies within its word.
"""

import argparse
import difflib
import json
import random
import shlex
import subprocess
import tempfile
import wave
from pathlib import Path

SPEAKERS = ["george", "jackson", "lucas", "nicolas", "theo"]
RATE = 8000


def join(seed, recordings, path):
    """Writes a recording; returns its words as (digit, first second, last second)."""
    chance = random.Random(seed)
    words, samples = [], b""
    for _ in range(10):
        digit = chance.randrange(10)
        takes = sorted(take for name in SPEAKERS for take in recordings.glob(f"{digit}_{name}_*.wav"))
        with wave.open(str(chance.choice(takes))) as take:
            assert (take.getframerate(), take.getsampwidth(), take.getnchannels()) == (RATE, 2, 1)
            word = take.readframes(take.getnframes())
        samples += bytes(2 * int(RATE * chance.uniform(0.15, 0.5)))
        first = len(samples) / 2 / RATE
        samples += word
        words.append((digit, first, len(samples) / 2 / RATE))
    with wave.open(str(path), "wb") as joined:
        joined.setnchannels(1)
        joined.setsampwidth(2)
        joined.setframerate(RATE)
        joined.writeframes(samples + bytes(RATE))
    return words


def main():
    options = argparse.ArgumentParser()
    options.add_argument("run")
    options.add_argument("recordings", type=Path)
    options.add_argument("--count", type=int, default=3)
    options.add_argument("--program", default="cargo xtask")
    options = options.parse_args()
    digits = right = on_time = 0
    for seed in range(1, options.count + 1):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "joined.wav"
            words = join(seed, options.recordings, path)
            command = [*shlex.split(options.program), "predict", options.run, str(path)]
            output = subprocess.run([*command, "--json", "--out", folder], check=True, stdout=subprocess.PIPE)
        [read] = json.loads(output.stdout)
        print("said", *(digit for digit, _, _ in words), " read", read["output"])
        digits += len(words)
        said = [digit for digit, _, _ in words]
        for block in difflib.SequenceMatcher(None, said, read["tokens"]).get_matching_blocks():
            for step in range(block.size):
                _, first, last = words[block.a + step]
                seconds = read["times"][block.b + step]["seconds"]
                right += 1
                on_time += seconds is not None and first <= seconds <= last
    print(f"{right} of {digits} digits right, {on_time} of {digits} times within their words")


if __name__ == "__main__":
    main()
