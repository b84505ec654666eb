// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// hls.source and hls.sink: tasks of two stages that move one word an iteration and never wait for what is outside.

module source #(
    parameter FRAMES = 1,
    parameter WORDS = 1
) (
    input clk,
    input reset,
    input out_full,
    output out_write,
    output [7:0] out
);
  reg [7:0] images[0:FRAMES*WORDS-1];
  string file;
  initial if ($value$plusargs("images=%s", file)) $readmemh(file, images);

  integer next;
  wire start;
  pipeline #(
      .WIDTH(8)
  ) control (
      .clk,
      .reset,
      .can_start(next < FRAMES * WORDS),
      .start,
      .in(images[next]),
      .out,
      .can_finish(!out_full),
      .finish(out_write)
  );
  always @(posedge clk) begin
    if (reset) next <= 0;
    else if (start) next <= next + 1;
  end
endmodule

module sink #(
    parameter FRAMES = 1,
    parameter WORDS = 1
) (
    input clk,
    input reset,
    input in_empty,
    output in_read,
    input [7:0] in,
    output done
);
  integer next;
  pipeline #(
      .WIDTH(1)
  ) control (
      .clk,
      .reset,
      .can_start(next < FRAMES * WORDS && !in_empty),
      .start(in_read),
      .in(1'b0),
      .out(),
      .can_finish(1'b1),
      .finish()
  );
  assign done = next == FRAMES * WORDS;
  always @(posedge clk) begin
    if (reset) next <= 0;
    else if (in_read) begin
      next <= next + 1;
      $display("result %m %0d", $signed(in));
    end
  end
endmodule
