// Softmax over rows [rows, n], its logarithm, and the cross-entropy behind it. WIDTH threads share a row: each takes every WIDTH-th
// element, then their results are joined in a fixed order, so the order depends on the sizes alone.

constexpr int THREADS = 256;

template <typename T>
struct Rows {
    const T* x;
    T* y;
    const long long* labels;  // [rows], and none but for the cross-entropy
    T* loss;                  // [rows], likewise
    int rows, n;
};

template <typename T>
struct Greatest {
    static __device__ T join(T a, T b) { return a > b ? a : b; }
};
template <typename T>
struct Sum {
    static __device__ T join(T a, T b) { return a + b; }
};

// What the threads of a row have, joined; all of them get it. Warps meet in `parts`, which nothing else uses.
template <typename T, int WIDTH, template <typename> class Op>
__device__ __forceinline__ T joined(T mine, T* parts) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) mine = Op<T>::join(mine, __shfl_xor_sync(0xffffffff, mine, step));
    if (WIDTH == 32) return mine;
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = mine;
    __syncthreads();
    mine = parts[0];
#pragma unroll
    for (int warp = 1; warp < WIDTH / 32; warp++) mine = Op<T>::join(mine, parts[warp]);
    return mine;
}

enum Wanted { SOFTMAX, LOG, LOSS };

template <typename T, int WIDTH, Wanted WANTED>
__device__ __forceinline__ void softmax(const Rows<T>& f) {
    __shared__ T parts[2][WIDTH / 32];
    const long long row = (long long)blockIdx.x * (THREADS / WIDTH) + threadIdx.x / WIDTH;
    const int lane = threadIdx.x % WIDTH;
    if (WIDTH == 32 && row >= f.rows) return;  // whole warps; a block for each row has none beyond the last
    const T* x = f.x + row * f.n;
    T* y = f.y + row * f.n;
    T greatest = -INFINITY;
    for (int i = lane; i < f.n; i += WIDTH) greatest = Greatest<T>::join(x[i], greatest);
    greatest = joined<T, WIDTH, Greatest>(greatest, parts[0]);
    T sum = 0;
    for (int i = lane; i < f.n; i += WIDTH) {
        const T e = exp(x[i] - greatest);
        if (WANTED != LOG) y[i] = e;
        sum += e;
    }
    sum = joined<T, WIDTH, Sum>(sum, parts[1]);
    const T log_sum = WANTED == SOFTMAX ? T(0) : log(sum), share = T(1) / sum;
    for (int i = lane; i < f.n; i += WIDTH) y[i] = WANTED == LOG ? x[i] - greatest - log_sum : y[i] * share;
    if (WANTED == LOSS && lane == 0) f.loss[row] = log_sum - (x[f.labels[row]] - greatest);
}

#define KERNEL(name, T, suffix, WIDTH, WANTED)                                                                   \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_##suffix(const __grid_constant__ Rows<T> f) { \
        softmax<T, WIDTH, WANTED>(f);                                                                              \
    }
#define KERNELS(T, suffix)                            \
    KERNEL(softmax_short, T, suffix, 32, SOFTMAX)     \
    KERNEL(softmax_long, T, suffix, 256, SOFTMAX)     \
    KERNEL(log_softmax_short, T, suffix, 32, LOG)     \
    KERNEL(log_softmax_long, T, suffix, 256, LOG)     \
    KERNEL(cross_entropy_short, T, suffix, 32, LOSS) \
    KERNEL(cross_entropy_long, T, suffix, 256, LOSS)

KERNELS(float, f32)
KERNELS(double, f64)
