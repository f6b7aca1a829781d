// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Rewrapper {
  /// Rewraps the headers of a file of sealed logs or traces; its records are not opened.
  ///
  /// Segments are independent: one whose header does not verify stays as it is, and then the file is reported as failed.
  mutating func rewrapLog(at path: String, _ state: inout FileState) async throws {
    guard !options.reseals else {
      throw EnvelopeError(
        .usage, "\(path.shown) is a log, whose records cannot be resealed: their keys were destroyed",
        advice: "Rewrap it: envelope rewrap FILE")
    }
    let lock = try options.isDryRun ? nil : Path(path).lock(.ofCommand)
    let log = try LogFile(at: path)
    state.entries = log.segments.flatMap(\.entries)
    state.outcome = .unmatched
    var (new, changed, unchanged) = ([Int: [UInt8]](), RewrapPlan?.none, 0)
    var failure: EnvelopeError? = log.damagedLines.first.map { EnvelopeError.headerIsDamaged($0) }
    var isUnmatched = false
    for (number, segment) in log.segments.enumerated() {
      let names = FunctionNames.candidates(ofPath: path)
      guard
        let index = try keys.search.index(
          for: segment.headers[0], in: path, naming: names, addsReaders: keys.wish.addsReaders)
      else {
        isUnmatched = true
        continue
      }
      do {
        let plan = try await keys.plan(segment.entries, index, .records)
        let header = try await rewrapped(segment, plan, index)
        guard !plan.isNothing else {
          unchanged += 1
          continue
        }
        changed = changed ?? plan
        new[number] = header
      } catch let error as EnvelopeError where !Self.befallsAll.contains(error.code) {
        failure = failure ?? error
      }
    }
    if !options.isDryRun {
      if !new.isEmpty {
        try log.replace(with: new)
        state.entries = try LogFile(at: path).segments.flatMap(\.entries)
      }
      _ = consume lock
    }
    if let failure { throw failure }
    guard changed != nil || unchanged > 0 else { return }
    guard !isUnmatched else { throw EnvelopeError.someSegmentsAreOfOthers }
    state.outcome = changed.map { .rewrapped($0) } ?? .unchanged
  }

  /// The header of a segment under the planned keys, made of the first copy that opens.
  private mutating func rewrapped(
    _ segment: LogFile.Segment, _ plan: RewrapPlan, _ index: Int
  ) async throws -> [UInt8] {
    let opening = try await keys.opening(index, plan.entries)
    let context = keys.search.candidates[index].context
    guard plan.lost.isEmpty || options.keepsDataKey else { throw EnvelopeError.logKeepsDataKey }
    // One that lists more of the keys that stay goes first, so that none is lost that only one copy has.
    let headers = segment.headers.sorted { first, second in
      first.wrappedKeys.count { plan.kept.contains($0) } > second.wrappedKeys.count { plan.kept.contains($0) }
    }
    var failure: (any Error)?
    for header in headers {
      do {
        return try await EnvelopeError.advisingOptions(opening: plan.entries) {
          guard !plan.isNothing else {
            try await RecordSegment.verify(header.bytes, context: context, using: opening, anonymousSender: sender)
            return header.bytes
          }
          return try await RecordSegment.rewrapped(
            header.bytes, plan.rewrapping(), context: context, using: opening, anonymousSender: sender,
            allowingFormerReadersToForge: options.keepsDataKey)
        }
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? EnvelopeError(.malformed, "A segment has no header")
  }
}

extension EnvelopeError {
  fileprivate static func headerIsDamaged(_ line: Int) -> EnvelopeError {
    EnvelopeError(
      .headerAltered, "Line \(line) has a damaged header, which stays as it is; other segments were rewrapped",
      advice: "Find out what else is damaged: envelope logs verify FILE")
  }

  fileprivate static let someSegmentsAreOfOthers = EnvelopeError(
    .contextDiffers, "Some segments were sealed for another function or context, and stay as they are",
    advice: "Rewrap them, too: --function NAME --context KEY=VALUE, or --no-function")

  fileprivate static let logKeepsDataKey = EnvelopeError(
    .invalidArgument, "A removed reader knows the data keys of the log, which cannot be resealed",
    advice: "Pass --keep-data-key to remove the reader's entry from the headers all the same.")
}
