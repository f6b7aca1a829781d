// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Glibc

  /// Looks for bytes in all writable memory of this process.
  ///
  /// The needle is kept XOR-masked, and the search happens in a mapping of its own that is passed over.
  package enum MemoryScan {
    package static let mask: UInt8 = 0x5a
    private static let scratchByteCount = 1 << 22

    /// A needle as it may lie about: masked.
    package static func masked(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 ^ mask } }

    /// How often the needle is found; nil where memory cannot be read.
    package static func count(ofMasked needle: [UInt8]) -> Int? {
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
      guard let scratch = unsafe mmap(nil, scratchByteCount, PROT_READ | PROT_WRITE, flags, -1, 0),
        unsafe scratch != UnsafeMutableRawPointer(bitPattern: -1)
      else { return nil }
      defer { unsafe munmap(scratch, scratchByteCount) }
      let memory = unsafe open("/proc/self/mem", O_RDONLY)
      guard memory >= 0 else { return nil }
      defer { close(memory) }
      let own = UInt(bitPattern: scratch)
      for (index, byte) in needle.enumerated() {
        unsafe scratch.storeBytes(of: byte ^ mask, toByteOffset: index, as: UInt8.self)
      }
      // What is read lands behind the needle.
      let window = unsafe scratch + 4096
      var found = 0
      for range in writableRanges() where !range.contains(own) {
        var start = range.lowerBound
        while start < range.upperBound {
          let wanted = min(Int(range.upperBound - start), scratchByteCount - 4096)
          let count = unsafe pread(memory, window, wanted, off_t(start))
          guard count > 0 else { break }
          found += unsafe occurrences(of: scratch, needle.count, in: window, count)
          guard count == wanted, count > needle.count else { break }
          // The next window overlaps by less than a needle.
          let isLast = start + UInt(count) >= range.upperBound
          start += UInt(isLast ? count : count - needle.count + 1)
        }
      }
      return found
    }

    /// How many mappings the process has, or nil if that cannot be read.
    package static var mappingCount: Int? {
      guard let file = unsafe fopen("/proc/self/maps", "r") else { return nil }
      defer { unsafe fclose(file) }
      var count = 0
      var byte = unsafe getc(file)
      while byte != EOF {
        if byte == 10 { count += 1 }
        byte = unsafe getc(file)
      }
      return count
    }

    /// How many bytes of memory the process has resident, or nil if that cannot be read.
    package static var residentByteCount: Int? {
      guard let file = unsafe fopen("/proc/self/statm", "r") else { return nil }
      defer { unsafe fclose(file) }
      var text: [UInt8] = []
      var byte = unsafe getc(file)
      while byte != EOF {
        text.append(UInt8(truncatingIfNeeded: byte))
        byte = unsafe getc(file)
      }
      let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
      return fields.count > 1 ? Int(fields[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }

    private static func occurrences(
      of needle: UnsafeMutableRawPointer, _ needleCount: Int, in memory: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
      var (found, position) = unsafe (0, memory)
      let end = unsafe memory + count
      let first = Int32(unsafe needle.load(as: UInt8.self))
      while unsafe end - position >= needleCount,
        let hit = unsafe memchr(position, first, end - position - needleCount + 1)
      {
        if unsafe memcmp(hit, needle, needleCount) == 0 { found += 1 }
        unsafe position = hit + 1
      }
      return found
    }

    private static func writableRanges() -> [Range<UInt>] {
      guard let file = unsafe fopen("/proc/self/maps", "r") else { return [] }
      defer { unsafe fclose(file) }
      var ranges: [Range<UInt>] = []
      var line: UnsafeMutablePointer<CChar>?
      var size = 0
      while unsafe getline(&line, &size, file) > 0, let text = unsafe line {
        let fields = unsafe String(cString: text).split(separator: " ", maxSplits: 2)
        let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        if bounds.count == 2, fields[1].hasPrefix("rw") || fields[1].hasPrefix("r--") && !fields[2].contains("/") {
          ranges.append(bounds[0]..<bounds[1])
        }
      }
      unsafe free(line)
      return ranges
    }
  }
#endif
