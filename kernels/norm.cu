// The sums of batch normalisation over [outer, C, inner], for each channel. A channel's n = outer * inner elements are cut into
// chunks; a block takes one chunk of ACROSS channels, its threads' results are joined, and another kernel joins the
// chunks in their order: all depends on the sizes alone.

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / 32;

template <typename T>
struct Stats {
    const T* x;
    const T* dy;       // none for the moments
    const T* mean;     // likewise
    const T* inv_std;  // likewise
    T* parts;          // [2, chunks, C]
    T* first;          // [C]: the means; the sums of dy * (x - mean) * inv_std
    T* second;         // [C]: the variances; the sums of dy
    int outer, channels, inner, chunks, chunk;
};

// The block's part of a channel.
template <typename T, int ACROSS>
struct Part {
    int channel, lane, begin, end;
    long long start;
    bool there;

    __device__ explicit Part(const Stats<T>& f) {
        const int strips = (f.channels + ACROSS - 1) / ACROSS, chunk = blockIdx.x / strips;
        channel = blockIdx.x % strips * ACROSS + threadIdx.x % ACROSS;
        lane = threadIdx.x / ACROSS;
        begin = chunk * f.chunk;
        end = min(f.outer * f.inner, begin + f.chunk);
        start = (long long)channel * f.inner;
        there = channel < f.channels;
    }

    // Where element k of the channel is.
    __device__ long long at(const Stats<T>& f, int k) const {
        if (ACROSS > 1) return start + (long long)k * f.channels;  // inner is 1
        return start + (long long)(k / f.inner) * f.channels * f.inner + k % f.inner;
    }
};

// What the threads of a channel have, summed; all of them get it. Warps meet in `parts`, which nothing else uses.
template <typename T, int ACROSS>
__device__ __forceinline__ T joined(T mine, T (*parts)[ACROSS]) {
    const int lane = threadIdx.x % 32, channel = ACROSS == 1 ? 0 : lane;
    if (ACROSS == 1) {
#pragma unroll
        for (int step = 16; step > 0; step /= 2) mine += __shfl_xor_sync(0xffffffff, mine, step);
    }
    if (ACROSS > 1 || lane == 0) parts[threadIdx.x / 32][channel] = mine;
    __syncthreads();
    T sum = parts[0][channel];
#pragma unroll
    for (int warp = 1; warp < WARPS; warp++) sum += parts[warp][channel];
    return sum;
}

template <typename T, int ACROSS>
__device__ __forceinline__ void store(const Stats<T>& f, const Part<T, ACROSS>& part, T first, T second) {
    if (part.lane != 0 || !part.there) return;
    const long long place = (long long)(part.begin / f.chunk) * f.channels + part.channel;
    f.parts[place] = first;
    f.parts[(long long)f.chunks * f.channels + place] = second;
}

// The mean of a chunk, and the sum of the squares of the deviations from it.
template <typename T, int ACROSS>
__device__ __forceinline__ void moments(const Stats<T>& f) {
    __shared__ T parts[2][WARPS][ACROSS];
    const Part<T, ACROSS> part(f);
    T sum = 0;
    if (part.there)
        for (int k = part.begin + part.lane; k < part.end; k += THREADS / ACROSS) sum += f.x[part.at(f, k)];
    const T mean = joined<T, ACROSS>(sum, parts[0]) / T(part.end - part.begin);
    T squares = 0;
    if (part.there)
        for (int k = part.begin + part.lane; k < part.end; k += THREADS / ACROSS) {
            const T d = f.x[part.at(f, k)] - mean;
            squares += d * d;
        }
    squares = joined<T, ACROSS>(squares, parts[1]);
    store<T, ACROSS>(f, part, mean, squares);
}

// The sums of dy * (x - mean) and of dy over a chunk.
template <typename T, int ACROSS>
__device__ __forceinline__ void cotangents(const Stats<T>& f) {
    __shared__ T parts[2][WARPS][ACROSS];
    const Part<T, ACROSS> part(f);
    T products = 0, sum = 0;
    if (part.there) {
        const T mean = f.mean[part.channel];
        for (int k = part.begin + part.lane; k < part.end; k += THREADS / ACROSS) {
            const long long at = part.at(f, k);
            products += f.dy[at] * (f.x[at] - mean);
            sum += f.dy[at];
        }
    }
    products = joined<T, ACROSS>(products, parts[0]);
    sum = joined<T, ACROSS>(sum, parts[1]);
    store<T, ACROSS>(f, part, products, sum);
}

// The chunks of a channel, one after the other. Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing
// sample variances, 1979.
template <typename T>
__device__ __forceinline__ void join_moments(const Stats<T>& f) {
    const int channel = blockIdx.x * THREADS + threadIdx.x, n = f.outer * f.inner;
    if (channel >= f.channels) return;
    const T* means = f.parts + channel;
    const T* squares = means + (long long)f.chunks * f.channels;
    T mean = 0, sum = 0;
    for (int i = 0; i < f.chunks; i++)
        mean += means[(long long)i * f.channels] * (T(min(f.chunk, n - i * f.chunk)) / T(n));
    for (int i = 0; i < f.chunks; i++) {
        const T d = means[(long long)i * f.channels] - mean;
        sum += squares[(long long)i * f.channels] + T(min(f.chunk, n - i * f.chunk)) * d * d;
    }
    f.first[channel] = mean;
    f.second[channel] = sum / T(n);
}

template <typename T>
__device__ __forceinline__ void join_cotangents(const Stats<T>& f) {
    const int channel = blockIdx.x * THREADS + threadIdx.x;
    if (channel >= f.channels) return;
    T products = 0, sum = 0;
    for (int i = 0; i < f.chunks; i++) {
        products += f.parts[(long long)i * f.channels + channel];
        sum += f.parts[(long long)(f.chunks + i) * f.channels + channel];
    }
    f.first[channel] = products * f.inv_std[channel];
    f.second[channel] = sum;
}

#define KERNEL(name, T, suffix, body)                                                                             \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_##suffix(const __grid_constant__ Stats<T> f) { \
        body(f);                                                                                                    \
    }
#define KERNELS(T, suffix)                                              \
    KERNEL(moments_last, T, suffix, (moments<T, 32>))                   \
    KERNEL(moments_inner, T, suffix, (moments<T, 1>))                   \
    KERNEL(moments_join, T, suffix, join_moments<T>)                    \
    KERNEL(cotangents_last, T, suffix, (cotangents<T, 32>))             \
    KERNEL(cotangents_inner, T, suffix, (cotangents<T, 1>))             \
    KERNEL(cotangents_join, T, suffix, join_cotangents<T>)

KERNELS(float, f32)
KERNELS(double, f64)
