// Additions that stay, and why.
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fold-residual-add)' --split-input-file --validate-each --remarks --verify-diagnostics

// The convolution's result is rounded before the skip is added.
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @rounded(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %half = arith.shrsi %total, %c3 : i32
        %byte = arith.trunci %half : i32 to i8
        %again = arith.extsi %byte : i8 to i32
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark-re @below {{the addition stays behind the reduction: the sum is rounded to 8 bits before the addition, at {{.*}}:37:17}}
        %sum = arith.addi %again, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @shifted(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %left = arith.shli %total, %c3 : i32
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark-re @below {{the addition stays behind the reduction: the total is shifted before the addition, at {{.*}}}}
        %sum = arith.addi %left, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @rectified(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %relu = arith.maxsi %total, %c0 : i32
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark-re @below {{the addition stays behind the reduction: 'arith.maxsi' stands between the total and the addition, at {{.*}}}}
        %sum = arith.addi %relu, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @used_twice(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  %before = memref.alloc() : memref<3xi32>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: the total is used otherwise, too}}
        %sum = arith.addi %total, %scaled : i32
        affine.store %total, %before[%f] : memref<3xi32>
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @extremum(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.maxsi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: the reduction is no sum, its step is 'arith.maxsi'}}
        %sum = arith.addi %total, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
// The skip's element depends on the step.
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @of_the_last_step(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%c] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: what is added is not known in the first step of the reduction}}
        %sum = arith.addi %total, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
// Every step but those of the first element adds to what the function before has left.
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @unstarted(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 3 {
    affine.store %c0, %acc[%f] : memref<3xi32>
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%f) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: the reduction is not flattened}}
        %sum = arith.addi %total, %scaled : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @promise(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: an addition promises not to overflow}}
        %sum = arith.addi %total, %scaled overflow<nsw> : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @own(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  %own = memref.alloc() : memref<3xi32>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        affine.store %c3, %own[%f] : memref<3xi32>
        %s = affine.load %own[%f] : memref<3xi32>
        // expected-remark @below {{the addition stays behind the reduction: what is added is computed in the same nest}}
        %sum = arith.addi %total, %s : i32
        affine.store %sum, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @behind(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%c] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        // expected-remark @below {{the addition stays behind the reduction: what is added is not known in the first step of the reduction}}
        %sum = arith.addi %total, %scaled : i32
        %t = affine.load %skip[%f] : memref<4xi8>
        %wide2 = arith.extsi %t : i8 to i32
        %scaled2 = arith.shli %wide2, %c3 : i32
        // expected-remark-re @below {{the addition stays behind the reduction: another addition, which stays, comes before it, at {{.*}}}}
        %out = arith.addi %sum, %scaled2 : i32
        affine.store %out, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
func.func @elementwise(%image: memref<4xi32>, %result: memref<4xi32>) {
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[%f] : memref<4xi32>
    %1 = affine.load %image[3 - %f] : memref<4xi32>
    // expected-remark @below {{the addition stays behind the reduction: no reduction ends in the same nest}}
    %2 = arith.addi %0, %1 : i32
    affine.store %2, %result[%f] : memref<4xi32>
  }
  return
}
