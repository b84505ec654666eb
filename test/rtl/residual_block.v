// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What residual_block.mlir schedules, written by hand: two 3 x 3 convolutions of 2 channels on a map of 5 rows and 4
// columns, and the skip that the first window task hands out, two rows behind the newest pixel.
//
// A task computes what an iteration writes when it starts, and carries it through its pipeline.

// Loops: 7 rows, of which the last two run together with rows 0 and 1 of the next frame; 5 columns; 2 channels.
module block_window #(
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
    output [71:0] window_word,
    input skip_full,
    output skip_write,
    output [7:0] skip_word
);
  integer frame, row, column, channel;
  wire in_frame = frame < FRAMES;
  wire in_frame_before = frame > 0;

  // #set: row <= 4, column <= 3
  wire reads = in_frame && column <= 3;
  // #set2: 1 <= row <= 5, column >= 1; row 0 is also row 5 of the frame before
  wire writes_window = (row == 0 ? in_frame_before : in_frame) && column >= 1;
  // #set4: row >= 2, column >= 1; rows 0 and 1 are also rows 5 and 6 of the frame before
  wire writes_skip = (row <= 1 ? in_frame_before : in_frame) && column >= 1;
  wire integer window_row = row == 0 ? 5 : row;

  reg [7:0] line_buffer[0:1][0:3][0:1];
  reg [7:0] window_columns[0:2][0:1][0:1];
  reg [7:0] window[0:2][0:2];
  reg [71:0] padded;
  integer r, c;
  always @* begin
    for (r = 0; r < 3; r = r + 1) begin
      window[r][0] = window_columns[r][0][channel[0]];
      window[r][1] = window_columns[r][1][channel[0]];
    end
    window[0][2] = column <= 3 ? line_buffer[0][column[1:0]][channel[0]] : 0;
    window[1][2] = column <= 3 ? line_buffer[1][column[1:0]][channel[0]] : 0;
    window[2][2] = reads ? input_word : 0;
    // #set3
    for (r = 0; r < 3; r = r + 1)
      for (c = 0; c < 3; c = c + 1)
        padded[8*(3*r+c)+:8] = window_row + r >= 2 && window_row + r <= 6 && column + c >= 2 && column + c <= 5
            ? window[r][c] : 0;
  end

  wire start, finish, last_writes_window, last_writes_skip;
  pipeline #(
      .DEPTH(DEPTH),
      .INTERVAL(INTERVAL),
      .WIDTH(82)
  ) control (
      .clk,
      .reset,
      .can_start(frame <= FRAMES && !(reads && input_empty)),
      .start,
      .in({writes_window, writes_skip, padded, window[0][1]}),
      .out({last_writes_window, last_writes_skip, window_word, skip_word}),
      .can_finish(!(last_writes_window && window_full) && !(last_writes_skip && skip_full)),
      .finish
  );
  assign input_read = start && reads;
  assign window_write = finish && last_writes_window;
  assign skip_write = finish && last_writes_skip;

  integer i;
  always @(posedge clk) begin
    if (reset) begin
      frame <= 0;
      row <= 0;
      column <= 0;
      channel <= 0;
    end else if (start) begin
      if (column <= 3) begin
        line_buffer[0][column[1:0]][channel[0]] <= window[1][2];
        line_buffer[1][column[1:0]][channel[0]] <= window[2][2];
      end
      for (i = 0; i < 3; i = i + 1) begin
        window_columns[i][0][channel[0]] <= window[i][1];
        window_columns[i][1][channel[0]] <= window[i][2];
      end
      channel <= channel == 1 ? 0 : channel + 1;
      if (channel == 1) column <= column == 4 ? 0 : column + 1;
      if (channel == 1 && column == 4) row <= row == 4 ? 0 : row + 1;
      if (channel == 1 && column == 4 && row == 4) frame <= frame + 1;
    end
  end
endmodule

