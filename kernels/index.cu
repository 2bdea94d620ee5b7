// Adding by index, y[index[i]] += x[i] along one axis: one thread for one line along that axis, in rising order of i, so that
// where an index repeats its terms are added in their order.

constexpr int OTHERS = 5;  // the most axes beside the indexed one

template <typename T>
struct Spread {
    T* y;
    const T* x;
    const long long* index;
    int lines, n;
    int sizes[OTHERS];
    int y_strides[OTHERS], x_strides[OTHERS], index_strides[OTHERS];
    int y_step, x_step, index_step;  // along the axis
};

template <typename T>
__device__ __forceinline__ void add(const Spread<T>& s) {
    int line = blockIdx.x * blockDim.x + threadIdx.x;
    if (line >= s.lines) return;
    long long y = 0, x = 0, index = 0;
#pragma unroll
    for (int axis = OTHERS - 1; axis >= 0; axis--) {
        const int i = line % s.sizes[axis];
        line /= s.sizes[axis];
        y += (long long)i * s.y_strides[axis];
        x += (long long)i * s.x_strides[axis];
        index += (long long)i * s.index_strides[axis];
    }
    for (int i = 0; i < s.n; i++) {
        const long long at = y + s.index[index + (long long)i * s.index_step] * s.y_step;
        s.y[at] = s.y[at] + s.x[x + (long long)i * s.x_step];
    }
}

#define KERNEL(name, type) \
    extern "C" __global__ void __launch_bounds__(256) add_##name(const Spread<type> s) { add(s); }
KERNEL(f32, float)
KERNEL(f64, double)
KERNEL(u32, unsigned)
KERNEL(i64, long long)
KERNEL(u8, unsigned char)
