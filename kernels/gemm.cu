// Matrix products with the multiplications of fp32 and fp64.
#include "gemm.cuh"
#include "tile.cuh"

template <typename T>
__device__ __forceinline__ void gemm(const Gemm<T>& g) {
    tile<T>(Product<T>(g));
}

extern "C" __global__ void __launch_bounds__(THREADS) gemm_f32(const Gemm<float> g) { gemm(g); }
extern "C" __global__ void __launch_bounds__(THREADS) gemm_f64(const Gemm<double> g) { gemm(g); }
