// Pooling over images of any strides: one thread for one element of the result. The backward passes look for the windows
// that reach their pixel, in rising order of the window, so no two threads add to one place.

struct Slide {
    int input, output, kernel, stride, dilation, before;

    __device__ int at(int out, int tap) const { return out * stride + tap * dilation - before; }
    __device__ bool inside(int i) const { return i >= 0 && i < input; }
    // The window whose tap lies on input position `i`, or −1.
    __device__ int window(int i, int tap) const {
        const int from = i + before - tap * dilation;
        return from >= 0 && from % stride == 0 && from / stride < output ? from / stride : -1;
    }
    // How many taps of the window lie in the image.
    __device__ int taps(int out) const {
        int count = 0;
        for (int tap = 0; tap < kernel; tap++) count += inside(at(out, tap));
        return count;
    }
};

struct Image {
    int n, h, w, c;
    __device__ long long at(int in, int ih, int iw, int ic) const {
        return (long long)in * n + (long long)ih * h + (long long)iw * w + (long long)ic * c;
    }
};

template <typename T>
struct Pool {
    const T* in;  // x, or dy on the way back
    T* out;       // y, or dx
    unsigned* taps;
    Image x_at, y_at;
    Slide h, v;  // vertical, horizontal
    int count;   // elements of the result
    int channels;
    int count_padding;
};

// The element that this thread computes, in a picture of `height` × `width`.
struct Pixel {
    int n, h, w, c;
    __device__ Pixel(int i, int height, int width, int channels)
        : n(i / channels / width / height), h(i / channels / width % height), w(i / channels % width), c(i % channels) {}
};

template <typename T>
__device__ __forceinline__ void max_pool2d(const Pool<T>& p) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count) return;
    const Pixel y(i, p.h.output, p.v.output, p.channels);
    T best = -INFINITY;
    int best_tap = -1;
    for (int th = 0; th < p.h.kernel; th++) {
        for (int tw = 0; tw < p.v.kernel; tw++) {
            const int ih = p.h.at(y.h, th), iw = p.v.at(y.w, tw);
            if (!p.h.inside(ih) || !p.v.inside(iw)) continue;
            const T x = p.in[p.x_at.at(y.n, ih, iw, y.c)];
            if (best_tap < 0 || x > best || (x != x && best == best)) {
                best = x;
                best_tap = th * p.v.kernel + tw;
            }
        }
    }
    const long long at = p.y_at.at(y.n, y.h, y.w, y.c);
    p.out[at] = best;
    p.taps[at] = max(best_tap, 0);
}

template <typename T>
__device__ __forceinline__ void max_pool2d_dx(const Pool<T>& p) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count) return;
    const Pixel x(i, p.h.input, p.v.input, p.channels);
    T sum = 0;
    for (int th = p.h.kernel - 1; th >= 0; th--) {
        for (int tw = p.v.kernel - 1; tw >= 0; tw--) {
            const int oh = p.h.window(x.h, th), ow = p.v.window(x.w, tw);
            if (oh < 0 || ow < 0) continue;
            const long long at = p.y_at.at(x.n, oh, ow, x.c);
            if (p.taps[at] == (unsigned)(th * p.v.kernel + tw)) sum += p.in[at];
        }
    }
    p.out[p.x_at.at(x.n, x.h, x.w, x.c)] = sum;
}

// How many elements the mean of a window is over.
template <typename T>
__device__ __forceinline__ int divisor(const Pool<T>& p, int oh, int ow) {
    return p.count_padding ? p.h.kernel * p.v.kernel : max(p.h.taps(oh) * p.v.taps(ow), 1);
}

template <typename T>
__device__ __forceinline__ void avg_pool2d(const Pool<T>& p) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count) return;
    const Pixel y(i, p.h.output, p.v.output, p.channels);
    T sum = 0;
    for (int th = 0; th < p.h.kernel; th++) {
        for (int tw = 0; tw < p.v.kernel; tw++) {
            const int ih = p.h.at(y.h, th), iw = p.v.at(y.w, tw);
            if (p.h.inside(ih) && p.v.inside(iw)) sum += p.in[p.x_at.at(y.n, ih, iw, y.c)];
        }
    }
    p.out[p.y_at.at(y.n, y.h, y.w, y.c)] = sum / T(divisor(p, y.h, y.w));
}

template <typename T>
__device__ __forceinline__ void avg_pool2d_dx(const Pool<T>& p) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count) return;
    const Pixel x(i, p.h.input, p.v.input, p.channels);
    T sum = 0;
    for (int th = p.h.kernel - 1; th >= 0; th--) {
        for (int tw = p.v.kernel - 1; tw >= 0; tw--) {
            const int oh = p.h.window(x.h, th), ow = p.v.window(x.w, tw);
            if (oh < 0 || ow < 0) continue;
            sum += p.in[p.y_at.at(x.n, oh, ow, x.c)] / T(divisor(p, oh, ow));
        }
    }
    p.out[p.x_at.at(x.n, x.h, x.w, x.c)] = sum;
}

#define KERNELS(name)                                                                       \
    extern "C" __global__ void __launch_bounds__(256) name##_f32(const Pool<float> p) { name(p); }  \
    extern "C" __global__ void __launch_bounds__(256) name##_f64(const Pool<double> p) { name(p); }
KERNELS(max_pool2d)
KERNELS(max_pool2d_dx)
KERNELS(avg_pool2d)
KERNELS(avg_pool2d_dx)
