// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fast stand-in for the vendor's <ap_int.h>: the part of ap_int / ap_uint that emitted code uses, with the vendor's
// result widths, wrapping and sign rules, on built-in integers so that a C++ compiler can vectorize it.
//
// Exact for ap_int<W> and ap_uint<W> with W <= 64 and for every intermediate result of at most 128 bits; wider ap_uint
// (stream payloads) can be stored, compared and accessed by bit range only. Whatever is not supported does not compile.
// test/lib compares this header with the vendor's, operator by operator.
#ifndef RESNET_HLS_CSIM_AP_INT_H
#define RESNET_HLS_CSIM_AP_INT_H

#include <cstdint>
#include <iosfwd>
#include <type_traits>

// The integer with W bits; results of operators have this type, ap_int<W> and ap_uint<W> derive from it.
template <int W, bool S> struct ap_int_base;
template <int W> struct ap_int;
template <int W> struct ap_uint;

namespace ap_detail {

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

constexpr int max(int a, int b) {
  return a > b ? a : b;
}
constexpr int min(int a, int b) {
  return a < b ? a : b;
}

// Bytes of the smallest built-in integer with at least `bits` bits.
constexpr int storage_bytes(int bits) {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : bits <= 128 ? 16 : 0;
}

template <int Bytes> struct storage;
template <> struct storage<1> {
  using signed_type = std::int8_t;
  using unsigned_type = std::uint8_t;
};
template <> struct storage<2> {
  using signed_type = std::int16_t;
  using unsigned_type = std::uint16_t;
};
template <> struct storage<4> {
  using signed_type = std::int32_t;
  using unsigned_type = std::uint32_t;
};
template <> struct storage<8> {
  using signed_type = std::int64_t;
  using unsigned_type = std::uint64_t;
};
template <> struct storage<16> {
  using signed_type = int128;
  using unsigned_type = uint128;
};

template <int W, bool S>
using storage_t = std::conditional_t<S, typename storage<storage_bytes(W)>::signed_type,
                                     typename storage<storage_bytes(W)>::unsigned_type>;

// The low W bits of `value`, sign- or zero-extended to the storage of a W-bit integer.
template <int W, bool S, bool Whole = (W == 8 * storage_bytes(W))> struct wrap;
template <int W, bool S> struct wrap<W, S, true> {
  template <typename T> static constexpr storage_t<W, S> of(T value) { return static_cast<storage_t<W, S>>(value); }
};
template <int W> struct wrap<W, true, false> {
  template <typename T> static constexpr storage_t<W, true> of(T value) {
    using unsigned_type = storage_t<W, false>;
    using signed_type = storage_t<W, true>;
    constexpr int spare = 8 * storage_bytes(W) - W;
    return static_cast<signed_type>(
        static_cast<signed_type>(static_cast<unsigned_type>(static_cast<unsigned_type>(value) << spare)) >> spare);
  }
};
template <int W> struct wrap<W, false, false> {
  template <typename T> static constexpr storage_t<W, false> of(T value) {
    using unsigned_type = storage_t<W, false>;
    constexpr unsigned_type mask = static_cast<unsigned_type>((static_cast<unsigned_type>(1) << W) - 1);
    return static_cast<unsigned_type>(static_cast<unsigned_type>(value) & mask);
  }
};

// Width and signedness of a built-in integer operand.
template <typename T> struct builtin {
  static constexpr int width = 8 * static_cast<int>(sizeof(T));
  static constexpr bool is_signed = std::is_signed<T>::value;
};
template <> struct builtin<bool> {
  static constexpr int width = 1;
  static constexpr bool is_signed = false;
};
template <typename T> using as_base = ap_int_base<builtin<T>::width, builtin<T>::is_signed>;
template <typename T> struct is_integral : std::is_integral<T> {};
template <> struct is_integral<int128> : std::true_type {};
template <> struct is_integral<uint128> : std::true_type {};
template <typename T> using if_integral = std::enable_if_t<is_integral<T>::value, int>;

// ap_int<W> or ap_uint<W>: the type of an operator's result.
template <int W, bool S> struct derived;
template <int W> struct derived<W, true> {
  using type = ap_int<W>;
};
template <int W> struct derived<W, false> {
  using type = ap_uint<W>;
};
template <int W, bool S> using derived_t = typename derived<W, S>::type;

// The mask of the `count` lowest bits, 1 <= count <= 64.
constexpr std::uint64_t ones(int count) {
  return ~static_cast<std::uint64_t>(0) >> (64 - count);
}

// The bits [high : low], at most 64 of them, of an integer: an unsigned number that can be assigned to.
template <typename Target> class bit_range {
public:
  bit_range(Target& target, int high, int low) : target(target), low(low), mask(ones(high - low + 1)) {}
  operator std::uint64_t() const { return target.bits(low, mask); }
  template <typename T> bit_range& operator=(T value) {
    target.set_bits(low, mask, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) & mask);
    return *this;
  }

private:
  Target& target;
  int low;
  std::uint64_t mask;
};

