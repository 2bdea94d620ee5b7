// A product of two matrices by tiles on tensor cores, whatever the matrices are made of: y[m, n] = Σ_k a(m, k)·b(k, n).
//
// 256 threads compute 128 rows by 128 or 64 columns. Operands come 16 values of k at a time, a stage, copied by cp.async into
// one of three stages in shared memory while the warps work on another. The sum runs in rising order of k.
#pragma once
#include "mma.cuh"
#include "tile.cuh"

constexpr int ROWS = 128;
constexpr int HALF = ROWS / 2;
constexpr int STAGE = 16;
constexpr int STAGES = 3;

// How an operand is copied: by 16 bytes where four elements of a line (or of a value of k) are neighbours, else by elements,
// neighbouring lanes taking neighbours along k or along lines.
enum Way { VECTORS, ELEMENTS_ALONG_DEPTH, ELEMENTS_ALONG_LINES };

// Copies N bytes of which `bytes` are there; zeros for the rest.
template <int N>
__device__ __forceinline__ void copy(float* to, const float* from, int bytes) {
    const unsigned at = __cvta_generic_to_shared(to);
    if (N == 16) asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(bytes) : "memory");
    if (N == 4) asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(at), "l"(from), "r"(bytes) : "memory");
}

// One stage of an operand in shared memory, neighbours along k together. Vectors of 4 are swapped within pairs of lines, so that
// neither copies nor fragments meet in a bank.
template <int LINES>
struct DepthFirst {
    static constexpr bool ALONG_DEPTH = true;
    static __device__ __forceinline__ int at(int line, int k) { return line * STAGE + (((k >> 2) ^ (line >> 1 & 3)) << 2) + (k & 3); }

    int from;  // where the lane begins in the fragments from `line` on, a multiple of 16
    __device__ __forceinline__ explicit DepthFirst(int line) : from(at(line + threadIdx.x % 16, threadIdx.x % 32 / 16 * 4)) {}
    // Fragment `i`, 16 lines each, of k from 8·step on.
    __device__ __forceinline__ void load(float (&v)[4], const float* stage, int i, int step) const {
        const unsigned source = __cvta_generic_to_shared(stage + (from ^ 8 * step) + i * 16 * STAGE);
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=f"(v[0]), "=f"(v[1]), "=f"(v[2]), "=f"(v[3]) : "r"(source) : "memory");
    }
};

// The same with neighbouring lines together. Groups of 8 lines are swapped within every 32.
template <int LINES>
struct LinesFirst {
    static constexpr bool ALONG_DEPTH = false;
    static __device__ __forceinline__ int at(int line, int k) { return k * LINES + (line ^ (k & 3) << 3); }

    int from[4];  // where the lane's part of each of four groups of 8 lines from `line` on is, a multiple of 32
    __device__ __forceinline__ explicit LinesFirst(int line) {
        const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int i = 0; i < 4; i++) from[i] = at(line + 8 * i + g, t);
    }
    __device__ __forceinline__ void load(float (&v)[4], const float* stage, int i, int step) const {
#pragma unroll
        for (int j = 0; j < 4; j++) v[j] = stage[from[i % 2 * 2 + j % 2] + i / 2 * 32 + (8 * step + j / 2 * 4) * LINES];
    }
};

