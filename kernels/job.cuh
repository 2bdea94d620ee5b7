// What the products by tiles compute: y[m, n] = Σ_k a(m, k)·b(k, n).
//
// An operand has lines: rows of the left one, columns of the right one. It offers
//   line(i), depth(k)     what of a place depends on the line, and what on k
//   at(line, depth)       where the element is, or null for a zero, which there are only if HOLES
//   data                  an address that is there
//   way                   how a tensor-core tile copies it (`Way` in tensor.cuh)
#pragma once

// A job adds to its operands
//   begin(), end()        the part of k that the thread block sums
//   row(m)                where a row of the result begins
//   column_stride()       how far apart its elements are
//   with_bias(n, sum)     what is stored there
template <typename T, class Left, class Right>
struct Job {
    int rows, columns;
    Left left;
    Right right;

    __device__ T a(int m, int k) const { return value<Left>(left.at(left.line(m), left.depth(k))); }
    __device__ T b(int k, int n) const { return value<Right>(right.at(right.line(n), right.depth(k))); }

  private:
    template <class Operand>
    static __device__ T value(const T* at) { return !Operand::HOLES || at ? *at : T(0); }
};

// A matrix with any strides.
template <typename T>
struct Matrix {
    static constexpr bool HOLES = false;
    const T* data;
    int line_stride, depth_stride, way;

    __device__ int line(int i) const { return i * line_stride; }
    __device__ int depth(int k) const { return k * depth_stride; }
    __device__ const T* at(int line, int depth) const { return data + (line + depth); }
};

// Division of 0 ≤ n < 2³¹ by a number known before the launch, through multiplication: `magic` is ⌈2³¹⁺ˢ / divisor⌉, `shift` is
// s = ⌈log₂ divisor⌉.
struct Divisor {
    unsigned magic;
    int shift, divisor;

    __device__ int quotient(int n) const { return __umulhi(2 * n, magic) >> shift; }
};