// Says that a number need not be cut to the width of its type.
struct fits {};

// Width of the least type that holds both operands of widths and signs (w1, s1) and (w2, s2).
constexpr int common_width(int w1, bool s1, int w2, bool s2) {
  return max(w1 + (s2 && !s1), w2 + (s1 && !s2));
}

// The vendor's headers, like C, give surprising results here; write what is meant.
template <bool SameSign> constexpr int require_in_division() {
  static_assert(SameSign, "cast the operands of a division to the same signedness");
  return 0;
}
template <bool SameSign> constexpr int require_in_comparison() {
  static_assert(SameSign, "cast the operands of this comparison to the same signedness: an unsigned operand of 32 bits "
                          "or more, no narrower than the signed one, would make it unsigned");
  return 0;
}

} // namespace ap_detail

template <int W, bool S> struct ap_int_base {
  static_assert(W >= 1 && W <= 128, "this stand-in for ap_int.h computes on at most 128 bits");
  static constexpr int width = W;
  static constexpr bool sign_flag = S;
  using storage_type = ap_detail::storage_t<W, S>;
  using result = ap_detail::derived_t<W, S>;
  // What an ap_int converts to implicitly.
  using RetType = std::conditional_t<S, std::int64_t, std::uint64_t>;

  storage_type v; // always sign- or zero-extended from W bits

  ap_int_base() = default;
  constexpr ap_int_base(ap_detail::fits, storage_type value) : v(value) {}
  template <typename T, ap_detail::if_integral<T> = 0>
  constexpr ap_int_base(T value) : v(ap_detail::wrap<W, S>::of(value)) {}
  template <typename T> ap_int_base(const ap_detail::bit_range<T>& bits) : ap_int_base(std::uint64_t(bits)) {}
  template <int W2, bool S2>
  constexpr ap_int_base(const ap_int_base<W2, S2>& other) : v(ap_detail::wrap<W, S>::of(other.v)) {}

  constexpr operator RetType() const { return static_cast<RetType>(v); }
  constexpr int to_int() const { return static_cast<int>(v); }
  constexpr unsigned to_uint() const { return static_cast<unsigned>(v); }
  constexpr std::int64_t to_int64() const { return static_cast<std::int64_t>(v); }
  constexpr std::uint64_t to_uint64() const { return static_cast<std::uint64_t>(v); }
  constexpr bool to_bool() const { return v != 0; }
  constexpr int length() const { return W; }

  constexpr result operator+() const { return *this; }
  constexpr auto operator-() const { return ap_int_base<1, false>(0) - *this; }
  constexpr result operator~() const { return static_cast<storage_type>(~v); }
  constexpr bool operator!() const { return v == 0; }
  constexpr bool operator[](int bit) const { return ((v >> bit) & 1) != 0; }

  ap_int_base& operator++() { return *this += 1; }
  ap_int_base& operator--() { return *this -= 1; }
  const result operator++(int) {
    const ap_int_base before = *this;
    *this += 1;
    return before;
  }
  const result operator--(int) {
    const ap_int_base before = *this;
    *this -= 1;
    return before;
  }

  // Sums modulo 2^W need no wider arithmetic than the storage; accumulators live here.
  template <int W2, bool S2> ap_int_base& operator+=(const ap_int_base<W2, S2>& other) {
    using type = ap_detail::storage_t<W, false>;
    v = ap_detail::wrap<W, S>::of(static_cast<type>(static_cast<type>(v) + static_cast<type>(other.v)));
    return *this;
  }
  template <int W2, bool S2> ap_int_base& operator-=(const ap_int_base<W2, S2>& other) {
    using type = ap_detail::storage_t<W, false>;
    v = ap_detail::wrap<W, S>::of(static_cast<type>(static_cast<type>(v) - static_cast<type>(other.v)));
    return *this;
  }
  ap_detail::bit_range<ap_int_base> range(int high, int low) { return {*this, high, low}; }
  ap_detail::bit_range<const ap_int_base> range(int high, int low) const { return {*this, high, low}; }

  // clang-format off
#define AP_ASSIGN(OP)                                                                                                  \
  template <int W2, bool S2> ap_int_base& operator OP##=(const ap_int_base<W2, S2>& other) {                           \
    return *this = ap_int_base(*this OP other);                                                                        \
  }