// Starts copying lines `first` to `first` + LINES − 1, of which `lines` are there, and k from `begin` to before `end`.
template <int LINES, template <int> class Order, class Operand>
__device__ __forceinline__ void copy_stage(float* stage, const Operand& x, int first, int lines, int begin, int end) {
    using Stage = Order<LINES>;
    constexpr int VECTORS_ALONG = (Stage::ALONG_DEPTH ? STAGE : LINES) / 4;
    if (x.way == VECTORS) {
#pragma unroll
        for (int i = 0; i < LINES * STAGE / 4 / THREADS; i++) {
            const int e = threadIdx.x + i * THREADS, along = e % VECTORS_ALONG * 4, across = e / VECTORS_ALONG;
            const int line = Stage::ALONG_DEPTH ? across : along, k = Stage::ALONG_DEPTH ? along : across;
            const auto* from = x.at(x.line(first + line), x.depth(begin + k));
            const int lines_left = lines - first - line, depth_left = end - begin - k;
            const int count = Stage::ALONG_DEPTH ? depth_left : lines_left;
            const bool there = (!Operand::HOLES || from) && lines_left > 0 && depth_left > 0;
            copy<16>(stage + Stage::at(line, k), there ? from : x.data, there ? min(count, 4) * 4 : 0);
        }
    } else {
#pragma unroll 1
        for (int i = 0; i < LINES * STAGE / THREADS; i++) {
            const bool along_depth = x.way == ELEMENTS_ALONG_DEPTH;
            const int e = threadIdx.x + i * THREADS;
            const int line = along_depth ? e / STAGE : e % LINES, k = along_depth ? e % STAGE : e / LINES;
            const auto* from = x.at(x.line(first + line), x.depth(begin + k));
            const bool there = (!Operand::HOLES || from) && first + line < lines && begin + k < end;
            copy<4>(stage + Stage::at(line, k), there ? from : x.data, there ? 4 : 0);
        }
    }
}

// A result that is not finite may be owed to the parts that operands were taken apart into. Then the tile is computed again
// with fp32's own multiplications, as IEEE 754 has it.
template <int COLUMNS, class Job>
__device__ __forceinline__ void take_again(const Job& job, float* space) {
    constexpr int ACROSS = COLUMNS / TILE;
#pragma unroll 1
    for (int part = 0; part < ROWS / TILE * ACROSS; part++) {
        const int row = blockIdx.x * ROWS + part / ACROSS * TILE, column = blockIdx.y * COLUMNS + part % ACROSS * TILE;
        tile_at<float>(job, row, column, space);
    }
}

// Two floats to shared memory at once, which nvcc would store one by one here and there.
__device__ __forceinline__ void store_pair(float* to, float first, float second) {
    const unsigned at = __cvta_generic_to_shared(to);
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(at), "f"(first), "f"(second) : "memory");
}

// Stores a part of the result that lies in shared memory: rows from `first_row` to before `end_row`, COLUMNS columns.
template <int COLUMNS, class Job>
__device__ __forceinline__ void store_rows(const Job& job, const float* part, int first_row, int end_row, int first_column) {
    if (job.column_stride() == 1) {
#pragma unroll 1
        for (int i = 0; i < HALF * COLUMNS / 4 / THREADS; i++) {
            const int e = threadIdx.x + i * THREADS;
            const int row = e / (COLUMNS / 4), column = e % (COLUMNS / 4) * 4, n = first_column + column;
            if (first_row + row >= end_row || n >= job.columns) continue;
            const float4 x = *(const float4*)(part + row * (COLUMNS + 8) + column);
            float* out = job.row(first_row + row);
            if (n + 4 <= job.columns && (size_t)(out + n) % 16 == 0) {
                *(float4*)(out + n) = make_float4(job.with_bias(n, x.x), job.with_bias(n + 1, x.y), job.with_bias(n + 2, x.z), job.with_bias(n + 3, x.w));
            } else {
                out[n] = job.with_bias(n, x.x);
                if (n + 1 < job.columns) out[n + 1] = job.with_bias(n + 1, x.y);
                if (n + 2 < job.columns) out[n + 2] = job.with_bias(n + 2, x.z);
                if (n + 3 < job.columns) out[n + 3] = job.with_bias(n + 3, x.w);
            }
        }
    } else {
#pragma unroll 1
        for (int i = 0; i < HALF * COLUMNS / THREADS; i++) {
            const int e = threadIdx.x + i * THREADS;
            const int row = e % HALF, column = e / HALF, n = first_column + column;
            if (first_row + row >= end_row || n >= job.columns) continue;
            job.row(first_row + row)[n * job.column_stride()] = job.with_bias(n, part[row * (COLUMNS + 8) + column]);
        }
    }
}

