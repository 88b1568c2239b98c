#!/usr/bin/env bash
# All checks and benchmarks on one machine's GPU, then training the paper's DigitCircle for as long as
# there is time; everything that is printed is kept.
#
#   bench/gpu.sh OUT BACKEND=PROGRAM...
#
# OUT is a folder for the results; runs are in it, too, and a run that is there goes on. PROGRAM is
# `sparling`, built with the feature BACKEND: for several backends, several builds, best the fastest
# backend last, since that one trains. For example
#
#   cargo build --release -p sparling-train --no-default-features --features wgpu --target-dir target/wgpu
#   bench/gpu.sh results wgpu=target/wgpu/release/sparling
#
# Variables: MINUTES, for all of it (30); GOLDEN, a folder of golden values; PEER, a Python with PyTorch.
set -uo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
    exit 2
fi
out=$1
shift
mkdir -p "$out" || exit
ends=$(($(date +%s) + 60 * ${MINUTES:-30}))
failed=0

# The seconds left.
left() {
    echo $((ends - $(date +%s)))
}

# Runs a command for at most so many seconds, and keeps what it prints as a file.
step() {
    local name=$1 seconds=$2
    shift 2
    local most
    most=$(left)
    if [ "$most" -lt 10 ]; then
        echo "$name: no time left"
        failed=1
        return
    fi
    local began=$SECONDS
    timeout "$((seconds < most ? seconds : most))" "$@" >"$out/$name" 2>"$out/$name.log"
    local status=$?
    echo "$name: exit status $status after $((SECONDS - began)) s"
    if [ $status -ne 0 ]; then
        failed=1
        tail -n 3 "$out/$name.log"
    fi
}

peer=()
if [ -n "${PEER:-}" ]; then
    peer=(--peer "$PEER")
fi

for pair in "$@"; do
    backend=${pair%%=*}
    program=${pair#*=}
    step "$backend-devices.txt" 60 "$program" devices
    if [ -n "${GOLDEN:-}" ]; then
        step "$backend-golden.txt" 300 "$program" golden --backend "$backend" "$GOLDEN"
    fi
    step "$backend-quantile.json" 240 "$program" bench quantile --backend "$backend" --json "${peer[@]}"
    step "$backend-reembed.json" 240 "$program" bench reembed --backend "$backend" --json "${peer[@]}"
    for domain in digitcircle audiomnist latexocr; do
        step "$backend-step-$domain.json" 240 "$program" bench step "$domain" --preset paper \
            --backend "$backend" --json "${peer[@]}"
    done
    step "$backend-step-large-batch.json" 240 "$program" bench step digitcircle --preset paper \
        --set training.batch_size=256 --backend "$backend" --json "${peer[@]}"
done

# An experiment goes on where it was stopped. An interrupt saves and stops it, a minute before the end.
seconds=$(($(left) - 60))
if [ "$seconds" -lt 60 ]; then
    echo "no time left to train"
else
    set -m # in a process group of its own, so that the interrupt reaches the run as well
    "$program" experiment "$(dirname "$0")/../experiments/paper/digitcircle-large-batch.toml" \
        --backend "$backend" --out "$out/runs" >"$out/$backend-train.txt" 2>&1 &
    timeout "$seconds" tail --pid=$! --follow /dev/null
    kill -INT -- "-$!" 2>/dev/null
    wait $! || failed=1
    tail -n 2 "$out/$backend-train.txt"
fi
exit $failed
