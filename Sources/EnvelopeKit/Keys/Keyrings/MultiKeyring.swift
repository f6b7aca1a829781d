// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Wraps with every one of several keyrings, and unwraps with the first that can: any of several keys opens.
public struct MultiKeyring: Keyring {
  private let keyrings: [any Keyring]
  /// Waits before another keyring is called beside one that calls a service.
  package var pause: @Sendable () async throws -> Void = { try await Task.sleep(for: .milliseconds(500)) }

  /// Makes a keyring of keyrings.
  ///
  /// - Parameter keyrings: At least one; the first generates the data key. Together they may wrap with at
  ///   most 16 keys, all different.
  /// - Throws: `invalidArgument` if there is none.
  public init(_ keyrings: [any Keyring]) throws(EnvelopeError) {
    guard !keyrings.isEmpty else {
      throw EnvelopeError(.invalidArgument, "A multi-keyring needs at least one keyring")
    }
    self.keyrings = keyrings
  }

  /// The first observer of any of them.
  public var observer: (any EnvelopeObserver)? { keyrings.lazy.compactMap(\.observer).first }

  /// Whether any of them calls a service.
  public var callsService: Bool { keyrings.contains(where: \.callsService) }

  /// Generates a data key with the first keyring, and wraps it with the others, too.
  ///
  /// - Throws: What any of them throws: an envelope is under all of the keys or not created.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let generated = try await keyrings[0].generateDataKey(for: context)
    var wrapped = generated.wrapped
    for keyring in keyrings.dropFirst() {
      wrapped += try await keyring.wrap(generated.dataKey, for: context)
    }
    return GeneratedDataKey(dataKey: generated.takeDataKey(), wrapped: wrapped)
  }

  /// Wraps a data key with every keyring.
  public func wrap(
    _ dataKey: borrowing DataKey, for context: EncryptionContext
  ) async throws -> [WrappedDataKey] {
    var wrapped: [WrappedDataKey] = []
    for keyring in keyrings {
      wrapped += try await keyring.wrap(dataKey, for: context)
    }
    return wrapped
  }

  /// Calls the keyrings one after the other, and stops at the first that unwraps.
  ///
  /// From the first keyring that calls a service on, a keyring that has not responded after half a second is no longer
  /// waited for alone: the next one is called beside it. The first that unwraps wins, and the others are cancelled. A
  /// keyring that does not respond to cancellation delays the result.
  ///
  /// All keyrings are called about the entries of recipients last: what is opened by one of those proves no sender.
  ///
  /// - Throws: If none unwraps, `keyNotFound` if they all hold no key, else the first other error, with the messages of
  ///   the other services. If one says more exactly why it holds none (a key was destroyed), that error. A
  ///   ``KeysetKeyring`` of the same keysets throws the same.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    var failures = UnwrapFailures()
    let parts = [wrapped.filter { !$0.scheme.isAnonymous }, wrapped.filter { $0.scheme.isAnonymous }]
    for entries in parts where !entries.isEmpty {
      let alone = keyrings.count == 1 ? keyrings[...] : keyrings.prefix { !$0.callsService }
      for keyring in alone {
        do {
          return try await keyring.unwrap(entries, for: context)
        } catch is CancellationError {
          throw CancellationError()
        } catch {
          failures.add(error, among: entries)
        }
      }
      let others = keyrings.dropFirst(alone.count)
      if let unwrapped = try await unwrap(entries, for: context, with: others, &failures) { return unwrapped }
    }
    throw failures.error(among: wrapped)
  }
}

extension MultiKeyring {
  private enum Event {
    case unwrapped
    case failed(Int, any Error)
    /// The keyring of this index has had its time alone.
    case due(Int)
  }

  /// The data key of the keyring that was first.
  private final class Winner: Sendable {
    private let unwrapped = Mutex<UnwrappedDataKey?>(nil)

    func enter(_ value: consuming sending UnwrappedDataKey) {
      var value = Optional(value)
      unwrapped.withLock { unwrapped in if unwrapped == nil { unwrapped = value.take() } }
    }

    func take() -> UnwrappedDataKey? { unwrapped.withLock { $0.take() } }
  }

  /// Unwraps with the first keyring that can; each has a time alone before the next one is called.
  private func unwrap(
    _ entries: [WrappedDataKey], for context: EncryptionContext, with keyrings: ArraySlice<any Keyring>,
    _ failures: inout UnwrapFailures
  ) async throws -> UnwrappedDataKey? {
    guard !keyrings.isEmpty else { return nil }
    let winner = Winner()
    let errors = try await withThrowingTaskGroup(of: Event.self) { group in
      var waiting = keyrings
      func start() {
        guard let keyring = waiting.popFirst() else { return }
        let index = waiting.startIndex
        group.addTask {
          do {
            winner.enter(try await keyring.unwrap(entries, for: context))
            return .unwrapped
          } catch is CancellationError {
            throw CancellationError()
          } catch {
            return .failed(index, error)
          }
        }
        guard !waiting.isEmpty else { return }
        group.addTask { [pause] in
          try await pause()
          return .due(index)
        }
      }
      defer { group.cancelAll() }
      start()
      var errors: [Int: any Error] = [:]
      while errors.count < keyrings.count, let event = try await group.next() {
        switch event {
        case .unwrapped: return nil as [any Error]?
        case .failed(let index, let error):
          errors[index] = error
          start()
        case .due(let index): if waiting.startIndex == index { start() }
        }
      }
      return errors.sorted { $0.key < $1.key }.map(\.value)
    }
    guard let errors else { return winner.take() }
    for error in Self.combined(errors) { failures.add(error, among: entries) }
    return nil
  }

  /// The errors, of which the first of a service has the messages of the others.
  private static func combined(_ errors: [any Error]) -> [any Error] {
    guard let index = errors.firstIndex(where: isOfService), let first = errors[index] as? EnvelopeError else {
      return errors
    }
    let others = errors[(index + 1)...].compactMap { $0 as? EnvelopeError }
      .filter { ($0.code != .keyNotFound || $0.serviceError != nil) && $0.message != first.message }
    guard !others.isEmpty else { return errors }
    let message = ([first] + others).map(\.message).joined(separator: "; and ")
    var errors = errors
    errors[index] = EnvelopeError(
      first.code, message, advice: first.advice, names: first.names, serviceError: first.serviceError,
      requestID: first.requestID)
    return errors
  }

  private static func isOfService(_ error: any Error) -> Bool {
    guard let error = error as? EnvelopeError else { return false }
    return error.serviceError != nil || EnvelopeError.Code.ofService.contains(error.code)
  }
}
