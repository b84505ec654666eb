// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints a line for every operator and pair of operand types: the type of the result and a hash of its values on
// corner and random operands. Compiled with the stand-in and with the vendor's ap_int.h, it must print the same.
#include <ap_int.h>

#include <cstdint>
#include <cstdio>

static std::uint64_t state;
static std::uint64_t next_random() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// FNV-1a over 64-bit digits.
struct Hash {
  std::uint64_t value = 1469598103934665603ull;
  void add(std::uint64_t digit) { value = (value ^ digit) * 1099511628211ull; }
};

template <typename R> void add(Hash& hash, const R& result) {
  hash.add(static_cast<std::uint64_t>(result.to_int64()));
  if (R::width > 64) {
    R upper = result;
    upper >>= 32;
    upper >>= 32;
    hash.add(static_cast<std::uint64_t>(upper.to_int64()));
  }
}
inline void add(Hash& hash, bool result) {
  hash.add(result ? 1 : 0);
}

template <typename R> void describe(const char* name, const R&) {
  std::printf("%s %d %s ", name, R::width, R(-1) < R(0) ? "signed" : "unsigned");
}
inline void describe(const char* name, bool) {
  std::printf("%s bool ", name);
}

static const int samples = 400;
static std::int64_t corner(int n) {
  static const std::int64_t values[] = {0, 1, -1, 2, -2, 127, -128, 128, 255, 256, 32767, -32768, 65535};
  const int count = static_cast<int>(sizeof(values) / sizeof(values[0]));
  if (n < count)
    return values[n];
  if (n < count + 64)
    return static_cast<std::int64_t>(std::uint64_t(1) << (n - count));
  if (n < count + 128)
    return static_cast<std::int64_t>((std::uint64_t(1) << (n - count - 64)) - 1);
  const std::uint64_t bits = next_random();
  return static_cast<std::int64_t>(bits >> (next_random() % 64));
}

#define CHECK(NAME, EXPRESSION)                                                                                        \
  {                                                                                                                    \
    state = 88172645463325252ull;                                                                                      \
    Hash hash;                                                                                                         \
    A a = 1;                                                                                                           \
    B b = 1;                                                                                                           \
    describe(NAME, EXPRESSION);                                                                                        \
    for (int i = 0; i < samples; ++i)                                                                                  \
      for (int j = 0; j < 12; ++j) {                                                                                   \
        a = A(corner(i));                                                                                              \
        b = B(corner(j < 6 ? j : 6 + static_cast<int>(next_random() % samples)));                                      \
        add(hash, EXPRESSION);                                                                                         \
      }                                                                                                                \
    std::printf("%016llx\n", static_cast<unsigned long long>(hash.value));                                             \
  }

template <typename A, typename B> void check_pair(const char* title) {
  std::printf("== %s\n", title);
  CHECK("+", a + b)
  CHECK("-", a - b)
  CHECK("*", a * b)
  CHECK("&", a & b)
  CHECK("|", a | b)
  CHECK("^", a ^ b)
  CHECK("convert", A(b))
  CHECK("+=", A(a += b))
  CHECK("-=", A(a -= b))
  CHECK("*=", A(a *= b))
  CHECK("&=", A(a &= A(b)))
  CHECK("|=", A(a |= A(b)))
  CHECK("^=", A(a ^= A(b)))
  CHECK("nested", A(A(a + b) - (b - a)))
}

template <typename A, typename B> void check_comparison(const char* title) {
  std::printf("== comparisons %s\n", title);
  CHECK("==", a == b)
  CHECK("!=", a != b)
  CHECK("<", a < b)
  CHECK("<=", a <= b)
  CHECK(">", a > b)
  CHECK(">=", a >= b)
  CHECK("ternary", (a < b ? A(b) : a))
}

template <typename A, typename B> void check_division(const char* title) {
  std::printf("== quotients %s\n", title);
  CHECK("/", a / (!b ? B(1) : b))
  CHECK("%", a % (!b ? B(1) : b))
  CHECK("/=", A(a /= (!b ? B(1) : b)))
  CHECK("%=", A(a %= (!b ? B(1) : b)))
}

