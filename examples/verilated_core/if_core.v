// SPDX-License-Identifier: Apache-2.0
// Integrate-and-fire: N neurons, a row of weights per axon, one neuron updated per cycle.
module if_core #(parameter N = 8, AXONS = 64, FANOUT = 512) (
    input clk, input rst, input tick, output busy,
    input in_valid, output in_ready, input [31:0] in_data,                   // axon in the lower half
    output reg out_valid, input out_ready, output reg [31:0] out_data,       // endpoint, axon
    output reg [N-1:0] fired);                                               // in this timestep
  reg signed [7:0] weight [0:AXONS*N-1] /* verilator public_flat_rw */;      // [axon][neuron]
  reg signed [31:0] v [0:N-1] /* verilator public_flat_rw */;                // membranes
  reg signed [31:0] threshold /* verilator public_flat_rw */;
  reg [15:0] row [0:N] /* verilator public_flat_rw */;                       // neuron -> its fan-out
  reg [31:0] fanout [0:FANOUT-1] /* verilator public_flat_rw */;
  reg signed [31:0] sum [0:2*N-1];                                           // of this timestep and the next
  reg bank, fetch_valid, row_valid;
  reg [5:0] fetch_axon, row_axon;
  reg [15:0] walk, walk_end;
  reg [3:0] sweep;                                                           // 4..N+3: a neuron is updated
  reg [N-1:0] waiting;                                                       // have packets to send
  reg [2:0] first;
  reg signed [31:0] u;
  integer i, j;
  wire [2:0] n = sweep[2:0] - 3'd4;

  assign in_ready = !fetch_valid;
  assign busy = fetch_valid | row_valid | sweep != 0 | waiting != 0 | out_valid | walk != walk_end;
  always @* begin
    first = 0;
    for (j = N - 1; j >= 0; j = j - 1) if (waiting[j]) first = j[2:0];
  end

  always @(posedge clk) begin
    if (!out_valid | out_ready) begin                                        // packets, one per cycle
      out_valid <= walk != walk_end | waiting != 0;
      if (walk != walk_end) begin out_data <= fanout[walk[8:0]]; walk <= walk + 1; end
      else if (waiting != 0) begin
        out_data <= fanout[row[{1'b0, first}][8:0]];
        walk <= row[{1'b0, first}] + 1; walk_end <= row[{1'b0, first} + 1]; waiting[first] <= 0;
      end
    end
    if (tick) begin sweep <= 1; bank <= !bank; fired <= 0; end
    else if (sweep != 0) begin                                               // the neurons, one per cycle
      if (sweep >= 4) begin
        u = v[n] + sum[{bank, n}];
        sum[{bank, n}] <= 0; v[n] <= u > threshold ? 0 : u; fired[n] <= u > threshold;
        if (u > threshold) waiting[n] <= row[{1'b0, n}] != row[{1'b0, n} + 1];
      end
      sweep <= sweep == N + 3 ? 0 : sweep + 1;
    end
    if (row_valid) for (i = 0; i < N; i = i + 1)                             // rows: look-up, then sums
      sum[{!bank, i[2:0]}] <= sum[{!bank, i[2:0]}] + 32'(weight[{row_axon, i[2:0]}]);
    row_valid <= fetch_valid; row_axon <= fetch_axon;
    fetch_valid <= in_valid & in_ready; fetch_axon <= in_data[5:0];
    if (rst) begin
      {bank, fetch_valid, row_valid, out_valid} <= 0; fired <= 0; sweep <= 0; waiting <= 0; walk <= 0; walk_end <= 0;
      for (i = 0; i < N; i = i + 1) begin v[i] <= 0; sum[i] <= 0; sum[i + N] <= 0; end
    end
  end
endmodule
