// Convolution as a matrix product whose left operand is never written down: its elements are read where they lie in the image.
// Weights are [kh, kw, C / groups, K]; images and results have any strides, so both data formats are the same to it.
//
// blockIdx.z is group · splits + split. With several splits each sums its part of the depth into a result of its own; the
// caller adds them up.
#pragma once
#include "job.cuh"

// One axis of the sliding window.
struct Axis {
    int input, output, stride, dilation, before;
    Divisor by_input, by_output, by_kernel, by_stride;
};

// The strides of an image tensor.
struct Image {
    int n, h, w, c;
};

template <typename T>
struct Conv {
    const T* x;
    const T* w;
    const T* bias;   // or null
    const T* dy;
    T* out;          // y, dx or dw
    long long part;  // elements of one split's result
    Image x_at, y_at;
    Axis h, v;  // vertical, horizontal
    Divisor by_channels, by_filters;  // of one group
    int channels, filters;            // of one group
    int all_filters;
    int rows, columns, depth;
    int bias_stride;
    int splits, chunk;
    int left_way, right_way;

    __device__ int group() const { return blockIdx.z / splits; }
    __device__ int split() const { return blockIdx.z % splits; }
    __device__ int first_channel() const { return group() * channels; }
    __device__ int first_filter() const { return group() * filters; }
};

// Image `n`, position (h, w).
struct Pixel {
    int n, h, w;
};

__device__ __forceinline__ Pixel pixel(int i, const Divisor& by_h, const Divisor& by_w) {
    const int line = by_w.quotient(i), n = by_h.quotient(line);
    return {n, line - n * by_h.divisor, i - line * by_w.divisor};
}

// Tap (h, w) of the window, and channel or filter `c` of the group.
struct Tap {
    int h, w, c;
};

__device__ __forceinline__ Tap tap(int i, const Divisor& by_c, const Divisor& by_w) {
    const int at = by_c.quotient(i), h = by_w.quotient(at);
    return {h, at - h * by_w.divisor, i - at * by_c.divisor};
}

// A position relative to the image's corner, and its offset in memory, which may lie outside both.
struct Position {
    int h, w, offset;
};

// x under the windows: lines are windows (n, oh, ow), the depth is (tap, channel).
template <typename T>
struct Windows {
    static constexpr bool HOLES = true;
    const Conv<T>& c;
    const T* data;
    int way;

    __device__ explicit Windows(const Conv<T>& c, int way) : c(c), data(c.x + c.first_channel() * c.x_at.c), way(way) {}
    __device__ Position line(int i) const {
        const Pixel p = pixel(i, c.h.by_output, c.v.by_output);
        const int h = p.h * c.h.stride - c.h.before, w = p.w * c.v.stride - c.v.before;
        return {h, w, p.n * c.x_at.n + h * c.x_at.h + w * c.x_at.w};
    }
    __device__ Position depth(int k) const {
        const Tap t = tap(k, c.by_channels, c.v.by_kernel);
        const int h = t.h * c.h.dilation, w = t.w * c.v.dilation;
        return {h, w, h * c.x_at.h + w * c.x_at.w + t.c * c.x_at.c};
    }
    __device__ const T* at(const Position& window, const Position& tap) const {
        const bool inside = (unsigned)(window.h + tap.h) < (unsigned)c.h.input && (unsigned)(window.w + tap.w) < (unsigned)c.v.input;
        return inside ? data + (window.offset + tap.offset) : nullptr;
    }
};

// dy under the taps that reach a pixel: lines are pixels (n, h, w), the depth is (tap, filter).
template <typename T>
struct Reached {
    static constexpr bool HOLES = true;
    const Conv<T>& c;
    const T* data;
    int way;

    __device__ explicit Reached(const Conv<T>& c, int way) : c(c), data(c.dy + c.first_filter() * c.y_at.c), way(way) {}
    __device__ Position line(int i) const {
        const Pixel p = pixel(i, c.h.by_input, c.v.by_input);
        return {p.h + c.h.before, p.w + c.v.before, p.n * c.y_at.n};
    }
    __device__ Position depth(int k) const {
        const Tap t = tap(k, c.by_filters, c.v.by_kernel);
        return {t.h * c.h.dilation, t.w * c.v.dilation, t.c * c.y_at.c};
    }
    // The window whose tap lies there, if there is one.
    static __device__ bool window(const Axis& axis, int from, int& out) {
        out = axis.by_stride.quotient(from);
        return from >= 0 && out * axis.stride == from && out < axis.output;
    }
    __device__ const T* at(const Position& pixel, const Position& tap) const {
        int oh, ow;
        if (!window(c.h, pixel.h - tap.h, oh) || !window(c.v, pixel.w - tap.w, ow)) return nullptr;
        return data + (pixel.offset + tap.offset + oh * c.y_at.h + ow * c.y_at.w);
    }
};

