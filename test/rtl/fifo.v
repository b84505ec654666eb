// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A stream of at most DEPTH words.
//
// `full` and `empty` are registers: a word that is written in a cycle can be read in the next one (LATENCY cycles later
// where the memory takes longer), and room that a read makes can be written in the next one. It prints when words move.
module fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter LATENCY = 1
) (
    input clk,
    input reset,
    input write,
    input [WIDTH-1:0] in,
    output reg full,
    input read,
    output [WIDTH-1:0] out,
    output reg empty
);
  reg [WIDTH-1:0] words[0:DEPTH-1];
  integer head, tail;  // the next places to write and to read
  integer stored;  // words that are there
  integer visible;  // words that can be read
  reg [LATENCY:1] past;
  integer cycle;

  wire [LATENCY:0] ago = {past, write};  // bit n: a word was written n cycles ago
  wire integer next_stored = stored + (write ? 1 : 0) - (read ? 1 : 0);
  wire integer next_visible = visible + (ago[LATENCY-1] ? 1 : 0) - (read ? 1 : 0);
  assign out = words[tail];

  always @(posedge clk) begin
    if (reset) begin
      head <= 0;
      tail <= 0;
      stored <= 0;
      visible <= 0;
      past <= 0;
      full <= 0;
      empty <= 1;
      cycle <= 0;
    end else begin
      cycle <= cycle + 1;
      stored <= next_stored;
      visible <= next_visible;
      past <= ago[LATENCY-1:0];
      full <= next_stored == DEPTH;
      empty <= next_visible == 0;
      if (write) begin
        if (full) $fatal(1, "%m: written while full");
        words[head] <= in;
        head <= head == DEPTH - 1 ? 0 : head + 1;
        $display("written %m %0d", cycle);
      end
      if (read) begin
        if (empty) $fatal(1, "%m: read while empty");
        tail <= tail == DEPTH - 1 ? 0 : tail + 1;
        $display("read %m %0d", cycle);
      end
    end
  end
endmodule
