// Convolution on tensor cores: see `Tf32` in mma.cuh.
// needs sm_80
#define PRECISION Tf32
#include "conv_kernels.cuh"