// Loops: 20 pixels, 2 channels of the input, 2 of the result.
module block #(
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
  localparam integer BIAS[0:1] = '{-430, -206};
  localparam integer WEIGHT[0:35] = '{
      89, 35, 3, -59, -49, -117, -108, -123, -83,
      15, 111, -57, 81, 44, -127, -27, 91, 14,
      80, 38, 105, 1, 27, 120, 59, 34, 11,
      -119, 68, 59, 88, -83, -105, 93, -122, 11
  };

  integer frame, pixel, from, to;
  wire reads = to == 0;  // #set5
  wire writes = from == 1;  // #set7

  reg [71:0] held;
  wire [71:0] window = reads ? window_word : held;
  integer accumulator[0:1];
  integer sum, rounded, result;
  integer t;
  always @* begin
    sum = from == 0 ? BIAS[to[0]] : accumulator[to[0]];
    for (t = 0; t < 9; t = t + 1) sum = sum + $signed(window[8*t+:8]) * WEIGHT[9*(2*from+to)+t];
    rounded = (sum + 255 + ((sum >>> 9) & 1)) >>> 9;
    result = rounded < 0 ? 0 : rounded > 127 ? 127 : rounded;
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
      accumulator[to[0]] <= sum;
      to <= to == 1 ? 0 : to + 1;
      if (to == 1) from <= from == 1 ? 0 : from + 1;
      if (to == 1 && from == 1) pixel <= pixel == 19 ? 0 : pixel + 1;
      if (to == 1 && from == 1 && pixel == 19) frame <= frame + 1;
    end
  end
endmodule

// Loops: 6 rows, of which the last one runs together with row 0 of the next frame; 5 columns; 2 channels.
module block_window_1 #(
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

  // #set: row <= 4, column <= 3
  wire reads = in_frame && column <= 3;
  // #set8: row >= 1, column >= 1; row 0 is also row 5 of the frame before
  wire writes = (row == 0 ? in_frame_before : in_frame) && column >= 1;
  wire integer window_row = row == 0 ? 5 : row;

  reg [7:0] line_buffer[0:1][0:3][0:1];
  reg [7:0] window_columns[0:2][0:1][0:1];
  reg [7:0] window[0:2][0:2];
  reg [71:0] padded;
  integer r, c;
  always @* begin
    for (r = 0; r < 3; r = r + 1) begin
      window[r][0] = window_columns[r][0][channel[0]];
      window[r][1] = window_columns[r][1][channel[0]];
    end
    window[0][2] = column <= 3 ? line_buffer[0][column[1:0]][channel[0]] : 0;
    window[1][2] = column <= 3 ? line_buffer[1][column[1:0]][channel[0]] : 0;
    window[2][2] = reads ? input_word : 0;
    // #set3
    for (r = 0; r < 3; r = r + 1)
      for (c = 0; c < 3; c = c + 1)
        padded[8*(3*r+c)+:8] = window_row + r >= 2 && window_row + r <= 6 && column + c >= 2 && column + c <= 5
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
      if (column <= 3) begin
        line_buffer[0][column[1:0]][channel[0]] <= window[1][2];
        line_buffer[1][column[1:0]][channel[0]] <= window[2][2];
      end
      for (i = 0; i < 3; i = i + 1) begin
        window_columns[i][0][channel[0]] <= window[i][1];
        window_columns[i][1][channel[0]] <= window[i][2];
      end
      channel <= channel == 1 ? 0 : channel + 1;
      if (channel == 1) column <= column == 4 ? 0 : column + 1;
      if (channel == 1 && column == 4) row <= row == 4 ? 0 : row + 1;
      if (channel == 1 && column == 4 && row == 4) frame <= frame + 1;
    end
  end
endmodule

