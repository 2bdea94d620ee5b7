// What a warp does with matrix fragments on tensor cores, in three precisions.
//
// A fragment here is 16 lines by 8 values of k: lines are rows of the left operand, or columns of the right one. Lane 4·g + t
// holds v = {(g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)}, which is what mma.m16n8k8 wants of its left operand; the right
// operand of its two products by 8 columns is {v[0], v[2]} and {v[1], v[3]}. So one way of loading serves both.
#pragma once

// The nearest TF32: 8 bits of exponent as in a float, 10 bits behind the point. Ties go away from zero.
__device__ __forceinline__ unsigned tf32(float x) {
    unsigned y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
    return y;
}

__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Operands rounded to TF32, sums in fp32.
struct Tf32 {
    static constexpr bool EXACT = false;  // whether a result that is not finite has to be computed again
    static constexpr int BLOCKS = 2;      // that share a multiprocessor's registers, if their tiles are 128 columns wide
    static constexpr int STEPS = 2;       // of 8 values of k that are unrolled
    struct Fragment {
        unsigned x[4];
    };
    static __device__ __forceinline__ Fragment fragment(const float (&v)[4]) {
        return {{tf32(v[0]), tf32(v[1]), tf32(v[2]), tf32(v[3])}};
    }
    // sum += left · (columns 8·half to 8·half + 7 of right)
    static __device__ __forceinline__ void multiply(float (&sum)[4], const Fragment& left, const Fragment& right, int half) {
        mma_tf32(sum, left.x, right.x[half], right.x[half + 2]);
    }
};

// Near fp32: each operand is a TF32 plus a TF32 of what is left, 22 bits together, and the product of the two small parts is left
// out. Tensor cores cut where fp32 rounds, so sums of 8 products are added up outside of them.
struct ThreeTf32 {
    static constexpr bool EXACT = true;  // an infinity leaves no difference, and the greatest floats round up to one
    static constexpr int BLOCKS = 1;
    static constexpr int STEPS = 1;
    struct Fragment {
        unsigned big[4], small[4];
    };
    static __device__ __forceinline__ Fragment fragment(const float (&v)[4]) {
        Fragment f;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            f.big[i] = tf32(v[i]);
            f.small[i] = tf32(v[i] - __uint_as_float(f.big[i]));
        }
        return f;
    }
    static __device__ __forceinline__ void multiply(float (&sum)[4], const Fragment& left, const Fragment& right, int half) {
        float part[4] = {};
        mma_tf32(part, left.small, right.big[half], right.big[half + 2]);
        mma_tf32(part, left.big, right.small[half], right.small[half + 2]);
        mma_tf32(part, left.big, right.big[half], right.big[half + 2]);
#pragma unroll
        for (int i = 0; i < 4; i++) sum[i] += part[i];
    }
};

// Operands rounded to bf16 (8 bits of exponent, 7 behind the point), sums in fp32. Which values of k stand in pairs does not
// matter where both operands agree, so a pair is k = t and t + 4: what the lane has.
struct Bf16 {
    static constexpr bool EXACT = false;
    static constexpr int BLOCKS = 2;
    static constexpr int STEPS = 2;
    struct Fragment {
        unsigned x[2];
    };
    static __device__ __forceinline__ unsigned pair(float low, float high) {
        unsigned y;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
        return y;
    }
    static __device__ __forceinline__ Fragment fragment(const float (&v)[4]) {
        return {{pair(v[0], v[2]), pair(v[1], v[3])}};
    }
    static __device__ __forceinline__ void multiply(float (&sum)[4], const Fragment& left, const Fragment& right, int half) {
        asm("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
            : "r"(left.x[0]), "r"(left.x[1]), "r"(right.x[half]));
    }
};
