// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The control of a flushable pipeline (`PIPELINE style=flp`) of DEPTH stages, 0 to DEPTH - 1, and what its iterations
// carry along.
//
// Stage 0 has no register: the loop counters of the next iteration are there already, and when it starts it takes the
// words that it reads. Behind it each stage is a register with a valid bit. A stage is free for the one in front of it if
// it holds nothing or what it holds moves on, so that a stalled iteration stops those behind it as soon as there is no
// bubble between them, and never those ahead. The last stage moves on when there is room for what it writes.
// With an INTERVAL a stage rests that long after each iteration.
module pipeline #(
    parameter DEPTH = 2,
    parameter INTERVAL = 1,
    parameter WIDTH = 1
) (
    input clk,
    input reset,
    input can_start,  // there is an iteration in stage 0, and there are the words that it reads
    output start,  // it reads them and moves on
    input [WIDTH-1:0] in,
    output [WIDTH-1:0] out,  // what the iteration in the last stage carries
    input can_finish,  // there is room for what it writes
    output finish  // it writes and is done
);
  reg [DEPTH-1:1] valid;
  reg [WIDTH-1:0] carried[1:DEPTH-1];
  integer rest[0:DEPTH-1];

  reg [DEPTH-1:0] moves;
  integer s;
  always @* begin
    moves[DEPTH-1] = valid[DEPTH-1] && rest[DEPTH-1] == 0 && can_finish;
    for (s = DEPTH - 2; s >= 0; s = s - 1) begin
      moves[s] = (s == 0 ? can_start : valid[s]) && rest[s] == 0 && (!valid[s+1] || moves[s+1]);
    end
  end
  assign start = moves[0];
  assign finish = moves[DEPTH-1];
  assign out = carried[DEPTH-1];

  integer r;
  always @(posedge clk) begin
    for (r = 0; r < DEPTH; r = r + 1) begin
      if (reset) rest[r] <= 0;
      else if (moves[r]) rest[r] <= INTERVAL - 1;
      else if (rest[r] != 0) rest[r] <= rest[r] - 1;
    end
    for (r = 1; r < DEPTH; r = r + 1) begin
      if (reset) valid[r] <= 0;
      else if (moves[r-1]) begin
        valid[r] <= 1;
        carried[r] <= r == 1 ? in : carried[r-1];
      end else if (moves[r]) valid[r] <= 0;
    end
  end
endmodule
