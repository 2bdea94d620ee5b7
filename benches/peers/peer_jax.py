"""JAX on the training steps of `cargo xtask bench --peers`: the whole step compiled, its batch's gathering included."""

import worker
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def dense(p, x):
    return x @ p[0] + p[1]


def conv(p, x):
    return lax.conv_general_dilated(x, p[0], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p[1]


def dropout(key, rate, x):
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


def cnn(p, x, keys):
    x = jax.nn.relu(conv(p[1], jax.nn.relu(conv(p[0], x[..., None]))))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = dropout(keys[0], 0.25, x).reshape(x.shape[0], -1)
    return dense(p[3], dropout(keys[1], 0.5, jax.nn.relu(dense(p[2], x))))


def mlp(p, x, keys):
    x = x.reshape(x.shape[0], -1)
    x = (x - x.mean(0)) * lax.rsqrt(x.var(0) + 1e-3) * p[0][0] + p[0][1]
    return dense(p[2], jax.nn.relu(dense(p[1], x)))


def two_dropouts(p, x, keys):
    x = x.reshape(x.shape[0], -1)
    for layer in (0, 1):
        x = dropout(keys[layer], 0.2, jax.nn.relu(dense(p[layer], x)))
    return dense(p[2], x)


def adadelta(g, s, t):
    squares = 0.95 * s[0] + 0.05 * g * g
    change = -jnp.sqrt(s[1] + 1e-7) / jnp.sqrt(squares + 1e-7) * g
    return change, (squares, 0.95 * s[1] + 0.05 * change * change)


def adam(g, s, t):
    m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g * g
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return -rate * m / (jnp.sqrt(v) + 1e-7), (m, v)


def rmsprop(g, s, t):
    v = 0.9 * s[0] + 0.1 * g * g
    return -1e-3 * g / (jnp.sqrt(v) + 1e-7), (v, s[1])


MODELS = {
    "cnn": (cnn, adadelta, 255.0, [(3, 3, 1, 32), (3, 3, 32, 64), (9216, 128), (128, 10)]),
    "mlp": (mlp, adam, 1.0, [(784,), (784, 128), (128, 10)]),
    "dropout": (two_dropouts, rmsprop, 255.0, [(784, 512), (512, 512), (512, 10)]),
}


def step(name, batch):
    net, rule, scale, shapes = MODELS[name]
    x, y = worker.digits()
    x, y = jnp.asarray(x, jnp.float32) / scale, jnp.asarray(y, jnp.int32)
    rng = np.random.default_rng(0)
    params = [(jnp.asarray(rng.normal(0, 0.05, s), jnp.float32), jnp.zeros(s[-1])) for s in shapes]
    zeros = [(jnp.zeros_like(p), jnp.zeros_like(p)) for p in jax.tree.leaves(params)]
    order = jnp.asarray(rng.permutation(len(x)))

    def loss(params, images, labels, keys):
        scores = jax.nn.log_softmax(net(params, images, keys))
        return -jnp.take_along_axis(scores, labels[:, None], 1).mean()

    def update(state, x, y, order, start):
        params, moments, key, t = state
        key, *keys = jax.random.split(key, 3)
        chosen = lax.dynamic_slice(order, (start,), (batch,))
        value, grads = jax.value_and_grad(loss)(params, x[chosen], y[chosen], keys)
        leaves, tree = jax.tree.flatten(params)
        changes, moments = zip(*[rule(g, s, t) for g, s in zip(jax.tree.leaves(grads), moments)])
        params = jax.tree.unflatten(tree, [p + d for p, d in zip(leaves, changes)])
        return value, (params, list(moments), key, t + 1)

    update = jax.jit(update, donate_argnums=0)
    state, places = [(params, zeros, jax.random.key(0), jnp.float32(1))], worker.batches(len(x), batch)

    def run():
        value, state[0] = update(state[0], x, y, order, next(places)[0])
        jax.block_until_ready((value, state[0][0]))

    return run


def make(words):
    return step(words[1], int(words[2])) if words[0] == "step" else None


worker.serve(f"JAX {jax.__version__}", make)
