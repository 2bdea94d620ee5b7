// Convolution on tensor cores: see `Bf16` in mma.cuh.
// needs sm_80
#define PRECISION Bf16
#include "conv_kernels.cuh"
