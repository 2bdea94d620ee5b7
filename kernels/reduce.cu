// Reductions of [outer, n, inner] over n, and where the extremes are. The order depends on the sizes alone: n is cut into chunks
// whose results the caller reduces again; within a chunk each lane folds every 32nd (or every 8th) element, then the lanes' results
// are joined pairwise.
#include <limits.h>

constexpr int WARPS = 8;

template <typename T>
struct Fold {
    const T* x;
    T* y;  // [outer, chunks, inner]
    int outer, n, inner, chunks, chunk;
};

// Joins two partial results; NaN wins in the extremes. A is the type that is computed in.
template <typename A>
struct Sum {
    static __device__ A neutral() { return A(0); }
    static __device__ A join(A a, A b) { return a + b; }
};
template <typename A>
struct Prod {
    static __device__ A neutral() { return A(1); }
    static __device__ A join(A a, A b) { return a * b; }
};
template <typename A>
struct Limits;
template <>
struct Limits<float> {
    static __device__ float least() { return -INFINITY; }
    static __device__ float greatest() { return INFINITY; }
};
template <>
struct Limits<double> {
    static __device__ double least() { return -INFINITY; }
    static __device__ double greatest() { return INFINITY; }
};
template <>
struct Limits<unsigned> {
    static __device__ unsigned least() { return 0; }
    static __device__ unsigned greatest() { return UINT_MAX; }
};
template <>
struct Limits<long long> {
    static __device__ long long least() { return LLONG_MIN; }
    static __device__ long long greatest() { return LLONG_MAX; }
};
template <typename A>
struct Max {
    static __device__ A neutral() { return Limits<A>::least(); }
    static __device__ A join(A a, A b) { return a > b || a != a ? a : b; }
};
template <typename A>
struct Min {
    static __device__ A neutral() { return Limits<A>::greatest(); }
    static __device__ A join(A a, A b) { return a < b || a != a ? a : b; }
};

// Each warp folds one chunk of one row (inner = 1).
template <typename T, typename A, template <typename> class Op>
__device__ __forceinline__ void rows(const Fold<T>& f) {
    const int lane = threadIdx.x % 32;
    const long long unit = (long long)blockIdx.x * WARPS + threadIdx.x / 32;
    if (unit >= (long long)f.outer * f.chunks) return;
    const int row = unit / f.chunks, begin = unit % f.chunks * f.chunk, end = min(f.n, begin + f.chunk);
    const T* x = f.x + (long long)row * f.n;
    A sum = Op<A>::neutral();
    for (int i = begin + lane; i < end; i += 32) sum = Op<A>::join(sum, A(x[i]));
#pragma unroll
    for (int step = 16; step > 0; step /= 2) sum = Op<A>::join(sum, __shfl_down_sync(0xffffffff, sum, step));
    if (lane == 0) f.y[unit] = T(sum);
}

// Each block folds one chunk of 32 columns, a warp every 8th row.
template <typename T, typename A, template <typename> class Op>
__device__ __forceinline__ void columns(const Fold<T>& f) {
    __shared__ A parts[WARPS][32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int strips = (f.inner + 31) / 32, strip = blockIdx.x % strips, part = blockIdx.x / strips;
    const int outer = part / f.chunks, begin = part % f.chunks * f.chunk, end = min(f.n, begin + f.chunk);
    const int column = strip * 32 + lane;
    A sum = Op<A>::neutral();
    if (column < f.inner) {
        const T* x = f.x + (long long)outer * f.n * f.inner + column;
        for (int i = begin + warp; i < end; i += WARPS) sum = Op<A>::join(sum, A(x[(long long)i * f.inner]));
    }
    parts[warp][lane] = sum;
    for (int step = WARPS / 2; step > 0; step /= 2) {
        __syncthreads();
        if (warp < step) parts[warp][lane] = Op<A>::join(parts[warp][lane], parts[warp + step][lane]);
    }
    if (warp == 0 && column < f.inner) f.y[(long long)part * f.inner + column] = T(parts[0][lane]);
}

template <typename T>
struct Arg {
    const T* x;
    long long* y;  // [outer, inner]
    int outer, n, inner;
    int greatest;
};

// Whether `x` displaces `best`: the first of equals stays, the first NaN wins.
template <typename T>
__device__ __forceinline__ bool wins(T x, T best, bool greatest) {
    return (greatest ? x > best : x < best) || (x != x && best == best);
}

// Each warp looks through one line.
template <typename T>
__device__ __forceinline__ void arg_reduce(const Arg<T>& f) {
    const int lane = threadIdx.x % 32;
    const long long unit = (long long)blockIdx.x * WARPS + threadIdx.x / 32;
    if (unit >= (long long)f.outer * f.inner) return;
    const T* x = f.x + unit / f.inner * f.n * f.inner + unit % f.inner;
    const bool greatest = f.greatest;
    // lanes beyond the end look at the first element, which changes nothing
    int at = lane < f.n ? lane : 0;
    T best = x[(long long)at * f.inner];
    for (int i = at + 32; i < f.n; i += 32) {
        const T next = x[(long long)i * f.inner];
        if (wins(next, best, greatest)) {
            best = next;
            at = i;
        }
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        const T other = __shfl_down_sync(0xffffffff, best, step);
        const int other_at = __shfl_down_sync(0xffffffff, at, step);
        if (wins(other, best, greatest) || (!wins(best, other, greatest) && other_at < at)) {
            best = other;
            at = other_at;
        }
    }
    if (lane == 0) f.y[unit] = at;
}

#define FOLD(how, op, name, type, acc) \
    extern "C" __global__ void __launch_bounds__(256) how##_##op##_##name(const Fold<type> f) { how<type, acc, op>(f); }
#define FOLDS(name, type, acc)                                                                              \
    FOLD(rows, Sum, name, type, acc) FOLD(rows, Prod, name, type, acc) FOLD(rows, Max, name, type, acc)     \
    FOLD(rows, Min, name, type, acc) FOLD(columns, Sum, name, type, acc) FOLD(columns, Prod, name, type, acc) \
    FOLD(columns, Max, name, type, acc) FOLD(columns, Min, name, type, acc)
FOLDS(f32, float, float)
FOLDS(f64, double, double)
FOLDS(u32, unsigned, unsigned)
FOLDS(i64, long long, long long)
FOLDS(u8, unsigned char, unsigned)

#define ARG(name, type) \
    extern "C" __global__ void __launch_bounds__(256) arg_reduce_##name(const Arg<type> f) { arg_reduce(f); }
ARG(f32, float)
ARG(f64, double)
ARG(u32, unsigned)
ARG(i64, long long)
ARG(u8, unsigned char)
