// Convolution as a matrix product whose left operand is never written down: its elements are read where they lie in the image.
// Weights are [kh, kw, C / groups, K]; images and results have any strides, so both data formats are the same to it.
//
// blockIdx.z is group · splits + split. With several splits each sums its part of the depth into a result of its own; the
// caller adds them up.
#include "tile.cuh"

// One axis of the sliding window, as `Slide` in cotangent-base.
struct Slide {
    int input, output, kernel, stride, dilation, before;

    // The input position under a tap; outside the image in the padding.
    __device__ int at(int out, int tap) const { return out * stride + tap * dilation - before; }
    __device__ bool inside(int i) const { return i >= 0 && i < input; }
    // The window whose tap lies on input position `i`, or −1.
    __device__ int window(int i, int tap) const {
        const int from = i + before - tap * dilation;
        return from >= 0 && from % stride == 0 && from / stride < output ? from / stride : -1;
    }
};

// The strides of an image tensor.
struct Image {
    int n, h, w, c;
    __device__ long long at(int in, int ih, int iw, int ic) const {
        return (long long)in * n + (long long)ih * h + (long long)iw * w + (long long)ic * c;
    }
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
    Slide h, v;  // vertical, horizontal
    int batch, channels, filters;  // channels and filters of one group
    int all_filters;
    int bias_stride;
    int splits, chunk;
    int group;  // set by the thread
};

// y[(n, oh, ow), f] = Σ_(tap, c) x[…]·w[tap, c, f].
template <typename T>
struct Forward : Conv<T> {
    int rows, columns;
    __device__ explicit Forward(const Conv<T>& c) : Conv<T>(c), rows(c.batch * c.h.output * c.v.output), columns(c.filters) {}
    __device__ int depth() const { return this->h.kernel * this->v.kernel * this->channels; }
    __device__ T a(int m, int k) const {
        const int c = k % this->channels, tap = k / this->channels;
        const int ow = m % this->v.output, oh = m / this->v.output % this->h.output, n = m / this->v.output / this->h.output;
        const int ih = this->h.at(oh, tap / this->v.kernel), iw = this->v.at(ow, tap % this->v.kernel);
        if (!this->h.inside(ih) || !this->v.inside(iw)) return T(0);
        return this->x[this->x_at.at(n, ih, iw, this->group * this->channels + c)];
    }
    __device__ T b(int k, int f) const {
        return this->w[(long long)k * this->all_filters + this->group * this->filters + f];
    }
    __device__ void store(int m, int f, T sum) const {
        const int ow = m % this->v.output, oh = m / this->v.output % this->h.output, n = m / this->v.output / this->h.output;
        const int filter = this->group * this->filters + f;
        if (this->bias) sum += this->bias[(long long)filter * this->bias_stride];
        this->out[this->y_at.at(n, oh, ow, filter)] = sum;
    }
};

// dx[(n, h, w), c] = Σ_(tap, f) dy[…]·w[tap, c, f], over the windows that reach the pixel.
template <typename T>
struct Input : Conv<T> {
    int rows, columns;
    __device__ explicit Input(const Conv<T>& c) : Conv<T>(c), rows(c.batch * c.h.input * c.v.input), columns(c.channels) {}
    __device__ int depth() const { return this->h.kernel * this->v.kernel * this->filters; }
    __device__ T a(int m, int k) const {
        const int f = k % this->filters, tap = k / this->filters;
        const int iw = m % this->v.input, ih = m / this->v.input % this->h.input, n = m / this->v.input / this->h.input;
        const int oh = this->h.window(ih, tap / this->v.kernel), ow = this->v.window(iw, tap % this->v.kernel);
        if (oh < 0 || ow < 0) return T(0);
        return this->dy[this->y_at.at(n, oh, ow, this->group * this->filters + f)];
    }
    __device__ T b(int k, int c) const {
        const int f = k % this->filters, tap = k / this->filters;
        return this->w[((long long)tap * this->channels + c) * this->all_filters + this->group * this->filters + f];
    }
    __device__ void store(int m, int c, T sum) const {
        const int iw = m % this->v.input, ih = m / this->v.input % this->h.input, n = m / this->v.input / this->h.input;
        this->out[this->x_at.at(n, ih, iw, this->group * this->channels + c)] = sum;
    }
};

// dw[(tap, c), f] = Σ_(n, oh, ow) x[…]·dy[n, oh, ow, f].
template <typename T>
struct Weight : Conv<T> {
    int rows, columns;
    __device__ explicit Weight(const Conv<T>& c) : Conv<T>(c), rows(c.h.kernel * c.v.kernel * c.channels), columns(c.filters) {}
    __device__ int depth() const { return this->batch * this->h.output * this->v.output; }
    __device__ T a(int m, int k) const {
        const int c = m % this->channels, tap = m / this->channels;
        const int ow = k % this->v.output, oh = k / this->v.output % this->h.output, n = k / this->v.output / this->h.output;
        const int ih = this->h.at(oh, tap / this->v.kernel), iw = this->v.at(ow, tap % this->v.kernel);
        if (!this->h.inside(ih) || !this->v.inside(iw)) return T(0);
        return this->x[this->x_at.at(n, ih, iw, this->group * this->channels + c)];
    }
    __device__ T b(int k, int f) const {
        const int ow = k % this->v.output, oh = k / this->v.output % this->h.output, n = k / this->v.output / this->h.output;
        return this->dy[this->y_at.at(n, oh, ow, this->group * this->filters + f)];
    }
    __device__ void store(int m, int f, T sum) const {
        this->out[(long long)m * this->all_filters + this->group * this->filters + f] = sum;
    }
};

template <typename T, template <typename> class Pass>
__device__ __forceinline__ void conv(Conv<T> conv) {
    const int split = blockIdx.z % conv.splits;
    conv.group = blockIdx.z / conv.splits;
    conv.out += split * conv.part;
    const Pass<T> pass(conv);
    const int begin = split * conv.chunk;
    tile<T>(pass, begin, min(pass.depth(), begin + conv.chunk));
}

#define KERNELS(name, pass)                                                                                       \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_f32(const Conv<float> c) { conv<float, pass>(c); } \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_f64(const Conv<double> c) { conv<double, pass>(c); }
KERNELS(conv2d, Forward)
KERNELS(conv2d_dx, Input)
KERNELS(conv2d_dw, Weight)
