# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Forms of arith operations: each a chain from two i8 operands, %x and %y, to an i32, %r."""

from __future__ import annotations


def wide(extension_x: str, extension_y: str, width: int = 32) -> list[str]:
    """%a and %b: the operands, extended."""
    return [f"%a = arith.{extension_x} %x : i8 to i{width}", f"%b = arith.{extension_y} %y : i8 to i{width}"]


SIGNED, MIXED, UNSIGNED = wide("extsi", "extsi"), wide("extui", "extsi"), wide("extui", "extui")
FORMS: dict[str, list[str]] = {}
for _name, _operands in {"ss": SIGNED, "us": MIXED, "uu": UNSIGNED}.items():
    for _op in ["addi", "subi", "muli", "andi", "ori", "xori", "maxsi", "minsi", "maxui", "minui"]:
        FORMS[f"{_op}_{_name}"] = [*_operands, f"%r = arith.{_op} %a, %b : i32"]
    for _predicate in ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]:
        FORMS[f"cmpi_{_predicate}_{_name}"] = [
            *_operands,
            f"%c = arith.cmpi {_predicate}, %a, %b : i32",
            "%r = arith.select %c, %a, %b : i32",
        ]
    for _shift in ["shli", "shrsi", "shrui"]:
        FORMS[f"{_shift}_{_name}"] = [*_operands, "%s = arith.subi %a, %b : i32", f"%r = arith.{_shift} %s, %c3 : i32"]
        FORMS[f"{_shift}_plain_{_name}"] = [
            *_operands,
            f"%s = arith.{_shift} %a, %c3 : i32",
            "%r = arith.addi %s, %b : i32",
        ]

# Narrow types: the value wraps where MLIR's does, and shows it to whatever comes next.
for _op in ["addi", "subi", "muli", "andi", "ori", "xori"]:
    for _extension in ("extsi", "extui"):
        FORMS[f"narrow_{_op}_{_extension}"] = [
            f"%n = arith.{_op} %x, %y : i8",
            f"%r = arith.{_extension} %n : i8 to i32",
        ]
for _op in ["maxsi", "minsi", "maxui", "minui"]:
    FORMS[f"narrow_{_op}"] = [f"%n = arith.{_op} %x, %y : i8", "%r = arith.extsi %n : i8 to i32"]
for _shift in ["shrsi", "shrui", "shli"]:
    FORMS[f"narrow_{_shift}"] = [
        "%n = arith.addi %x, %y : i8",
        f"%m = arith.{_shift} %n, %k1 : i8",
        "%r = arith.extsi %m : i8 to i32",
    ]
for _predicate in ["eq", "slt", "sge", "ult", "uge"]:
    FORMS[f"narrow_cmpi_{_predicate}"] = [
        "%n = arith.addi %x, %y : i8",
        f"%c = arith.cmpi {_predicate}, %n, %y : i8",
        "%r = arith.extui %c : i1 to i32",
    ]
