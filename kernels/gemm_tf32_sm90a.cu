// Large matrix products of TF32 for compute capability 9.0.
// needs sm_90a
#include "wgmma.cuh"

PACK(PackTf32)
WGMMA(WideTf32, 256, 4, 1)
WGMMA(WideTf32, 128, 3, 2)
