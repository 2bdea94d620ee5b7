// A product of two matrices by tiles of 64 × 64, whatever the matrices are made of: y[m, n] = Σ_k a(m, k)·b(k, n).
//
// 256 threads compute 4 × 4 elements each; a and b come through shared memory, 16 values of k at a time. The sum runs in rising
// order of k, so the result depends on nothing but the operands.
#pragma once

constexpr int TILE = 64;
constexpr int DEPTH = 16;
constexpr int THREADS = 256;
constexpr int PER_THREAD = 4;
constexpr int PITCH = TILE + 4;
constexpr int TILE_SPACE = 2 * DEPTH * PITCH;  // elements of shared memory

// The tile whose first element is (`first_row`, `first_column`) of a `Job`.
template <typename T, class Job>
__device__ __forceinline__ void tile_at(const Job& job, int first_row, int first_column, T* space) {
    T *as = space, *bs = space + DEPTH * PITCH;
    const int thread = threadIdx.x, column = thread % 16 * PER_THREAD, row = thread / 16 * PER_THREAD;
    const int begin = job.begin(), end = job.end();
    T sum[PER_THREAD][PER_THREAD] = {};
    int first = begin;
    do {
#pragma unroll
        for (int e = 0; e < TILE * DEPTH / THREADS; e++) {
            const int i = thread + e * THREADS, m = first_row + i / DEPTH, k = first + i % DEPTH;
            as[i % DEPTH * PITCH + i / DEPTH] = m < job.rows && k < end ? job.a(m, k) : T(0);
        }
#pragma unroll
        for (int e = 0; e < TILE * DEPTH / THREADS; e++) {
            const int i = thread + e * THREADS, k = first + i / TILE, n = first_column + i % TILE;
            bs[i / TILE * PITCH + i % TILE] = k < end && n < job.columns ? job.b(k, n) : T(0);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DEPTH; k++) {
            T a[PER_THREAD], b[PER_THREAD];
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
                a[i] = as[k * PITCH + row + i];
                b[i] = bs[k * PITCH + column + i];
            }
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
#pragma unroll
                for (int j = 0; j < PER_THREAD; j++) sum[i][j] = fma(a[i], b[j], sum[i][j]);
            }
        }
        __syncthreads();
        first += DEPTH;
    } while (first < end);
#pragma unroll
    for (int i = 0; i < PER_THREAD; i++) {
        const int m = first_row + row + i;
        if (m >= job.rows) break;
        T* out = job.row(m);
#pragma unroll
        for (int j = 0; j < PER_THREAD; j++) {
            const int n = first_column + column + j;
            if (n < job.columns) out[n * job.column_stride()] = job.with_bias(n, sum[i][j]);
        }
    }
}

// The thread block's tile, (blockIdx.x, blockIdx.y).
template <typename T, class Job>
__device__ __forceinline__ void tile(const Job& job) {
    __shared__ T space[TILE_SPACE];
    tile_at<T>(job, blockIdx.x * TILE, blockIdx.y * TILE, space);
}
