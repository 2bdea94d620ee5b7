// Matrix products by the instructions of compute capability 9.0, with which four warps multiply what lies in shared memory.
//
// Their operands have to lie there in one order, and rounded already. So a kernel packs each operand first: into parts of 128
// lines by 128 bytes of k, the very bytes that a stage in shared memory is to have, with zeros beyond the edges. The product then
// copies whole parts, whatever the matrices were like. That is worth it for large products only: packing costs one reading and one
// writing of each operand.
#pragma once
#include "gemm.cuh"
#include "tensor.cuh"

constexpr int PART_LINES = ROWS;
constexpr int LINE_BYTES = 128;
constexpr int PART = PART_LINES * LINE_BYTES;  // bytes
constexpr int WARPGROUP = 128;                 // threads that multiply together, 64 rows
constexpr int SLICES = 4;                      // of 32 bytes of k: what an instruction takes
constexpr int CHUNK = 16;                      // bytes that are packed and copied together

extern __shared__ __align__(1024) char stages[];

struct Packing {
    Matrix<float> x;
    long long batch;  // what leads from one matrix to the next
    char* parts;      // [batch, lines / 128, stages, Pack::PARTS, PART]
    int lines, depth;
};

struct Packed {
    const char *a, *b;
    const float* bias;            // or null
    float* y;                     // [batch, rows, columns], an even number of columns
    long long a_batch, b_batch;   // bytes
    int rows, columns, stages;    // stages of 128 bytes of k, at least one
    int bias_stride;
};

// How four values along k, or twice four, become CHUNK bytes; in the last case two parts of them.
struct PackTf32 {
    static constexpr int VALUES = 4, PARTS = 1;
    static __device__ __forceinline__ uint4 pack(const float (&v)[4]) { return {tf32(v[0]), tf32(v[1]), tf32(v[2]), tf32(v[3])}; }
};
struct PackBf16 {
    static constexpr int VALUES = 8, PARTS = 1;
    static __device__ __forceinline__ uint4 pack(const float (&v)[8]) {
        return {Bf16::pair(v[0], v[1]), Bf16::pair(v[2], v[3]), Bf16::pair(v[4], v[5]), Bf16::pair(v[6], v[7])};
    }
};
struct PackThreeTf32 : PackTf32 {
    static constexpr int PARTS = 2;
    // What `pack` has lost.
    static __device__ __forceinline__ uint4 rest(const float (&v)[4], const uint4& big) {
        const float left[4] = {v[0] - __uint_as_float(big.x), v[1] - __uint_as_float(big.y), v[2] - __uint_as_float(big.z), v[3] - __uint_as_float(big.w)};
        return pack(left);
    }
};

// One part: 128 lines from 128·blockIdx.x on, stage blockIdx.y, of matrix blockIdx.z.
template <class Pack>
__device__ __forceinline__ void pack(const Packing& p) {
    constexpr int VALUES = Pack::VALUES, ALONG = LINE_BYTES / CHUNK;
    const float* data = p.x.data + blockIdx.z * p.batch;
    char* part = p.parts + ((long long)(blockIdx.z * gridDim.x + blockIdx.x) * gridDim.y + blockIdx.y) * Pack::PARTS * PART;
    const bool along_depth = p.x.depth_stride == 1;
#pragma unroll
    for (int i = 0; i < PART / CHUNK / THREADS; i++) {
        const int e = threadIdx.x + i * THREADS;
        const int line = along_depth ? e / ALONG : e % PART_LINES, chunk = along_depth ? e % ALONG : e / PART_LINES;
        const int from_line = blockIdx.x * PART_LINES + line, from_k = (blockIdx.y * ALONG + chunk) * VALUES;
        const float* from = data + p.x.line(from_line);
        float v[VALUES];
#pragma unroll
        for (int j = 0; j < VALUES; j += 4) {
            if (along_depth && p.x.way == 0 && from_line < p.lines && from_k + j + 4 <= p.depth) {
                const float4 four = *(const float4*)(from + from_k + j);
                v[j] = four.x, v[j + 1] = four.y, v[j + 2] = four.z, v[j + 3] = four.w;
            } else {
#pragma unroll
                for (int l = j; l < j + 4; l++) v[l] = from_line < p.lines && from_k + l < p.depth ? from[p.x.depth(from_k + l)] : 0.f;
            }
        }
        // chunks are swapped within groups of 8 lines, as the instruction's widest swizzle has them
        uint4* to = (uint4*)(part + line * LINE_BYTES + (chunk ^ line % 8) * CHUNK);
        *to = Pack::pack(v);
        if constexpr (Pack::PARTS == 2) to[PART / CHUNK] = Pack::rest(v, Pack::pack(v));
    }
}

