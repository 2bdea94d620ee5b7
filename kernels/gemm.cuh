// Matrix products: y[batch, m, n] = Σ_k a[batch, m, k]·b[batch, k, n] (+ bias[n]), a, b and bias with any strides.
//
// blockIdx.z is batch · splits + split. With several splits each sums its part of k into a y of its own, one after the other;
// the caller adds them up.
#pragma once
#include "job.cuh"

template <typename T>
struct Gemm {
    Matrix<T> a, b;
    const T* bias;  // or null
    T* y;           // [splits, batch, rows, columns]
    long long a_batch, b_batch;
    int rows, columns, depth, batch;
    int bias_stride;
    int splits, chunk;  // depth is cut into `splits` parts of `chunk`
};

template <typename T>
struct Product : Job<T, Matrix<T>, Matrix<T>> {
    const Gemm<T>& g;

    __device__ explicit Product(const Gemm<T>& g) : Job<T, Matrix<T>, Matrix<T>>{g.rows, g.columns, g.a, g.b}, g(g) {
        this->left.data += batch() * g.a_batch;
        this->right.data += batch() * g.b_batch;
    }
    __device__ int batch() const { return blockIdx.z / g.splits; }
    __device__ int split() const { return blockIdx.z % g.splits; }
    __device__ int begin() const { return split() * g.chunk; }
    __device__ int end() const { return min(g.depth, begin() + g.chunk); }
    __device__ T* row(int m) const {
        return g.y + (((long long)split() * g.batch + batch()) * g.rows + m) * g.columns;
    }
    __device__ int column_stride() const { return 1; }
    __device__ T with_bias(int n, T sum) const { return g.bias && split() == 0 ? sum + g.bias[n * g.bias_stride] : sum; }
};
