module {
  irdl.dialect @hls {
    irdl.type @stream {
      %0 = irdl.any
      irdl.parameters(word: %0)
    }
    irdl.operation @dataflow {
      %0 = irdl.region
      irdl.regions(body: %0)
    }
    irdl.operation @fifo {
      %0 = irdl.base "#builtin.integer" 
      %1 = irdl.base "#builtin.string" 
      irdl.attributes {"depth" = %0, "sym_name" = %1}
      %2 = irdl.base @hls::@stream 
      irdl.results(stream: %2)
    }
    irdl.operation @task {
      %0 = irdl.base "#builtin.string" 
      irdl.attributes {"sym_name" = %0}
      %1 = irdl.region
      irdl.regions(body: %1)
    }
    irdl.operation @read {
      %0 = irdl.base @hls::@stream 
      %1 = irdl.base "!builtin.memref" 
      irdl.operands(stream: %0, buffer: %1)
    }
    irdl.operation @write {
      %0 = irdl.base "!builtin.memref" 
      %1 = irdl.base @hls::@stream 
      irdl.operands(buffer: %0, stream: %1)
    }
    irdl.operation @source {
      %0 = irdl.base "!builtin.memref" 
      %1 = irdl.base @hls::@stream 
      irdl.operands(buffer: %0, stream: %1)
    }
    irdl.operation @sink {
      %0 = irdl.base @hls::@stream 
      %1 = irdl.base "!builtin.memref" 
      irdl.operands(stream: %0, buffer: %1)
    }
    irdl.operation @pack {
      %0 = irdl.base "!builtin.integer" 
      %1 = irdl.base "!builtin.integer" 
      irdl.operands(high: %0, low: %1)
      %2 = irdl.base "#builtin.integer" 
      irdl.attributes {"shift" = %2}
      %3 = irdl.base "!builtin.integer" 
      irdl.results(packed: %3)
    }
    irdl.operation @low {
      %0 = irdl.base "!builtin.integer" 
      irdl.operands(packed: %0)
      %1 = irdl.base "#builtin.integer" 
      irdl.attributes {"shift" = %1}
      %2 = irdl.base "!builtin.integer" 
      irdl.results(lane: %2)
    }
    irdl.operation @high {
      %0 = irdl.base "!builtin.integer" 
      irdl.operands(packed: %0)
      %1 = irdl.base "#builtin.integer" 
      irdl.attributes {"shift" = %1}
      %2 = irdl.base "!builtin.integer" 
      irdl.results(lane: %2)
    }
  }
}

