// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The bytes of one run, from which a fuzzer takes its choices.
///
/// Reads zeros past the end, so that every input means something.
public struct FuzzedBytes {
  private let bytes: [UInt8]
  private var position = 0

  /// Copies the bytes that libFuzzer gives.
  @unsafe
  public init(_ start: UnsafePointer<UInt8>, _ count: Int) {
    bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  }

  /// Whether all bytes have been taken.
  public var isAtEnd: Bool { position >= bytes.count }

  /// Takes a byte.
  public mutating func byte() -> UInt8 {
    defer { position += 1 }
    return position < bytes.count ? bytes[position] : 0
  }

  /// Takes two bytes, the high one first.
  public mutating func word() -> Int { Int(byte()) << 8 | Int(byte()) }

  /// Takes a number below a bound, which must be positive.
  public mutating func number(below bound: Int) -> Int { (bound <= 256 ? Int(byte()) : word()) % bound }

  /// Takes an element of an array that is not empty.
  public mutating func element<T>(of array: [T]) -> T { array[number(below: array.count)] }

  /// Takes so many bytes, or what is left.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    let end = min(position + count, bytes.count)
    defer { position = end }
    return position < end ? Array(bytes[position..<end]) : []
  }

  /// Takes a byte and as many bytes as it says.
  public mutating func shortBytes() -> [UInt8] { bytes(Int(byte())) }

  /// Takes all bytes that are left.
  public mutating func rest() -> [UInt8] { bytes(bytes.count) }
}
