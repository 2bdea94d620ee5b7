"""Keras on TensorFlow, on the training steps of `cargo xtask bench --peers`."""

import os

import worker

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import tensorflow
from keras import layers

tensorflow.config.threading.set_intra_op_parallelism_threads(worker.THREADS)


def network(name):
    if name == "cnn":
        model = keras.Sequential([
            keras.Input((28, 28, 1)), layers.Conv2D(32, (3, 3), activation="relu"), layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)), layers.Dropout(0.25), layers.Flatten(), layers.Dense(128, activation="relu"),
            layers.Dropout(0.5), layers.Dense(10, activation="softmax")])
        optimizer = keras.optimizers.Adadelta(learning_rate=1.0, rho=0.95)
    elif name == "mlp":
        model = keras.Sequential([
            keras.Input((28, 28)), layers.Flatten(), layers.BatchNormalization(), layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax")])
        optimizer = keras.optimizers.Adam()
    else:
        model = keras.Sequential([
            keras.Input((28, 28)), layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dropout(0.2),
            layers.Dense(512, activation="relu"), layers.Dropout(0.2), layers.Dense(10, activation="softmax")])
        optimizer = keras.optimizers.RMSprop()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


class Clock(keras.callbacks.Callback):
    """When each step of `fit` began."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begins = []

    def on_train_batch_begin(self, batch, logs=None):
        self.begins.append(worker.NOW())


class Fit:
    """Steps of `fit`, timed from the beginning of one to the beginning of the next."""

    def __init__(self, name, batch):
        x, self.y = worker.digits()
        self.x = (x[..., None] if name == "cnn" else x).astype("float32") / (1.0 if name == "mlp" else 255.0)
        self.model, self.batch, self.once = network(name), batch, None

    def steps(self, count):
        clock, images = Clock(), count * self.batch
        self.model.fit(self.x[:images], self.y[:images], self.batch, verbose=0, callbacks=[clock])
        return [after - before for before, after in zip(clock.begins, clock.begins[1:])]

    def samples(self, seconds):
        if self.once is None:
            self.once = sorted(self.steps(8))[3]
        return self.steps(min(len(self.x) // self.batch, max(8, round(seconds / self.once))))[3:]


def make(words):
    return Fit(words[1], int(words[2])) if words[0] == "step" else None


worker.serve(f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}", make)
