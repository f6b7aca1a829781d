// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Headers of files, which are read from streams: how long one is, only its own bytes show.
extension Header {
  /// What the first bytes of a file show of its header.
  package enum Beginning {
    /// The header, not verified, and how many bytes it has.
    case complete(Header, byteCount: Int)
    /// The header is longer: it takes at least so many bytes.
    case needs(byteCount: Int)
  }

  /// Reads the header that bytes begin with.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  package static func fileHeader(of beginning: RawSpan) throws(EnvelopeError) -> Beginning {
    let byteCount = neededByteCount(for: beginning)
    // Bytes that begin no file are refused as soon as they show it.
    var reader = ByteReader([UInt8](copying: beginning.extracting(first: byteCount)))
    do throws(EnvelopeError) {
      let header = try Header(from: &reader, expecting: .file)
      return .complete(header, byteCount: reader.position)
    } catch {
      guard error == .truncated, beginning.byteCount < byteCount else { throw error }
      return .needs(byteCount: byteCount)
    }
  }

  /// The length of the header, as far as its first bytes show it.
  private static func neededByteCount(for beginning: RawSpan) -> Int {
    guard beginning.byteCount >= 6 else { return 6 }
    var byteCount = 6 + saltByteCount + contextCheckByteCount + 1
    guard let keyCount = beginning.byteIfAny(at: byteCount - 1) else { return byteCount }
    // Beyond the limit the header is refused, before the rest of it is needed.
    for _ in 0..<min(Int(keyCount), keyCountLimit) {
      guard let idByteCount = beginning.byteIfAny(at: byteCount + 1) else { return byteCount + 2 }
      byteCount += 2 + Int(idByteCount) + 2
      guard let high = beginning.byteIfAny(at: byteCount - 2), let low = beginning.byteIfAny(at: byteCount - 1) else {
        return byteCount
      }
      byteCount += Int(high) << 8 | Int(low)
    }
    return byteCount + commitmentByteCount + tagByteCount
  }

  /// Whether bytes begin as a file does, as far as the first four show.
  package static func isOfFile(_ beginning: RawSpan) -> Bool {
    [UInt8](copying: beginning.extracting(first: 4)) == magic + [version, Kind.file.rawValue]
  }
}
