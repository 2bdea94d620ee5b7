// A product of two matrices by tiles of 64 × 64, whatever the matrices are made of: y[m, n] = Σ_k a(m, k)·b(k, n).
//
// 256 threads compute 4 × 4 elements each; a and b come through shared memory, 16 values of k at a time. The sum runs in rising
// order of k, so the result depends on nothing but the operands.
#pragma once

constexpr int TILE = 64;
constexpr int DEPTH = 16;
constexpr int THREADS = 256;
constexpr int PER_THREAD = 4;

// `Job` has the sizes `rows` and `columns`, the operands `a(m, k)` and `b(k, n)`, and takes each element by `store(m, n, value)`.
// The thread block's tile is (blockIdx.x, blockIdx.y); k runs from `begin` to `end`.
template <typename T, typename Job>
__device__ __forceinline__ void tile(const Job& job, int begin, int end) {
    __shared__ T as[DEPTH][TILE + 4];
    __shared__ T bs[DEPTH][TILE + 4];
    const int thread = threadIdx.x, column = thread % 16 * PER_THREAD, row = thread / 16 * PER_THREAD;
    const int first_row = blockIdx.x * TILE, first_column = blockIdx.y * TILE;
    T sum[PER_THREAD][PER_THREAD] = {};
    for (int first = begin; first < end; first += DEPTH) {
        for (int i = thread; i < TILE * DEPTH; i += THREADS) {
            const int m = first_row + i / DEPTH, k = first + i % DEPTH;
            as[i % DEPTH][i / DEPTH] = m < job.rows && k < end ? job.a(m, k) : T(0);
        }
        for (int i = thread; i < TILE * DEPTH; i += THREADS) {
            const int k = first + i / TILE, n = first_column + i % TILE;
            bs[i / TILE][i % TILE] = k < end && n < job.columns ? job.b(k, n) : T(0);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DEPTH; k++) {
            T a[PER_THREAD], b[PER_THREAD];
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
                a[i] = as[k][row + i];
                b[i] = bs[k][column + i];
            }
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
#pragma unroll
                for (int j = 0; j < PER_THREAD; j++) sum[i][j] = fma(a[i], b[j], sum[i][j]);
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < PER_THREAD; i++) {
#pragma unroll
        for (int j = 0; j < PER_THREAD; j++) {
            const int m = first_row + row + i, n = first_column + column + j;
            if (m < job.rows && n < job.columns) job.store(m, n, sum[i][j]);
        }
    }
}
