// Matrix products by one warp, through the tensor cores' instructions.

__device__ __forceinline__ unsigned to_tf32(float x) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
  return r;
}

__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// D[16,8] = A[16,k]·B[k,8]. With `split`, each operand is the sum of two TF32 numbers and three of the four products
// are added, smallest first.
template <bool split>
__device__ __forceinline__ void product(const float* a, const float* b, float* d, int k) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  float sum[4] = {};
  for (int at = 0; at < k; at += 8) {
    unsigned high_a[4], low_a[4], high_b[2], low_b[2];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float x = a[(g + 8 * (i & 1)) * k + at + t + 4 * (i >> 1)];
      high_a[i] = to_tf32(x);
      low_a[i] = to_tf32(x - __uint_as_float(high_a[i]));
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const float x = b[(at + t + 4 * i) * 8 + g];
      high_b[i] = to_tf32(x);
      low_b[i] = to_tf32(x - __uint_as_float(high_b[i]));
    }
    if (split) {
      mma_tf32(sum, low_a, high_b);
      mma_tf32(sum, high_a, low_b);
    }
    mma_tf32(sum, high_a, high_b);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = sum[i];
}

extern "C" __global__ void product_tf32(const float* a, const float* b, float* d, int k) { product<false>(a, b, d, k); }
extern "C" __global__ void product_3xtf32(const float* a, const float* b, float* d, int k) { product<true>(a, b, d, k); }

// D[16,8] = A[16,16]·B[16,8] on bfloat16: A and B come by cp.async, A's fragment by ldmatrix, B's by a transposed one.
extern "C" __global__ void product_bf16(const unsigned short* a, const unsigned short* b, float* d) {
  __shared__ __align__(16) unsigned short left[16][24];
  __shared__ __align__(16) unsigned short right[16][8];
  const int lane = threadIdx.x, g = lane / 4, t = lane % 4;
  const unsigned to_left = (unsigned)__cvta_generic_to_shared(&left[lane / 2][lane % 2 * 8]);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to_left), "l"(a + lane * 8));
  if (lane < 16) {
    const unsigned to_right = (unsigned)__cvta_generic_to_shared(&right[lane][0]);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to_right), "l"(b + lane * 8));
  }
  asm volatile("cp.async.commit_group;\n cp.async.wait_group 0;" ::: "memory");
  __syncwarp();
  unsigned fa[4], fb[2];
  const unsigned at_a = (unsigned)__cvta_generic_to_shared(&left[lane % 16][lane / 16 * 8]);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3]) : "r"(at_a));
  const unsigned at_b = (unsigned)__cvta_generic_to_shared(&right[lane % 16][0]);
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(fb[0]), "=r"(fb[1]) : "r"(at_b));
  float sum[4] = {};
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
#pragma unroll
  for (int i = 0; i < 4; i++) d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = sum[i];
}
