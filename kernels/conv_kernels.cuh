// The kernels of a file of convolutions on tensor cores: for tiles of 128 or of 64 columns.
#pragma once
#include "conv.cuh"
#include "tensor.cuh"

#define CONV(name, columns, Pass, Left, Right)                                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS, columns == 64 ? 2 : PRECISION::BLOCKS) name##_##columns##_f32(const Conv<float> c) {         \
        tensor_tile<PRECISION, columns, Left, Right>(Pass<float>(c));                                              \
    }
#define CONVS(columns)                                       \
    CONV(conv2d, columns, Forward, DepthFirst, LinesFirst)   \
    CONV(conv2d_dx, columns, Input, DepthFirst, DepthFirst)  \
    CONV(conv2d_dw, columns, Weight, LinesFirst, LinesFirst)
CONVS(128)
CONVS(64)
