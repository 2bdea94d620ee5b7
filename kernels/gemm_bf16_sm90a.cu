// Large matrix products of bf16 for compute capability 9.0.
// needs sm_90a
#include "wgmma.cuh"

PACK(PackBf16)
WGMMA(WideBf16, 256, 4, 1)
WGMMA(WideBf16, 128, 3, 2)
