// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pack-dsp{max-chain=0})' --split-input-file --verify-diagnostics

// expected-error @below {{less than one product in a chain or in a slice}}
module {
}
