// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

/// Random bytes that are the same in every process, so that an input that was found replays.
public enum SteadyRandomness {
  /// Replaces libsodium's source of random bytes; must be called before anything else calls libsodium.
  public static func start() {
    require(unsafe randombytes_set_implementation(&implementation) == 0, "libsodium takes no other source")
  }

  nonisolated(unsafe) private static var state: UInt64 = 1

  /// SplitMix64.
  private static func next() -> UInt64 {
    unsafe state &+= 0x9e37_79b9_7f4a_7c15
    var value = unsafe state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  nonisolated(unsafe) private static var implementation = unsafe randombytes_implementation(
    implementation_name: { unsafe UnsafePointer(name) },
    random: { UInt32(truncatingIfNeeded: SteadyRandomness.next()) },
    stir: nil, uniform: nil,
    buf: { buffer, count in
      guard let buffer = unsafe buffer else { return }
      for offset in 0..<count {
        unsafe buffer.storeBytes(
          of: UInt8(truncatingIfNeeded: SteadyRandomness.next()), toByteOffset: offset, as: UInt8.self)
      }
    },
    close: nil)

  nonisolated(unsafe) private static let name: UnsafeMutablePointer<CChar> = {
    let name = UnsafeMutablePointer<CChar>.allocate(capacity: 7)
    for (offset, byte) in "steady\0".utf8.enumerated() { unsafe name[offset] = CChar(byte) }
    return unsafe name
  }()
}
