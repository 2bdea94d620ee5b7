// Convolution, forward and both ways back, with the multiplications of fp32 and fp64.
#include "conv.cuh"
#include "tile.cuh"

#define KERNELS(name, Pass)                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_f32(const Conv<float> c) { tile<float>(Pass<float>(c)); } \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_f64(const Conv<double> c) { tile<double>(Pass<double>(c)); }
KERNELS(conv2d, Forward)
KERNELS(conv2d_dx, Input)
KERNELS(conv2d_dw, Weight)
