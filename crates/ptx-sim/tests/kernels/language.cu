// What CUDA C++ compiles to beyond plain loops: library functions, calls, local arrays, constant and global variables,
// structures as parameters, switches, 64-bit integers.

constexpr int FUNCTIONS = 16;
extern "C" __global__ void math(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float v = x[i];
  const float results[FUNCTIONS] = {expf(v),  logf(v),   sinf(v),  cosf(v),   tanhf(v),  erff(v),   powf(v, 2.5f), 1.f / v,
                                    sqrtf(v), rsqrtf(v), expm1f(v), log1pf(v), floorf(v), rintf(v), truncf(-v),    fmodf(v, 0.3f)};
#pragma unroll
  for (int f = 0; f < FUNCTIONS; f++) y[i * FUNCTIONS + f] = results[f];
}

extern "C" __global__ void math_double(const double* x, double* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const double v = x[i];
  const double results[8] = {exp(v), log(v), sin(v), cos(v * 1e9), tanh(v), pow(v, 2.5), 1 / v, sqrt(v)};
#pragma unroll
  for (int f = 0; f < 8; f++) y[i * 8 + f] = results[f];
}

__constant__ float weights[4] = {0.5f, 1.f, 2.f, 4.f};
__device__ int calls;

struct Line {
  float* out;
  int count;
  long long slope[3];
  unsigned char offset;
};

__device__ __noinline__ float evaluate(Line line, float x, int degree) {
  float sum = line.offset;
  for (int i = 0; i < degree; i++) sum = sum * x + line.slope[i % 3];
  return sum;
}

extern "C" __global__ void lines(Line line, const float* x) {
  const int i = threadIdx.x;
  if (i >= line.count) return;
  line.out[i] = evaluate(line, x[i], i % 5) * weights[i & 3];
  atomicAdd(&calls, 1);
}

// Local memory: each thread's own array, indexed by what it finds there.
extern "C" __global__ void chase(const int* start, int* out, int steps) {
  int next[24];
  for (int i = 0; i < 24; i++) next[i] = (i * 7 + threadIdx.x) % 24;
  int at = start[threadIdx.x];
  for (int i = 0; i < steps; i++) at = next[at];
  out[threadIdx.x] = at;
}

extern "C" __global__ void integers(const int* x, const unsigned* u, const long long* w, long long* y) {
  const int i = threadIdx.x;
  const int a = x[i];
  const unsigned b = u[i];
  const long long c = w[i];
  long long* out = y + i * 16;
  out[0] = a / 7;
  out[1] = a % 13;
  out[2] = b / 10u;
  out[3] = b % (b >> 3 | 1);
  out[4] = c / (a | 1);
  out[5] = c % 1000003;
  out[6] = __mulhi(a, 123456789);
  out[7] = __umulhi(b, 0x9E3779B9u);
  out[8] = __popc(b) * 100 + __clz(b) + __ffs(a);
  out[9] = __brev(b);
  out[10] = __mul64hi(c, 0x123456789ABCDEFll);
  out[11] = __byte_perm(a, b, 0x5140);
  out[12] = __funnelshift_l(a, b, a & 31);
  out[13] = (long long)(short)a * (signed char)b;
  out[14] = c >> (a & 63);
  out[15] = min(a, 5) + max(b, 9u) + abs(a);
}

// A barrier that counts, votes, and lanes that come and go.
extern "C" __global__ void votes(const int* x, int* y) {
  const int i = threadIdx.x, v = x[i];
  const unsigned all = ~0u;
  int result = __syncthreads_count(v > 0) + 1000 * __syncthreads_or(v == 7);
  result += 10000 * __popc(__ballot_sync(all, v & 1)) + (__any_sync(all, v < 0) ? 1000000 : 0);
  result += __all_sync(all, v < 100) ? 2000000 : 0;
  if (v & 1) result += __popc(__match_any_sync(__activemask(), v)) << 24;
  y[i] = result + __reduce_add_sync(all, v) + __shfl_up_sync(all, v, 1) + __shfl_down_sync(all, v, 2, 16) + __shfl_sync(all, v, 5, 8);
}
