// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Reports findings on standard error as they are found, and sums them up.
final class FindingReport {
  /// What is not a failure.
  struct Acceptance {
    /// A segment that its process may still write.
    enum Unfinished { case none, last, all }

    var unfinished = Unfinished.none
    /// Whether records before the first one of the input may be missing.
    var beginsAnywhere = false
    /// Whether the input may begin and end in the middle of a log.
    var isPartial = false
  }

  /// The most findings that are printed; all are counted.
  private static let limit = 1000

  private let acceptance: Acceptance
  private var counts: [RecordFinding.Kind: Int] = [:]
  private var damagedExportCount = 0
  private var printedCount = 0
  /// Why the first segment that did not open did not.
  private(set) var firstError: EnvelopeError?
  /// The segments of the first and of the latest record.
  private var (firstSegment, latestSegment) = (String?.none, String?.none)
  private(set) var (recordCount, foreignCount, droppedCount) = (0, 0, UInt64(0))
  private(set) var notes = 0
  /// Segments that do not open, which are reported when another one has.
  private var deferred: [String] = []
  /// Called before a message, so that what was written before is shown before it.
  var beforeMessage: () -> Void = {}
  /// Receives each finding that is a failure.
  var whenFound: (RecordFinding, LinePlaces.Place) -> Void = { _, _ in }

  init(_ acceptance: Acceptance) { self.acceptance = acceptance }

  var failureCount: Int { counts.values.reduce(damagedExportCount, +) }

  func countRecord(_ origin: RecordReader.Origin) {
    if !deferred.isEmpty { reportUnopened() }
    let segment = origin.segment.description
    firstSegment = firstSegment ?? segment
    latestSegment = segment
    if origin.type == .log || origin.type == .trace { recordCount += 1 }
  }

  func countForeign() { foreignCount += 1 }

  /// Reports a record that says how many others were not written.
  func reportDropped(_ payload: RawSpan, at place: LinePlaces.Place) {
    let count = payload.bigEndianInteger(at: 0)
    droppedCount = droppedCount.addingReportingOverflow(count).overflow ? .max : droppedCount + count
    say("\(place.text): \(count == 1 ? "1 record was" : "\(count) records were") dropped by the process")
  }

  /// Reports exported JSON that is cut or not JSON.
  func reportDamagedExport(at place: LinePlaces.Place) {
    damagedExportCount += 1
    say("\(place.text): the exported JSON is cut here, or is not JSON")
  }

  /// Reports a record whose payload is not what its type says.
  func reportMalformed(_ origin: RecordReader.Origin, at place: LinePlaces.Place) {
    counts[.altered, default: 0] += 1
    say(
      "\(place.text): record \(origin.sequence) of segment \(origin.segment) was sealed by a writer of another kind: "
        + "its payload is not a JSON object")
  }

  /// Reports a line that is longer than any that is sealed.
  func reportTooLong(at place: LinePlaces.Place) {
    say("\(place.text): only the first \(LogInput.byteLimit.grouped) bytes of the line are shown")
  }

  func report(_ finding: RecordFinding, at place: LinePlaces.Place) {
    if finding.kind == .unopened { firstError = firstError ?? finding.error }
    let text = finding.description.trimmingPrefix("Line \(finding.line): ")
    guard !accepts(finding) else {
      notes += 1
      return say("\(place.text): note: \(text)")
    }
    counts[finding.kind, default: 0] += 1
    whenFound(finding, place)
    guard finding.kind == .unopened, firstSegment == nil else { return say("\(place.text): \(text)") }
    if deferred.count < Self.limit { deferred.append("\(place.text): \(text)") }
  }

  /// Reports the segments that do not open.
  ///
  /// If there are no others, the command's error says why.
  func reportUnopened() {
    for message in deferred { say(message) }
    deferred = []
  }

  private func accepts(_ finding: RecordFinding) -> Bool {
    switch finding.kind {
    case .unfinished:
      return acceptance.unfinished == .all || acceptance.isPartial
        || acceptance.unfinished == .last && finding.segment == latestSegment
    case .missing where acceptance.isPartial || acceptance.beginsAnywhere:
      // The record behind the gap has not been counted when the gap is found.
      return finding.isBeforeInput || finding.sequences?.lowerBound == 0 && firstSegment == nil
    case .noHeader: return acceptance.isPartial && firstSegment == nil
    default: return false
    }
  }

  private func say(_ message: String) {
    printedCount += 1
    guard printedCount <= Self.limit else { return }
    beforeMessage()
    Console.say(message)
    if printedCount == Self.limit { Console.say("Further findings are counted and not printed.") }
  }

  /// How often each kind was found, by name.
  var countTexts: [String] {
    let kinds = RecordFinding.Kind.allCases.compactMap { kind in counts[kind].map { "\($0) \(kind.rawValue)" } }
    return kinds + (damagedExportCount > 0 ? ["\(damagedExportCount) damaged export"] : [])
  }

  /// Ends the report: a summary if there were findings.
  func finish() {
    guard failureCount > 0 else { return }
    beforeMessage()
    Console.say(
      "Not everything verified: \(failureCount.grouped) \(failureCount == 1 ? "finding" : "findings") "
        + "(\(countTexts.joined(separator: ", "))). \(recordCount.grouped) "
        + "\(recordCount == 1 ? "record" : "records") verified.")
  }
}
