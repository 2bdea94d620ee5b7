// Matrix products on tensor cores: see `ThreeTf32` in mma.cuh.
// needs sm_80
#define PRECISION ThreeTf32
#include "gemm_kernels.cuh"
