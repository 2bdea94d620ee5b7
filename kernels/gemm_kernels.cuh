// The kernels of a file of matrix products on tensor cores: for operands whose neighbours in memory are neighbours along k ("d")
// or along rows or columns ("l"), and for tiles of 128 or of 64 columns.
#pragma once
#include "gemm.cuh"
#include "tensor.cuh"

template <class Precision, int COLUMNS, template <int> class Left, template <int> class Right>
__device__ __forceinline__ void gemm(const Gemm<float>& g) {
    tensor_tile<Precision, COLUMNS, Left, Right>(Product<float>(g));
}

#define GEMM(orders, columns, left, right)                                                            \
    extern "C" __global__ void __launch_bounds__(THREADS, columns == 64 ? 2 : PRECISION::BLOCKS) gemm_##orders##_##columns##_f32(const Gemm<float> g) { \
        gemm<PRECISION, columns, left, right>(g);                                                     \
    }
#define GEMMS(columns)                          \
    GEMM(dl, columns, DepthFirst, LinesFirst)   \
    GEMM(dd, columns, DepthFirst, DepthFirst)   \
    GEMM(ll, columns, LinesFirst, LinesFirst)
GEMMS(128)
GEMMS(64)
