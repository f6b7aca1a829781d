// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Keeps secrets of one length by name in one guarded allocation, each with a value and an end.
///
/// If the table is full, the least recently used secret makes room. Every operation takes constant time;
/// ``removeOverdue(at:)`` does for each secret that it removes.
struct SecretTable<Value: Sendable>: ~Copyable {
  private struct Place {
    let name: CacheName
    var value: Value
    var end: ContinuousClock.Instant
  }

  private let capacity: Int
  private var slots: SecretSlots
  private var slotsByName: [CacheName: Int] = [:]
  private var places: [Place?] = []
  // The least recently used, and the least recently inserted or renewed, are first.
  private var (byUse, byAge) = (SlotList(), SlotList())
  /// How many places were looked at so far: a test compares it for tables of different sizes.
  private(set) var visitCount = 0

  /// Allocates room for all secrets at once.
  ///
  /// - Throws: `systemFailure` if there is no memory.
  init(capacity: Int, byteCount: Int) throws(EnvelopeError) {
    self.capacity = capacity
    slots = try SecretSlots(count: capacity, byteCount: byteCount)
  }

  /// Whether the system keeps the secrets out of swap.
  var isLocked: Bool { slots.isLocked }

  /// How many secrets there are.
  var count: Int { slotsByName.count }

  /// The slot of a name whose end has not come, or nil; does not count as a use.
  mutating func slot(of name: CacheName, at now: ContinuousClock.Instant) -> Int? {
    guard let slot = slotsByName[name] else { return nil }
    guard let place = place(slot), now < place.end else {
      remove(slot)
      return nil
    }
    return slot
  }

  /// Counts a use of a slot that is in use.
  mutating func use(_ slot: Int) {
    byUse.remove(slot)
    byUse.append(slot)
  }

  /// The value of a slot that is in use.
  mutating func value(_ slot: Int) -> Value? { place(slot)?.value }

  /// Copies the secret of a slot that is in use.
  func secret(_ slot: Int) -> SecretBytes { slots.copy(of: slot) }

  /// Whether the secret of a slot that is in use has these bytes; the comparison takes constant time.
  func holds(_ secret: RawSpan, in slot: Int) -> Bool {
    slots.copy(of: slot).withBytes { $0.equalsInConstantTime(secret) }
  }

  /// Adds a secret, and removes an older one of the same name, or the least recently used if the table is full.
  mutating func insert(
    _ secret: RawSpan, _ value: Value, named name: CacheName, until end: ContinuousClock.Instant
  ) {
    if let slot = slotsByName[name] { remove(slot) }
    if count == capacity, let slot = byUse.first { remove(slot) }
    guard let slot = slots.store(secret) else { return }
    while places.count <= slot { places.append(nil) }
    places[slot] = Place(name: name, value: value, end: end)
    slotsByName[name] = slot
    byUse.append(slot)
    byAge.append(slot)
  }

  /// Replaces the value of a slot that is in use.
  mutating func update(_ slot: Int, to value: Value) {
    visitCount += 1
    places[slot]?.value = value
  }

  /// Replaces the value and the end of a slot that is in use.
  mutating func renew(_ slot: Int, to value: Value, until end: ContinuousClock.Instant) {
    update(slot, to: value)
    places[slot]?.end = end
    byAge.remove(slot)
    byAge.append(slot)
  }

  /// Wipes the secret of a slot that is in use.
  mutating func remove(_ slot: Int) {
    guard let place = place(slot) else { return }
    slotsByName[place.name] = nil
    places[slot] = nil
    byUse.remove(slot)
    byAge.remove(slot)
    slots.wipe(slot)
  }

  /// Wipes secrets whose end has come.
  ///
  /// It stops at the least recently inserted one whose end has not come. One behind it may have an earlier end, if its
  /// call to a key service took longer; ``slot(of:at:)`` never returns that one.
  mutating func removeOverdue(at now: ContinuousClock.Instant) {
    while let slot = byAge.first, let place = place(slot), now >= place.end { remove(slot) }
  }

  private mutating func place(_ slot: Int) -> Place? {
    visitCount += 1
    return places[slot]
  }
}