#define AP_ASSIGN_BUILTIN(OP)                                                                                          \
  template <typename T, ap_detail::if_integral<T> = 0> ap_int_base& operator OP##=(T other) {                          \
    return *this OP##= ap_detail::as_base<T>(other);                                                                   \
  }
  AP_ASSIGN(*) AP_ASSIGN(/) AP_ASSIGN(%) AP_ASSIGN(&) AP_ASSIGN(|) AP_ASSIGN(^) AP_ASSIGN(<<) AP_ASSIGN(>>)
  AP_ASSIGN_BUILTIN(+) AP_ASSIGN_BUILTIN(-) AP_ASSIGN_BUILTIN(*) AP_ASSIGN_BUILTIN(/) AP_ASSIGN_BUILTIN(%)
  AP_ASSIGN_BUILTIN(&) AP_ASSIGN_BUILTIN(|) AP_ASSIGN_BUILTIN(^) AP_ASSIGN_BUILTIN(<<) AP_ASSIGN_BUILTIN(>>)
#undef AP_ASSIGN
#undef AP_ASSIGN_BUILTIN

private:
  template <typename> friend class ap_detail::bit_range;
  // clang-format on
  std::uint64_t bits(int low, std::uint64_t mask) const { return static_cast<std::uint64_t>(v >> low) & mask; }
  void set_bits(int low, std::uint64_t mask, std::uint64_t value) {
    using type = ap_detail::storage_t<W, false>;
    const type cleared = static_cast<type>(static_cast<type>(v) & ~(static_cast<type>(mask) << low));
    v = ap_detail::wrap<W, S>::of(static_cast<type>(cleared | (static_cast<type>(value) << low)));
  }
};

template <int W> struct ap_int : ap_int_base<W, true> {
  using base = ap_int_base<W, true>;
  using base::base;
  ap_int() = default;
  constexpr ap_int(const base& other) : base(other) {}
};