// Loops: 20 pixels, 2 channels of the input, 2 of the result.
module block_1 #(
    parameter FRAMES = 1,
    parameter DEPTH = 2,
    parameter INTERVAL = 1
) (
    input clk,
    input reset,
    input window_empty,
    output window_read,
    input [71:0] window_word,
    input skip_empty,
    output skip_read,
    input [7:0] skip_word,
    input output_full,
    output output_write,
    output [7:0] output_word
);
  localparam integer BIAS[0:1] = '{224, 398};
  localparam integer WEIGHT[0:35] = '{
      -5, -20, -25, -120, -126, -96, -125, 44, 7,
      -31, 47, 115, 38, 87, 48, 52, -28, 96,
      38, -62, 29, 67, -30, -10, 127, 78, 123,
      -93, 20, 56, 88, 6, -32, -48, -20, -4
  };

  integer frame, pixel, from, to;
  wire reads_window = to == 0;  // #set5
  wire reads_skip = from == 1;  // #set7
  wire writes = from == 1;

  reg [71:0] held;
  wire [71:0] window = reads_window ? window_word : held;
  integer accumulator[0:1];
  integer sum, rounded, clamped, added, positive, result;
  integer t;
  always @* begin
    sum = from == 0 ? BIAS[to[0]] : accumulator[to[0]];
    for (t = 0; t < 9; t = t + 1) sum = sum + $signed(window[8*t+:8]) * WEIGHT[9*(2*from+to)+t];
    rounded = (sum + 63 + ((sum >>> 7) & 1)) >>> 7;
    clamped = rounded < -128 ? -128 : rounded > 127 ? 127 : rounded;
    added = 4 * clamped + $signed(skip_word);
    positive = added > 0 ? added : 0;
    result = (positive + 1 + ((positive >>> 2) & 1)) >>> 2;
  end

  wire start, finish, last_writes;
  pipeline #(
      .DEPTH(DEPTH),
      .INTERVAL(INTERVAL),
      .WIDTH(9)
  ) control (
      .clk,
      .reset,
      .can_start(frame < FRAMES && !(reads_window && window_empty) && !(reads_skip && skip_empty)),
      .start,
      .in({writes, result[7:0]}),
      .out({last_writes, output_word}),
      .can_finish(!(last_writes && output_full)),
      .finish
  );
  assign window_read = start && reads_window;
  assign skip_read = start && reads_skip;
  assign output_write = finish && last_writes;

  always @(posedge clk) begin
    if (reset) begin
      frame <= 0;
      pixel <= 0;
      from <= 0;
      to <= 0;
    end else if (start) begin
      held <= window;
      accumulator[to[0]] <= sum;
      to <= to == 1 ? 0 : to + 1;
      if (to == 1) from <= from == 1 ? 0 : from + 1;
      if (to == 1 && from == 1) pixel <= pixel == 19 ? 0 : pixel + 1;
      if (to == 1 && from == 1 && pixel == 19) frame <= frame + 1;
    end
  end
endmodule

