// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// An order of slot numbers that changes in constant time: a doubly linked list in an array.
struct SlotList {
  // The link of slot n is at n + 1. The link at 0 closes the circle: it follows the last slot and precedes the first.
  private var links: [(previous: Int32, next: Int32)] = [(0, 0)]

  /// The slot that was appended before all others, or nil.
  var first: Int? { links[0].next == 0 ? nil : Int(links[0].next) - 1 }

  /// Adds a slot, from 0 to 2³⁰, that is not in the list.
  mutating func append(_ slot: Int) {
    let (link, last) = (slot + 1, Int(links[0].previous))
    while links.count <= link { links.append((0, 0)) }
    links[link] = (Int32(last), 0)
    links[last].next = Int32(link)
    links[0].previous = Int32(link)
  }

  /// Removes a slot that is in the list.
  mutating func remove(_ slot: Int) {
    let (previous, next) = links[slot + 1]
    links[Int(previous)].next = next
    links[Int(next)].previous = previous
  }
}
