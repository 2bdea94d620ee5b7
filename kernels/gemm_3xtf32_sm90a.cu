// Large matrix products near fp32 for compute capability 9.0.
// needs sm_90a
#include "wgmma.cuh"

struct Exact {
    Packed p;
    Gemm<float> g;  // the same product, for sums that are not finite
};

PACK(PackThreeTf32)
extern "C" __global__ void __launch_bounds__(THREADS, 1) wgmma_128_f32(const __grid_constant__ Exact e) {
    if (!product<InThree, 128, 3>(e.p)) take_again<128>(Product<float>(e.g), (float*)stages);
}
