// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

/// Processes that change one store at once and are killed at any moment.
@Suite("keys: killed while changing", .serialized, .timeLimit(.minutes(20))) struct KeyKillTests {
  /// A command, and how the store shows that it was done.
  private struct Change {
    let arguments: [String]
    /// The operation in the log, and the alias of the key there; nil for a key that the command made.
    let operation: String
    let key: String?
    /// Whether the store has it; what the command wrote is known where it was acknowledged.
    let isDone: @Sendable (KeyStore, _ output: String?) -> Bool
  }

  /// A change that nobody else makes, of a kind that follows from its number.
  private static func change(_ number: Int) -> Change {
    switch number % 6 {
    case 0:
      Change(arguments: ["create", "new-\(number)"], operation: "create", key: nil) { store, output in
        store["new-\(number)"].map { output == nil || output == "\($0.id)\n" } ?? false
      }
    case 1:
      Change(arguments: ["recipient", "new-\(number)"], operation: "create", key: nil) { store, output in
        let recipient = try? store["new-\(number)"]?.recipient()
        return recipient.map { output == nil || output == "\($0)\n" } ?? false
      }
    case 2:
      Change(arguments: ["alias", "name-\(number)", "shared"], operation: "add-alias", key: "shared") { store, _ in
        store.aliases["name-\(number)"] != nil && store.aliases["name-\(number)"] == store.aliases["shared"]
      }
    case 3:
      Change(arguments: ["rotate", "key-\(number)"], operation: "rotate", key: "key-\(number)") { store, output in
        guard let keyset = store["key-\(number)"] else { return false }
        return keyset.versions.count == 2 && keyset.primary == 2 && (output == nil || output == "\(keyset.id).2\n")
      }
    case 4:
      Change(arguments: ["disable", "key-\(number)"], operation: "disable", key: "key-\(number)") { store, _ in
        store["key-\(number)"]?.state == .disabled
      }
    default:
      Change(
        arguments: ["policy", "key-\(number)", "--function", "f\(number)"], operation: "set-policy",
        key: "key-\(number)"
      ) { store, _ in
        store["key-\(number)"]?.policy.functions?.map(\.function) == ["f\(number)"]
      }
    }
  }

  private struct Attempt {
    let change: Change
    let outcome: Outcome
    let duration: Duration
    let isKilled: Bool
  }

  /// Changes under way, each waited for on a thread of its own.
  private final class Attempts: Sendable {
    private let ended = Mutex<[Result<Attempt, any Error>]>([])
    private let endCount = DispatchSemaphore(value: 0)

    func start(_ change: Change, in sandbox: Sandbox, killingAfter limit: Duration?) throws {
      let running = try sandbox.start(["keys"] + change.arguments)
      Thread.detachNewThread { [self] in
        let start = ContinuousClock.now
        let result = Result<Attempt, any Error> {
          let outcome = try limit.map { try running.wait(killingAfter: $0) } ?? running.wait()
          return Attempt(
            change: change, outcome: outcome, duration: ContinuousClock.now - start, isKilled: limit != nil)
        }
        ended.withLock { $0.append(result) }
        endCount.signal()
      }
    }

    /// Blocks until a change ends, which threads report that tests do not run on.
    func next() throws -> Attempt {
      endCount.wait()
      return try ended.withLock { $0.removeFirst() }.get()
    }
  }

  private static let atOnce = 4

  @Test(arguments: [(500, false), (180, true)]) func everyAcknowledgedChangeIsThere(count: Int, isLogged: Bool) throws {
    let sandbox = try Sandbox()
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix64(seed: seed)
    let comment = Comment(rawValue: "seed \(seed)")
    try sandbox.keys("create", "shared").succeeded()
    try sandbox.changeStore { (store) throws(EnvelopeError) in
      if isLogged { try store.startAuditLog() }
      for number in 0..<count where number % 6 > 2 { try store.add(Keyset.generate(), alias: "key-\(number)") }
    }

    let place = (sandbox.keyStore as NSString).deletingLastPathComponent
    var (acknowledged, killed): ([(Change, String)], [Change]) = ([], [])
    func check() throws {
      let store = try sandbox.store()
      for (change, output) in acknowledged {
        #expect(change.isDone(store, output), "\(change.arguments) was acknowledged; \(comment)")
      }
    }

    // As long as the same takes with as many others beside it and nobody killed.
    let clock = ContinuousClock()
    var duration = try clock.measure {
      let running = try (0..<Self.atOnce).map { try sandbox.start(["keys", "create", "first-\($0)"]) }
      for process in running { try process.wait().succeeded() }
    }

    var unfinished: Set<String> = []
    let attempts = Attempts()
    for number in 0..<(count + Self.atOnce) {
      if number >= Self.atOnce {
        let attempt = try attempts.next()
        let outcome = attempt.outcome
        switch outcome.ending {
        case .exit(0):
          acknowledged.append((attempt.change, outcome.text))
          // Other tests come and go beside this one.
          if !attempt.isKilled { duration = duration * 0.7 + attempt.duration * 0.3 }
        case .signal(SIGKILL):
          killed.append(attempt.change)
          unfinished.formUnion(try sandbox.names(in: place).filter { $0.hasSuffix(".envelope-lock") })
        default: Issue.record("\(attempt.change.arguments) failed: \(outcome.messages); \(comment)")
        }
        if (acknowledged.count + killed.count).isMultiple(of: 50) { try check() }
      }
      guard number < count else { continue }
      // One in six is left alone. Of the others two fifths are killed before they begin, in their middle, after their end,
      // the rest about the time when they write.
      let fate = Int.random(in: 0..<6, using: &generator)
      let delay = duration * Double.random(in: fate < 3 ? 0..<1.2 : 0.7..<1.05, using: &generator)
      try attempts.start(Self.change(number), in: sandbox, killingAfter: fate > 0 ? delay : nil)
    }
    try check()

    let store = try sandbox.store()
    let done = killed.filter { $0.isDone(store, nil) }
    // Otherwise the moments were not spread, and the test shows nothing.
    #expect(acknowledged.count > count / 12 && killed.count > count / 4, comment)
    #expect(!unfinished.isEmpty && done.count < killed.count, comment)
    // Few are killed between their change and their end.
    if count >= 500 { #expect(!done.isEmpty, comment) }

    try checkFolder(of: sandbox, isLogged: isLogged, comment)
    if isLogged { try checkLog(of: sandbox, acknowledged.map(\.0), comment) }
    // It can be changed as ever, and what was left lying about is taken away.
    try sandbox.keys("create", "last").succeeded()
    try check()
    #expect(try sandbox.names(in: place) == ["keys"] + (isLogged ? ["keys.audit"] : []), comment)
  }

  /// Beside the store lies what those who were killed last were writing, for this user alone.
  private func checkFolder(of sandbox: Sandbox, isLogged: Bool, _ comment: Comment) throws {
    let place = (sandbox.keyStore as NSString).deletingLastPathComponent
    let names = try sandbox.names(in: place)
    for name in names { #expect(try sandbox.mode(of: "\(place)/\(name)") == 0o600, comment) }
    let left = names.filter { $0 != "keys" && !(isLogged && $0 == "keys.audit") }
    #expect(
      left.allSatisfy { $0 == ".keys.envelope-lock" || $0.hasPrefix(".keys.") && $0.hasSuffix(".new") }, comment)
    #expect(left.count <= Self.atOnce, comment)
  }

  private func checkLog(of sandbox: Sandbox, _ changes: [Change], _ comment: Comment) throws {
    let store = try sandbox.store()
    let path = sandbox.keyStore + ".audit"
    let log = AuditLog(at: path, key: try #require(store.auditKey))
    do {
      _ = try log.verify()
    } catch {
      // Whoever was killed last may have left a piece of a line, which the next one takes off.
      #expect(error.message.contains("is not whole"), "\(error) \(comment)")
    }
    try sandbox.keys("create", "after").succeeded()
    #expect(try log.verify().count >= UInt64(changes.count), comment)

    var entries: [String: Int] = [:]
    for line in try sandbox.read(path).split(separator: "\n") {
      let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let entry = try #require(members)
      #expect(entry["outcome"] as? String == "success", comment)
      entries["\(entry["operation"] ?? "") \(entry["key"] ?? "")", default: 0] += 1
    }
    var wanted: [String: Int] = [:]
    for change in changes {
      let id = try store.require(change.key ?? change.arguments[1]).id
      wanted["\(change.operation) \(id)", default: 0] += 1
    }
    for (entry, count) in wanted { #expect(entries[entry, default: 0] >= count, "\(entry); \(comment)") }
  }
}
