// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Glibc

  /// All memory of another process, to look for keys in.
  package struct ProcessMemory {
    private let bytes: [UInt8]

    /// Stops nothing: the process holds still by itself.
    package init(of process: Int32) throws {
      let memory = unsafe open("/proc/\(process)/mem", O_RDONLY)
      guard memory >= 0 else { throw Failure.unreadable }
      defer { close(memory) }
      var bytes: [UInt8] = []
      for range in try Self.ranges(of: process) {
        let count = Int(range.upperBound - range.lowerBound)
        guard count <= 1 << 30 else { continue }
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        let read = unsafe bytes.withUnsafeMutableBytes { buffer in
          unsafe pread(
            memory, buffer.baseAddress.map { unsafe $0 + start }, count, off_t(range.lowerBound))
        }
        bytes.removeLast(count - max(read, 0))
        // Nothing is found across two mappings.
        bytes.append(contentsOf: repeatElement(0, count: 8))
      }
      guard !bytes.isEmpty else { throw Failure.unreadable }
      self.bytes = bytes
    }

    package enum Failure: Error { case unreadable }

    /// How often each of some needles, of at least eight bytes, is in it.
    package func counts(of needles: [[UInt8]]) -> [Int] {
      var counts = Array(repeating: 0, count: needles.count)
      var beginnings: [UInt64: [Int]] = [:]
      // Most places are passed over by their first two bytes.
      var isBeginning = Array(repeating: false, count: 1 << 16)
      for (index, needle) in needles.enumerated() {
        let first = needle.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        beginnings[first, default: []].append(index)
        isBeginning[Int(first & 0xffff)] = true
      }
      unsafe bytes.withUnsafeBytes { memory in
        unsafe isBeginning.withUnsafeBufferPointer { isBeginning in
          for offset in 0..<memory.count - 8 {
            let word = unsafe UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let isPossible = unsafe isBeginning[Int(word & 0xffff)]
            guard isPossible, let found = beginnings[word] else { continue }
            for index in found {
              let needle = needles[index]
              guard offset + needle.count <= memory.count else { continue }
              if unsafe memory[offset..<offset + needle.count].elementsEqual(needle) { counts[index] += 1 }
            }
          }
        }
      }
      return counts
    }

    private static func ranges(of process: Int32) throws -> [Range<UInt>] {
      guard let file = unsafe fopen("/proc/\(process)/maps", "r") else { throw Failure.unreadable }
      defer { unsafe fclose(file) }
      var ranges: [Range<UInt>] = []
      var line: UnsafeMutablePointer<CChar>?
      var size = 0
      while unsafe getline(&line, &size, file) > 0, let text = unsafe line {
        let fields = unsafe String(cString: text).split(separator: " ", maxSplits: 5)
        let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        // What only the program's files are is not the process's own; guard pages cannot be read, and locked ones can.
        if bounds.count == 2, fields[1].hasPrefix("rw") || !fields[1].hasPrefix("r-xp") && fields.count < 6 {
          ranges.append(bounds[0]..<bounds[1])
        }
      }
      unsafe free(line)
      return ranges
    }
  }
#endif
