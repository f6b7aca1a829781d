// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Verifies logs of uses.
///
/// The bytes are a log, edits of one that was written under a known key, or the names in a log that is then written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 3 {
  case 0:
    let log = input.rest()
    require(log.isEmpty || verify(log) == nil || isWritten(log), "a log that nobody wrote verifies")
  case 1: verifyEdited(by: &input)
  default: append(namesOf: &input)
  }
  return 0
}

private let key = require("a key is made") {
  _ = Known.store
  let memory = try GuardedMemory(capacity: 32) { (output) throws(EnvelopeError) in
    for byte in UInt8(1)...32 { output.append(byte) }
  }
  return try WrappingKey(in: memory, at: 0)
}
private let keyID = require("a key id is made") { try KeyID("Vh0dNZkcTqfV.1") }

/// A file in memory where the system has one.
private let path: String = {
  let folder = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
  var template = Array("\(folder)/envelope-fuzz-XXXXXX".utf8CString)
  let file = unsafe mkstemp(&template)
  require(file >= 0, "a file is made")
  close(file)
  atexit { unsafe unlink(path) }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}()
private let log = AuditLog(at: path, key: key)

private func store(_ bytes: [UInt8]) {
  let file = unsafe open(path, O_WRONLY | O_TRUNC)
  require(file >= 0, "a file is opened")
  require(unsafe bytes.isEmpty || write(file, bytes, bytes.count) == bytes.count, "a file is written")
  close(file)
}

private func stored() -> [UInt8] {
  require("a file is read") {
    try Path(path).openForReading().readAll(limit: 1 << 24, of: Path(path)).array
  }
}

private func verify(_ bytes: [UInt8], against checkpoint: AuditLog.Checkpoint? = nil) -> AuditLog.Checkpoint? {
  store(bytes)
  return accepted { try log.verify(against: checkpoint) }
}

/// Three entries, and the checkpoint after each.
private let known: (bytes: [UInt8], ends: [Int], checkpoints: [AuditLog.Checkpoint]) = {
  store([])
  var (ends, checkpoints) = ([Int](), [AuditLog.Checkpoint]())
  let uses = [
    KeyUse(.wrap, of: keyID, function: "orders"),
    KeyUse(.unwrap, of: keyID, function: "a \"q\" \\ \u{e9}\n\u{7f}", failure: .keyDisabled),
    KeyUse(.export, of: keyID),
  ]
  for use in uses {
    require("a use is logged") { try log.append(use) }
    ends.append(stored().count)
    checkpoints.append(require("a log verifies") { try log.verify() })
  }
  return (stored(), ends, checkpoints)
}()

private func isWritten(_ bytes: [UInt8]) -> Bool {
  (known.ends + [0]).contains(bytes.count) && known.bytes.starts(with: bytes)
}

private func verifyEdited(by input: inout FuzzedBytes) {
  let isChecked = input.byte() % 2 == 0
  var edited = known.bytes
  edited.edit(by: &input)
  let found = verify(edited, against: isChecked ? known.checkpoints.last : nil)
  // A log whose last lines were cut off verifies, unless a checkpoint tells of them.
  require(
    (found != nil) == (isChecked ? edited == known.bytes : isWritten(edited)),
    "an altered log verifies, or the one that was written does not")
}

private func append(namesOf input: inout FuzzedBytes) {
  store([])
  var count: UInt64 = 0
  while !input.isAtEnd {
    let operation = KeyUse.Operation(rawValue: String(decoding: input.shortBytes(), as: UTF8.self))
    let function = input.byte() % 4 == 0 ? nil : String(decoding: input.shortBytes(), as: UTF8.self)
    require("a use is logged") { try log.append(KeyUse(operation, of: keyID, function: function)) }
    count += 1
    require(member("function", ofLine: count) == function.map { Array($0.utf8) }, "a function is logged otherwise")
    require(member("operation", ofLine: count) == Array(operation.rawValue.utf8), "an operation is logged otherwise")
  }
  let found = accepted { try log.verify() }
  require(found?.count == count, "a log that was written does not verify")
}

/// A member's string, as a reader of JSON that is not the log's own finds it.
private func member(_ name: String, ofLine number: UInt64) -> [UInt8]? {
  let line = Array(stored().split(separator: UInt8(ascii: "\n"))[Int(number) - 1])
  var found: [UInt8]?
  require("a line is an object of JSON") {
    var scanner = JSONScanner(at: 0)
    let text = unsafe line.span.bytes
    require(text.firstOffsetOutsideUTF8 == nil, "a line is UTF-8")
    try scanner.readObject(in: text) { (scanner, member, _) throws(EnvelopeError) in
      guard member == name else { return try scanner.skipValue(in: text) }
      var bytes: [UInt8] = []
      try scanner.readString(in: text) { bytes.append($0) }
      found = bytes
    }
    require(scanner.position == line.count, "a line has more than an object")
  }
  return found
}