module residual_block #(
    parameter FRAMES = 1,
    parameter block_window_depth = 2,
    parameter block_window_interval = 1,
    parameter block_depth = 9,
    parameter block_interval = 1,
    parameter block_window_1_depth = 2,
    parameter block_window_1_interval = 1,
    parameter block_1_depth = 11,
    parameter block_1_interval = 1,
    parameter input_to_block_window_depth = 2,
    parameter input_to_block_window_latency = 1,
    parameter block_window_to_block_depth = 2,
    parameter block_window_to_block_latency = 1,
    parameter block_to_block_window_1_depth = 2,
    parameter block_to_block_window_1_latency = 1,
    parameter block_window_1_to_block_1_depth = 2,
    parameter block_window_1_to_block_1_latency = 1,
    parameter block_window_to_block_1_depth = 6,
    parameter block_window_to_block_1_latency = 1,
    parameter block_1_to_output_depth = 2,
    parameter block_1_to_output_latency = 1
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
      .DEPTH(input_to_block_window_depth),
      .LATENCY(input_to_block_window_latency)
  ) input_to_block_window (
      .clk, .reset,
      .write(a_write), .in(a_in), .full(a_full), .read(a_read), .out(a_out), .empty(a_empty)
  );
  wire b_write, b_full, b_read, b_empty;
  wire [71:0] b_in, b_out;
  fifo #(
      .WIDTH(72),
      .DEPTH(block_window_to_block_depth),
      .LATENCY(block_window_to_block_latency)
  ) block_window_to_block (
      .clk, .reset,
      .write(b_write), .in(b_in), .full(b_full), .read(b_read), .out(b_out), .empty(b_empty)
  );
  wire c_write, c_full, c_read, c_empty;
  wire [7:0] c_in, c_out;
  fifo #(
      .WIDTH(8),
      .DEPTH(block_to_block_window_1_depth),
      .LATENCY(block_to_block_window_1_latency)
  ) block_to_block_window_1 (
      .clk, .reset,
      .write(c_write), .in(c_in), .full(c_full), .read(c_read), .out(c_out), .empty(c_empty)
  );
  wire d_write, d_full, d_read, d_empty;
  wire [71:0] d_in, d_out;
  fifo #(
      .WIDTH(72),
      .DEPTH(block_window_1_to_block_1_depth),
      .LATENCY(block_window_1_to_block_1_latency)
  ) block_window_1_to_block_1 (
      .clk, .reset,
      .write(d_write), .in(d_in), .full(d_full), .read(d_read), .out(d_out), .empty(d_empty)
  );
  wire e_write, e_full, e_read, e_empty;
  wire [7:0] e_in, e_out;
  fifo #(
      .WIDTH(8),
      .DEPTH(block_window_to_block_1_depth),
      .LATENCY(block_window_to_block_1_latency)
  ) block_window_to_block_1 (
      .clk, .reset,
      .write(e_write), .in(e_in), .full(e_full), .read(e_read), .out(e_out), .empty(e_empty)
  );
  wire f_write, f_full, f_read, f_empty;
  wire [7:0] f_in, f_out;
  fifo #(
      .WIDTH(8),
      .DEPTH(block_1_to_output_depth),
      .LATENCY(block_1_to_output_latency)
  ) block_1_to_output (
      .clk, .reset,
      .write(f_write), .in(f_in), .full(f_full), .read(f_read), .out(f_out), .empty(f_empty)
  );

  source #(
      .FRAMES(FRAMES),
      .WORDS(40)
  ) image (
      .clk, .reset,
      .out_full(a_full), .out_write(a_write), .out(a_in)
  );
  block_window #(
      .FRAMES(FRAMES),
      .DEPTH(block_window_depth),
      .INTERVAL(block_window_interval)
  ) first_window (
      .clk, .reset,
      .input_empty(a_empty), .input_read(a_read), .input_word(a_out),
      .window_full(b_full), .window_write(b_write), .window_word(b_in),
      .skip_full(e_full), .skip_write(e_write), .skip_word(e_in)
  );
  block #(
      .FRAMES(FRAMES),
      .DEPTH(block_depth),
      .INTERVAL(block_interval)
  ) first (
      .clk, .reset,
      .window_empty(b_empty), .window_read(b_read), .window_word(b_out),
      .output_full(c_full), .output_write(c_write), .output_word(c_in)
  );
  block_window_1 #(
      .FRAMES(FRAMES),
      .DEPTH(block_window_1_depth),
      .INTERVAL(block_window_1_interval)
  ) second_window (
      .clk, .reset,
      .input_empty(c_empty), .input_read(c_read), .input_word(c_out),
      .window_full(d_full), .window_write(d_write), .window_word(d_in)
  );
  block_1 #(
      .FRAMES(FRAMES),
      .DEPTH(block_1_depth),
      .INTERVAL(block_1_interval)
  ) second (
      .clk, .reset,
      .window_empty(d_empty), .window_read(d_read), .window_word(d_out),
      .skip_empty(e_empty), .skip_read(e_read), .skip_word(e_out),
      .output_full(f_full), .output_write(f_write), .output_word(f_in)
  );
  sink #(
      .FRAMES(FRAMES),
      .WORDS(40)
  ) result (
      .clk, .reset,
      .in_empty(f_empty), .in_read(f_read), .in(f_out), .done(done)
  );

  assign moved = a_write | a_read | b_write | b_read | c_write | c_read |
      d_write | d_read | e_write | e_read | f_write | f_read;
endmodule