namespace ap_detail {

// An unsigned number too wide to compute with: storage for stream payloads.
template <int W> class wide {
public:
  static constexpr int width = W;
  wide() = default;
  // Sign-extends a negative number, as ap_uint<W>(-1) does.
  template <typename T, if_integral<T> = 0> wide(T value) {
    for (int i = 0; i < limbs; ++i)
      limb[i] = i == 0 ? static_cast<std::uint64_t>(value) : value < T(0) ? ~std::uint64_t(0) : 0;
    if (W % 64 != 0)
      limb[limbs - 1] &= ones(W % 64);
  }
  bit_range<wide> range(int high, int low) { return {*this, high, low}; }
  bit_range<const wide> range(int high, int low) const { return {*this, high, low}; }
  friend bool operator==(const wide& a, const wide& b) {
    for (int i = 0; i < limbs; ++i)
      if (a.limb[i] != b.limb[i])
        return false;
    return true;
  }
  friend bool operator!=(const wide& a, const wide& b) { return !(a == b); }

private:
  template <typename> friend class bit_range;
  static constexpr int limbs = (W + 63) / 64;
  std::uint64_t limb[limbs];

  // A range may cross from one limb into the next.
  std::uint64_t bits(int low, std::uint64_t mask) const {
    const int first = low / 64, offset = low % 64;
    std::uint64_t value = limb[first] >> offset;
    if (offset != 0 && first + 1 < limbs)
      value |= limb[first + 1] << (64 - offset);
    return value & mask;
  }
  void set_bits(int low, std::uint64_t mask, std::uint64_t value) {
    const int first = low / 64, offset = low % 64;
    limb[first] = (limb[first] & ~(mask << offset)) | (value << offset);
    if (offset != 0 && first + 1 < limbs)
      limb[first + 1] = (limb[first + 1] & ~(mask >> (64 - offset))) | (value >> (64 - offset));
  }
};

} // namespace ap_detail

template <int W>
struct ap_uint : std::conditional_t<(W <= 128), ap_int_base<W <= 128 ? W : 1, false>, ap_detail::wide<W>> {
  using base = std::conditional_t<(W <= 128), ap_int_base<W <= 128 ? W : 1, false>, ap_detail::wide<W>>;
  using base::base;
  ap_uint() = default;
  constexpr ap_uint(const base& other) : base(other) {}
};

// Every result below is exact in its type: nothing is lost before it is assigned to something narrower.
#define AP_BINARY(OP, WIDTH, SIGN, WORK_WIDTH, WORK_SIGN)                                                              \
  template <int W1, bool S1, int W2, bool S2>                                                                          \
  constexpr ap_detail::derived_t<(WIDTH), (SIGN)> operator OP(const ap_int_base<W1, S1>& a,                            \
                                                              const ap_int_base<W2, S2>& b) {                          \
    using type = ap_detail::storage_t<(WORK_WIDTH), (WORK_SIGN)>;                                                      \
    using result = ap_detail::storage_t<(WIDTH), (SIGN)>;                                                              \
    return {ap_detail::fits(), static_cast<result>(static_cast<type>(a.v) OP static_cast<type>(b.v))};                 \
  }                                                                                                                    \
  template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>                                                  \
  constexpr auto operator OP(const ap_int_base<W, S>& a, T b) {                                                        \
    return a OP ap_detail::as_base<T>(b);                                                                              \
  }                                                                                                                    \
  template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>                                                  \
  constexpr auto operator OP(T a, const ap_int_base<W, S>& b) {                                                        \
    return ap_detail::as_base<T>(a) OP b;                                                                              \
  }
#define AP_SAME(OP, WIDTH, SIGN) AP_BINARY(OP, WIDTH, SIGN, WIDTH, SIGN)
#define AP_COMMON ap_detail::common_width(W1, S1, W2, S2)
AP_SAME(+, AP_COMMON + 1, S1 || S2)
AP_SAME(-, AP_COMMON + 1, true)
AP_SAME(*, W1 + W2, S1 || S2)
AP_SAME(&, AP_COMMON, S1 || S2)
AP_SAME(|, AP_COMMON, S1 || S2)
AP_SAME(^, AP_COMMON, S1 || S2)
AP_BINARY(/, W1 + S2, S1, AP_COMMON + 1 + ap_detail::require_in_division<S1 == S2>(), S1)
AP_BINARY(%, ap_detail::min(W1, W2), S1, AP_COMMON + 1 + ap_detail::require_in_division<S1 == S2>(), S1)
#undef AP_SAME
#undef AP_BINARY