template <typename A> void check_one(const char* title) {
  using B = A;
  std::printf("== %s\n", title);
  CHECK("negate", -a)
  CHECK("plus", +a)
  CHECK("complement", ~a)
  CHECK("not", !a)
  CHECK("++", A(++a))
  CHECK("postfix --", A(a-- + a))
  CHECK("<< 1", a << 1)
  CHECK(">> 1", a >> 1)
  CHECK("<< variable", a << static_cast<int>(next_random() % A::width))
  CHECK(">> variable", a >> static_cast<int>(next_random() % A::width))
  CHECK("<< negative", a << -static_cast<int>(next_random() % A::width))
  CHECK(">> negative", a >> -static_cast<int>(next_random() % A::width))
  CHECK(">> ap_int", a >> ap_int<8>(static_cast<int>(next_random() % A::width)))
  CHECK("<< ap_uint", a << ap_uint<7>(static_cast<int>(next_random() % A::width)))
  CHECK("<<=", A(a <<= 2))
  CHECK(">>=", A(a >>= 3))
  CHECK("bit", bool(a[A::width - 1]))
  CHECK("+ int", a + 100000)
  CHECK("int -", 3 - a)
  CHECK("* char", a * static_cast<signed char>(b.to_int()))
  CHECK("short * ", static_cast<short>(-7) * a)
  CHECK("| unsigned", a | 5u)
  CHECK("+ bool", a + (b > B(1)))
  CHECK("< ap_int<9>", ap_int<9>(a) < 1000)
  CHECK("int ==", -1 == ap_int<12>(a))
  CHECK("+= int", A(a += 12345678))
  CHECK("*= char", A(a *= static_cast<signed char>(-3)))
  CHECK("range", A(a.range(A::width - 1, A::width / 2)))
  CHECK("to_int", ap_int<32>(a.to_int()))
  CHECK("conversion", ap_int<64>(static_cast<long long>(a)))
}

// Rounding and clamping as the emitter writes them.
inline void check_requantize() {
  std::printf("== requantize\n");
  state = 88172645463325252ull;
  Hash half_to_even, clamped, multiplied;
  for (int i = 0; i < 200000; ++i) {
    const std::uint64_t bits = next_random();
    const ap_int<32> n = ap_int<32>(static_cast<int>(bits >> (32 + next_random() % 20)));
    const int k = 1 + static_cast<int>(next_random() % 12);
    const ap_int<32> rounded = (n + ap_int<32>((1 << (k - 1)) - 1) + ((n >> k) & 1)) >> k;
    add(half_to_even, rounded);
    const ap_int<8> narrow = rounded < -128 ? ap_int<8>(-128) : rounded > 127 ? ap_int<8>(127) : ap_int<8>(rounded);
    add(clamped, narrow);
    const ap_int<64> product = n * ap_int<32>(1518500250);
    add(multiplied, ap_int<8>((product + (ap_int<64>(1) << 37)) >> 38));
  }
  std::printf("%016llx %016llx %016llx\n", static_cast<unsigned long long>(half_to_even.value),
              static_cast<unsigned long long>(clamped.value), static_cast<unsigned long long>(multiplied.value));
}

// All 65,536 pairs of bytes, signed and unsigned.
inline void check_bytes() {
  std::printf("== all pairs of bytes\n");
  Hash hash;
  for (int i = -128; i < 128; ++i)
    for (int j = -128; j < 128; ++j) {
      const ap_int<8> a = i, b = j;
      const ap_uint<8> c = ap_uint<8>(a), d = ap_uint<8>(b);
      add(hash, a * b);
      add(hash, a * d);
      add(hash, c * d);
      add(hash, a + d);
      add(hash, c - d);
      add(hash, c < b);
      add(hash, a == d);
      ap_int<9> sum = a;
      sum += d;
      add(hash, sum);
      ap_uint<5> wrapped = c;
      wrapped -= b;
      add(hash, wrapped);
    }
  std::printf("%016llx\n", static_cast<unsigned long long>(hash.value));
}

