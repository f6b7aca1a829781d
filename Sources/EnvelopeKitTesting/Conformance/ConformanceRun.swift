// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// One run of all checks over one keyring.
struct ConformanceRun {
  typealias Check = KeyringConformance.Check
  typealias Failure = KeyringConformance.Failure

  /// The keyring that makes and wraps data keys.
  let writer: any Keyring
  /// The keyring that unwraps them, or nil where nothing does.
  let reader: (any Keyring)?
  let keyring: any Keyring
  let options: KeyringConformance.Options
  private var found: [Failure] = []
  private var searched: Set<Searched> = []

  /// A text that was searched for a data key.
  private struct Searched: Hashable {
    let text: String
    let fingerprint: [UInt8]?
  }

  init(_ keyring: any Keyring, _ options: KeyringConformance.Options) {
    self.keyring = keyring
    self.options = options
    switch options.role {
    case .wrapsAndUnwraps: (writer, reader) = (keyring, keyring)
    case .wrapsOnly(let reader): (writer, self.reader) = (keyring, reader)
    case .unwrapsOnly(let writer): (self.writer, reader) = (writer, keyring)
    }
  }

  /// What was wrong, in the order of the checks.
  var failures: [Failure] { Check.allCases.flatMap { check in found.filter { $0.check == check } } }

  var context: EncryptionContext { options.context }

  /// The codes with which an entry may be refused.
  var refusalCodes: Set<EnvelopeError.Code> {
    options.isLimitedToContext ? options.refusalCodes.union([.keyAccessDenied]) : options.refusalCodes
  }

  mutating func checkAll() async {
    // Without a data key there is nothing to check.
    guard await checkGenerate() else { return }
    await checkWrap()
    await checkRole()
    await checkContexts()
    await checkContextLimits()
    await checkAlterations()
    await checkKeyIDs()
    await checkForeignEntries()
    await checkBrokenFirst()
    await checkStranger()
    await checkServiceCalls()
    await checkConcurrency()
    await checkRoundTrips()
  }

  /// Notes something wrong, once.
  mutating func fail(_ check: Check, _ message: String) {
    let failure = Failure(check: check, message: message)
    if !found.contains(failure) { found.append(failure) }
  }

  /// Notes that a method threw, by the code or the type of the error: what it says may not be fit to be shown.
  mutating func fail(_ check: Check, _ what: String, threw error: any Error) {
    fail(check, "\(what) threw \(Self.name(of: error))")
  }

  static func name(of error: any Error) -> String {
    (error as? EnvelopeError).map(\.code.rawValue) ?? "an error of the type \(type(of: error))"
  }

  /// What became of an attempt to unwrap.
  enum Attempt {
    case unwrapped(isSameKey: Bool, source: WrappedDataKey)
    case refused(EnvelopeError.Code)
    case failed(String)
  }

  /// Has a keyring unwrap entries of a known data key, and looks for that key in the error if it throws.
  mutating func attempt(
    _ entries: [WrappedDataKey], of dataKey: borrowing DataKey, for context: EncryptionContext,
    with keyring: any Keyring
  ) async -> Attempt {
    do {
      let unwrapped = try await keyring.unwrap(entries, for: context)
      return .unwrapped(isSameKey: unwrapped.dataKey.equals(dataKey), source: unwrapped.source)
    } catch {
      search(error, for: dataKey, thrownBy: "unwrap")
      return (error as? EnvelopeError).map { .refused($0.code) } ?? .failed(Self.name(of: error))
    }
  }

  /// Notes where an error shows a data key.
  mutating func search(_ error: any Error, for dataKey: borrowing DataKey, thrownBy method: String) {
    for text in KeySearch.texts(of: error) {
      // Hundreds of flips throw the same error.
      guard searched.insert(Searched(text: text, fingerprint: try? dataKey.fingerprint)).inserted else { continue }
      if dataKey.withBytes({ KeySearch.shows(text, $0) }) {
        fail(.redaction, "An error that \(method) throws shows the data key")
      }
    }
  }

  /// Expects entries to unwrap to a data key, and that the source is one of some.
  mutating func expectUnwraps(
    _ entries: [WrappedDataKey], of dataKey: borrowing DataKey, for context: EncryptionContext,
    from sources: [WrappedDataKey]? = nil, _ check: Check, _ what: String
  ) async {
    guard let reader else { return }
    switch await attempt(entries, of: dataKey, for: context, with: reader) {
    case .unwrapped(let isSameKey, let source):
      if !isSameKey { fail(check, "\(what) unwrapped to another data key") }
      if !entries.contains(source) {
        fail(.source, "The source is none of the entries given (\(what))")
      } else if let sources, !sources.contains(source) {
        fail(.source, "The source is an entry that does not unwrap (\(what))")
      }
    case .refused(let code): fail(check, "\(what) did not unwrap, but threw \(code.rawValue)")
    case .failed(let error): fail(check, "\(what) did not unwrap, but threw \(error)")
    }
  }

  /// Says what is wrong with how entries were treated that must be refused; nil where they were.
  mutating func problem(
    unwrapping entries: [WrappedDataKey], of dataKey: borrowing DataKey, for context: EncryptionContext,
    with keyring: any Keyring, codes: Set<EnvelopeError.Code>
  ) async -> String? {
    let wanted = codes.map(\.rawValue).sorted().joined(separator: " or ")
    return switch await attempt(entries, of: dataKey, for: context, with: keyring) {
    case .unwrapped: "unwrapped, where \(wanted) is to be thrown"
    case .refused(let code): codes.contains(code) ? nil : "threw \(code.rawValue), not \(wanted)"
    case .failed(let error): "threw \(error), not an EnvelopeError with \(wanted)"
    }
  }

  /// Expects entries to be refused.
  mutating func expectRefused(
    _ entries: [WrappedDataKey], of dataKey: borrowing DataKey, for context: EncryptionContext,
    codes: Set<EnvelopeError.Code>? = nil, _ check: Check, _ what: String
  ) async {
    guard let reader else { return }
    if let problem = await problem(
      unwrapping: entries, of: dataKey, for: context, with: reader, codes: codes ?? refusalCodes)
    {
      fail(check, "\(what) \(problem)")
    }
  }

  /// A new data key under a context, or nil where the keyring fails, which is noted.
  mutating func sample(_ context: EncryptionContext? = nil, for check: Check) async -> Sample? {
    do {
      let generated = try await writer.generateDataKey(for: context ?? self.context)
      guard !generated.wrapped.isEmpty else {
        fail(.generate, "generateDataKey gave no entry")
        return nil
      }
      return Sample(generated)
    } catch {
      fail(check, "generateDataKey", threw: error)
      return nil
    }
  }

  /// A data key and its entries.
  struct Sample: ~Copyable {
    let generated: GeneratedDataKey
    var entries: [WrappedDataKey] { generated.wrapped }

    init(_ generated: consuming GeneratedDataKey) { self.generated = generated }
  }
}

extension DataKey {
  /// Whether two keys are the same.
  func equals(_ other: borrowing DataKey) -> Bool {
    withBytes { bytes in other.withBytes { bytes.equalsInConstantTime($0) } }
  }

  /// A hash that tells keys apart and tells nothing about them.
  var fingerprint: [UInt8] {
    get throws(EnvelopeError) {
      try withBytes { (bytes) throws(EnvelopeError) in
        try BLAKE2b.hash(16, personal: "EK conformance", message: bytes)
      }
    }
  }
}
