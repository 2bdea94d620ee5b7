// Kernels that the simulator's tests run. Compiled with: nvcc -ptx -arch=compute_80 -O3, .version set to 7.0.

// y = a·x + y
extern "C" __global__ void axpy(float a, const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = fmaf(a, x[i], y[i]);
}

// C[m,n] = A[m,k]·B[k,n], row-major. A block of 16×16 threads makes a tile of 32×32, each thread 2×2 of it.
constexpr int TILE = 32, STEP = 16;
extern "C" __global__ void __launch_bounds__(256) gemm(const float* a, const float* b, float* c, int m, int n, int k) {
  __shared__ float left[TILE][STEP + 1];
  __shared__ float right[STEP][TILE];
  const int tx = threadIdx.x, ty = threadIdx.y, t = ty * 16 + tx;
  const int row = blockIdx.y * TILE, column = blockIdx.x * TILE;
  float sum[2][2] = {};
  for (int at = 0; at < k; at += STEP) {
    for (int e = t; e < TILE * STEP; e += 256) {
      const int r = e / STEP, q = e % STEP;
      left[r][q] = row + r < m && at + q < k ? a[(row + r) * k + at + q] : 0.f;
    }
    for (int e = t; e < STEP * TILE; e += 256) {
      const int q = e / TILE, s = e % TILE;
      right[q][s] = at + q < k && column + s < n ? b[(at + q) * n + column + s] : 0.f;
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < STEP; q++)
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 2; j++) sum[i][j] = fmaf(left[ty + 16 * i][q], right[q][tx + 16 * j], sum[i][j]);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; i++)
#pragma unroll
    for (int j = 0; j < 2; j++) {
      const int r = row + ty + 16 * i, s = column + tx + 16 * j;
      if (r < m && s < n) c[r * n + s] = sum[i][j];
    }
}

// Sum of x, one partial per block: warps by shuffles, then the block through shared memory.
extern "C" __global__ void block_sums(const float* x, float* sums, int n) {
  __shared__ float parts[32];
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += x[i];
  for (int o = 16; o; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x < 32) {
    sum = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0.f;
    for (int o = 16; o; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
  }
}

// Counts of each value 0…255, gathered in shared memory.
extern "C" __global__ void histogram(const unsigned char* x, unsigned* counts, int n) {
  __shared__ unsigned part[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) part[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&part[x[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x) if (part[i]) atomicAdd(&counts[i], part[i]);
}
