// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

// Words that begin with `ek1:` or `ev1:` and are of base64url's characters else, wherever they stand in a file.
extension RawSpan {
  /// Whether one of the words is the whole text of a value, or of a header of an environment if that counts too.
  func holdsEnvelope(orHeader countsHeaders: Bool) -> Bool {
    var isFound = false
    forEachWord { word, _ in
      guard !isFound, let bytes = try? Envelope.bytes(ofText: String(decoding: word, as: UTF8.self)) else { return }
      isFound = (try? Envelope.header(of: bytes)) != nil || countsHeaders && Header.isOfEnvironment(bytes)
    }
    return isFound
  }

  /// The bytes with others in the place of words; nil where one of them does not occur, or more than once.
  func replacing(_ replaced: [[UInt8]: [UInt8]]) -> SecretBytes? {
    var (found, isRepeated, places) = (Set<[UInt8]>(), false, [(range: Range<Int>, new: [UInt8])]())
    forEachWord { word, range in
      guard let new = replaced[word] else { return }
      if !found.insert(word).inserted { isRepeated = true }
      places.append((range, new))
    }
    guard !isRepeated, found.count == replaced.count else { return nil }
    let length = places.reduce(byteCount) { $0 + $1.new.count - $1.range.count }
    return SecretBytes(byteCount: length) { output in
      var end = 0
      for (range, new) in places {
        output.append(extracting(droppingFirst: end).extracting(first: range.lowerBound - end))
        unsafe output.append(new.span.bytes)
        end = range.upperBound
      }
      output.append(extracting(droppingFirst: end))
    }
  }

  private func forEachWord(_ body: ([UInt8], Range<Int>) -> Void) {
    var offset = 0
    while let colon = self.offset(of: Array("1:".utf8), from: offset) {
      offset = colon + 2
      guard colon >= 2 else { continue }
      while offset < byteCount, Base64URL.isDigit(byte(at: offset)) { offset += 1 }
      let range = colon - 2..<offset
      body([UInt8](copying: extracting(droppingFirst: range.lowerBound).extracting(first: range.count)), range)
    }
  }
}
