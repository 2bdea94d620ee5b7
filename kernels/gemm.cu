// Matrix products: y[batch, m, n] = Σ_k a[batch, m, k]·b[batch, k, n] (+ bias[n]), a, b and bias with any strides.
//
// blockIdx.z is batch · splits + split. With several splits each sums its part of k into a y of its own, one after the other;
// the caller adds them up.
#include "tile.cuh"

template <typename T>
struct Gemm {
    const T* a_data;
    const T* b_data;
    const T* bias;  // or null
    T* y;           // [splits, batch, rows, columns]
    long long a_batch, b_batch;
    int rows, columns, depth, batch;
    int a_row, a_depth, b_depth, b_column, bias_stride;
    int splits, chunk;  // depth is cut into `splits` parts of `chunk`

    __device__ T a(int m, int k) const { return a_data[(long long)m * a_row + (long long)k * a_depth]; }
    __device__ T b(int k, int n) const { return b_data[(long long)k * b_depth + (long long)n * b_column]; }
    __device__ void store(int m, int n, T sum) const {
        y[(long long)m * columns + n] = bias ? sum + bias[(long long)n * bias_stride] : sum;
    }
};

template <typename T>
__device__ __forceinline__ void gemm(Gemm<T> job) {
    const int batch = blockIdx.z / job.splits, split = blockIdx.z % job.splits;
    job.a_data += batch * job.a_batch;
    job.b_data += batch * job.b_batch;
    job.y += ((long long)split * job.batch + batch) * job.rows * job.columns;
    const int begin = split * job.chunk;
    tile<T>(job, begin, min(job.depth, begin + job.chunk));
}

extern "C" __global__ void __launch_bounds__(THREADS) gemm_f32(const Gemm<float> job) { gemm(job); }
extern "C" __global__ void __launch_bounds__(THREADS) gemm_f64(const Gemm<double> job) { gemm(job); }
