// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What convolution.mlir schedules, written by hand: 3 x 3, from 2 to 3 channels, on a map of 4 rows and 5 columns.
//
// A task computes what an iteration writes when it starts, and carries it through its pipeline.

// Loops: 5 rows, of which the last one runs together with row 0 of the next frame; 6 columns; 2 channels.
module conv_window #(
    parameter FRAMES = 1,
    parameter DEPTH = 2,
    parameter INTERVAL = 1
) (
    input clk,
    input reset,
    input input_empty,
    output input_read,
    input [7:0] input_word,
    input window_full,
    output window_write,
    output [71:0] window_word
);
  integer frame, row, column, channel;
  wire in_frame = frame < FRAMES;
  wire in_frame_before = frame > 0;

  // #set: row <= 3, column <= 4
  wire reads = in_frame && column <= 4;
  // #set2: row >= 1, column >= 1; row 0 is also row 4 of the frame before
  wire writes = (row == 0 ? in_frame_before : in_frame) && column >= 1;
  wire integer window_row = row == 0 ? 4 : row;

  reg [7:0] line_buffer[0:1][0:4][0:1];
  reg [7:0] window_columns[0:2][0:1][0:1];
  reg [7:0] window[0:2][0:2];
  reg [71:0] padded;
  integer r, c;
  always @* begin
    for (r = 0; r < 3; r = r + 1) begin
      window[r][0] = window_columns[r][0][channel[0]];
      window[r][1] = window_columns[r][1][channel[0]];
    end
    window[0][2] = column <= 4 ? line_buffer[0][column[2:0]][channel[0]] : 0;
    window[1][2] = column <= 4 ? line_buffer[1][column[2:0]][channel[0]] : 0;
    window[2][2] = reads ? input_word : 0;
    // #set3
    for (r = 0; r < 3; r = r + 1)
      for (c = 0; c < 3; c = c + 1)
        padded[8*(3*r+c)+:8] = window_row + r >= 2 && window_row + r <= 5 && column + c >= 2 && column + c <= 6
            ? window[r][c] : 0;
  end

  wire start, finish, last_writes;
  pipeline #(
      .DEPTH(DEPTH),
      .INTERVAL(INTERVAL),
      .WIDTH(73)
  ) control (
      .clk,
      .reset,
      .can_start(frame <= FRAMES && !(reads && input_empty)),
      .start,
      .in({writes, padded}),
      .out({last_writes, window_word}),
      .can_finish(!(last_writes && window_full)),
      .finish
  );
  assign input_read = start && reads;
  assign window_write = finish && last_writes;

  integer i;
  always @(posedge clk) begin
    if (reset) begin
      frame <= 0;
      row <= 0;
      column <= 0;
      channel <= 0;
    end else if (start) begin
      if (column <= 4) begin
        line_buffer[0][column[2:0]][channel[0]] <= window[1][2];
        line_buffer[1][column[2:0]][channel[0]] <= window[2][2];
      end
      for (i = 0; i < 3; i = i + 1) begin
        window_columns[i][0][channel[0]] <= window[i][1];
        window_columns[i][1][channel[0]] <= window[i][2];
      end
      channel <= channel == 1 ? 0 : channel + 1;
      if (channel == 1) column <= column == 5 ? 0 : column + 1;
      if (channel == 1 && column == 5) row <= row == 3 ? 0 : row + 1;
      if (channel == 1 && column == 5 && row == 3) frame <= frame + 1;
    end
  end
endmodule

