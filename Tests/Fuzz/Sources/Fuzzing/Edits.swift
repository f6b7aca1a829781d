// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
  /// Applies the edits that the rest of a run's bytes describe: bytes set, flipped, inserted, removed, moved.
  ///
  /// The result may be the same bytes.
  public mutating func edit(by input: inout FuzzedBytes) {
    while !input.isAtEnd, !isEmpty {
      let kind = input.byte()
      let place = input.number(below: count)
      let end = Swift.min(count, place + 1 + input.number(below: 48))
      switch kind % 8 {
      case 0: self[place] ^= 1 << (input.byte() % 8)
      case 1: self[place] = input.byte()
      case 2: insert(contentsOf: input.shortBytes(), at: place)
      case 3: removeSubrange(place..<end)
      case 4: insert(contentsOf: self[place..<end], at: input.number(below: count))
      case 5: removeSubrange(place...)
      case 6:
        let part = Array(self[place..<end])
        removeSubrange(place..<end)
        insert(contentsOf: part, at: isEmpty ? 0 : input.number(below: count))
      default: append(contentsOf: input.shortBytes())
      }
    }
  }
}

extension String {
  /// Applies edits to the bytes; what is not UTF-8 then becomes replacement characters.
  public mutating func edit(by input: inout FuzzedBytes) {
    var bytes = Array(utf8)
    bytes.edit(by: &input)
    self = String(decoding: bytes, as: UTF8.self)
  }
}