// The thread block's tile is (blockIdx.x, blockIdx.y); there is at least one value of k.
template <class Precision, int COLUMNS, template <int> class LeftOrder, template <int> class RightOrder, class Job>
__device__ __forceinline__ void tensor_tile(const Job& job) {
    const int begin = job.begin(), end = job.end();
    // warps of 64 × 32 or of 32 × 32 elements
    constexpr int ACROSS = COLUMNS / 32, HEIGHT = ROWS / (8 / ACROSS), DOWN_TILES = HEIGHT / 16, ACROSS_TILES = 4;
    constexpr int LEFT = ROWS * STAGE, BOTH = LEFT + COLUMNS * STAGE;
    __shared__ __align__(128) float stages[STAGES * BOTH];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int row = warp / ACROSS * HEIGHT, column = warp % ACROSS * 32;
    const int first_row = blockIdx.x * ROWS, first_column = blockIdx.y * COLUMNS;

    auto start = [&](int k, float* stage) {
        if (k < end) {
            copy_stage<ROWS, LeftOrder>(stage, job.left, first_row, job.rows, k, end);
            copy_stage<COLUMNS, RightOrder>(stage + LEFT, job.right, first_column, job.columns, k, end);
        }
        asm volatile("cp.async.commit_group;" ::: "memory");
    };
    const LeftOrder<ROWS> lefts(row);
    const RightOrder<COLUMNS> rights(column);
    float sum[DOWN_TILES][ACROSS_TILES][4] = {};
    for (int i = 0; i < STAGES - 1; i++) start(begin + i * STAGE, stages + i * BOTH);
    int now = 0, k = begin;
#pragma unroll 1
    do {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        // all have copied this stage, and none works on the one before, which the next copies go to
        __syncthreads();
        start(k + (STAGES - 1) * STAGE, stages + (now == 0 ? (STAGES - 1) * BOTH : now - BOTH));
#pragma unroll Precision::STEPS
        for (int step = 0; step < STAGE / 8; step++) {
            typename Precision::Fragment right[ACROSS_TILES / 2];
            float v[4];
#pragma unroll
            for (int j = 0; j < ACROSS_TILES / 2; j++) {
                rights.load(v, stages + now + LEFT, j, step);
                right[j] = Precision::fragment(v);
            }
#pragma unroll
            for (int i = 0; i < DOWN_TILES; i++) {
                lefts.load(v, stages + now, i, step);
                const typename Precision::Fragment left = Precision::fragment(v);
#pragma unroll
                for (int j = 0; j < ACROSS_TILES; j++) Precision::multiply(sum[i][j], left, right[j / 2], j % 2);
            }
        }
        now = now == (STAGES - 1) * BOTH ? 0 : now + BOTH;
        k += STAGE;
    } while (k < end);
    if (Precision::EXACT) {
        float nothing = 0;  // NaN, if a sum is not finite
#pragma unroll
        for (int i = 0; i < DOWN_TILES * ACROSS_TILES * 4; i++) nothing = fmaf(sum[i / 4 / ACROSS_TILES][i / 4 % ACROSS_TILES][i % 4], 0.f, nothing);
        if (__syncthreads_or(nothing != 0.f)) return take_again<COLUMNS>(job, stages);
    }
    // through shared memory, half the rows at a time, so that neighbours in a row are stored together
#pragma unroll 1
    for (int half = 0; half < 2; half++) {
        __syncthreads();
        if (row / HALF == half) {
#pragma unroll
            for (int i = 0; i < DOWN_TILES * 2; i++) {
#pragma unroll
                for (int j = 0; j < ACROSS_TILES; j++) {
                    const float* pair = &sum[i / 2][j][i % 2 * 2];
                    float* to = stages + (row % HALF + 8 * i + lane / 4) * (COLUMNS + 8) + column + 8 * j + lane % 4 * 2;
                    store_pair(to, pair[0], pair[1]);
                }
            }
        }
        __syncthreads();
        store_rows<COLUMNS>(job, stages, first_row + half * HALF, job.rows, first_column);
    }
}