// The same operand with lines and depth swapped.
template <class Operand>
struct Swapped : Operand {
    using Operand::Operand;
    __device__ Position line(int i) const { return Operand::depth(i); }
    __device__ Position depth(int k) const { return Operand::line(k); }
    __device__ auto at(const Position& line, const Position& depth) const { return Operand::at(depth, line); }
};

// w with lines that are channels: the depth is (tap, filter).
template <typename T>
struct Channels {
    static constexpr bool HOLES = false;
    const Conv<T>& c;
    const T* data;
    int way;

    __device__ explicit Channels(const Conv<T>& c) : c(c), data(c.w + c.first_filter()), way(c.right_way) {}
    __device__ int line(int i) const { return i * c.all_filters; }
    __device__ int depth(int k) const {
        const int tap = c.by_filters.quotient(k);
        return tap * c.channels * c.all_filters + k - tap * c.filters;
    }
    __device__ const T* at(int line, int depth) const { return data + (line + depth); }
};

// dy with lines that are filters: the depth is (n, oh, ow).
template <typename T>
struct Filters {
    static constexpr bool HOLES = false;
    const Conv<T>& c;
    const T* data;
    int way;

    __device__ explicit Filters(const Conv<T>& c) : c(c), data(c.dy + c.first_filter() * c.y_at.c), way(c.right_way) {}
    __device__ int line(int i) const { return i * c.y_at.c; }
    __device__ int depth(int k) const {
        const Pixel p = pixel(k, c.h.by_output, c.v.by_output);
        return p.n * c.y_at.n + p.h * c.y_at.h + p.w * c.y_at.w;
    }
    __device__ const T* at(int line, int depth) const { return data + (line + depth); }
};

// What the three passes have in common.
template <typename T, class Left, class Right>
struct Pass : Job<T, Left, Right> {
    const Conv<T>& c;

    __device__ Pass(const Conv<T>& c, Left left, Right right) : Job<T, Left, Right>{c.rows, c.columns, left, right}, c(c) {}
    __device__ int begin() const { return c.split() * c.chunk; }
    __device__ int end() const { return min(c.depth, begin() + c.chunk); }
    __device__ T* out() const { return c.out + c.split() * c.part; }
    __device__ T with_bias(int, T sum) const { return sum; }
};

// y[(n, oh, ow), f] = Σ_(tap, c) x[…]·w[tap, c, f] (+ bias[f]).
template <typename T>
struct Forward : Pass<T, Windows<T>, Matrix<T>> {
    __device__ explicit Forward(const Conv<T>& c)
        : Pass<T, Windows<T>, Matrix<T>>(c, Windows<T>(c, c.left_way),
                                         Matrix<T>{c.w + c.first_filter(), 1, c.all_filters, c.right_way}) {}
    __device__ T* row(int m) const {
        const Conv<T>& c = this->c;
        const Pixel p = pixel(m, c.h.by_output, c.v.by_output);
        return this->out() + (p.n * c.y_at.n + p.h * c.y_at.h + p.w * c.y_at.w + c.first_filter() * c.y_at.c);
    }
    __device__ int column_stride() const { return this->c.y_at.c; }
    __device__ T with_bias(int f, T sum) const {
        const Conv<T>& c = this->c;
        return c.bias && c.split() == 0 ? sum + c.bias[(c.first_filter() + f) * c.bias_stride] : sum;
    }
};

// dx[(n, h, w), c] = Σ_(tap, f) dy[…]·w[tap, c, f], over the windows that reach the pixel.
template <typename T>
struct Input : Pass<T, Reached<T>, Channels<T>> {
    __device__ explicit Input(const Conv<T>& c)
        : Pass<T, Reached<T>, Channels<T>>(c, Reached<T>(c, c.left_way), Channels<T>(c)) {}
    __device__ T* row(int m) const {
        const Conv<T>& c = this->c;
        const Pixel p = pixel(m, c.h.by_input, c.v.by_input);
        return this->out() + (p.n * c.x_at.n + p.h * c.x_at.h + p.w * c.x_at.w + c.first_channel() * c.x_at.c);
    }
    __device__ int column_stride() const { return this->c.x_at.c; }
};

// dw[(tap, c), f] = Σ_(n, oh, ow) x[…]·dy[n, oh, ow, f].
template <typename T>
struct Weight : Pass<T, Swapped<Windows<T>>, Filters<T>> {
    __device__ explicit Weight(const Conv<T>& c)
        : Pass<T, Swapped<Windows<T>>, Filters<T>>(c, Swapped<Windows<T>>(c, c.left_way), Filters<T>(c)) {}
    __device__ T* row(int m) const { return this->out() + ((long long)m * this->c.all_filters + this->c.first_filter()); }
    __device__ int column_stride() const { return 1; }
};