// Tells an instruction where its operand is: the address, 1,024 bytes from 8 lines to the next 8, the swizzle over 128 bytes.
__device__ __forceinline__ unsigned long long descriptor(unsigned address) {
    return (address & 0x3ffff) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

#define REGISTERS_8(x, i) "+f"(x[i]), "+f"(x[i + 1]), "+f"(x[i + 2]), "+f"(x[i + 3]), "+f"(x[i + 4]), "+f"(x[i + 5]), "+f"(x[i + 6]), "+f"(x[i + 7])
#define REGISTERS_32(x, i) REGISTERS_8(x, i), REGISTERS_8(x, i + 8), REGISTERS_8(x, i + 16), REGISTERS_8(x, i + 24)
#define NAMES_10(i) "%" #i "0, %" #i "1, %" #i "2, %" #i "3, %" #i "4, %" #i "5, %" #i "6, %" #i "7, %" #i "8, %" #i "9, "
#define NAMES_60 NAMES_10() NAMES_10(1) NAMES_10(2) NAMES_10(3) NAMES_10(4) NAMES_10(5)
#define NAMES_64 NAMES_60 "%60, %61, %62, %63"
#define NAMES_128 NAMES_60 NAMES_10(6) NAMES_10(7) NAMES_10(8) NAMES_10(9) NAMES_10(10) NAMES_10(11) "%120, %121, %122, %123, %124, %125, %126, %127"
// sum = a·b for 64 rows and 32 bytes of k, or sum += a·b
#define MULTIPLY(types)                                                                                                               \
    template <int ADD>                                                                                                                \
    static __device__ __forceinline__ void multiply(float (&sum)[64], unsigned long long a, unsigned long long b) {                   \
        asm volatile("wgmma.mma_async.sync.aligned.m64n128" types " {" NAMES_64 "}, %64, %65, %66, 1, 1" TRANSPOSED ";"               \
                     : REGISTERS_32(sum, 0), REGISTERS_32(sum, 32) : "l"(a), "l"(b), "n"(ADD));                                       \
    }                                                                                                                                 \
    template <int ADD>                                                                                                                \
    static __device__ __forceinline__ void multiply(float (&sum)[128], unsigned long long a, unsigned long long b) {                  \
        asm volatile("wgmma.mma_async.sync.aligned.m64n256" types " {" NAMES_128 "}, %128, %129, %130, 1, 1" TRANSPOSED ";"           \
                     : REGISTERS_32(sum, 0), REGISTERS_32(sum, 32), REGISTERS_32(sum, 64), REGISTERS_32(sum, 96)                      \
                     : "l"(a), "l"(b), "n"(ADD));                                                                                     \
    }
// How far apart the slices of a line are in a descriptor.
constexpr unsigned long long SLICE = LINE_BYTES / SLICES >> 4;

// Multiplies one stage; the copies that `meanwhile` starts go to a stage that is free by then.
template <class Products, int COLUMNS>
struct Direct {
    static constexpr int PARTS = 1;  // of each operand
    static constexpr bool EXACT = false;
    float sum[COLUMNS / 2] = {};

    template <class Meanwhile>
    __device__ __forceinline__ void stage(unsigned long long a, unsigned long long b, Meanwhile meanwhile) {
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int slice = 0; slice < SLICES; slice++) Products::template multiply<1>(sum, a + slice * SLICE, b + slice * SLICE);
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        meanwhile();
        // this stage may go on beside the next
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
    }
};

struct WideTf32 {
#define TRANSPOSED ""
    MULTIPLY("k8.f32.tf32.tf32")
#undef TRANSPOSED
};
struct WideBf16 {
#define TRANSPOSED ", 0, 0"
    MULTIPLY("k16.f32.bf16.bf16")
#undef TRANSPOSED
};

// Near fp32, as `ThreeTf32` in mma.cuh: the sums of a stage are added up outside of the tensor cores.
struct InThree {
    static constexpr int PARTS = 2;
    static constexpr bool EXACT = true;
    float sum[64] = {}, part[64] = {};

