"""onnxruntime on the inference of `cargo xtask bench --peers`: the CNN, its graph written by hand."""

import worker
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def cnn():
    rng = np.random.default_rng(0)
    shapes = {"w1": (32, 1, 3, 3), "w2": (64, 32, 3, 3), "w3": (9216, 128), "w4": (128, 10), "b1": (32,), "b2": (64,), "b3": (128,), "b4": (10,)}
    weights = [numpy_helper.from_array(rng.normal(0, 0.05, s).astype(np.float32), name) for name, s in shapes.items()]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"]), helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"]), helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]), helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["g"]), helper.make_node("Relu", ["g"], ["r3"]),
        helper.make_node("Gemm", ["r3", "w4", "b4"], ["scores"]), helper.make_node("Softmax", ["scores"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 28, 28])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])
    graph = helper.make_graph(nodes, "cnn", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def make(words):
    if words[0] != "infer":
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = worker.THREADS
    session = onnxruntime.InferenceSession(cnn(), options, providers=["CPUExecutionProvider"])
    x = worker.digits()[0][: int(words[1]), None].astype(np.float32) / 255.0
    return lambda: session.run(None, {"x": x})


worker.serve(f"onnxruntime {onnxruntime.__version__}", make)
