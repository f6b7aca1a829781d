// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The forms of planted secrets that a text shows, as text.
func plantedSecrets(in text: String, needles: [[UInt8]] = Planted.needles) -> [String] {
  let bytes = Data(text.utf8)
  return needles.filter { bytes.range(of: Data($0)) != nil }.map { String(decoding: $0, as: UTF8.self) }
}