FORMS |= {
    "two_extensions_su": ["%m = arith.extsi %x : i8 to i16", "%r = arith.extui %m : i16 to i32"],
    "two_extensions_us": ["%m = arith.extui %x : i8 to i16", "%r = arith.extsi %m : i16 to i32"],
    "truncation": [
        *SIGNED,
        "%m = arith.muli %a, %b : i32",
        "%t = arith.trunci %m : i32 to i8",
        "%r = arith.extsi %t : i8 to i32",
    ],
    "truncation_u": [
        *SIGNED,
        "%m = arith.muli %a, %b : i32",
        "%t = arith.trunci %m : i32 to i8",
        "%r = arith.extui %t : i8 to i32",
    ],
    "bit": [*SIGNED, "%t = arith.trunci %a : i32 to i1", "%r = arith.select %t, %b, %c3 : i32"],
    "bit_signed": ["%c = arith.cmpi slt, %x, %y : i8", "%r = arith.extsi %c : i1 to i32"],
    "both": [
        "%c = arith.cmpi slt, %x, %y : i8",
        "%d = arith.cmpi sgt, %x, %k1 : i8",
        "%e = arith.andi %c, %d : i1",
        "%r = arith.extui %e : i1 to i32",
    ],
    "compare_and": [
        *SIGNED,
        "%m = arith.andi %a, %c3 : i32",
        "%c = arith.cmpi eq, %m, %b : i32",
        "%r = arith.extui %c : i1 to i32",
    ],
    "compare_xor": [
        *SIGNED,
        "%m = arith.xori %a, %b : i32",
        "%c = arith.cmpi slt, %m, %c3 : i32",
        "%r = arith.select %c, %m, %a : i32",
    ],
    "clamp": [
        *SIGNED,
        "%m = arith.muli %a, %b : i32",
        "%n = arith.maxsi %m, %lo : i32",
        "%r = arith.minsi %n, %hi : i32",
    ],
    "clamp_shift": [
        *MIXED,
        "%m = arith.muli %a, %b : i32",
        "%s = arith.shrsi %m, %c3 : i32",
        "%n = arith.maxsi %s, %lo : i32",
        "%r = arith.minsi %n, %hi : i32",
    ],
    "clamp_backwards": [*SIGNED, "%n = arith.maxsi %a, %hi : i32", "%r = arith.minsi %n, %lo : i32"],
    "clamp_narrow": [
        "%e = arith.extsi %x : i8 to i32",
        "%n = arith.maxsi %e, %lo : i32",
        "%r = arith.minsi %n, %c300 : i32",
    ],
    "clamp_narrow_high": [
        "%e = arith.extsi %x : i8 to i32",
        "%n = arith.maxsi %e, %c200 : i32",
        "%r = arith.minsi %n, %c300 : i32",
    ],
    "clamp_narrow_shift": [
        "%e = arith.extsi %x : i8 to i32",
        "%s = arith.shrsi %e, %one : i32",
        "%n = arith.maxsi %s, %c200 : i32",
        "%r = arith.minsi %n, %c300 : i32",
    ],
    "clamp_unsigned": [
        "%e = arith.extui %x : i8 to i32",
        "%n = arith.maxsi %e, %lo : i32",
        "%r = arith.minsi %n, %c200 : i32",
    ],
    "round_half_even": [
        *SIGNED,
        "%m = arith.muli %a, %b : i32",
        "%f = arith.shrsi %m, %c3 : i32",
        "%o = arith.andi %f, %one : i32",
        "%p = arith.addi %m, %c3 : i32",
        "%q = arith.addi %p, %o : i32",
        "%r = arith.shrsi %q, %c3 : i32",
    ],
    "wraps": [
        *SIGNED,
        "%m = arith.muli %a, %big : i32",
        "%s = arith.addi %m, %big : i32",
        "%r = arith.shrsi %s, %c3 : i32",
    ],
    "wraps_compare": [
        *SIGNED,
        "%m = arith.muli %a, %big : i32",
        "%c = arith.cmpi slt, %m, %b : i32",
        "%r = arith.extui %c : i1 to i32",
    ],
    "wraps_maximum": [*SIGNED, "%m = arith.muli %a, %big : i32", "%r = arith.maxsi %m, %b : i32"],
    "wraps_shift_left": [*SIGNED, "%m = arith.shli %a, %c30 : i32", "%r = arith.shrsi %m, %c3 : i32"],
    "unsigned_compare_of_sum": [
        *SIGNED,
        "%m = arith.addi %a, %b : i32",
        "%c = arith.cmpi ult, %m, %hi : i32",
        "%r = arith.select %c, %m, %b : i32",
    ],
    "logical_shift_of_negative": [
        *SIGNED,
        "%m = arith.shrui %a, %c3 : i32",
        "%n = arith.muli %m, %b : i32",
        "%r = arith.shrsi %n, %c3 : i32",
    ],
    "multiplier_and_shift": [
        *wide("extsi", "extsi", 64),
        "%m = arith.muli %a, %long : i64",
        "%n = arith.addi %m, %b : i64",
        "%s = arith.shrsi %n, %l31 : i64",
        "%r = arith.trunci %s : i64 to i32",
    ],
    "product_of_products": [
        *wide("extsi", "extui", 64),
        "%m = arith.muli %a, %long : i64",
        "%n = arith.muli %m, %m : i64",
        "%o = arith.muli %n, %b : i64",
        "%p = arith.addi %o, %a : i64",
        "%s = arith.shrsi %p, %l31 : i64",
        "%r = arith.trunci %s : i64 to i32",
    ],
    "difference_of_sums": [
        *MIXED,
        "%m = arith.addi %a, %b : i32",
        "%n = arith.subi %b, %m : i32",
        "%o = arith.subi %m, %n : i32",
        "%r = arith.muli %o, %n : i32",
    ],
    "nested_select": [
        *SIGNED,
        "%c = arith.cmpi slt, %a, %b : i32",
        "%m = arith.select %c, %a, %hi : i32",
        "%d = arith.cmpi sgt, %m, %c3 : i32",
        "%r = arith.select %d, %m, %lo : i32",
    ],
    "constants": [
        "%m = arith.muli %big, %big : i32",
        "%n = arith.addi %big, %big : i32",
        "%o = arith.subi %m, %n : i32",
        "%e = arith.extsi %x : i8 to i32",
        "%r = arith.addi %o, %e : i32",
    ],
    "least": ["%e = arith.extsi %x : i8 to i32", "%r = arith.addi %e, %least : i32"],
    "count_of_shift": [
        *UNSIGNED,
        "%n = arith.andi %b, %c3 : i32",
        "%m = arith.shli %a, %n : i32",
        "%r = arith.shrsi %m, %n : i32",
    ],
}

CONSTANTS = [
    *(
        f"%{name} = arith.constant {value} : i32"
        for name, value in {
            "c3": 3,
            "c30": 30,
            "c200": 200,
            "c300": 300,
            "one": 1,
            "lo": -100,
            "hi": 90,
            "big": 2000000000,
            "least": -(2**31),
        }.items()
    ),
    "%k1 = arith.constant 1 : i8",
    "%long = arith.constant 1518500249 : i64",
    "%l31 = arith.constant 31 : i64",
]