// Loops: 20 pixels, 2 channels of the input, 3 of the result.
module conv #(
    parameter FRAMES = 1,
    parameter DEPTH = 2,
    parameter INTERVAL = 1
) (
    input clk,
    input reset,
    input window_empty,
    output window_read,
    input [71:0] window_word,
    input output_full,
    output output_write,
    output [7:0] output_word
);
  localparam integer BIAS[0:2] = '{312, 492, -124};
  localparam integer WEIGHT[0:53] = '{
      89, 35, 3, -59, -49, -117, -108, -123, -83,
      15, 111, -57, 81, 44, -127, -27, 91, 14,
      -107, -51, -5, -20, -25, -120, -126, -96, -125,
      80, 38, 105, 1, 27, 120, 59, 34, 11,
      -119, 68, 59, 88, -83, -105, 93, -122, 11,
      44, 7, 38, -62, 29, 67, -30, -10, 127
  };

  integer frame, pixel, from, to;
  wire reads = to == 0;  // #set4
  wire writes = from == 1;  // #set6

  reg [71:0] held;
  wire [71:0] window = reads ? window_word : held;
  integer accumulator[0:2];
  integer sum, positive, rounded, result;
  integer t;
  always @* begin
    sum = from == 0 ? BIAS[to[1:0]] : accumulator[to[1:0]];
    for (t = 0; t < 9; t = t + 1) sum = sum + $signed(window[8*t+:8]) * WEIGHT[9*(3*from+to)+t];
    positive = sum > 0 ? sum : 0;
    rounded = (positive + 255 + ((positive >>> 9) & 1)) >>> 9;
    result = rounded < 255 ? rounded : 255;
  end

  wire start, finish, last_writes;
  pipeline #(
      .DEPTH(DEPTH),
      .INTERVAL(INTERVAL),
      .WIDTH(9)
  ) control (
      .clk,
      .reset,
      .can_start(frame < FRAMES && !(reads && window_empty)),
      .start,
      .in({writes, result[7:0]}),
      .out({last_writes, output_word}),
      .can_finish(!(last_writes && output_full)),
      .finish
  );
  assign window_read = start && reads;
  assign output_write = finish && last_writes;

  always @(posedge clk) begin
    if (reset) begin
      frame <= 0;
      pixel <= 0;
      from <= 0;
      to <= 0;
    end else if (start) begin
      held <= window;
      accumulator[to[1:0]] <= sum;
      to <= to == 2 ? 0 : to + 1;
      if (to == 2) from <= from == 1 ? 0 : from + 1;
      if (to == 2 && from == 1) pixel <= pixel == 19 ? 0 : pixel + 1;
      if (to == 2 && from == 1 && pixel == 19) frame <= frame + 1;
    end
  end
endmodule

module convolution #(
    parameter FRAMES = 1,
    parameter conv_window_depth = 2,
    parameter conv_window_interval = 1,
    parameter conv_depth = 9,
    parameter conv_interval = 1,
    parameter input_to_conv_window_depth = 2,
    parameter input_to_conv_window_latency = 1,
    parameter conv_window_to_conv_depth = 2,
    parameter conv_window_to_conv_latency = 1,
    parameter conv_to_output_depth = 2,
    parameter conv_to_output_latency = 1
) (
    input clk,
    input reset,
    output done,
    output moved
);
  wire a_write, a_full, a_read, a_empty;
  wire [7:0] a_in, a_out;
  fifo #(
      .WIDTH(8),
      .DEPTH(input_to_conv_window_depth),
      .LATENCY(input_to_conv_window_latency)
  ) input_to_conv_window (
      .clk, .reset,
      .write(a_write), .in(a_in), .full(a_full), .read(a_read), .out(a_out), .empty(a_empty)
  );
  wire b_write, b_full, b_read, b_empty;
  wire [71:0] b_in, b_out;
  fifo #(
      .WIDTH(72),
      .DEPTH(conv_window_to_conv_depth),
      .LATENCY(conv_window_to_conv_latency)
  ) conv_window_to_conv (
      .clk, .reset,
      .write(b_write), .in(b_in), .full(b_full), .read(b_read), .out(b_out), .empty(b_empty)
  );
  wire c_write, c_full, c_read, c_empty;
  wire [7:0] c_in, c_out;
  fifo #(
      .WIDTH(8),
      .DEPTH(conv_to_output_depth),
      .LATENCY(conv_to_output_latency)
  ) conv_to_output (
      .clk, .reset,
      .write(c_write), .in(c_in), .full(c_full), .read(c_read), .out(c_out), .empty(c_empty)
  );

  source #(
      .FRAMES(FRAMES),
      .WORDS(40)
  ) image (
      .clk, .reset,
      .out_full(a_full), .out_write(a_write), .out(a_in)
  );
  conv_window #(
      .FRAMES(FRAMES),
      .DEPTH(conv_window_depth),
      .INTERVAL(conv_window_interval)
  ) window_task (
      .clk, .reset,
      .input_empty(a_empty), .input_read(a_read), .input_word(a_out),
      .window_full(b_full), .window_write(b_write), .window_word(b_in)
  );
  conv #(
      .FRAMES(FRAMES),
      .DEPTH(conv_depth),
      .INTERVAL(conv_interval)
  ) conv_task (
      .clk, .reset,
      .window_empty(b_empty), .window_read(b_read), .window_word(b_out),
      .output_full(c_full), .output_write(c_write), .output_word(c_in)
  );
  sink #(
      .FRAMES(FRAMES),
      .WORDS(60)
  ) result (
      .clk, .reset,
      .in_empty(c_empty), .in_read(c_read), .in(c_out), .done(done)
  );

  assign moved = a_write | a_read | b_write | b_read | c_write | c_read;
endmodule
