// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import CSodium
import EnvelopeKit

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

let benchmarks: @Sendable () -> Void = {
  checkLibsodium()
  for suite in AlgorithmSuite.allCases where suite.isAvailable {
    for operation in ValueOperation.allCases {
      for size in Size.all { compareValues(operation, suite, size) }
      for size in Size.all where size.byteCount <= 1 << 20 { compareBatches(operation, suite, size) }
    }
  }
  for suite in AlgorithmSuite.allCases where suite.isAvailable {
    for operation in ValueOperation.allCases {
      for size in StreamSize.all { compareStreams(operation, suite, size) }
    }
    #if os(Linux)
      for sizes in [[1, 32], [1, 32, 1024]] { compareFileReads(suite, sizes) }
      measureArchives(suite)
    #endif
  }
  for count in [1, 10, 50, 200, 1000] {
    compareOpeningEnvironments(of: count)
    compareSealingEnvironments(of: count)
  }
  for suite in AlgorithmSuite.allCases where suite.isAvailable {
    compareLogRecords(suite)
    compareOpeningRecords(suite)
  }
  compareRedaction()
  compareDataKeys()
  measureHeaders()
}

/// Stops if this was compiled with the headers of another libsodium than it is linked with, or is not linked with the one
/// that `Benchmarks/run` names.
private func checkLibsodium() {
  let linked = String(cString: sodium_version_string())
  let expected = getenv("BENCHMARKS_LIBSODIUM").map { String(cString: $0) } ?? linked
  guard linked == SODIUM_VERSION_STRING, linked == expected else {
    fatalError("compiled for libsodium \(SODIUM_VERSION_STRING) and linked with \(linked), not with \(expected)")
  }
}