#define AP_COMPARE(OP)                                                                                                 \
  template <int W1, bool S1, int W2, bool S2>                                                                          \
  constexpr bool operator OP(const ap_int_base<W1, S1>& a, const ap_int_base<W2, S2>& b) {                             \
    constexpr bool exact = S1 == S2 || (S1 ? W2 : W1) < 32 || (S1 ? W2 < W1 : W1 < W2);                                \
    using type = ap_detail::storage_t<AP_COMMON + ap_detail::require_in_comparison<exact>(), S1 || S2>;                \
    return static_cast<type>(a.v) OP static_cast<type>(b.v);                                                           \
  }                                                                                                                    \
  template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>                                                  \
  constexpr bool operator OP(const ap_int_base<W, S>& a, T b) {                                                        \
    return a OP ap_detail::as_base<T>(b);                                                                              \
  }                                                                                                                    \
  template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>                                                  \
  constexpr bool operator OP(T a, const ap_int_base<W, S>& b) {                                                        \
    return ap_detail::as_base<T>(a) OP b;                                                                              \
  }
AP_COMPARE(==)
AP_COMPARE(!=)
AP_COMPARE(<)
AP_COMPARE(<=)
AP_COMPARE(>)
AP_COMPARE(>=)
#undef AP_COMPARE
#undef AP_COMMON

// A shift keeps the type of its left operand; a negative count shifts the other way, one of W or more leaves the sign.
namespace ap_detail {
template <int W, bool S> constexpr derived_t<W, S> shift_left(const ap_int_base<W, S>& a, std::int64_t count);
template <int W, bool S> constexpr derived_t<W, S> shift_right(const ap_int_base<W, S>& a, std::int64_t count) {
  using type = storage_t<W, S>;
  return count < 0    ? shift_left(a, -count)
         : count >= W ? derived_t<W, S>(static_cast<type>(a.v < 0 ? -1 : 0))
                      : derived_t<W, S>(static_cast<type>(a.v >> count));
}
template <int W, bool S> constexpr derived_t<W, S> shift_left(const ap_int_base<W, S>& a, std::int64_t count) {
  using type = storage_t<W, false>;
  return count < 0    ? shift_right(a, -count)
         : count >= W ? derived_t<W, S>(0)
                      : derived_t<W, S>(static_cast<type>(static_cast<type>(a.v) << count));
}
} // namespace ap_detail
template <int W, bool S, int W2, bool S2>
constexpr ap_detail::derived_t<W, S> operator<<(const ap_int_base<W, S>& a, const ap_int_base<W2, S2>& count) {
  return ap_detail::shift_left(a, static_cast<std::int64_t>(count.v));
}
template <int W, bool S, int W2, bool S2>
constexpr ap_detail::derived_t<W, S> operator>>(const ap_int_base<W, S>& a, const ap_int_base<W2, S2>& count) {
  return ap_detail::shift_right(a, static_cast<std::int64_t>(count.v));
}
template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>
constexpr ap_detail::derived_t<W, S> operator<<(const ap_int_base<W, S>& a, T count) {
  return ap_detail::shift_left(a, static_cast<std::int64_t>(count));
}
template <int W, bool S, typename T, ap_detail::if_integral<T> = 0>
constexpr ap_detail::derived_t<W, S> operator>>(const ap_int_base<W, S>& a, T count) {
  return ap_detail::shift_right(a, static_cast<std::int64_t>(count));
}

// For any traits, so that <ostream>, which takes longer to compile than most designs, is only asked of who prints.
template <int W, bool S, typename Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& stream, const ap_int_base<W, S>& value) {
  static_assert(W <= 64, "only numbers of at most 64 bits can be printed");
  return stream << static_cast<typename ap_int_base<W, S>::RetType>(value.v);
}

#endif // RESNET_HLS_CSIM_AP_INT_H