    template <class Meanwhile>
    __device__ __forceinline__ void stage(unsigned long long a, unsigned long long b, Meanwhile meanwhile) {
        constexpr unsigned long long REST = PART >> 4;
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
        WideTf32::multiply<0>(part, a + REST, b);
#pragma unroll
        for (int slice = 0; slice < SLICES; slice++) {
            const unsigned long long at = slice * SLICE;
            if (slice > 0) WideTf32::multiply<1>(part, a + REST + at, b + at);
            WideTf32::multiply<1>(part, a + at, b + REST + at);
            WideTf32::multiply<1>(part, a + at, b + at);
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        meanwhile();
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
        for (int i = 0; i < 64; i++) {
            asm volatile("" : "+f"(part[i]));  // not before the wait
            sum[i] += part[i];
        }
    }
};

// Copies of a stage are begun two stages before the last one is multiplied: it and the one before are read meanwhile. True if all
// sums are finite or need not be.
template <class Multiply, int COLUMNS, int STAGES>
__device__ __forceinline__ bool product(const Packed& p) {
    constexpr int TILES = 1 + COLUMNS / PART_LINES, OPERAND = Multiply::PARTS * PART, STAGE = TILES * OPERAND;
    const unsigned shared = __cvta_generic_to_shared(stages), mine = threadIdx.x * CHUNK;
    const char* from[TILES];
    from[0] = p.a + blockIdx.z * p.a_batch + (long long)blockIdx.x * p.stages * OPERAND + mine;
#pragma unroll
    for (int i = 1; i < TILES; i++) {
        // beyond the last columns there is no part, and any will do
        const int tile = min((int)blockIdx.y * (TILES - 1) + i - 1, (p.columns - 1) / PART_LINES);
        from[i] = p.b + blockIdx.z * p.b_batch + (long long)tile * p.stages * OPERAND + mine;
    }
    auto start = [&](int stage, int slot) {
        if (stage < p.stages) {
#pragma unroll
            for (int i = 0; i < STAGE / CHUNK / THREADS; i++) {
                constexpr int TIMES = OPERAND / CHUNK / THREADS;
                const char* source = from[i / TIMES] + (long long)stage * OPERAND + i % TIMES * CHUNK * THREADS;
                asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared + slot * STAGE + i * CHUNK * THREADS + mine), "l"(source) : "memory");
            }
        }
        asm volatile("cp.async.commit_group;" ::: "memory");
    };
    const unsigned long long a = descriptor(shared + threadIdx.x / WARPGROUP * 64 * LINE_BYTES), b = descriptor(shared + OPERAND);
    Multiply multiply;
    auto& sum = multiply.sum;
#pragma unroll
    for (int stage = 0; stage < STAGES - 2; stage++) start(stage, stage);
    int now = 0, next = STAGES - 2, stage = 0;
#pragma unroll 1
    do {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 3) : "memory");
        // what threads have written is to be seen by the instructions that multiply
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        __syncthreads();
        const unsigned long long at = now * STAGE >> 4;
        multiply.stage(a + at, b + at, [&] { start(stage + STAGES - 2, next); });
        now = now == STAGES - 1 ? 0 : now + 1;
        next = next == STAGES - 1 ? 0 : next + 1;
    } while (++stage < p.stages);
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
    for (int i = 0; i < COLUMNS / 2; i++) asm volatile("" : "+f"(sum[i]));  // nothing is done with them before the wait
    if (Multiply::EXACT) {
        float nothing = 0;  // NaN, if a sum is not finite
#pragma unroll
        for (int i = 0; i < COLUMNS / 2; i++) nothing = fmaf(sum[i], 0.f, nothing);
        if (__syncthreads_or(nothing != 0.f)) return false;
    }
    const int lane = threadIdx.x % 32, row = blockIdx.x * ROWS + threadIdx.x / 32 * 16 + lane / 4;
    float* out = p.y + ((long long)blockIdx.z * p.rows + row) * p.columns;
#pragma unroll
    for (int i = 0; i < COLUMNS / 8; i++) {
        const int n = blockIdx.y * COLUMNS + 8 * i + lane % 4 * 2;
        if (n >= p.columns) continue;
        float2 bias = {0, 0};
        if (p.bias) bias = {p.bias[n * p.bias_stride], p.bias[(n + 1) * p.bias_stride]};
        if (row < p.rows) *(float2*)(out + n) = {sum[4 * i] + bias.x, sum[4 * i + 1] + bias.y};
        if (row + 8 < p.rows) *(float2*)(out + 8 * p.columns + n) = {sum[4 * i + 2] + bias.x, sum[4 * i + 3] + bias.y};
    }
    return true;
}

#define PACK(Pack) \
    extern "C" __global__ void __launch_bounds__(THREADS) pack_f32(const __grid_constant__ Packing p) { pack<Pack>(p); }
#define WGMMA(Products, columns, stages, blocks)                                                                              \
    extern "C" __global__ void __launch_bounds__(THREADS, blocks) wgmma_##columns##_f32(const __grid_constant__ Packed p) { \
        product<Direct<Products, columns>, columns, stages>(p);                                                               \
    }
