// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EnvelopeKit
import EnvelopeKitArchives
import EnvelopeKitFiles

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reading one entry of a sealed zip archive: of one that is open, and with opening it.
///
/// The archive is the file that `BENCHMARKS_ARCHIVE` names: `Benchmarks/archive.py` writes it.
func measureArchives(_ suite: AlgorithmSuite) {
  guard let path = getenv("BENCHMARKS_ARCHIVE").map({ String(cString: $0) }) else { return }
  let measures = [Measure("entry", countsBytesRead: true), Measure("opened", countsBytesRead: true)]
  compare("archive-\(suite.mark)10KiB", measures) {
    let (keyring, context): (_, EncryptionContext) = (KeysetKeyring(try .generate()), ["layer": "tools"])
    // Another process may measure the other suite.
    let sealedPath = "\(path)-\(getpid()).sealed"
    defer { unlink(sealedPath) }
    try await SealedFile.seal(.path(path), to: .path(sealedPath), context: context, suite: suite, using: keyring)
    let archive = try await SealedArchive(at: sealedPath, context: context, using: keyring)
    let (name, byteCount) = ("python/entry", 10 << 10)
    let opened = UnlinkedPath(sealedPath)
    return [
      Contender("entry") { count in
        for _ in 0..<count {
          let entry = try archive.read(name)
          precondition(entry.byteCount == byteCount)
        }
      },
      Contender("opened") { count in
        for _ in 0..<count {
          let archive = try await SealedArchive(at: opened.path, context: context, using: keyring)
          let entry = try archive.read(name)
          precondition(entry.byteCount == byteCount)
        }
      },
    ]
  }
}

/// A file that stays readable after its name is gone.
private struct UnlinkedPath {
  let path: String

  init(_ path: String) {
    let descriptor = open(path, O_RDONLY)
    precondition(descriptor >= 0)
    self.path = "/proc/self/fd/\(descriptor)"
  }
}
