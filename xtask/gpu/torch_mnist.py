"""PyTorch on the network of `mnist_cnn`: ms for a step of 128 digits that lie on the GPU, eager, compiled and as a CUDA graph, with and
without TF32; and what the card gives at most: copies, and products of 4096 x 4096 matrices."""

import gzip
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH, STEPS = 128, 200
DEVICE = torch.device("cuda")


def digits(folder):
    """Images and labels, of MNIST's files or of noise."""
    def read(name, skip):
        path = pathlib.Path(folder, name)
        data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
        return torch.from_numpy(np.frombuffer(data, np.uint8, offset=skip).copy())

    if folder == "synthetic":
        return torch.rand(60_000, 1, 28, 28, device=DEVICE), torch.randint(10, (60_000,), device=DEVICE)
    x = read("train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28).float() / 255
    return x.to(DEVICE), read("train-labels-idx1-ubyte", 8).long().to(DEVICE)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    ).to(DEVICE, memory_format=torch.channels_last)


def seconds(run, repeats):
    """The median time of a run, each waited for by an event on the GPU."""
    times = []
    for _ in range(repeats):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return sorted(times)[len(times) // 2]


def step(x, y, mode):
    """A training step on the next batch."""
    net = network()
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.95, eps=1e-7, capturable=mode == "graph")
    call = torch.compile(net) if mode == "compiled" else net
    order, place = torch.randperm(len(x), device=DEVICE), 0
    images = torch.empty(BATCH, 1, 28, 28, device=DEVICE).contiguous(memory_format=torch.channels_last)
    labels = torch.empty(BATCH, dtype=torch.long, device=DEVICE)

    def work():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(call(images), labels).backward()
        optimizer.step()

    def load():
        nonlocal place
        chosen = order[place : place + BATCH]
        place = (place + BATCH) % (len(x) - BATCH)
        images.copy_(x[chosen])
        labels.copy_(y[chosen])

    load()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(12):
            work()
    torch.cuda.synchronize()
    replay = work
    if mode == "graph":
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        replay = graph.replay

    def run():
        load()
        replay()

    return run


def main():
    print("torch", torch.__version__, "CUDA", torch.version.cuda, torch.cuda.get_device_name())
    x, y = digits(sys.argv[1])
    for tf32 in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        for mode in ("eager", "graph", "compiled"):
            try:
                run = step(x, y, mode)
                median = seconds(run, STEPS)
                torch.cuda.synchronize()
                begin = time.perf_counter()
                for _ in range(STEPS):
                    run()
                torch.cuda.synchronize()
                through = (time.perf_counter() - begin) / STEPS
                print(f"ms {1e3 * median:.3f} a step, {1e3 * through:.3f} one after another: {mode}, TF32 {tf32}", flush=True)
            except Exception as error:  # a mode that this installation cannot do
                print(f"{mode}, TF32 {tf32}: {type(error).__name__}: {error}", flush=True)
    source = torch.empty(64 << 20, device=DEVICE)
    target = torch.empty_like(source)
    rate = 2 * source.nbytes / seconds(lambda: target.copy_(source), 50)
    print(f"GB/s {rate / 1e9:.0f}: copying 256 MiB, read and written")
    for name, dtype, tf32 in (("fp32", torch.float32, False), ("tf32", torch.float32, True), ("bf16", torch.bfloat16, False)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b = (torch.randn(4096, 4096, device=DEVICE, dtype=dtype) for _ in range(2))
        rate = 2 * 4096**3 / seconds(lambda: a @ b, 50)
        print(f"TFLOP/s {rate / 1e12:.1f}: products of 4096 x 4096 matrices, {name}")


main()