inline void check_wide() {
  std::printf("== wide ranges\n");
  state = 88172645463325252ull;
  Hash hash;
  ap_uint<256> wide = 0;
  ap_uint<1024> widest = -1;
  ap_uint<32> narrow = 0;
  ap_uint<128> middle = 0;
  for (int i = 0; i < 20000; ++i) {
    const int low = static_cast<int>(next_random() % 249);
    const ap_int<8> lane = static_cast<int>(next_random());
    wide.range(low + 7, low) = lane;
    widest.range(4 * low + 7, 4 * low) = lane;
    narrow.range(low % 25 + 7, low % 25) = lane;
    middle.range(low % 121 + 7, low % 121) = lane;
    const int from = static_cast<int>(next_random() % 249);
    add(hash, ap_int<8>(wide.range(from + 7, from)));
    add(hash, ap_int<8>(widest.range(4 * from + 7, 4 * from)));
    add(hash, ap_uint<8>(narrow.range(from % 25 + 7, from % 25)));
    add(hash, ap_int<8>(middle.range(from % 121 + 7, from % 121)));
    const ap_uint<256> copy = wide;
    add(hash, copy == wide);
  }
  std::printf("%016llx\n", static_cast<unsigned long long>(hash.value));
}

#define PAIR(A, B) check_pair<A, B>(#A " " #B);
#define COMPARE(A, B) check_comparison<A, B>(#A " " #B);
#define DIVISION(A, B) check_division<A, B>(#A " " #B);
#define ONE(A) check_one<A>(#A);

int main() {
#if PART == 0
  PAIR(ap_int<8>, ap_int<8>)
  PAIR(ap_int<8>, ap_uint<8>)
  PAIR(ap_uint<8>, ap_int<8>)
  PAIR(ap_uint<8>, ap_uint<8>)
  PAIR(ap_int<32>, ap_int<16>)
  PAIR(ap_int<32>, ap_int<32>)
  COMPARE(ap_int<8>, ap_int<8>)
  COMPARE(ap_int<8>, ap_uint<8>)
  COMPARE(ap_uint<8>, ap_int<8>)
  COMPARE(ap_uint<8>, ap_uint<8>)
  COMPARE(ap_int<32>, ap_int<9>)
  COMPARE(ap_int<33>, ap_uint<32>)
#elif PART == 1
  PAIR(ap_int<1>, ap_int<3>)
  PAIR(ap_uint<1>, ap_int<17>)
  PAIR(ap_int<33>, ap_uint<16>)
  PAIR(ap_uint<32>, ap_int<32>)
  PAIR(ap_int<48>, ap_int<64>)
  PAIR(ap_uint<64>, ap_uint<63>)
  COMPARE(ap_uint<31>, ap_int<40>)
  COMPARE(ap_uint<31>, ap_int<20>)
  COMPARE(ap_int<64>, ap_int<48>)
  COMPARE(ap_uint<64>, ap_uint<12>)
  COMPARE(ap_uint<1>, ap_int<64>)
#elif PART == 2
  PAIR(ap_int<64>, ap_int<64>)
  PAIR(ap_int<24>, ap_uint<40>)
  PAIR(ap_uint<31>, ap_int<40>)
  PAIR(ap_uint<40>, ap_int<31>)
  ONE(ap_int<8>)
  ONE(ap_uint<8>)
  ONE(ap_int<5>)
#else
  ONE(ap_uint<13>)
  ONE(ap_int<32>)
  ONE(ap_uint<32>)
  ONE(ap_int<50>)
  ONE(ap_int<64>)
  DIVISION(ap_int<8>, ap_int<8>)
  DIVISION(ap_uint<16>, ap_uint<8>)
  DIVISION(ap_int<33>, ap_int<20>)
  DIVISION(ap_int<20>, ap_int<40>)
  check_requantize();
  check_bytes();
  check_wide();
#endif
  return 0;
}
