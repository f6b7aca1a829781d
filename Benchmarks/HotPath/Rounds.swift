// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import CAllocations

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One of several ways to do the same work.
struct Contender {
  let name: String
  /// How many operations one call of `work` is.
  let operationsPerCall: Int
  /// Does the work so many times.
  let work: (Int) async throws -> Void

  init(_ name: String, operationsPerCall: Int = 1, _ work: @escaping (Int) async throws -> Void) {
    self.name = name
    self.operationsPerCall = operationsPerCall
    self.work = work
  }
}

/// What is measured of a contender beside its time.
struct Measure {
  let contender: String
  /// The contender that its time is divided by, in the same round; nil for none.
  let over: String?
  /// Another contender that its time is divided by.
  let alsoOver: String?
  let countsAllocations: Bool
  let countsBytesRead: Bool

  init(
    _ contender: String, over: String? = nil, alsoOver: String? = nil, countsAllocations: Bool = false,
    countsBytesRead: Bool = false
  ) {
    self.contender = contender
    self.over = over
    self.alsoOver = alsoOver
    self.countsAllocations = countsAllocations
    self.countsBytesRead = countsBytesRead
  }

  /// The metrics that are ratios, each with the contender that the time is divided by.
  var ratios: [(metric: String, over: String)] {
    [over.map { ("\(contender)-ratio", $0) }, alsoOver.map { ("\(contender)-over-\($0)-ratio", $0) }].compactMap { $0 }
  }
}

/// Measures contenders in rounds, each of which runs all of them one after the other.
///
/// What slows the machine down slows all of them, and their ratio within a round stays what it is. Every round is one
/// sample.
///
/// The metrics of a contender `x` are `x` in nanoseconds an operation, `x-ratio` and `x-over-y-ratio` in thousandths, and
/// `x-allocations` for a thousand operations; `x-kilobytes` is the bytes that an operation reads from files.
///
/// With a number of rounds, there are so many however long they take, after one to warm up.
func compare(
  _ name: String, _ measures: [Measure], rounds: Int? = nil,
  _ makeContenders: @escaping () async throws -> [Contender]
) {
  var metrics: [BenchmarkMetric] = []
  for measure in measures {
    metrics.append(.custom(measure.contender, useScalingFactor: false))
    metrics += measure.ratios.map { .custom($0.metric, useScalingFactor: false) }
    if measure.countsAllocations {
      metrics.append(.custom("\(measure.contender)-allocations", useScalingFactor: false))
    }
    if measure.countsBytesRead { metrics.append(.custom("\(measure.contender)-kilobytes", useScalingFactor: false)) }
  }
  Benchmark(
    name,
    configuration: .init(
      metrics: metrics, warmupIterations: rounds == nil ? 3 : 1, maxDuration: .seconds(rounds == nil ? 8 : 600),
      maxIterations: rounds ?? 51)
  ) { (benchmark: Benchmark, rounds: Rounds) async throws in
    let times = try await rounds.next()
    for measure in measures {
      guard let time = times[measure.contender] else { continue }
      benchmark.measurement(.custom(measure.contender), Int(time.rounded()))
      for ratio in measure.ratios {
        guard let other = times[ratio.over] else { continue }
        benchmark.measurement(.custom(ratio.metric), Int((time / other * 1000).rounded()))
      }
      if measure.countsAllocations, Rounds.canCountAllocations {
        benchmark.measurement(
          .custom("\(measure.contender)-allocations"), try await rounds.allocations(by: measure.contender))
      }
      if measure.countsBytesRead, let byteCount = try await rounds.bytesRead(by: measure.contender) {
        benchmark.measurement(.custom("\(measure.contender)-kilobytes"), byteCount)
      }
    }
  } setup: {
    try await Rounds(makeContenders())
  }
}

/// The rounds of one comparison.
final class Rounds {
  private let contenders: [Contender]
  private let calls: [Int]
  private var first = 0

  /// Finds out how often each contender must run for about a millisecond: long beside reading the clock, short
  /// beside what disturbs a machine.
  init(_ contenders: [Contender]) async throws {
    self.contenders = contenders
    var calls: [Int] = []
    for contender in contenders {
      var count = 1
      while try await Self.time(contender, count) < 1_000_000, count < 1 << 20 { count *= 2 }
      calls.append(count)
    }
    self.calls = calls
  }

  /// Runs all, each time another one first, and tells the nanoseconds an operation of each.
  func next() async throws -> [String: Double] {
    var times: [String: Double] = [:]
    for offset in contenders.indices {
      let index = (first + offset) % contenders.count
      let (contender, count) = (contenders[index], calls[index])
      times[contender.name] = try await Self.time(contender, count) / Double(count * contender.operationsPerCall)
    }
    first += 1
    return times
  }

  /// Whether the counter counts: on a system where it does not, it would read 0 for everything.
  static let canCountAllocations = {
    allocation_count_begin()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 1)
    blackHole(memory)
    memory.deallocate()
    return allocation_count_end() == 1
  }()

  /// How many heap allocations a thousand operations take, rounded up.
  func allocations(by name: String) async throws -> Int {
    guard let contender = contenders.first(where: { $0.name == name }) else { return 0 }
    let calls = self.calls.max() == 1 ? 1 : 20
    allocation_count_begin()
    try await contender.work(calls)
    let count = Int(allocation_count_end())
    let operations = calls * contender.operationsPerCall
    return (count * 1000 + operations - 1) / operations
  }

  /// How many bytes one operation reads from files; nil where the system does not tell.
  func bytesRead(by name: String) async throws -> Int? {
    guard let contender = contenders.first(where: { $0.name == name }) else { return nil }
    guard let before = Self.bytesRead() else { return nil }
    try await contender.work(1)
    // What the counter itself reads is in the second reading, and as much in a third.
    guard let after = Self.bytesRead(), let afterwards = Self.bytesRead() else { return nil }
    return (after - before) - (afterwards - after)
  }

  /// The bytes that this process has read.
  private static func bytesRead() -> Int? {
    let descriptor = open("/proc/self/io", O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      // rchar: NUMBER
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      let digits = buffer[..<max(0, count)].drop { $0 != 0x20 }.dropFirst().prefix { $0 != 0x0A }
      return Int(String(decoding: digits, as: UTF8.self))
    }
  }

  private static func time(_ contender: Contender, _ count: Int) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try await contender.work(count)
    let elapsed = start.duration(to: clock.now)
    return Double(elapsed.components.seconds) * 1e9 + Double(elapsed.components.attoseconds) / 1e9
  }
}
