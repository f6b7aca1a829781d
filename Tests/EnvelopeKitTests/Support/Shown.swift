// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// All that a value shows when it is printed, dumped, interpolated, reflected.
func shown(_ value: Any) -> String {
  var text = ""
  print(value, to: &text)
  dump(value, to: &text)
  text += "\(value)" + String(describing: value) + String(reflecting: value)
  if let error = value as? any Error { text += error.localizedDescription }
  return text + children(of: Mirror(reflecting: value), depth: 0)
}

private func children(of mirror: Mirror, depth: Int) -> String {
  guard depth < 12 else { return "" }
  var text = ""
  var next: Mirror? = mirror
  while let mirror = next {
    for child in mirror.children {
      text += (child.label ?? "") + String(describing: child.value) + String(reflecting: child.value)
      text += children(of: Mirror(reflecting: child.value), depth: depth + 1)
    }
    next = mirror.superclassMirror
  }
  return text
}

/// The forms of planted secrets that a text shows, as text.
func plantedSecrets(in text: String, needles: [[UInt8]] = Planted.needles) -> [String] {
  let bytes = Data(text.utf8)
  return needles.filter { bytes.range(of: Data($0)) != nil }.map { String(decoding: $0, as: UTF8.self) }
}
