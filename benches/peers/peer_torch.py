"""PyTorch on the work of `cargo xtask bench --peers`."""

import functools

import worker
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(worker.THREADS)
FORMATS = {"first": torch.contiguous_format, "last": torch.channels_last}


class Images(nn.Module):
    """A convolutional block over images, pooled to one number for each filter: what growth is measured on."""

    def __init__(self, width):
        super().__init__()
        self.convolutions = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, width, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.classes = nn.Linear(width, 10)

    def forward(self, x):
        return self.classes(self.convolutions(x).mean((2, 3)))


def network(name, width=0):
    """A model and its optimizer."""
    if name == "cnn":
        net = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
            nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
        return net, torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.95, eps=1e-7)
    if name == "mlp":
        net = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(784, eps=1e-3, momentum=0.01), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        return net, torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
    if name == "dropout":
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(512, 10))
        return net, torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    net = Images(width)
    return net, torch.optim.SGD(net.parameters(), lr=0.01)


@functools.cache
def digits(scale):
    x, y = worker.digits()
    return torch.from_numpy(x).unsqueeze(1).float() / scale, torch.from_numpy(y).long()


def step(name, *words):
    """One training step, the gathering of its batch included."""
    *sizes, layout, mode = words
    batch, *sizes = map(int, sizes)
    net, optimizer = network(name, *sizes[1:])
    net = net.to(memory_format=FORMATS[layout])
    if name == "images":
        x, y = torch.rand(batch, 3, sizes[0], sizes[0]), torch.randint(10, (batch,))
    else:
        x, y = digits(1.0 if name == "mlp" else 255.0)
    call = torch.compile(net) if mode == "compiled" else net
    order, places = torch.randperm(len(x)), worker.batches(len(x), batch)

    def run():
        start, end = next(places)
        chosen = order[start:end]
        images, labels = x[chosen].contiguous(memory_format=FORMATS[layout]), y[chosen]
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(call(images), labels).backward()
        optimizer.step()

    return run


def infer(batch, layout, mode):
    net = network("cnn")[0].to(memory_format=FORMATS[layout]).eval()
    x = digits(255.0)[0][: int(batch)].contiguous(memory_format=FORMATS[layout])
    call = torch.compile(net) if mode == "compiled" else net

    def run():
        with torch.inference_mode():
            torch.softmax(call(x), -1)

    return run


def gemm(m, n, k):
    m, n, k = int(m), int(n), int(k)
    a, b, c = torch.rand(m, k), torch.rand(k, n), torch.empty(m, n)
    return lambda: torch.mm(a, b, out=c)


def conv(which, layout, *sizes):
    n, size, c, k, kernel, stride, pad = map(int, sizes)
    out = (size + 2 * pad - kernel) // stride + 1
    x, w, dy = (
        torch.rand(shape).contiguous(memory_format=FORMATS[layout])
        for shape in [(n, c, size, size), (k, c, kernel, kernel), (n, k, out, out)])
    strides, pads = [stride] * 2, [pad] * 2
    if which == "forward":
        return lambda: F.conv2d(x, w, None, strides, pads)
    wanted = [which == "dx", which == "dw", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(dy, x, w, None, strides, pads, [1, 1], False, [0, 0], 1, wanted)


def over(name, count, memory):
    """A pass over many numbers, into fresh memory or into memory that is there."""
    count = int(count)
    a, b, y = torch.rand(count), torch.rand(count), torch.empty(count)
    table, rows = a.view(-1, 1024), y.view(-1, 1024)
    images = torch.rand(count // (32 * 32 * 64), 64, 32, 32).contiguous(memory_format=torch.channels_last)
    ones, zeros = torch.ones(64), torch.zeros(64)
    fresh = {
        "add": lambda: a + b,
        "relu": lambda: a.relu(),
        "exp": lambda: a.exp(),
        "gelu": lambda: F.gelu(a),
        "sum": lambda: a.sum(),
        "softmax": lambda: table.softmax(-1),
        "batch_norm": lambda: F.batch_norm(images, None, None, ones, zeros, training=True),
        "max_pool": lambda: F.max_pool2d(images, 2),
    }
    there = {
        "add": lambda: torch.add(a, b, out=y),
        "relu": lambda: torch.clamp_min(a, 0.0, out=y),
        "exp": lambda: torch.exp(a, out=y),
        "gelu": lambda: torch.ops.aten.gelu.out(a, out=y),
        "softmax": lambda: torch.softmax(table, -1, out=rows),
    }
    return (fresh if memory == "fresh" else there).get(name)


def overhead():
    a, b = torch.rand(16, requires_grad=True), torch.rand(16)
    return lambda: a + b


KINDS = {f.__name__: f for f in [step, infer, gemm, conv, over, overhead]}
worker.serve(f"PyTorch {torch.__version__.split('+')[0]}", lambda words: KINDS[words[0]](*words[1:]))
