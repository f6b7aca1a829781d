// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// All that a value shows when it is printed, dumped, interpolated, reflected.
package func shown(_ value: Any) -> String {
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
      text += (child.label ?? "") + String(describing: child.value) + String(reflecting: child.value) + " "
      text += children(of: Mirror(reflecting: child.value), depth: depth + 1)
    }
    next = mirror.superclassMirror
  }
  return text
}
